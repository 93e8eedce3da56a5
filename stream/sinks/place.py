"""Where a recording may be written, what it may replace, and where it lies until it is whole."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

import av
from av.error import FFmpegError

from stream.errors import OutputError
from stream.locks import lock

__all__ = ["MADE_WITH", "Place"]

MADE_WITH = "made with Signlight"
"""The comment in a recording by which it is known as ours."""
_MARK = "Signlight"
_MAX_NAME_BYTES = 255
"""Of a file, on all usual disks."""


class Place:
    """The place of one recording, which grows where it does no harm.

    Where nothing is to be lost a recording grows under its own name. Where an earlier one stands,
    it grows beside that, as ``NAME.unfinished.mp4``, and takes its place in one step: at every
    moment the earlier one or the new one is there and plays.

    A recording replaces an empty file and one of Signlight's, whole or cut short, and nothing else:
    a name that was mistaken must not cost anyone a recording.

    Args:
        path: File to write.
        audio_from: Recording that is read meanwhile.

    Raises:
        OutputError: Nothing may be written there; the message says why, and what to do.
    """

    def __init__(self, path: Path, *, audio_from: Path | None = None) -> None:
        self.path = path
        self.written_path = path
        """Where what was written lies: a name that plays."""
        self._audio_from = audio_from
        self._earlier: os.stat_result | None = None
        self._claimed: os.stat_result | None = None
        self._descriptor: int | None = None
        self._is_new = False
        self._check()

    @property
    def keeps_earlier(self) -> bool:
        """Whether an earlier recording still stands at ``path``, beside what is written."""
        return self._earlier is not None

    @property
    def word_of_earlier(self) -> str:
        """What an error message says beside its own; nothing where there is no earlier one."""
        if not self.keeps_earlier:
            return ""
        return (
            f" (the new one is in {self.written_path}; {self.path} is the earlier one, as it was)"
        )

    def claim(self) -> Path:
        """Return where to write, empty and locked against other runs until :meth:`release`.

        Raises:
            OutputError: Another run writes there, or what stands there changed since.
            OSError: The file cannot be made.
        """
        self._check()
        growing, earlier = self.path, None
        if self.path.exists() and self.path.stat().st_size:
            growing, earlier = _unfinished_beside(self.path), self.path.stat()
        self._is_new = not growing.exists()
        self._descriptor = os.open(growing, os.O_RDWR | os.O_CREAT, 0o666)
        if not lock(self._descriptor):
            self.release()
            raise _being_written(self.path)
        self.written_path, self._earlier = growing, earlier
        self._claimed = os.fstat(self._descriptor)
        if sys.platform == "win32":  # there an open file could not be replaced
            self.release()
        return growing

    def abandon(self) -> None:
        """Undo :meth:`claim`, before anything was written."""
        self.release()
        if self._is_new:
            self.written_path.unlink(missing_ok=True)
        self.written_path, self._earlier, self._claimed = self.path, None, None

    def release(self) -> None:
        """Let others write there; harmless when called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def check_untouched(self) -> None:
        """Make sure that the file that was claimed is still the one of that name.

        Raises:
            OutputError: It was moved or deleted.
        """
        path = self.written_path
        if self._claimed is None or not path.exists():
            raise OutputError(
                f"{path} is gone: it was moved or deleted before it was finished; write it again"
            )
        if not os.path.samestat(path.stat(), self._claimed):
            raise OutputError(
                f"{path} is another file than the one that was written: somebody replaced it, and "
                "it stays as it is; write again under another name"
            )

    def remove_unreadable(self) -> None:
        """Remove what was written if nothing of it plays: the name would be taken for nothing."""
        with suppress(OSError):
            self.check_untouched()
            if _comment_of(self.written_path) is None:
                self.written_path.unlink()

    def target(self) -> Path:
        """Return where the finished recording is to be put.

        That is the place of the earlier one, unless somebody changed it. What was claimed stays
        locked until then, so that no other run takes it for its own.
        """
        if self._earlier is None or self._is_changed():
            return self.written_path
        return Path(os.path.realpath(self.path))  # a link stays a link

    def settle(self, finished: Path) -> None:
        """Leave the finished recording where it was asked for, and nothing beside it.

        Args:
            finished: Where it is: as :meth:`target` said, or still where it was claimed.

        Raises:
            OutputError: The earlier one is not what it was, or cannot be replaced; both stay.
        """
        if self._earlier is None:
            return
        if finished != self.written_path:
            self.written_path.unlink(missing_ok=True)
            self.written_path, self._earlier = self.path, None
            return
        if self._is_changed():
            raise OutputError(
                f"{self.path} was changed by somebody meanwhile and stays as it is; "
                f"the recording is whole, in {self.written_path}"
            )
        try:
            self.written_path.replace(os.path.realpath(self.path))  # a link stays a link
        except OSError as exc:
            raise OutputError(
                f"{self.path} cannot be replaced: {exc.strerror}; "
                f"the new recording is whole, in {self.written_path}"
            ) from exc
        self.written_path, self._earlier = self.path, None

    def _is_changed(self) -> bool:
        """Tell whether the earlier recording is another one than when the place was claimed."""
        if self._earlier is None or not self.path.exists():
            return False
        return _identity(self.path.stat()) != _identity(self._earlier)

    def _check(self) -> None:
        path = self.path
        folder = path.parent
        if not folder.is_dir():
            raise OutputError(
                f"there is no folder {folder} to write {path.name} to; create it first"
            )
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = None
        except OSError as exc:
            way_out = (
                "give a shorter name" if exc.errno == errno.ENAMETOOLONG else "write elsewhere"
            )
            raise OutputError(f"{path} cannot be written: {exc.strerror}; {way_out}") from exc
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(f"{path} is a folder; give the name of a file")
        if mode is not None and not stat.S_ISREG(mode):
            raise OutputError(f"{path} is a pipe or a device, no file; give the name of a file")
        target = Path(os.path.realpath(path))
        if not (os.access(target.parent, os.W_OK) and (mode is None or os.access(path, os.W_OK))):
            raise OutputError(f"{path} may not be written; write elsewhere")
        if mode is None:
            return
        source = self._audio_from
        if source is not None and source.exists() and path.samefile(source):
            raise OutputError(f"{path} is the input itself; give another name for the output")
        _check_replaceable(path)
        beside = _unfinished_beside(path)
        if path.stat().st_size and beside.exists():
            _check_replaceable(beside)


