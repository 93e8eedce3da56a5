"""Models, hand finders and crops as the command line asks for them.

Heavy libraries load when a function is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.fitting import check_options, doubts_about
from stream.jobs.progress import download_bar, terminal
from stream.options import Options

if TYPE_CHECKING:
    from models import DinoModel
    from models.crops import Cropper
    from stream.protocols import HandFinder

__all__ = ["check", "make_cutter", "open_finder", "open_model"]


def check(options: Options) -> list[str]:
    """Refuse what does not fit the model; return what a person should know, a line each.

    Raises:
        OptionError: A head, layer or crop size that the model does not have.
    """
    check_options(options)
    return doubts_about(options)


def open_model(options: Options, *, num_threads: int | None = None) -> DinoModel:
    """Load the model, with a progress bar where its weights are downloaded."""
    from models import load_model

    with download_bar(terminal()) as progress:
        return load_model(
            options.model,
            weights=options.weights,
            random_weights=options.random_weights,
            device=options.device,
            runtime=options.runtime,
            precision=options.precision,
            layer=options.layer,
            num_threads=num_threads,
            progress=progress,
        )


def make_cutter(options: Options, model: DinoModel) -> Cropper:
    """Return what cuts crops of the size asked for, or of the model's own."""
    from models.crops import Cropper

    return Cropper(size_px=options.crop_size or model.spec.crop_px, patch_px=model.patch_px)


def open_finder(options: Options) -> HandFinder:
    """Open the hand finder, or the one that takes the whole picture."""
    if options.region == "frame":
        from models.crops import WholeFrameFinder

        return WholeFrameFinder()
    from models.hands.finder import MediaPipeHandFinder

    with download_bar(terminal()) as progress:
        return MediaPipeHandFinder(
            max_hands=options.max_hands,
            input_mirrored=options.input_mirrored,
            bundle=options.hand_model,
            progress=progress,
        )
