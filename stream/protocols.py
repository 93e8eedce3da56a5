"""What the loops need from the outside, so that they run without torch, a camera or a window.

All of them are context managers: leaving the block closes, closing twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from stream.frames import Frame, RgbImage, SourceInfo
from stream.geometry import HandCrop, HandRegion
from stream.scene import AgedMaps, AttentionMaps, Scene

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "AttentionModel",
    "CropCutter",
    "HandFinder",
    "LiveAttention",
    "LiveRenderer",
    "Renderer",
    "Screen",
    "Seekable",
    "Sink",
    "Source",
]


class _Closing(Protocol):
    def close(self) -> None:
        """Release everything; harmless when called again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Source(_Closing, Protocol):
    """Frames, one after the other. Read by one thread; ``close`` may be called from another."""

    @property
    def info(self) -> SourceInfo:
        """What the source declares about itself."""

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong so far and could be lived with, a line each."""

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end.

        Raises:
            SourceError: The source broke; frames read before stay good.
        """


class Seekable(Protocol):
    """A source that can be told where to go on; from any thread."""

    def seek(self, by_s: float) -> None:
        """Go on so much later, or earlier, than what was read last.

        After the end, ``read`` then has more. Minus infinity is the beginning.
        """

    @property
    def is_sought(self) -> bool:
        """True from ``seek`` until the next ``read``."""


class HandFinder(_Closing, Protocol):
    """Finds and follows hands from frame to frame; frames come in order, from one thread."""

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        """Return the hands of this frame, the longest-followed first."""


class CropCutter(Protocol):
    """Cuts a model's input out of a frame."""

    def __call__(self, frame: Frame, region: HandRegion) -> HandCrop:
        """Return the crop around ``region``, sized for the model."""


class AttentionModel(Protocol):
    """Turns crops into maps. Called from one thread at a time."""

    @property
    def frames_at_once(self) -> int:
        """Frames whose crops are best handed over together, where nobody waits for the first."""

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        """Return one AttentionMaps per crop, in order, computed as one batch where shapes agree."""


class LiveAttention(Protocol):
    """Makes maps beside the picture; see ``stream.newest_maps.NewestMaps``."""

    @property
    def num_batches(self) -> int:
        """Batches taken back so far."""

    @property
    def dropped(self) -> int:
        """Batches that newer ones replaced before the model came to them."""

    @property
    def per_s(self) -> float:
        """Batches finished a second, of late."""

    @property
    def compute_ms(self) -> float:
        """Time the model took for the newest batch, in ms."""

    def submit(self, frame: Frame, hands: Iterable[HandRegion]) -> None:
        """Hand over the hands of a frame and return at once."""

    def at(self, frame: Frame, hands: Iterable[HandRegion]) -> dict[int, AgedMaps]:
        """Return the newest maps of hands by track, with their age at ``frame``."""

    def check(self) -> None:
        """Raise what stopped it, if anything did."""


class Renderer(Protocol):
    """Draws a scene."""

    def draw(self, scene: Scene) -> RgbImage:
        """Return a new picture, uint8 ``(H, W, 3)`` RGB; the scene's frame is never touched.

        The canvas has even sides and keeps its size for frames of one size and one layout.
        """


class LiveRenderer(Renderer, Protocol):
    """Draws what somebody at the keyboard sees."""

    @property
    def kept(self) -> RgbImage:
        """What was drawn last, without read-outs, notices and the like: what is worth keeping."""

    def draw_heads(self, scene: Scene) -> RgbImage | None:
        """Return what the mean and each head look at, square tiles in a row; None without maps."""


class Sink(_Closing, Protocol):
    """Keeps pictures. Written by one thread."""

    def write(
        self, canvas: RgbImage, pts: int, time_base: Fraction, duration: int | None = None
    ) -> None:
        """Keep ``canvas``, uint8 ``(H, W, 3)`` RGB, as shown from ``pts * time_base`` seconds on.

        It is shown until the next one comes; ``duration`` says for how many ticks if none does.

        Raises:
            SinkError: It could not be kept; what was kept before stays good.
        """


class Screen(_Closing, Protocol):
    """A window and its keyboard; used from the main thread."""

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        """Show ``canvas``, uint8 ``(H, W, 3)`` RGB, then wait up to ``wait_s`` for a key.

        Returns:
            The key that was pressed ("q", "+", "space", "escape", ...), or None.
        """

    @property
    def is_open(self) -> bool:
        """False once the person has closed the window."""
