"""The picture of the live view: a composed scene, with notices and the card of keys over it."""

from __future__ import annotations

from overlays.compositor import Compositor
from overlays.head_tiles import HeadTiles
from overlays.help_card import HelpCard, draw_loss, draw_notice
from overlays.style import Style
from stream.frames import RgbImage
from stream.scene import Scene

__all__ = ["LiveView"]


class LiveView:
    """Draws what a person at the keyboard sees; a ``stream.protocols.LiveRenderer``.

    Args:
        style: How to draw; assign ``view.style`` to change it from the next frame on.

    Attributes:
        style: How to draw.
        is_help_shown: Whether the card of keys covers the picture.
    """

    def __init__(self, style: Style) -> None:
        self._compositor = Compositor(style)
        self._tiles = HeadTiles()
        self._card = HelpCard()
        self.is_help_shown = False
        self._kept: RgbImage | None = None

    @property
    def style(self) -> Style:
        """How to draw."""
        return self._compositor.style

    @style.setter
    def style(self, style: Style) -> None:
        self._compositor.style = style

    @property
    def kept(self) -> RgbImage:
        """What was drawn last, without read-outs, notices and the card of keys."""
        assert self._kept is not None  # something was drawn
        return self._kept

    def draw(self, scene: Scene) -> RgbImage:
        """Return the scene as a new picture, uint8 (H, W, 3) RGB; the scene is only read."""
        self._kept, draw_readouts = self._compositor.compose(scene)
        canvas = self._kept.copy()
        draw_readouts(canvas)
        stats = scene.stats
        if stats is not None and stats.lost_s is not None:
            draw_loss(canvas, stats.lost_s)
        notice = stats.notice if stats is not None else ""
        is_read = self.is_help_shown and self._card.draw(canvas, self._compositor.shown, notice)
        if notice and not is_read:
            draw_notice(canvas, notice)
        return canvas

    def draw_heads(self, scene: Scene) -> RgbImage | None:
        """Return what each head looks at, tiles in a row; see ``overlays.head_tiles``."""
        return self._tiles.draw(scene, self.style)
