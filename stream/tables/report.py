"""A recording on one page: its video, curves, stretches, heads and holds, for any browser.

The page is one file that asks no network for anything. It is drawn by a script of its own
(``report.js``), some 15 kB where a plotting library would take 1 MB of the 1.5 that a page may
have, and the time under the cursor, the bands and the video would still have to be written.
"""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path, PurePath
from string import Template
from typing import Any, get_args
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import Moment, Stretch, TierKind
from stream.geometry import Handedness
from stream.printable import printable
from stream.scene import AttentionMaps
from stream.tables.attention import ATTENTION_COLUMNS, attention_rows
from stream.tables.columns import Column
from stream.tables.frames import FRAME_COLUMNS, FrameRows
from stream.tables.hand_pictures import HandPictures, HandView, PictureAlbum
from stream.tables.head_agreement import HeadAgreement
from stream.tables.moment_file import MomentFile
from stream.tables.thinning import ThinnedCurve

__all__ = ["Report"]

MAX_BYTES = 1_500_000
"""Of a page: what a mail takes, and a browser opens at once."""
MAX_BINS = 4096
"""Of a curve: several times the pixels of a screen, so that there is something to zoom into."""
MAX_STRETCHES = 20_000
"""An hour of two hands, some 600 kB."""
MAX_HOLDS = 96
"""As many as somebody looks through; at most 1 MB, of what is left."""

_SIDES: tuple[Handedness | None, ...] = ("right", "left", None)
_NAMES = {"right": "Right hand", "left": "Left hand", None: "Picture"}
_MOST, _NO_FRAME, _NO_NUMBER = 65533, 65534, 65535

# matplotlib's inferno, in steps of an eighth.
_RAMP = (
    (0, 0, 4),
    (33, 12, 74),
    (87, 16, 110),
    (138, 34, 106),
    (188, 55, 84),
    (228, 90, 49),
    (249, 142, 9),
    (249, 203, 53),
    (252, 255, 164),
)


_FRAME_CURVES = {"Palm speed": "palm_speed", "Handshape speed": "shape_speed"}
_ATTENTION_CURVES = {
    "Entropy of attention": "normalized_entropy",
    "Attention on the hand": "mass_on_hand",
    "Change of attention": "divergence_to_before",
}
"""Curves, and the columns that they are of; of attention, the row of the mean of the heads."""
_ALL: tuple[Column[Any], ...] = (*FRAME_COLUMNS, *ATTENTION_COLUMNS)
_COLUMNS = {column.name: column for column in _ALL}


