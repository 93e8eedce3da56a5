"""What a person can ask of models and of the hands they look at; no torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.registry import DEFAULT_MODEL, MODELS
from stream.command_line.option import OptionGroup, UsageError, argument, option
from stream.command_line.values import Choice, Integer, Name, Several

__all__ = [
    "DEVICES",
    "PRECISIONS",
    "RUNTIMES",
    "FetchOptions",
    "HandOptions",
    "ModelOptions",
    "ModelsOptions",
    "RuntimeOptions",
]

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")
RUNTIMES = ("auto", "torch", "openvino")
_USUAL_PX = MODELS["dino_vits16"].crop_px
_CROP_WORDS = ", ".join(
    [f"{spec.crop_px} for {spec.name}" for spec in MODELS.values() if spec.crop_px != _USUAL_PX]
    + [f"else {_USUAL_PX}"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions(OptionGroup):
    """Which model looks, and what of it is shown."""

    title = "model"

    model: str = option(DEFAULT_MODEL, "which model", metavar="NAME", values=Name(MODELS))
    weights: Path | None = option(
        None,
        "a DINO checkpoint: backbone, or full training state (teacher, then student)",
        metavar="PATH",
        unset="cache, then download",
    )
    random_weights: bool = option(
        False, "seeded random weights, written across the picture: for trying things out"
    )
    layer: int = option(
        -1, "block whose attention is read; negative counts from the end", metavar="N"
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if self.weights is not None and self.random_weights:
            raise UsageError("--weights and --random-weights exclude each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsOptions(OptionGroup):
    """Which models look, one after the other."""

    title = "model"

    models: tuple[str, ...] = option(
        tuple(spec.name for spec in MODELS.values() if spec.origin == "bundled"),
        "which models, with commas between them",
        metavar="NAME,...",
        values=Several(Name(MODELS)),
    )
    weights: Path | None = option(
        None,
        "a DINO checkpoint: backbone, or full training state (teacher, then student)",
        metavar="PATH",
        unset="cache, then download",
    )
    random_weights: bool = option(
        False, "seeded random weights, written across the picture: for trying things out"
    )
    layers: tuple[int, ...] = option(
        (-1,),
        "blocks whose attention is read, with commas between them; negative ones count from the "
        "end (--layers=-2,-1)",
        metavar="N,...",
        values=Several(Integer(-1000, 1000)),
    )

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if self.weights is not None and self.random_weights:
            raise UsageError("--weights and --random-weights exclude each other")
        if self.weights is not None and len(self.models) > 1:
            raise UsageError(
                f"--weights {self.weights}: of which model? name it alone, as --models "
                f"{self.models[0]}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOptions(OptionGroup):
    """What the model is shown."""

    title = "model"

    max_hands: int = option(2, "hands followed at once", metavar="N", values=Integer(1, 8))
    crop_size: int | None = option(
        None,
        "side of the model's input, rounded to whole patches, two at least",
        metavar="PX",
        values=Integer(8, 4096),
        unset=_CROP_WORDS,
    )
    hand_model: Path | None = option(
        None,
        "a MediaPipe .task bundle",
        metavar="PATH",
        unset="MediaPipe's, which the set-up brings",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOptions(OptionGroup):
    """With what the model runs."""

    title = "model"

    precision: str = option("auto", "arithmetic of the model", values=Choice(PRECISIONS))
    device: str = option("auto", "where the model runs", values=Choice(DEVICES))
    runtime: str = option("auto", "with what the model runs", values=Choice(RUNTIMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions(OptionGroup):
    """Whether the models are listed, or one is downloaded."""

    action: Literal["fetch"] | None = argument(None, "download official weights")
    model: str | None = argument(None, "which model", metavar="NAME", values=Name(MODELS))

    def check(self, given: Mapping[str, object]) -> None:
        """See ``OptionGroup``."""
        if self.action and not self.model:
            names = ", ".join(MODELS)
            raise UsageError(f"which model? signlight models fetch NAME, one of: {names}")
