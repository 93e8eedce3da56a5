"""Scripted parts for the loops: each implements its whole protocol, and none needs a library."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from stream.frames import Frame, RgbImage, SourceInfo
from stream.geometry import CropTransform, HandCrop, HandRegion
from stream.keys import Setting
from stream.scene import AttentionMaps, Scene
from stream.standby import PreRolls, Standby
from stream.takes import Event, Takes
from tests.waits import WAIT_S

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "TIME_BASE",
    "FakeClock",
    "FakeControls",
    "FakePart",
    "FrameRenderer",
    "GatedModel",
    "ListSink",
    "ScriptedFinder",
    "ScriptedScreen",
    "ScriptedSource",
    "cut_box",
    "make_frame",
    "make_hand",
]

TIME_BASE = Fraction(1, 30)


def make_frame(
    index: int,
    *,
    pts: int | None = None,
    size_wh: tuple[int, int] = (8, 6),
    file_pts: int | None = None,
) -> Frame:
    """Return a frame whose every pixel is its index modulo 256."""
    width, height = size_wh
    return Frame(
        image=np.full((height, width, 3), index % 256, np.uint8),
        pts=index if pts is None else pts,
        time_base=TIME_BASE,
        file_pts=file_pts,
        index=index,
        captured_ns=time.monotonic_ns(),
    )


def make_hand(track_id: int = 0, *, unseen_s: float = 0.0, left_px: float = 1.0) -> HandRegion:
    """Return a right hand whose box is 4 pixels wide and high."""
    return HandRegion(
        box_xyxy=(left_px, 1.0, left_px + 4.0, 5.0),
        landmarks=np.full((21, 2), left_px + 2.0, np.float32),
        handedness="right",
        score=0.9,
        track_id=track_id,
        unseen_s=unseen_s,
    )


def cut_box(frame: Frame, region: HandRegion) -> HandCrop:
    """Return a 4 x 4 crop filled with the frame's first pixel."""
    return HandCrop(
        image=np.full((4, 4, 3), frame.image[0, 0, 0], np.uint8),
        transform=CropTransform(
            left_px=region.box_xyxy[0],
            top_px=region.box_xyxy[1],
            scale_xy=(1.0, 1.0),
            crop_wh=(4, 4),
        ),
        region=region,
        frame_index=frame.index,
        pts=frame.pts,
        time_base=frame.time_base,
        captured_ns=frame.captured_ns,
    )


class _Closing:
    def __init__(self) -> None:
        self.num_closed = 0

    def close(self) -> None:
        self.num_closed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class ScriptedSource(_Closing):
    """Gives the frames it was made with; calls ``before`` with each index first."""

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        is_live: bool = False,
        before: Callable[[int], None] = lambda index: None,
        fail_at: int | None = None,
        failure: Exception | None = None,
    ) -> None:
        super().__init__()
        self._frames = iter(frames)
        self._before = before
        self._fail_at = fail_at
        self._failure = failure
        self._index = 0
        self.warnings: list[str] = []
        self.info = SourceInfo(
            name="script",
            size_wh=(8, 6),
            frame_rate=Fraction(30),
            time_base=TIME_BASE,
            is_live=is_live,
        )

    def read(self) -> Frame | None:
        self._before(self._index)
        if self._index == self._fail_at:
            assert self._failure is not None
            raise self._failure
        self._index += 1
        return next(self._frames, None)


class ScriptedFinder(_Closing):
    """Returns what the script says for each frame's index."""

    def __init__(self, script: Callable[[int], tuple[HandRegion, ...]]) -> None:
        super().__init__()
        self._script = script

    def find(self, frame: Frame) -> tuple[HandRegion, ...]:
        return self._script(frame.index)


class GatedModel:
    """Waits at its gate on every call; each map's only weight tells the crop's first pixel."""

    def __init__(
        self,
        *,
        is_open: bool = True,
        failure: Exception | None = None,
        frames_at_once: int = 1,
    ) -> None:
        self.frames_at_once = frames_at_once
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.seen: list[list[int]] = []
        self._failure = failure
        if is_open:
            self.gate.set()

    def attend_crops(self, crops: Sequence[HandCrop]) -> list[AttentionMaps]:
        self.seen.append([crop.frame_index for crop in crops])
        self.entered.set()
        assert self.gate.wait(WAIT_S), "nobody opened the gate"
        if self._failure is not None:
            raise self._failure
        return [
            AttentionMaps(
                weights=np.full((1, 1, 1), crop.image[0, 0, 0] / 255, np.float32),
                kind="attention",
                model="gated",
                layer=0,
                transform=crop.transform,
                track_id=crop.region.track_id,
                frame_index=crop.frame_index,
                time_s=crop.time_s,
                captured_ns=crop.captured_ns,
                compute_ns=1_000_000,
            )
            for crop in crops
        ]


