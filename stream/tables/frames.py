"""The table of frames: where the hands are and how they move, a row for each frame and hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stream.annotation.moments import HandMoment, Moment, Motion
from stream.geometry import Handedness
from stream.tables.columns import Column, Dtype

__all__ = ["FRAME_COLUMNS", "FRAME_INTRO", "FrameRow", "FrameRows", "time_columns"]

FRAME_INTRO = (
    "A row for each frame and hand, in order. Hands that are not in a frame have a row that says "
    "why; a frame about which there is nothing to say of any hand has one row. With `--region "
    "frame` the whole picture stands in place of a hand. Places are in pixels of the upright, "
    "unmirrored frame: (0, 0) is the outer corner of its top left pixel, x goes right, y down."
)

JOINTS = tuple(
    f"{finger}_{joint}"
    for finger in ("thumb", "index", "middle", "ring", "little")
    for joint in (("cmc", "mcp", "ip") if finger == "thumb" else ("mcp", "pip", "dip"))
)
"""Joints of a hand, in the order of ``Motion.joint_angles``."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameRow:
    """What a row of the table of frames is made of."""

    moment: Moment
    hand: HandMoment | None
    """None while it is not in the frame."""
    handedness: Handedness | None
    """Whose hand; None of the whole picture."""
    state: str | None
    """``seen``, ``held``, or why it is not in the frame."""
    unseen_s: float | None
    """Seconds since it was last seen; None where it never was."""

    @property
    def motion(self) -> Motion | None:
        """How the hand moves, where that is known."""
        return self.hand.motion if self.hand else None


class FrameRows:
    """Makes rows of moments, in order."""

    def __init__(self) -> None:
        self._seen_s: dict[Handedness, float] = {}

    def __call__(self, moment: Moment) -> Iterator[FrameRow]:
        """Yield the rows of the next moment."""
        time_s = float(moment.time_s)
        for hand in moment.hands:
            region = hand.region
            if region.handedness and not region.unseen_s:
                self._seen_s[region.handedness] = time_s
            state = "held" if region.unseen_s else "seen"
            yield FrameRow(moment, hand, region.handedness, state, region.unseen_s)
        there = {hand.region.handedness for hand in moment.hands}
        for side, why in moment.absent.items():
            if side in there:  # held
                continue
            seen_s = self._seen_s.get(side)
            yield FrameRow(moment, None, side, why, None if seen_s is None else time_s - seen_s)
        if not moment.hands and not moment.absent:
            yield FrameRow(moment, None, None, None, None)


def _of_hand(read: Callable[[HandMoment], Any]) -> Callable[[FrameRow], Any]:
    return lambda row: read(row.hand) if row.hand else None


def _of_motion(read: Callable[[Motion], Any]) -> Callable[[FrameRow], Any]:
    return lambda row: read(row.motion) if row.motion else None


def time_columns() -> list[Column[Any]]:
    """Return the columns that say which frame a row is about, the same in every table."""
    return [
        Column(
            name="frame",
            dtype="int64",
            definition="Number of the frame, from 0; the first that was read, also with `--start`.",
            read=lambda row: row.moment.frame_index,
        ),
        Column(
            name="time_s",
            dtype="float64",
            unit="seconds",
            definition="When the frame is shown, from the start of the file; `pts` is exact.",
            read=lambda row: float(row.moment.time_s),
        ),
    ]


def _series(
    names: list[str],
    pattern: str,
    unit: str,
    definition: str,
    read: Callable[[int], Callable[[FrameRow], Any]],
) -> list[Column[FrameRow]]:
    dtype: Dtype = "float32"
    return [
        Column(
            name=name,
            dtype=dtype,
            unit=unit,
            definition=definition,
            read=read(number),
            series=pattern,
        )
        for number, name in enumerate(names)
    ]


