"""The export loop: every frame, in order, whatever the timing.

Decoding, finding hands, attention and composing run on threads of their own; the caller's thread
writes. Every hand-over is bounded and blocks, so the slowest stage sets the pace and memory stays
flat, and every stage is one thread working in order, so the result does not depend on timing.

How often the pixels of a 1280 x 720 frame are written between decoder and encoder, and why:

1. decoded YUV to RGB: a conversion; the frame is then a view of FFmpeg's own memory, no copy;
2. RGB onto the canvas: a copy, as the frame is shared with other stages and never written to;
3. the canvas into FFmpeg's memory: a copy, as FFmpeg reads past the ends of rows (sinks.canvas);
4. RGB to YUV: a conversion;
5. libx264 keeps a copy, as it looks ahead; so does every H.264 encoder.

Beside that path MediaPipe copies what it is shown, once a look (twice where FFmpeg pads rows, as at
854 columns; a second look, at lifted contrast, converts to Lab and back), and a crop copies its
window alone. Between stages go references.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stream.channel import Channel, in_groups, one_by_one
from stream.frames import Frame, RgbImage
from stream.geometry import HandCrop, Handedness, HandRegion
from stream.protocols import AttentionModel, CropCutter, HandFinder, Renderer, Sink, Source
from stream.scene import AgedMaps, AttentionMaps, Scene
from stream.sources.reading import frames_of
from stream.worker import Worker

__all__ = ["ExportReport", "export"]

MAX_WAITING = 2
"""Items that may wait between two stages: enough to even out their jitter; with those in hand some
twelve frames in all, 33 MB at 1280 x 720, and three times those that the model takes at once (8 on
a GPU: another 66 MB)."""
MAX_WAITING_BYTES = 2**27
"""Pixels that may wait between two stages: of 8K one frame, some 0.8 GB in all."""


@dataclass(slots=True)
class ExportReport:
    """What an export has seen and written so far."""

    num_frames: int = 0
    """Frames written."""
    num_frames_with_hand: int = 0
    """Frames in which at least one hand was seen (a place that is only held does not count)."""
    num_hands: dict[Handedness, int] = field(default_factory=lambda: {"left": 0, "right": 0})
    """Sightings of left and right hands, over all frames."""
    time_s: float = 0.0
    """Presentation time of the last frame written, in seconds."""

    def count(self, scene: Scene) -> None:
        """Count one written scene."""
        seen = [hand.handedness for hand in scene.hands if hand.handedness and not hand.unseen_s]
        self.num_frames += 1
        self.num_frames_with_hand += bool(seen)
        for handedness in seen:
            self.num_hands[handedness] += 1
        self.time_s = scene.frame.time_s


@dataclass(frozen=True, slots=True, eq=False)
class _Crops:
    """A frame with its hands found and cut out, on its way to the model."""

    frame: Frame
    hands: tuple[HandRegion, ...]
    crops: list[HandCrop]


def export(
    *,
    source: Source,
    finder: HandFinder,
    cut: CropCutter,
    model: AttentionModel,
    renderer: Renderer,
    sink: Sink,
    stop: threading.Event,
    report: ExportReport,
    on_frame: Callable[[ExportReport], None],
) -> None:
    """Draw attention on every frame of ``source`` and write it to ``sink``.

    The parts stay open: who made them closes them.

    Args:
        source: Read on one thread until its end.
        finder: Called on one thread, frames in order.
        cut: Called on the finder's thread.
        model: Called on one thread with the crops of ``frames_at_once`` frames at a time, however
            quickly they come, so that the same numbers are added up in the same order.
        renderer: Called on one thread.
        sink: Written on the calling thread.
        stop: Set it, from any thread or a signal handler, to end early: frames already read are
            still written.
        report: Filled in as frames are written, so that it tells of a broken-off export too.
        on_frame: Called on the calling thread after each frame, with ``report``.

    Raises:
        WorkerError: A part failed on its thread. Frames before the failure were written.
        SinkError: The sink failed.
    """
    last_maps: dict[int, AttentionMaps] = {}

    def find_and_cut(frame: Frame) -> _Crops:
        hands = finder.find(frame)
        # A place that is only held shows something else than the hand: no map is made of it.
        return _Crops(frame, hands, [cut(frame, hand) for hand in hands if not hand.unseen_s])

    def attend(items: list[_Crops]) -> list[Scene]:
        all_crops = [crop for item in items for crop in item.crops]
        all_maps = iter(model.attend_crops(all_crops) if all_crops else ())
        return [remember(item, list(islice(all_maps, len(item.crops)))) for item in items]

    def remember(item: _Crops, maps: list[AttentionMaps]) -> Scene:
        last_maps.update((entry.track_id, entry) for entry in maps)
        for track_id in last_maps.keys() - {hand.track_id for hand in item.hands}:
            del last_maps[track_id]
        return Scene(
            frame=item.frame,
            hands=item.hands,
            maps={
                track_id: AgedMaps(maps=entry, age_s=item.frame.time_s - entry.time_s)
                for track_id, entry in last_maps.items()
            },
        )

    def compose(scene: Scene) -> tuple[Scene, RgbImage]:
        return scene, renderer.draw(scene)

    capacity = _num_waiting(source.info.size_wh)
    frames: Channel[Frame] = Channel(capacity, keep="all")
    crops: Channel[_Crops] = Channel(capacity, keep="all")
    scenes: Channel[list[Scene]] = Channel(1, keep="all")
    canvases: Channel[tuple[Scene, RgbImage]] = Channel(capacity, keep="all")
    workers: list[Worker[Any, Any]] = [
        Worker(lambda frame: frame, inbox=frames_of(source, stop), outbox=frames, name="decode"),
        Worker(find_and_cut, inbox=frames, outbox=crops, name="hands"),
        Worker(
            attend,
            inbox=in_groups(crops, model.frames_at_once),
            outbox=scenes,
            name="attention",
        ),
        Worker(compose, inbox=one_by_one(scenes), outbox=canvases, name="compose"),
    ]
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        for scene, canvas in canvases:
            frame = scene.frame
            sink.write(canvas, frame.pts, frame.time_base, frame.duration)
            report.count(scene)
            on_frame(report)
        for worker in workers:
            worker.join()
            worker.check()


def _num_waiting(size_wh: tuple[int, int]) -> int:
    """Return how many frames of a size may wait between two stages."""
    frame_bytes = 3 * size_wh[0] * size_wh[1]
    return max(1, min(MAX_WAITING, MAX_WAITING_BYTES // frame_bytes))
