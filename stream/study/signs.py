"""The pictures of a study: files, folders of them, and moments of videos."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from stream.command_line.values import Time
from stream.errors import SourceError, SourceFormatError, SourceNotFoundError
from stream.frames import Frame, RgbImage
from stream.hashing import sha256_of
from stream.jobs.recordings import VIDEO_SUFFIXES
from stream.sources import open_source
from stream.sources.images import SUFFIXES, UNREAD_SUFFIXES, files_in
from stream.sources.options import PictureOptions
from stream.sources.picture_files import PictureReader

__all__ = ["Sign", "read_signs"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sign:
    """A picture of a sign."""

    name: str
    """What it is called in figures and tables; no two of a study alike."""
    source: str
    """Where it came from, as it was named."""
    sha256: str
    """Hash of the file, of a moment that of its video."""
    frame: Frame
    """The picture."""


def read_signs(
    inputs: Sequence[str],
    pictures: PictureOptions,
    tell: Callable[[str], None],
) -> list[Sign]:
    """Return the pictures that are named, in order; ``tell`` is told of those that cannot be had.

    Args:
        inputs: Picture files, folders of them, and moments of videos, ``VIDEO@SECONDS`` or
            ``VIDEO@h:mm:ss``.
        pictures: How those of videos are to be decoded.
        tell: Called with a line for each that is left out.

    Raises:
        SourceNotFoundError: Nothing is there to be read.
    """
    reader = PictureReader()
    signs: list[Sign] = []
    faults: list[str] = []
    hash_of = lru_cache(sha256_of)  # of a video once, not for each of its moments
    for name, place in _places(inputs, faults):
        try:
            image = reader.read(place) if isinstance(place, Path) else _moment(*place, pictures)
            digest = hash_of(place if isinstance(place, Path) else place[0])
        except (SourceError, OSError) as error:
            faults.append(str(error))
            continue
        signs.append(
            Sign(
                name=_free_name(name, [sign.name for sign in signs]),
                source=str(place) if isinstance(place, Path) else f"{place[0]}@{place[1]:g}",
                sha256=digest,
                frame=Frame(
                    image=image,
                    pts=0,
                    time_base=Fraction(1),
                    index=len(signs),
                    captured_ns=0,
                ),
            )
        )
    if not signs:
        raise SourceNotFoundError("; ".join(faults) or "no picture is named")
    for fault in faults:
        tell(fault)
    return signs


def _places(
    inputs: Sequence[str], faults: list[str]
) -> Iterator[tuple[str, Path | tuple[Path, float]]]:
    """Yield the name of each picture and where it is: a file, or a video and a time in it, s."""
    for text in inputs:
        path = Path(text)
        video, _, time = text.rpartition("@")
        if path.is_dir():
            files = files_in(path, SUFFIXES | UNREAD_SUFFIXES)
            if not files:
                faults.append(f"{path} has no picture in it; name a folder of JPEG or PNG files")
            yield from ((file.stem, file) for file in files)
        elif path.exists():
            if path.suffix.lower() in VIDEO_SUFFIXES:
                faults.append(f"{path} is a video: name a moment of it, as {path}@1.5")
            else:
                yield path.stem, path
        elif video and Path(video).is_file():
            try:
                moment_s = Time().read(time)
            except ArgumentTypeError as error:
                faults.append(f"{text}: {error}")
            else:
                yield f"{Path(video).stem} {time}", (Path(video), moment_s)
        else:
            faults.append(f"{text}: no such picture, folder or VIDEO@TIME; check the path")


def _moment(video: Path, moment_s: float, pictures: PictureOptions) -> RgbImage:
    with open_source(video, start_s=moment_s, max_frames=1, pictures=pictures) as source:
        frame = source.read()
        if frame is None:
            length = source.info.duration_s
            ends = f" (it ends at {length:.2f} s)" if length else ""
            raise SourceFormatError(f"{video} has no picture at {moment_s:g} s{ends}")
        return frame.image


def _free_name(name: str, taken: Sequence[str]) -> str:
    names = (name, *(f"{name} ({number})" for number in range(2, len(taken) + 2)))
    return next(free for free in names if free not in taken)
