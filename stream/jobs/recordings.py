"""Which recordings a job over many is about, and where what is made of each goes."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.errors import OptionError, SourceNotFoundError
from stream.naming import OVERLAY

__all__ = ["VIDEO_SUFFIXES", "Recording", "Shard", "find_recordings"]

VIDEO_SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mod", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".tod", ".ts", ".vob", ".webm", ".wmv"}
)
"""Endings of the files that a search takes for videos, in lower case; a file that is named is taken
whatever it is called."""
FOLDER_SUFFIX = ".annotation"
"""Ending of the folder beside a video that holds what was made of it."""


@dataclass(frozen=True, slots=True, order=True)
class Recording:
    """A recording, and where what is made of it goes."""

    path: Path
    """The file."""
    folder: Path
    """For what is made of it."""

    @property
    def stem(self) -> str:
        """What the files in its folder are called, without their endings."""
        return self.folder.name.removesuffix(FOLDER_SUFFIX)


@dataclass(frozen=True, slots=True)
class Shard:
    """Every ``count``-th recording, from the ``index``-th on: the part of one of many machines.

    Raises:
        ValueError: There is no such part.
    """

    index: int
    """1 to ``count``."""
    count: int
    """How many parts there are."""

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(f"a part is from 1/{self.count} to {self.count}/{self.count}")

    @classmethod
    def parse(cls, words: str) -> Shard:
        """Return the part that ``"3/8"`` names.

        Raises:
            ValueError: It names none.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", words)
        if match is None:
            raise ValueError("a part is written I/N, as in 3/8")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"

    def of(self, recordings: Sequence[Recording]) -> list[Recording]:
        """Return the part's recordings."""
        return list(recordings[self.index - 1 :: self.count])


def find_recordings(inputs: Iterable[str], into: Path | None = None) -> list[Recording]:
    """Return the recordings that are named, or lie in folders that are, sorted by path, each once.

    Beside ``b.mp4`` goes ``b.annotation``; under ``into``, ``b``, and a folder's recordings as deep
    as they lie in it. Where two of one folder would share a name, their folders keep the endings:
    ``b.mp4.annotation``.

    Args:
        inputs: Files, folders or patterns (``*``, ``?``, ``[...]``, ``**``).
        into: Where all goes; None for beside each.

    Raises:
        SourceNotFoundError: A file or folder is not there, or a pattern or folder holds no video.
        OptionError: An input is an address.
    """
    found: dict[Path, Path] = {}
    for name in inputs:
        for path, below in _matches(name):
            found.setdefault(path, below)
    places = {path: _place(path, below, into) for path, below in found.items()}
    taken = Counter(places.values())
    return sorted(
        Recording(path, _folder(place if taken[place] == 1 else place.with_name(path.name), into))
        for path, place in places.items()
    )


def _folder(place: Path, into: Path | None) -> Path:
    return place if into else place.with_name(f"{place.name}{FOLDER_SUFFIX}")


def _place(path: Path, below: Path, into: Path | None) -> Path:
    return (into / below if into else path).with_name(path.stem)


def _matches(name: str) -> Iterator[tuple[Path, Path]]:
    """Yield files, each with its path below what was searched through."""
    if "://" in name:
        raise OptionError(f"{name} is an address; download it, then annotate the file")
    path = Path(name)
    if path.is_dir():
        files = list(_videos_below(path))
        if not files:
            raise SourceNotFoundError(f"{name}: no video lies in this folder")
        yield from ((file, file.relative_to(path)) for file in files)
    elif path.exists():
        yield path, Path(path.name)
    elif glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - it may be absolute
        if not matches:
            raise SourceNotFoundError(f"{name}: no file is called so")
        for match in matches:
            if not Path(match).is_dir():
                yield Path(match), Path(Path(match).name)
    else:
        raise SourceNotFoundError(f"{name}: no such file or folder; check the path")


def _videos_below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(
            name for name in folders if not name.endswith(FOLDER_SUFFIX) and name[0] != "."
        )
        for name in sorted(files):
            path = Path(here, name)
            is_ours = path.stem.endswith(OVERLAY)
            if path.suffix.lower() in VIDEO_SUFFIXES and name[0] != "." and not is_ours:
                yield path