class Report(MomentFile):
    """Writes the page of one recording.

    Args:
        path: Where it goes.
        title: What the recording is called.
        video: The video, as a path from the page's folder; None: the page is without.
        facts: What is told of the recording and of the model, name and value.
        pictures: Has seen the scenes of the moments; None: holds are without pictures.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(
        self,
        path: Path,
        *,
        title: str,
        video: PurePath | None,
        facts: Mapping[str, str],
        pictures: HandPictures | None = None,
    ) -> None:
        super().__init__([path])
        self.stretches: Sequence[Stretch] = ()
        """What lasts; given before the end."""
        self._title = printable(title)
        self._video_name = printable(video.as_posix()) if video is not None else None
        self._video = quote(os.fsencode(video.as_posix())) if video is not None else None
        self._facts = facts
        self._pictures = pictures
        self._album = PictureAlbum(path)
        self._frame_rows = FrameRows()
        self._curves: dict[tuple[str, Handedness | None], ThinnedCurve] = {}
        self._heads = HeadAgreement()
        self._newest: AttentionMaps | None = None
        self._num_frames = 0
        self._first_s = Fraction(0)
        self._last: Moment | None = None

    def write(self, moment: Moment) -> None:
        """Take the next moment.

        Raises:
            OutputError: Its picture cannot be kept.
        """
        self._num_frames += 1
        self._first_s = moment.time_s if self._last is None else self._first_s
        self._last = moment
        values = self._values(moment)
        for key in self._curves.keys() | {key for key in values if np.isfinite(values[key])}:
            curve = self._curves.setdefault(key, ThinnedCurve(MAX_BINS))
            curve.put(float(moment.time_s), values.get(key, np.nan))
        for hand in moment.hands:
            maps = hand.maps.maps if hand.maps else None
            if maps is None or maps.frame_index != moment.frame_index:
                continue
            self._newest = maps
            self._heads.put(maps.weights)
            track_id = hand.region.track_id
            if self._pictures and (picture := self._pictures.take(moment.frame_index, track_id)):
                self._album.keep(moment, hand, picture)

    def _values(self, moment: Moment) -> dict[tuple[str, Handedness | None], float]:
        """Return what the curves show of a moment, by curve and hand; NaN: nothing."""
        values = {}
        for row in self._frame_rows(moment):
            for name, column in _FRAME_CURVES.items():
                value = _COLUMNS[column].read(row)
                values[name, row.handedness] = np.nan if value is None else float(value)
        for rows in attention_rows(moment):
            for name, column in _ATTENTION_CURVES.items():
                value = _COLUMNS[column].read(rows)[-1]
                values[name, rows.hand.region.handedness] = float(value)
        return values

    def _finish(self) -> None:
        data = self._data()
        size = len(self._page(data)) + 500  # for what is told of the holds
        # The longest holds first, for as long as there is room.
        for hold in sorted(self._holds(), key=lambda hold: hold.start_s - hold.end_s)[:MAX_HOLDS]:
            view = self._album.view(hold.hand, hold.start_s, hold.end_s)
            if view is not None:
                card = _card(hold, view)
                size += len(_json(card)) + 1
                if size > MAX_BYTES:
                    break
                data["holds"].append(card)
        data["holds"].sort(key=lambda card: card["start"])
        data["holds_note"] = self._tell_of_holds(len(data["holds"]))
        self._files[0].file.write(self._page(data))
        self._album.close()

    def _release(self) -> None:
        self._album.close()

    def _page(self, data: dict[str, Any]) -> bytes:
        folder = Path(__file__).parent
        style, script = (
            (folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
        )
        page = Template((folder / "report.html").read_text(encoding="utf-8"))
        return page.substitute(
            title=html.escape(self._title),
            kind=self._word("Attention"),
            heads=self._word("Head") + "s",
            style=style,
            script=script,
            data=_json(data),
        ).encode()

    def _word(self, text: str) -> str:
        """Return a text in the words for what the maps are: activation is no attention."""
        if self._newest is None or self._newest.kind == "attention":
            return text
        for ours, theirs in (
            ("ttention", "ctivation"),
            ("Head", "Component"),
            ("head", "component"),
        ):
            text = text.replace(ours, theirs)
        return text

    def _data(self) -> dict[str, Any]:
        """Return all that the page shows but the holds."""
        step_s = end_s = 0.0
        if self._last is not None:
            if self._num_frames > 1:
                step_s = float(self._last.time_s - self._first_s) / (self._num_frames - 1)
            end_s = float(self._last.time_s) + float(self._last.duration_s or step_s)
        drawn = sorted(self.stretches, key=lambda one: one.start_s - one.end_s)[:MAX_STRETCHES]
        sides = {side for _, side in self._curves} | {one.hand for one in drawn if one.hand}
        return {
            "is_random": self._newest is not None and self._newest.is_random,
            "head": self._word("Head"),
            "video": self._video,
            "video_name": self._video_name,
            "start_s": round(float(self._first_s), 4),
            "end_s": round(end_s, 4),
            "frame_s": round(step_s or 0.04, 6),
            "facts": [
                ["Length", f"{end_s - float(self._first_s):.2f} s"],
                ["Frames", f"{self._num_frames:,}"],
                *([name.capitalize(), printable(value)] for name, value in self._facts.items()),
            ],
            "sides": [{"css": _css(s), "name": _NAMES[s]} for s in _SIDES if s in sides],
            "bands": [band | {"label": self._word(band["label"])} for band in _bands(drawn)],
            "curves": [
                curve
                for name, column in (_FRAME_CURVES | _ATTENTION_CURVES).items()
                if (curve := self._curve(name, _COLUMNS[column]))
            ],
            "note": self._tell_of_time(len(drawn)),
            "heads": self._heads.told(self.stretches),
            "holds": [],
            "holds_note": "",
            "ramp": _RAMP,
        }

    def _curve(self, name: str, column: Column[Any]) -> dict[str, Any] | None:
        lines = {side: self._curves[name, side] for side in _SIDES if (name, side) in self._curves}
        if not lines:
            return None
        bins = {side: line.bins() for side, line in lines.items()}
        numbers = np.concatenate(list(bins.values()))
        numbers = numbers[np.isfinite(numbers)]
        least, most = float(numbers.min()), float(numbers.max())
        low = least if least < most <= 2 * least else min(0.0, least)
        high = most if most > low else low + 1.0
        paper = f" ({column.paper})" if column.paper else ""
        return {
            "name": self._word(name),
            "unit": column.unit,
            "definition": column.definition.replace("`", "") + paper,
            "low": low,
            "high": high,
            "lines": [
                {"css": _css(side), "width_s": lines[side].bin_s, "bins": _packed(pairs, low, high)}
                for side, pairs in bins.items()
            ],
        }

    def _holds(self) -> list[Stretch]:
        return [one for one in self.stretches if one.tier == "phase" and one.value == "hold"]

    def _tell_of_holds(self, num: int) -> str:
        of_all = len(self._holds())
        if not num:
            return ""
        which = "" if num == of_all else f" The {num} longest of {of_all} that have a picture."
        return (
            "What a hand is like while it holds still, in the frame whose map is most like the "
            "hold's mean map; that lies on it, from dark (least) to bright (most), each to its own "
            f"range.{which} Point at one to see the hand alone."
        )

    def _tell_of_time(self, num_drawn: int) -> str:
        num_left_out = len(self.stretches) - num_drawn
        left_out = (
            f" The {num_left_out:,} shortest stretches are not drawn." if num_left_out else ""
        )
        return (
            "Click or drag to go there; Ctrl and the wheel zoom; arrow keys go by a frame. Curves "
            "reach from the least to the most of the frames that fall into a pixel; "
            + self._word("those of attention are of the mean of the heads.")
            + left_out
        )


def _css(side: Handedness | None) -> str:
    return side or "picture"


def _bands(stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    """Return the bands from top to bottom; what is not seen stands where else is "in view"."""
    bands = []
    for side in _SIDES:
        for tier in get_args(TierKind):
            tiers = ("in view", "not seen") if tier == "in view" else (tier,)
            items = [
                [round(float(one.start_s), 4), round(float(one.end_s), 4), one.value]
                for one in sorted(stretches, key=lambda one: one.start_s)
                if one.hand == side and one.tier in tiers
            ]
            if items and tier != "not seen":
                whose = f"{side.capitalize()}: " if side else ""
                label = f"{whose}{tier}" if side else tier.capitalize()
                css = side or "both"
                bands.append({"tier": tier, "css": css, "label": label, "items": items})
    return bands


def _packed(pairs: npt.NDArray[np.float32], low: float, high: float) -> str:
    """Return least and most of bins as 16 bit numbers of the way from low to high, base64."""
    levels = np.round((pairs.astype(np.float64) - low) / (high - low) * _MOST)
    levels = np.where(np.isinf(pairs), _NO_FRAME, np.where(np.isnan(pairs), _NO_NUMBER, levels))
    return base64.b64encode(levels.astype("<u2").tobytes()).decode()


def _card(hold: Stretch, view: HandView) -> dict[str, Any]:
    levels = view.mean_map - view.mean_map.min()
    levels = np.round(levels / (levels.max() or 1.0) * 255).astype(np.uint8)
    return {
        "css": _css(hold.hand),
        "name": _NAMES[hold.hand],
        "start": round(float(hold.start_s), 4),
        "end": round(float(hold.end_s), 4),
        "typical": round(view.typical_s, 4),
        "picture": base64.b64encode(view.picture).decode(),
        "grid": list(levels.shape),
        "map": base64.b64encode(levels.tobytes()).decode(),
    }


def _json(data: dict[str, Any]) -> str:
    # Names may hold what would end the script that this stands in.
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
