"""Maps kept as numbers, in a ``.npz`` that numpy reads in part, and how to have them back.

A ``.npz`` is a zip of numpy's arrays. The maps of some seconds are an array of their own, so a
reader takes out of an hour what it needs; and numpy alone opens it, as one file that is there whole
or not at all. (Zarr reads in part, too, but takes a library and its five others, and hundreds of
files that have to stay together.)

Some 256 maps of one shape are a run. Each run, from number 00000 on, is these arrays, N long:

- ``weights_00000``: float16 (N, heads, rows, columns), as in ``AttentionMaps.weights``. Rounding
  moves a map's sum by 1.4e-4 at most. What is beyond 65504 (of activations) is kept as that.
- ``mean_00000``: float16 (N, rows, columns), of activations, whose mean the heads do not tell.
- ``where_00000``: N records: frame, time_s, track, hand, score, the box around the hand, and the
  crop: a point (x, y) of the crop, in its pixels, is at ``left_px + scale_x * x``,
  ``top_px + scale_y * y`` in the frame. The grid spans the whole crop.
- ``landmarks_00000``: float32 (N, 21, 2), frame pixels; NaN for the whole picture.

``about.json`` says what is so of all: kind, model, layer.

To draw them onto their video::

    from overlays import Compositor
    from stream.sources import open_source
    from stream.tables.maps import read_maps

    compositor, kept = Compositor(), read_maps("b.annotation/b.maps.npz")
    maps = next(kept, None)
    with open_source("b.mp4") as source:
        while maps is not None and (frame := source.read()) is not None:
            if frame.index == maps.frame_index:
                picture = compositor.draw(maps.scene(frame))
                maps = next(kept, None)
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import count, groupby
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from stream.annotation.moments import HandMoment, Moment
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.frames import Frame
from stream.geometry import CropTransform, HandRegion
from stream.scene import AgedMaps, AttentionMaps, Scene
from stream.tables.moment_file import MomentFile
from stream.whole_files import told_of

__all__ = ["FrameMaps", "MapsFile", "read_maps"]

MAPS_PER_RUN = 256
"""Four seconds of two hands, some 2 MB: little to read too much of."""
_LARGEST = float(np.finfo(np.float16).max)
_LEVEL = 1
"""Of deflate: two thirds of the size; six would be slower by half and save another 4 %."""
_SCHEMA = "signlight maps 1"

_WHERE = np.dtype(
    [
        ("frame", "<i8"),
        ("time_s", "<f8"),
        ("track", "<i4"),
        ("hand", "<U5"),
        ("score", "<f8"),
        *[(f"box_{edge}_px", "<f8") for edge in ("left", "top", "right", "bottom")],
        *[(name, "<f8") for name in ("left_px", "top_px", "scale_x", "scale_y")],
        *[(name, "<i4") for name in ("crop_w", "crop_h")],
    ]
)


class MapsFile(MomentFile):
    """Keeps the maps of moments, those of each very frame, flat in memory.

    Args:
        path: Where they go.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        super().__init__([path])
        self._zip = zipfile.ZipFile(self._files[0].file, "w")
        self._waiting: list[tuple[Moment, HandMoment, AttentionMaps]] = []
        self._num_runs = 0
        self._about: dict[str, Any] = {"schema": _SCHEMA}

    def write(self, moment: Moment) -> None:
        """Take the maps of the next moment.

        Raises:
            OutputError: They cannot be written.
        """
        if len(self._waiting) >= MAPS_PER_RUN:
            self._write_run()
        for hand in moment.hands:
            maps = hand.maps.maps if hand.maps else None
            if maps is None or maps.frame_index != moment.frame_index:
                continue
            if self._waiting and self._waiting[-1][2].weights.shape != maps.weights.shape:
                self._write_run()
            self._waiting.append((moment, hand, maps))

    def _finish(self) -> None:
        self._write_run()
        self._add("about.json", json.dumps(self._about, indent=2).encode())
        self._zip.close()

    def _release(self) -> None:
        self._zip.close()

    def _write_run(self) -> None:
        if not self._waiting:
            return
        first = self._waiting[0][2]
        self._about |= {
            "kind": first.kind,
            "model": first.model,
            "layer": first.layer,
            "is_random": first.is_random,
        }
        arrays = {
            "weights": np.stack([_half(maps.weights) for _, _, maps in self._waiting]),
            "where": np.array([_where(*entry) for entry in self._waiting], _WHERE),
            "landmarks": np.stack([_landmarks(hand.region) for _, hand, _ in self._waiting]),
        }
        if first.kind == "activation":
            arrays["mean"] = np.stack([_half(maps.mean) for _, _, maps in self._waiting])
        with told_of(self._files[0].path):
            for name, array in arrays.items():
                self._add(f"{name}_{self._num_runs:05d}.npy", _npy(array))
        self._num_runs += 1
        self._waiting.clear()

    def _add(self, name: str, content: bytes) -> None:
        # Its date is that of the first zips: the same maps give the same bytes.
        entry = zipfile.ZipInfo(name)
        self._zip.writestr(entry, content, zipfile.ZIP_DEFLATED, _LEVEL)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FrameMaps:
    """The maps of one frame, read back."""

    frame_index: int
    """Number of the frame in its source, from 0."""
    time_s: float
    """When it is shown, seconds from the start of the file."""
    hands: tuple[HandRegion, ...]
    """The hands that have maps, or the whole picture."""
    maps: Mapping[int, AttentionMaps]
    """By ``track_id``; each with the transform that puts it back onto the frame."""

    def scene(self, frame: Frame) -> Scene:
        """Return ``frame`` with these hands and maps, to be drawn by ``overlays.Compositor``.

        Raises:
            ValueError: It is another frame than theirs.
        """
        if frame.index != self.frame_index:
            raise ValueError(f"these are the maps of frame {self.frame_index}, not {frame.index}")
        maps = {track: AgedMaps(maps=maps, age_s=0.0) for track, maps in self.maps.items()}
        return Scene(frame=frame, hands=self.hands, maps=maps)


