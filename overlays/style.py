"""How a scene is drawn: one immutable value, replaced as a whole when a key is pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from overlays.layouts import LAYOUTS
from stream.geometry import Handedness

__all__ = ["COLORMAPS", "NORMALIZATIONS", "Head", "Normalization", "Style"]

Head = int | Literal["mean", "all"]
Normalization = Literal["frame", "stable", "absolute"]

NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
"""In the order in which a key steps through them."""
COLORMAPS = ("inferno", "magma", "plasma", "viridis", "cividis", "turbo", "gray")
"""Perceptually uniform ones first; jet is left out because it shows edges that are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Everything that a person chooses about the look.

    Change one choice with ``dataclasses.replace(style, head=3)``.

    Raises:
        ValueError: A value is not allowed; the message lists those that are.
    """

    head: Head = "mean"
    """Which map: a head's number from 0, the mean of all, or all of them as a grid."""
    layout: str = "overlay"
    """One of LAYOUTS."""
    colormap: str = "inferno"
    """One of COLORMAPS."""
    alpha: float = 0.6
    """Opacity of the map where it is strongest, 0 to 1."""
    threshold: float | None = None
    """Outline the fewest patches that hold this share of the map, 0 to 1; None: no outline."""
    normalize: Normalization = "stable"
    """What the ends of the colour scale mean; see ``overlays.normalize``."""
    skeleton: bool = True
    """Draw the hand's landmarks."""
    hud: bool = True
    """Draw rates, latency and drops."""
    mirror: bool = False
    """Selfie view: the picture is flipped; text, and what is called left, is not."""
    input_mirrored: bool = False
    """The picture is a selfie view before it is flipped."""

    def __post_init__(self) -> None:
        is_number = isinstance(self.head, int) and not isinstance(self.head, bool)
        if not (is_number and int(self.head) >= 0) and self.head not in ("mean", "all"):
            raise ValueError(f"head must be a number from 0, 'mean' or 'all', got {self.head!r}")
        _check_choice("layout", self.layout, tuple(LAYOUTS))
        _check_choice("colormap", self.colormap, COLORMAPS)
        _check_choice("normalize", self.normalize, NORMALIZATIONS)
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1, got {self.alpha!r}")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ValueError(
                f"threshold must be None or between 0 and 1 (both excluded), got {self.threshold!r}"
            )

    @property
    def viewers_left(self) -> Handedness:
        """The signer's hand that is on the left of what is shown."""
        return "right" if self.mirror == self.input_mirrored else "left"


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