def _check_replaceable(path: Path) -> None:
    """Raise unless ``path`` is free, empty or one of Signlight's that nobody writes."""
    if not path.exists():
        return
    if _is_locked(path):
        raise _being_written(path)
    if path.is_file() and not path.stat().st_size:
        return
    way_out = "delete it or give another name for the output"
    if not path.is_file():
        raise OutputError(f"{path} is there already and is no file; {way_out}")
    comment = _comment_of(path)
    if comment is None:
        raise OutputError(f"{path} is there already and is no MP4; {way_out}")
    if _MARK not in comment:
        raise OutputError(
            f"{path} is there already, a recording that Signlight did not make; {way_out}"
        )


def _comment_of(path: Path) -> str | None:
    """Return the comment in an MP4; None for what is none."""
    try:
        with av.open(f"file:{path}", format="mp4") as container:
            comment: str = container.metadata.get("comment", "")
            return comment
    except (FFmpegError, OSError):
        return None


def _unfinished_beside(path: Path) -> Path:
    target = Path(os.path.realpath(path))
    stem, ending = target.stem, f".unfinished{target.suffix}"
    while len(os.fsencode(stem + ending)) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    return target.with_name(stem + ending)


def _identity(facts: os.stat_result) -> tuple[int, int, int, int]:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _being_written(path: Path) -> OutputError:
    return OutputError(
        f"{path} is being written by another run of Signlight; "
        "wait for it or give another name for the output"
    )


def _is_locked(path: Path) -> bool:
    if not path.is_file():  # opening a pipe would wait for its other end
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not lock(descriptor)
    finally:
        os.close(descriptor)