class FrameRenderer:
    """Returns a copy of the frame, and keeps every scene it was given."""

    def __init__(self, *, failure: Exception | None = None) -> None:
        self.scenes: list[Scene] = []
        self.kept: RgbImage = np.zeros((0, 0, 3), np.uint8)
        self._failure = failure

    def draw(self, scene: Scene) -> RgbImage:
        if self._failure is not None:
            raise self._failure
        self.scenes.append(scene)
        self.kept = scene.frame.image.copy()
        return self.kept.copy()

    def draw_heads(self, scene: Scene) -> RgbImage | None:
        return None


class ListSink(_Closing):
    """Keeps what is written; fails at a given write."""

    def __init__(self, *, fail_at: int | None = None, failure: Exception | None = None) -> None:
        super().__init__()
        self.closed = threading.Event()
        self.written: list[tuple[RgbImage, int, Fraction]] = []
        self.chapters: list[tuple[float, str]] = []
        self.sound_turns: list[tuple[Fraction, Fraction | None]] = []
        self._fail_at = fail_at
        self._failure = failure

    def write(
        self, canvas: RgbImage, pts: int, time_base: Fraction, duration: int | None = None
    ) -> None:
        del duration
        if len(self.written) == self._fail_at:
            assert self._failure is not None
            raise self._failure
        self.written.append((canvas, pts, time_base))

    def close(self) -> None:
        super().close()
        self.closed.set()

    def add_chapter(self, time_s: float, title: str) -> None:
        self.chapters.append((time_s, title))

    def turn_sound(self, time_s: Fraction, to_s: Fraction | None) -> None:
        self.sound_turns.append((time_s, to_s))

    @property
    def pts(self) -> list[int]:
        return [pts for _, pts, _ in self.written]


class FakePart:
    """Keeps both takes and the events of a part."""

    def __init__(self, overlay: ListSink | None = None, clean: ListSink | None = None) -> None:
        self.overlay = overlay or ListSink()
        self.clean = clean
        self.events: list[Event] = []

    def keep_events(self, events: Iterable[Event]) -> None:
        self.events = list(events)


class ScriptedScreen(_Closing):
    """A window whose keys are scripted: ``keys[n]`` is pressed on canvas n, as counted from 0.

    Calls ``before`` with each number first. A canvas that is shown again while the next one is
    late, as happens on a busy machine, counts once and gets no second key.
    """

    def __init__(
        self,
        keys: dict[int, str] | None = None,
        *,
        before: Callable[[int], None] = lambda index: None,
    ) -> None:
        super().__init__()
        self._keys = keys or {}
        self._before = before
        self.shown: list[RgbImage] = []
        self.is_open = True

    def show(self, canvas: RgbImage, wait_s: float) -> str | None:
        if self.shown and canvas is self.shown[-1]:
            return None
        index = len(self.shown)
        self._before(index)
        self.shown.append(canvas)
        return self._keys.get(index)


class FakeControls:
    """Writes down what it was asked for."""

    def __init__(self) -> None:
        self.pressed: list[str] = []
        self.snapshots: list[RgbImage] = []
        self.recordings: list[FakePart] = []
        self.settings: list[Setting] = []
        self.open_standby: Callable[[], Standby] | None = None

    def news(self) -> str | None:
        return None

    def press(self, key: str) -> str | None:
        self.pressed.append(key)
        return f"pressed {key}"

    def dismiss(self) -> bool:
        return False

    def open_recording(self, pre_rolls: PreRolls | None = None) -> tuple[Takes, str]:
        return Takes(self.open_part), "recording"

    def open_part(self, number: int) -> FakePart:
        self.recordings.append(FakePart(clean=ListSink()))
        return self.recordings[-1]

    def save_snapshot(self, canvas: RgbImage) -> str:
        self.snapshots.append(canvas)
        return "snapshot"


class FakeClock:
    """Time that passes only when somebody sleeps, or when told to."""

    def __init__(self) -> None:
        self.time_ns = 1_000_000_000

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until(self, when_ns: int) -> None:
        self.time_ns = max(self.time_ns, when_ns)
