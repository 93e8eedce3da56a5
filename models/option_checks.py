"""Whether what a person asked for fits the model; no torch here, so that it is said at once."""

from __future__ import annotations

from models.options import HandOptions, ModelOptions
from models.registry import find_spec
from stream.command_line.options import Options
from stream.errors import OptionError
from stream.jobs.options import RegionOptions

__all__ = ["check_options", "doubts_about"]


def check_options(options: Options) -> None:
    """Refuse early what would otherwise be refused after a download.

    Raises:
        OptionError: A head, layer or crop size that the model does not have.
        UnknownModelError: There is no such model.
    """
    model, crop_size = options[ModelOptions], options[HandOptions].crop_size
    spec, asked = find_spec(model.model), options.by_name
    flag, heads = ("--head", (asked["head"],)) if "head" in asked else ("--heads", asked["heads"])
    for head in heads:
        if isinstance(head, int) and head >= spec.num_heads:
            raise OptionError(f"{flag} {head}: {spec.name} has heads 0 to {spec.num_heads - 1}")
    least_px = 2 * spec.patch_px  # a single patch has all attention whatever it shows
    if crop_size is not None and crop_size < least_px:
        raise OptionError(
            f"--crop-size {crop_size}: {spec.name} needs {least_px} pixels at least, "
            f"two patches of {spec.patch_px}"
        )
    try:
        spec.layer_index(model.layer)
    except ValueError as error:
        raise OptionError(f"--layer {model.layer}: {error}") from error


def doubts_about(options: Options) -> list[str]:
    """Return what a person should know of what was asked for, though it can be done."""
    model = options[ModelOptions]
    spec = find_spec(model.model)
    is_ours = spec.origin == "bundled" and model.weights is None and not model.random_weights
    if options[RegionOptions].region == "frame" and is_ours:
        return [
            f"{spec.name} was trained on crops around hands: its maps of whole pictures mean "
            "little; take dino_vits16 for those"
        ]
    return []
