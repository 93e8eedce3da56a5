"""Scenes as moments: measured, and handed on in order once their motion is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from stream.annotation.focus import Focuser
from stream.annotation.moments import Absence, HandMoment, Moment, Motion
from stream.annotation.motion import MotionLine
from stream.geometry import Handedness, HandRegion
from stream.scene import Scene

__all__ = ["Measurer", "MomentWriter"]


class MomentWriter(Protocol):
    """What is made of moments: a table, stretches. Handed every moment in order, by one thread."""

    def write(self, moment: Moment) -> None:
        """Take the next moment.

        Raises:
            OutputError: It could not be kept.
        """

    def close(self) -> None:
        """Finish; harmless when called again.

        Raises:
            OutputError: Not all could be kept.
        """


class Measurer:
    """Makes moments of scenes and hands each to all writers; a ``stream.scenes.SceneReader``.

    A moment waits until its neighbours in time are known, a tenth of a second; of a scene that
    waits its maps are kept, but not its picture. Writers stay open: who made them closes them.

    Args:
        writers: Called in turn, on the thread that calls ``write`` and ``close``.
    """

    def __init__(self, writers: Iterable[MomentWriter]) -> None:
        self._writers = tuple(writers)
        self._focuser = Focuser()
        self._motions = MotionLine()
        self._absences = _Absences()
        self._waiting: deque[Moment] = deque()
        self._index_before: int | None = None

    def write(self, scene: Scene) -> None:
        """Measure the next scene; hand on the moments that are known now.

        Raises:
            OutputError: A writer could not keep a moment.
        """
        frame = scene.frame
        time_s = frame.pts * frame.time_base
        self._waiting.append(
            Moment(
                frame_index=frame.index,
                pts=frame.pts,
                time_base=frame.time_base,
                time_s=time_s,
                duration_s=frame.duration * frame.time_base if frame.duration else None,
                hands=tuple(self._measure(scene, region) for region in scene.hands),
                absent=self._absences.at(scene),
            )
        )
        self._index_before = frame.index
        seen = {
            region.track_id: region.landmarks
            for region in scene.hands
            if region.landmarks is not None and not region.unseen_s
        }
        self._hand_on(self._motions.write(time_s, seen))

    def close(self) -> None:
        """Hand on the moments that still wait; harmless when called again.

        Raises:
            OutputError: A writer could not keep a moment.
        """
        self._hand_on(self._motions.close())

    def _measure(self, scene: Scene, region: HandRegion) -> HandMoment:
        aged = scene.maps.get(region.track_id)
        focus = None
        if aged and aged.maps.frame_index == scene.frame.index:
            focus = self._focuser.measure(aged.maps, region, frame_before=self._index_before)
        return HandMoment(region=region, motion=None, maps=aged, focus=focus)

    def _hand_on(self, motions: Iterable[Mapping[int, Motion]]) -> None:
        for by_track in motions:
            moment = self._waiting.popleft()
            hands = tuple(
                replace(hand, motion=by_track.get(hand.region.track_id)) for hand in moment.hands
            )
            moment = replace(moment, hands=hands)
            for writer in self._writers:
                writer.write(moment)


class _Absences:
    """Why hands are not seen."""

    def __init__(self) -> None:
        self._why: dict[Handedness, Absence] = {"left": "not yet", "right": "not yet"}

    def at(self, scene: Scene) -> dict[Handedness, Absence]:
        """Return why hands are not seen in the next scene."""
        if any(region.is_whole_frame for region in scene.hands):
            return {}
        width, height = scene.frame.size_wh
        seen = set()
        for region in scene.hands:
            if region.handedness and not region.unseen_s:
                left, top, right, bottom = region.box_xyxy
                is_inside = left > 0 and top > 0 and right < width and bottom < height
                self._why[region.handedness] = "lost" if is_inside else "left the picture"
                seen.add(region.handedness)
        return {hand: why for hand, why in self._why.items() if hand not in seen}