def _landmark(number: int) -> Callable[[FrameRow], Any]:
    def read(hand: HandMoment) -> Any:  # noqa: ANN401
        landmarks = hand.region.landmarks
        return None if landmarks is None else landmarks[number // 2, number % 2]

    return _of_hand(read)


FRAME_COLUMNS: tuple[Column[FrameRow], ...] = (
    *time_columns(),
    Column(
        name="pts",
        dtype="int64",
        unit="ticks",
        definition="When the frame is shown, in ticks of `time_base`, as the source counts them.",
        read=lambda row: row.moment.pts,
    ),
    Column(
        name="time_base",
        dtype="word",
        unit="seconds",
        definition="Length of a tick, as a fraction.",
        read=lambda row: str(row.moment.time_base),
    ),
    Column(
        name="duration_s",
        dtype="float64",
        unit="seconds",
        definition="How long the frame is shown; empty where only the next one tells.",
        read=lambda row: None if row.moment.duration_s is None else float(row.moment.duration_s),
    ),
    Column(
        name="track",
        dtype="int32",
        definition="Number that a hand keeps while it is followed; empty while it is not there.",
        read=_of_hand(lambda hand: hand.region.track_id),
    ),
    Column(
        name="hand",
        dtype="word",
        definition="`left` or `right`, the signer's own; empty for the whole picture.",
        read=lambda row: row.handedness,
    ),
    Column(
        name="state",
        dtype="word",
        definition="`seen`; `held`: not seen, its place is carried on for a moment; or why it is "
        "not there: `not yet` seen so far, `left the picture`, `lost` within it.",
        read=lambda row: row.state,
    ),
    Column(
        name="unseen_s",
        dtype="float32",
        unit="seconds",
        definition="Time since the hand was last seen, 0 while it is; empty where it never was.",
        read=lambda row: row.unseen_s,
    ),
    Column(
        name="score",
        dtype="float32",
        definition="Confidence of the hand finder, 0 to 1; 1 for the whole picture.",
        read=_of_hand(lambda hand: hand.region.score),
    ),
    *_series(
        [f"box_{edge}_px" for edge in ("left", "top", "right", "bottom")],
        "box_{left,top,right,bottom}_px",
        "pixels",
        "Edges of the box around the hand; it may leave the frame.",
        lambda number: _of_hand(lambda hand: hand.region.box_xyxy[number]),
    ),
    *_series(
        [f"lm{point:02d}_{axis}_px" for point in range(21) for axis in "xy"],
        "lm{00..20}_{x,y}_px",
        "pixels",
        "The hand's 21 landmarks in MediaPipe's order: 00 wrist, then base to tip 01-04 thumb, "
        "05-08 index, 09-12 middle, 13-16 ring, 17-20 little finger. Smoothed as they are drawn, "
        "and carried on while the hand is held.",
        _landmark,
    ),
    *_series(
        ["palm_x_px", "palm_y_px"],
        "palm_{x,y}_px",
        "pixels",
        "Middle of the palm, smoothed over the neighbours in time.",
        lambda number: _of_motion(lambda motion: motion.palm_xy[number]),
    ),
    Column(
        name="palm_px",
        dtype="float32",
        unit="pixels",
        definition="Length of the palm, from the wrist to the knuckle of the middle finger; where "
        "that is foreshortened, what the palm's other lines tell.",
        read=_of_motion(lambda motion: motion.palm_px),
    ),
    Column(
        name="palm_speed",
        dtype="float32",
        unit="palm lengths per second",
        definition="Speed of the palm's middle; empty where the hand was seen too shortly.",
        read=_of_motion(lambda motion: motion.palm_speed),
    ),
    Column(
        name="shape_speed",
        dtype="float32",
        unit="palm lengths per second",
        definition="Speed of the landmarks in the palm's own frame, root mean square: what is left "
        "when the palm's shift, turn and size are taken out.",
        read=_of_motion(lambda motion: motion.shape_speed),
    ),
    *_series(
        [f"angle_{joint}_rad" for joint in JOINTS],
        "angle_{thumb_{cmc,mcp,ip},{index,middle,ring,little}_{mcp,pip,dip}}_rad",
        "radians",
        "Bend of a joint as it looks in the picture: 0 is straight.",
        lambda number: _of_motion(lambda motion: motion.joint_angles[number]),
    ),
    *_series(
        [f"rate_{joint}_rad_s" for joint in JOINTS],
        "rate_{thumb_{cmc,mcp,ip},{index,middle,ring,little}_{mcp,pip,dip}}_rad_s",
        "radians per second",
        "Rate at which that angle changes.",
        lambda number: _of_motion(lambda motion: motion.joint_rates[number]),
    ),
)
"""Of the table of frames, in order."""
