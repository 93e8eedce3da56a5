"""What every layout says: how big the canvas is, and how it is filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from overlays.exhibits import Exhibit
from overlays.panes import Pane, Rect
from overlays.style import Style
from stream.frames import Frame, RgbImage

__all__ = ["Layout", "Plan", "Stage", "plan_beside", "plan_on_picture"]

_MAX_SIDE_PX = 4096
_MIN_SIDE_PX = 360
_GAP_PX = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a canvas and its parts.

    Canvas sides are even (H.264 wants that), and depend on nothing but the frame's size and the
    layout.
    """

    canvas_wh: tuple[int, int]
    """Width and height, even."""
    picture: Rect
    """Where the picture goes."""
    panel: Rect | None
    """Where the maps go that stand beside the picture; None where they are on it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stage:
    """What a layout draws on, and what it has to show."""

    canvas: RgbImage
    """uint8 (H, W, 3) RGB, written; the picture is on it already."""
    pane: Pane
    """The picture."""
    beside: Pane
    """The panel; the picture again where there is none."""
    frame: Frame
    """What is seen; only read."""
    exhibits: tuple[Exhibit, ...]
    """Hands, or the whole picture."""
    style: Style
    """How to draw."""
    span: tuple[int, int]
    """Rows of the picture that text leaves free, from and to."""
    is_random: bool
    """The weights are random: a panel has to say so, as the picture does."""


class Layout(ABC):
    """What goes where; remembers only what must not jump from frame to frame."""

    shows_heads: ClassVar[bool] = False
    """Every head is on show, not the chosen one alone."""
    has_caption_beside: ClassVar[bool] = False
    """The caption stands in the panel, not on the picture."""
    names_only: ClassVar[bool] = False
    """Tags on the picture leave out how old a map is."""

    def plan(self, frame_wh: tuple[int, int]) -> Plan:
        """Return the sizes for a frame's width and height."""
        return plan_on_picture(frame_wh)

    @abstractmethod
    def draw(self, stage: Stage) -> list[Rect]:
        """Draw maps and marks; return what is taken of the picture, pixels of its pane."""


def plan_on_picture(frame_wh: tuple[int, int]) -> Plan:
    """Return the sizes where everything is on the picture: the frame's, rounded up to even."""
    width, height = frame_wh
    return Plan((_even(width), _even(height)), (0, 0, width, height), None)


def plan_beside(frame_wh: tuple[int, int], panel_w: float) -> Plan:
    """Return the sizes where a panel stands to the right of the picture.

    Tiny frames are enlarged so that the panel can be read, and huge ones shrunk so that the canvas
    stays within 4096 pixels, which hardware decoders still play.

    Args:
        frame_wh: The frame's width and height.
        panel_w: Width of the panel, frame pixels.
    """
    width, height = frame_wh
    scale = max(1.0, _MIN_SIDE_PX / min(width, height))
    scale = min(scale, (_MAX_SIDE_PX - _GAP_PX) / (width + panel_w), _MAX_SIDE_PX / height)
    picture_w, picture_h = (_even(max(2, int(side * scale))) for side in frame_wh)
    left = picture_w + _GAP_PX
    right = left + _even(max(2, int(panel_w * scale)))
    return Plan((right, picture_h), (0, 0, picture_w, picture_h), (left, 0, right, picture_h))


def _even(number: int) -> int:
    return number + number % 2