def read_maps(
    path: str | Path, *, start_s: float = 0.0, end_s: float | None = None
) -> Iterator[FrameMaps]:
    """Yield the maps of a ``.maps.npz``, frame by frame; frames without any are left out.

    Args:
        path: The file; only what is asked for is read.
        start_s: First moment, in seconds from the start of the video.
        end_s: Moment to stop before; None: the end.

    Raises:
        SourceNotFoundError: There is no such file.
        SourceFormatError: It holds no maps, or is damaged.
    """
    end_s = np.inf if end_s is None else end_s
    try:
        with Path(path).open("rb") as file, _opened(file) as archive:
            about = json.loads(bytes(archive["about.json"]))
            if about["schema"] != _SCHEMA:
                raise ValueError(about["schema"])
            for run in count():
                if f"where_{run:05d}" not in archive.files:
                    return
                yield from _read_run(archive, f"{run:05d}", about, start_s, end_s)
    except FileNotFoundError as error:
        raise SourceNotFoundError(f"{path}: no such file; check the path") from error
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceFormatError(
            f"{path}: no maps that Signlight wrote, or damaged ({error}); annotate the video again"
        ) from error


def _opened(file: BinaryIO) -> np.lib.npyio.NpzFile:
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("a single array")
    return archive


def _read_run(
    archive: Any,  # noqa: ANN401
    run: str,
    about: dict[str, Any],
    start_s: float,
    end_s: float,
) -> Iterator[FrameMaps]:
    where = archive[f"where_{run}"]
    asked = np.flatnonzero((where["time_s"] >= start_s) & (where["time_s"] < end_s))
    if not asked.size:
        return
    weights, landmarks = archive[f"weights_{run}"], archive[f"landmarks_{run}"]
    means = archive[f"mean_{run}"] if about["kind"] == "activation" else None
    for frame_index, rows in groupby(asked, key=lambda row: int(where["frame"][row])):
        hands, maps = [], {}
        for row in rows:
            region = _region(where[row], landmarks[row])
            hands.append(region)
            maps[region.track_id] = AttentionMaps(
                weights=weights[row].astype(np.float32),
                mean=None if means is None else means[row].astype(np.float32),  # type: ignore[arg-type]
                kind=about["kind"],
                model=about["model"],
                layer=about["layer"],
                is_random=about["is_random"],
                transform=_transform(where[row]),
                region_box_xyxy=region.box_xyxy,
                track_id=region.track_id,
                frame_index=frame_index,
                time_s=float(where["time_s"][row]),
            )
        time_s = maps[hands[0].track_id].time_s
        yield FrameMaps(frame_index=frame_index, time_s=time_s, hands=tuple(hands), maps=maps)


def _half(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    return np.minimum(maps, _LARGEST).astype("<f2")


def _landmarks(region: HandRegion) -> npt.NDArray[np.float32]:
    return np.full((21, 2), np.nan, "<f4") if region.landmarks is None else region.landmarks


def _where(moment: Moment, hand: HandMoment, maps: AttentionMaps) -> tuple[Any, ...]:
    region, transform = hand.region, maps.transform
    return (
        moment.frame_index,
        float(moment.time_s),
        region.track_id,
        region.handedness or "",
        region.score,
        *region.box_xyxy,
        transform.left_px,
        transform.top_px,
        *transform.scale_xy,
        *transform.crop_wh,
    )


def _region(where: Any, landmarks: npt.NDArray[np.float32]) -> HandRegion:  # noqa: ANN401
    left, top, right, bottom = (
        float(where[f"box_{edge}_px"]) for edge in ("left", "top", "right", "bottom")
    )
    return HandRegion(
        box_xyxy=(left, top, right, bottom),
        landmarks=landmarks if where["hand"] else None,
        handedness=str(where["hand"]) or None,  # type: ignore[arg-type]
        score=float(where["score"]),
        track_id=int(where["track"]),
    )


def _transform(where: Any) -> CropTransform:  # noqa: ANN401
    return CropTransform(
        left_px=float(where["left_px"]),
        top_px=float(where["top_px"]),
        scale_xy=(float(where["scale_x"]), float(where["scale_y"])),
        crop_wh=(int(where["crop_w"]), int(where["crop_h"])),
    )


def _npy(array: npt.NDArray[Any]) -> bytes:
    content = BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
