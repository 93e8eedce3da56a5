"""Hands as a ``.pose`` file, version 0.2: what sign language processing reads.

The format is that of A. Moryossef, M. Müller and R. Fahrni, "pose-format: Library for Viewing,
Augmenting, and Handling .pose Files", arXiv:2310.09066, 2023, and of the specification beside it:
a header, then the places of all points in all frames, then how sure each is; little endian. It is
written here, and not by that library, because that takes all frames at once.

The two hands are called as in MediaPipe Holistic's files. There are no other components: what needs
the body (the library's normalisation by the shoulders, say) does not work on these files.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import Moment
from stream.geometry import Handedness
from stream.tables.moment_file import MomentFile
from stream.whole_files import told_of

__all__ = ["PoseFile"]

_VERSION = 0.2
_SIDES: tuple[Handedness, ...] = ("left", "right")
_FINGERS = ("THUMB", "INDEX_FINGER", "MIDDLE_FINGER", "RING_FINGER", "PINKY")
_POINTS = (
    "WRIST",
    *(
        f"{finger}_{joint}"
        for finger in _FINGERS
        for joint in (
            ("CMC", "MCP", "IP", "TIP") if finger == "THUMB" else ("MCP", "PIP", "DIP", "TIP")
        )
    ),
)
_KNUCKLES = (1, 5, 9, 13, 17)
"""First points of the fingers."""
_LIMBS = (
    *((0, knuckle) for knuckle in (1, 5, 17)),
    *pairwise(_KNUCKLES[1:]),
    *((knuckle + joint, knuckle + joint + 1) for knuckle in _KNUCKLES for joint in range(3)),
)
_OF_FINGERS = ((213, 94, 0), (230, 159, 0), (0, 158, 115), (0, 114, 178), (204, 121, 167))
_COLOURS = ((120, 120, 120), *(colour for colour in _OF_FINGERS for _ in range(4)))
"""Of the points, for viewers: told apart by people who see few colours, too. (M. Okabe and K. Ito,
"Color Universal Design", 2002.)"""
MAX_GAP_S = Fraction(1, 5)
"""Between frames further apart nothing is known of the way: the hand stays where it was."""

_Hands = dict[Handedness, tuple[npt.NDArray[np.float32], float]]


class PoseFile(MomentFile):
    """The landmarks of one signer's hands, at one rate; a few bytes of memory a frame.

    Hands that are not seen, or whose place is only held, have zeros that are zero sure.

    Args:
        path: Where it goes.
        size_wh: Width and height of the video in pixels.
        rate_hz: Frames a second to resample to, from the first frame on: places between two frames
            are interpolated where both see the hand. None: a row for each frame, and the mean rate.

    Raises:
        OutputError: Nothing can be written there.
        ValueError: ``rate_hz`` is not > 0.
    """

    def __init__(
        self, path: Path, size_wh: tuple[int, int], *, rate_hz: Fraction | None = None
    ) -> None:
        if rate_hz is not None and rate_hz <= 0:
            raise ValueError(f"rate_hz must be > 0, got {rate_hz}")
        super().__init__([path])
        self._path = path
        self._rate_hz = rate_hz
        self._times_s = array("d")
        self._scores = array("f")
        self._before: tuple[Fraction, _Hands] | None = None
        self._begun_s = Fraction(0)
        self._last_duration_s: Fraction | None = None
        self._num_left_out = 0
        self._warnings: list[str] = []
        with told_of(path):
            self._files[0].file.write(_header(size_wh))
            self._body_at = self._files[0].file.tell()
            self._write_rate(0.0)

    @property
    def warnings(self) -> Sequence[str]:
        """What the file does not tell as it was, a line each; complete once it is closed."""
        return self._warnings

    def write(self, moment: Moment) -> None:
        """Take the hands of the next moment.

        Raises:
            OutputError: They cannot be written.
        """
        hands: _Hands = {}
        for hand in moment.hands:
            region = hand.region
            if region.handedness is None or region.landmarks is None or region.unseen_s:
                continue
            if region.handedness in hands:
                self._num_left_out += 1
            else:
                hands[region.handedness] = (region.landmarks, region.score)
        self._times_s.append(float(moment.time_s))
        self._last_duration_s = moment.duration_s
        with told_of(self._path):
            if self._rate_hz is None:
                self._write_row(hands)
            else:
                self._resample(moment.time_s, hands, self._rate_hz)

    def _resample(self, time_s: Fraction, hands: _Hands, rate_hz: Fraction) -> None:
        """Write the rows up to a frame, and that on it."""
        if self._before is None:
            self._begun_s = time_s
            self._before = (time_s, hands)
        before_s, earlier = self._before
        while (row_s := self._begun_s + self._num_rows / rate_hz) <= time_s:
            if row_s == time_s:
                self._write_row(hands)
            elif time_s - before_s > MAX_GAP_S:
                self._write_row(earlier)
            else:
                share = float((row_s - before_s) / (time_s - before_s))
                self._write_row(_between(earlier, hands, share))
        self._before = (time_s, hands)

    @property
    def _num_rows(self) -> int:
        return len(self._scores) // len(_SIDES)

    def _write_row(self, hands: _Hands) -> None:
        nothing = (np.zeros((len(_POINTS), 2), np.float32), 0.0)
        for side in _SIDES:
            landmarks, score = hands.get(side, nothing)
            self._files[0].file.write(landmarks.astype("<f4").tobytes())
            self._scores.append(score)

    def _write_rate(self, rate_hz: float) -> None:
        # One person a frame.
        self._files[0].file.write(struct.pack("<fIH", rate_hz, self._num_rows, 1))

    def _finish(self) -> None:
        file = self._files[0].file
        for score in self._scores:
            file.write(struct.pack("<f", score) * len(_POINTS))
        file.seek(self._body_at)
        self._write_rate(float(self._rate_hz) if self._rate_hz else self._mean_rate_hz())
        if self._num_left_out:
            self._warnings.append(
                f"{self._path.name} tells of one signer: {self._num_left_out} further hands, each "
                "in one frame, are left out"
            )

    def _mean_rate_hz(self) -> float:
        times_s = np.array(self._times_s)
        if len(times_s) < 2:
            return float(1 / self._last_duration_s) if self._last_duration_s else 1.0
        rate_hz = float((len(times_s) - 1) / (times_s[-1] - times_s[0]))
        off_s = float(np.abs(times_s - times_s[0] - np.arange(len(times_s)) / rate_hz).max())
        if off_s > 0.5 / rate_hz:
            gaps_ms = np.diff(times_s) * 1000
            self._warnings.append(
                f"{self._path.name} knows one rate only, but frames come {gaps_ms.min():.0f} to "
                f"{gaps_ms.max():.0f} ms apart: its times are off by up to {off_s:.2f} s; "
                f"--pose-rate {max(1, round(rate_hz))} has it resampled"
            )
        return rate_hz


def _between(earlier: _Hands, later: _Hands, share: float) -> _Hands:
    """Return where hands that both see are on the way from the one to the other."""
    return {
        side: (
            (1 - share) * earlier[side][0] + share * later[side][0],
            min(earlier[side][1], later[side][1]),
        )
        for side in earlier.keys() & later.keys()
    }


def _header(size_wh: tuple[int, int]) -> bytes:
    """Return all that stands before the body."""
    parts = [struct.pack("<fHHHH", _VERSION, *size_wh, 0, len(_SIDES))]
    for side in _SIDES:
        parts += [_text(f"{side.upper()}_HAND_LANDMARKS"), _text("XYC")]
        parts.append(struct.pack("<HHH", len(_POINTS), len(_LIMBS), len(_COLOURS)))
        parts += [_text(point) for point in _POINTS]
        parts += [struct.pack("<HH", *limb) for limb in _LIMBS]
        parts += [struct.pack("<HHH", *colour) for colour in _COLOURS]
    return b"".join(parts)


def _text(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("ascii")
