"""Small pictures of hands with their maps, for reports."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import HandMoment, Moment
from stream.geometry import Handedness
from stream.measures import jensen_shannon_bits, shares_of
from stream.scene import Scene
from stream.whole_files import told_of

__all__ = ["HandPictures", "HandView", "PictureAlbum"]

SIDE_PX = 128
EVERY_S = 0.15
"""A picture of a hand each so often: a hold has one at least, an hour of two hands takes 250 MB of
disk while it is annotated."""
_SIDES: tuple[Handedness | None, ...] = (None, "left", "right")


class HandPictures:
    """Makes pictures of the hands in scenes, some a second; a ``stream.scenes.SceneReader``.

    They wait for their moments, which come a little later: ask for them on the same thread.
    """

    def __init__(self) -> None:
        self._taken_s: dict[int, float] = {}
        self._waiting: dict[tuple[int, int], bytes] = {}

    def write(self, scene: Scene) -> None:
        """Take the next scene."""
        from stream.sinks.jpeg import encode_thumbnail

        frame = scene.frame
        for hand in scene.hands:
            track_id, aged = hand.track_id, scene.maps.get(hand.track_id)
            if hand.is_whole_frame or aged is None or aged.maps.frame_index != frame.index:
                continue
            if frame.time_s - self._taken_s.get(track_id, -np.inf) >= EVERY_S:
                self._taken_s[track_id] = frame.time_s
                box = aged.maps.transform.box_xyxy
                picture = encode_thumbnail(frame.image, box, SIDE_PX)
                self._waiting[frame.index, track_id] = picture

    def close(self) -> None:
        """Forget the pictures that nobody asked for."""
        self._waiting.clear()

    def take(self, frame_index: int, track_id: int) -> bytes | None:
        """Return the picture of a hand in a frame, JPEG, once; those of earlier frames go."""
        picture = self._waiting.pop((frame_index, track_id), None)
        for key in [key for key in self._waiting if key[0] < frame_index]:
            del self._waiting[key]
        return picture


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class HandView:
    """What a hand was like, and where it was looked at, over a while."""

    picture: bytes
    """JPEG of the crop in the frame whose map is most like the mean."""
    typical_s: float
    """When that is shown, seconds."""
    mean_map: npt.NDArray[np.float64]
    """Mean of the maps in the crop's grid, (rows, columns), sums to 1."""


class PictureAlbum:
    """Pictures and maps of hands on disk, from which whiles are summed up; memory stays flat.

    Args:
        path: The file that it serves; it lies beside that, without a name.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with told_of(path):
            self._file: BinaryIO = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        self._times_s = array("d")
        self._sides = array("b")
        self._places = array("q")

    def keep(self, moment: Moment, hand: HandMoment, picture: bytes) -> None:
        """Keep a picture of a hand with its map.

        Raises:
            OutputError: It cannot be kept.
        """
        assert hand.maps is not None
        self._times_s.append(float(moment.time_s))
        self._sides.append(_SIDES.index(hand.region.handedness))
        self._places.append(self._file.tell())
        with told_of(self._path):
            for part in (hand.maps.maps.mean, np.frombuffer(picture, np.uint8)):
                np.save(self._file, part, allow_pickle=False)

    def view(self, side: Handedness | None, start_s: Fraction, end_s: Fraction) -> HandView | None:
        """Return how a hand was from ``start_s`` to before ``end_s``; None without a picture."""
        times_s = np.frombuffer(self._times_s)
        is_of_side = np.frombuffer(self._sides, np.int8) == _SIDES.index(side)
        asked = np.flatnonzero(is_of_side & (times_s >= float(start_s)) & (times_s < float(end_s)))
        found = list(self._read(asked))
        found = [
            (at, shares, jpeg) for at, shares, jpeg in found if shares.shape == found[0][1].shape
        ]
        if not found:
            return None
        maps = np.stack([shares for _, shares, _ in found])
        mean_map = maps.mean(0)
        at, _, picture = found[int(np.argmin(jensen_shannon_bits(maps, mean_map)))]
        return HandView(picture=picture, typical_s=float(times_s[at]), mean_map=mean_map)

    def close(self) -> None:
        """Remove all; harmless when called again."""
        self._file.close()

    def _read(
        self, asked: npt.NDArray[np.intp]
    ) -> Iterator[tuple[int, npt.NDArray[np.float64], bytes]]:
        for at in asked.tolist():
            self._file.seek(self._places[at])
            shares = shares_of(np.load(self._file, allow_pickle=False))
            picture = np.load(self._file, allow_pickle=False).tobytes()
            if np.isfinite(shares).all():
                yield at, shares, picture
