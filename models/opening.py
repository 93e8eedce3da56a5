"""Models, hand finders and crops as the command line asks for them.

Heavy libraries load when a function is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.option_checks import check_options, doubts_about
from models.options import HandOptions, ModelOptions, ModelsOptions, RuntimeOptions
from models.registry import MODELS, ModelSpec
from models.weights import is_ready
from stream.command_line.options import Options
from stream.errors import OptionError
from stream.jobs.options import FigureOptions, RegionOptions
from stream.jobs.progress import download_bar, terminal
from stream.sources.options import PictureOptions

if TYPE_CHECKING:
    from models import DinoModel
    from models.crops import Cropper
    from stream.protocols import HandFinder

__all__ = [
    "check",
    "each_model",
    "make_cutter",
    "open_finder",
    "open_model",
    "open_still_finder",
    "ready_models",
]


def check(options: Options) -> list[str]:
    """Refuse what does not fit the model; return what a person should know, a line each.

    Raises:
        OptionError: A head, layer or crop size that the model does not have.
    """
    check_options(options)
    return doubts_about(options)


def each_model(options: Options) -> list[Options]:
    """Return what is asked of each model and each of its layers, where several are asked for."""
    asked = options[ModelsOptions]
    groups = tuple(group for group in options.groups if group is not asked)
    return [
        Options(
            options.command,
            (
                *groups,
                ModelOptions(
                    model=model,
                    weights=asked.weights,
                    random_weights=asked.random_weights,
                    layer=layer,
                ),
            ),
        )
        for model in asked.models
        for layer in asked.layers
    ]


def ready_models(options: Options) -> tuple[str, ...]:
    """Return the models that can take the place of the one asked for, itself among them.

    They fit the other options, and their weights are there: nothing is downloaded.
    """
    asked = options[ModelOptions]

    def is_fit(spec: ModelSpec) -> bool:
        if spec.name == asked.model:
            return True
        if asked.weights is not None or not (asked.random_weights or is_ready(spec)):
            return False
        try:
            check_options(options.but(model=spec.name, layer=-1, head="mean"))
        except OptionError:
            return False
        return True

    return tuple(spec.name for spec in MODELS.values() if is_fit(spec))


def open_model(options: Options, *, num_threads: int | None = None) -> DinoModel:
    """Load the model, with a progress bar where its weights are downloaded."""
    from models import load_model

    asked, at = options[ModelOptions], options[RuntimeOptions]
    with download_bar(terminal()) as progress:
        return load_model(
            asked.model,
            weights=asked.weights,
            random_weights=asked.random_weights,
            device=at.device,
            runtime=at.runtime,
            precision=at.precision,
            layer=asked.layer,
            num_threads=num_threads,
            progress=progress,
        )


def make_cutter(options: Options, model: DinoModel) -> Cropper:
    """Return what cuts crops of the size asked for, or of the model's own."""
    from models.crops import Cropper

    size_px = options[HandOptions].crop_size or model.spec.crop_px
    return Cropper(size_px=size_px, patch_px=model.patch_px)


def open_finder(options: Options) -> HandFinder:
    """Open the hand finder, or the one that takes the whole picture."""
    if options[RegionOptions].region == "frame":
        from models.crops import WholeFrameFinder

        return WholeFrameFinder()
    return _open_finder(options, stills=False)


def open_still_finder(options: Options) -> HandFinder:
    """Open the finder of hands in pictures that have nothing to do with each other."""
    shows_whole = options[FigureOptions].regions != "hands"  # faces are counted in those alone
    return _open_finder(options, stills=True, faces=shows_whole)


def _open_finder(options: Options, *, stills: bool, faces: bool = False) -> HandFinder:
    from models.hands.finder import MediaPipeHandFinder

    hands = options[HandOptions]
    with download_bar(terminal()) as progress:
        return MediaPipeHandFinder(
            max_hands=hands.max_hands,
            input_mirrored=options[PictureOptions].input_mirrored,
            bundle=hands.hand_model,
            stills=stills,
            faces=faces,
            progress=progress,
        )
