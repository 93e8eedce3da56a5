"""The walk: the frames of a source, in order, as scenes.

Everything that the program makes of a recording is a reader of these scenes. Decoding, finding
hands and attention run on threads of their own. Every hand-over is bounded and blocks, so the
slowest stage sets the pace and memory stays flat, and every stage is one thread working in order,
so the result does not depend on timing.

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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from stream.channel import Channel, in_groups, one_by_one
from stream.closing import Closing
from stream.frames import LARGE_PX, Frame
from stream.geometry import HandCrop, HandRegion
from stream.protocols import AttentionModel, CropCutter, HandFinder, Source
from stream.scene import AgedMaps, AttentionMaps, Scene
from stream.sources.reading import frames_of
from stream.worker import Worker

__all__ = ["Located", "RememberedMaps", "SceneMaker", "SceneReader", "Scenes", "cut_hands"]

MAX_WAITING = 2
"""Items that may wait between two stages: enough to even out their jitter; with those in hand and
a reader's some twelve frames in all, 33 MB at 1280 x 720, and twice those that the model takes at
once (8 on a GPU: another 44 MB)."""
MAX_WAITING_BYTES = 2**27
"""Pixels that may wait between two stages, or are given to the model at once: of 8K one frame."""


class SceneReader(Protocol):
    """What is made of scenes: a video, a table. Handed every scene in order, by one thread."""

    def write(self, scene: Scene) -> None:
        """Take the next scene; it may be worked on later, on another thread.

        Raises:
            SinkError: This scene or one before could not be kept.
        """

    def close(self) -> None:
        """Finish all that was handed over; harmless when called again.

        Raises:
            SinkError: Not all could be kept.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A frame with its hands found and cut out, on its way to the model."""

    frame: Frame
    """The picture."""
    hands: tuple[HandRegion, ...]
    """Where the hands are in it."""
    crops: list[HandCrop]
    """Of the hands that are seen."""


def cut_hands(frame: Frame, hands: Iterable[HandRegion], cut: CropCutter) -> list[HandCrop]:
    """Return the crops of the hands that are seen in ``frame``.

    A place that is only held shows something else than the hand: no map is made of it.
    """
    return [cut(frame, hand) for hand in hands if not hand.unseen_s]


class RememberedMaps:
    """The newest maps of each hand, for as long as they say something. Used by one thread."""

    def __init__(self) -> None:
        self._by_track: dict[int, AttentionMaps] = {}

    def keep(self, maps: Iterable[AttentionMaps]) -> None:
        """Remember maps in place of earlier ones of the same hands."""
        self._by_track.update((entry.track_id, entry) for entry in maps)

    def at(self, frame: Frame, hands: Iterable[HandRegion]) -> dict[int, AgedMaps]:
        """Return the maps of ``hands`` by track, with their age at ``frame``.

        Maps that have outlived their time are forgotten; a hand that left and comes back before
        finds its own again.
        """
        aged = {
            track_id: AgedMaps(maps=maps, age_s=max(0.0, frame.time_s - maps.time_s))
            for track_id, maps in self._by_track.items()
        }
        for track_id, entry in list(aged.items()):
            if entry.age_s > entry.maps.lifetime_s:
                del self._by_track[track_id], aged[track_id]
        return {hand.track_id: aged[hand.track_id] for hand in hands if hand.track_id in aged}


class SceneMaker:
    """Turns frames into scenes, in two steps that may run on a thread each.

    The parts stay open: who made them closes them.

    Args:
        finder: Finds hands; called from one thread, frames in order.
        cut: Cuts crops; called on the finder's thread.
        model: Makes the maps; called from one thread.
    """

    def __init__(self, *, finder: HandFinder, cut: CropCutter, model: AttentionModel) -> None:
        self.model = model
        self._finder = finder
        self._cut = cut
        self._remembered = RememberedMaps()

    def locate(self, frame: Frame) -> Located:
        """Find the hands of a frame and cut them out."""
        hands = self._finder.find(frame)
        return Located(frame, hands, cut_hands(frame, hands, self._cut))

    def attend(self, group: Sequence[Located]) -> list[Scene]:
        """Return the scenes of frames whose crops go to the model as one batch."""
        crops = [crop for located in group for crop in located.crops]
        maps = iter(self.model.attend_crops(crops) if crops else ())
        return [self._scene(located, islice(maps, len(located.crops))) for located in group]

    def _scene(self, located: Located, maps: Iterable[AttentionMaps]) -> Scene:
        self._remembered.keep(maps)
        return Scene(
            frame=located.frame,
            hands=located.hands,
            maps=self._remembered.at(located.frame, located.hands),
        )


class Scenes(Closing):
    """Every frame of a source, in order, as a scene: to be iterated over once.

    Args:
        source: Read on one thread until its end.
        maker: Finds on one thread, attends on another: the crops of ``frames_at_once`` frames at a
            time, however quickly they come, so that the same numbers are added up in the same
            order. Large pictures are found and attended on one, so that few of them are in hand.
        stop: Set it, from any thread or a signal handler, to end early: frames already read still
            come.
    """

    def __init__(self, source: Source, maker: SceneMaker, *, stop: threading.Event) -> None:
        width, height = source.info.size_wh
        if width * height > LARGE_PX:
            self._scenes: Channel[list[Scene]] = Channel(0, keep="all")
            self._workers: list[Worker[Any, Any]] = [
                Worker(
                    lambda frame: maker.attend([maker.locate(frame)]),
                    inbox=frames_of(source, stop),
                    outbox=self._scenes,
                    name="walk",
                )
            ]
            self._workers[0].start()
            return
        fit_at_once = max(1, MAX_WAITING_BYTES // (3 * width * height))
        capacity = min(MAX_WAITING, fit_at_once)
        frames: Channel[Frame] = Channel(capacity, keep="all")
        located: Channel[Located] = Channel(capacity, keep="all")
        self._scenes = Channel(1, keep="all")
        self._workers = [
            Worker(
                lambda frame: frame, inbox=frames_of(source, stop), outbox=frames, name="decode"
            ),
            Worker(maker.locate, inbox=frames, outbox=located, name="hands"),
            Worker(
                maker.attend,
                inbox=in_groups(located, min(maker.model.frames_at_once, fit_at_once)),
                outbox=self._scenes,
                name="attention",
            ),
        ]
        for worker in self._workers:
            worker.start()

    def __iter__(self) -> Iterator[Scene]:
        """Yield the scenes.

        Raises:
            WorkerError: A part failed on its thread; all scenes before it have come.
        """
        yield from one_by_one(self._scenes)
        for worker in self._workers:
            worker.join()
            worker.check()

    def close(self) -> None:
        """End the threads; what they have in hand is thrown away."""
        for worker in self._workers:
            worker.stop()
