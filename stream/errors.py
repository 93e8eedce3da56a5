"""Everything that can go wrong, as one tree.

Each class is also the builtin that a caller would catch, so ``except FileNotFoundError`` works
without knowing Signlight::

    SignlightError
    |-- SourceError                     a picture could not be had
    |   |-- SourceNotFoundError         ... FileNotFoundError: no such file, camera or host
    |   |   `-- SourceRefusedError      ... the server has no such stream, or not for us
    |   |-- SourceFormatError           ... ValueError: no video, or none that decodes
    |   |-- SourceTimeoutError          ... TimeoutError: nothing came in time
    |   `-- SourceLostError             ... ConnectionError: camera unplugged, stream broke off
    |-- SinkError                       a picture could not be shown or kept
    |   |-- OutputError                 ... OSError: unwritable, output is input
    |   |   `-- FullDiskError           ... no room for more
    |   `-- DisplayError                ... RuntimeError: no screen to show a window on
    |-- ModelError                      a model could not be had
    |   |-- UnknownModelError           ... LookupError: no model of that name
    |   |-- WeightsNotFoundError        ... FileNotFoundError: no weights here, and none to download
    |   |-- WeightsError                ... ValueError: wrong, corrupt or unsafe checkpoint
    |   `-- DeviceError                 ... RuntimeError: no such device, runtime or precision
    |-- OptionError                     ... ValueError: an option that does not fit the rest
    |-- HandModelError                  ... RuntimeError: the hand landmarker could not be had
    `-- WorkerError                     ... RuntimeError: a thread failed; see its ``__cause__``

A message is one line: what is wrong, with its value, then what to do about it.
"""

from stream.printable import printable

__all__ = [
    "DeviceError",
    "DisplayError",
    "FullDiskError",
    "HandModelError",
    "ModelError",
    "OptionError",
    "OutputError",
    "SignlightError",
    "SinkError",
    "SourceError",
    "SourceFormatError",
    "SourceLostError",
    "SourceNotFoundError",
    "SourceRefusedError",
    "SourceTimeoutError",
    "UnknownModelError",
    "WeightsError",
    "WeightsNotFoundError",
    "WorkerError",
    "in_one_line",
]


class SignlightError(Exception):
    """Root of every error that Signlight raises on purpose."""


class SourceError(SignlightError):
    """A picture could not be had."""


class SourceNotFoundError(SourceError, FileNotFoundError):
    """No such file, folder, camera or host."""


class SourceRefusedError(SourceNotFoundError):
    """The server is there, but does not give this: wrong name or password. To ask again is idle."""


class SourceFormatError(SourceError, ValueError):
    """The source is there, but is no video that can be decoded."""


class SourceTimeoutError(SourceError, TimeoutError):
    """The source did not answer in time."""


class SourceLostError(SourceError, ConnectionError):
    """A live source stopped: a camera was unplugged, a network stream broke off."""


class SinkError(SignlightError):
    """A picture could not be shown or kept."""


class OutputError(SinkError, OSError):
    """A file could not be written."""


class FullDiskError(OutputError):
    """The disk, or one's share of it, has no room for more."""


class DisplayError(SinkError, RuntimeError):
    """There is no screen to open a window on."""


class ModelError(SignlightError):
    """A model could not be had."""


class UnknownModelError(ModelError, LookupError):
    """There is no model of that name."""


class WeightsNotFoundError(ModelError, FileNotFoundError):
    """The weights are neither on this machine nor to be downloaded."""


class WeightsError(ModelError, ValueError):
    """A checkpoint is corrupt, unsafe, or belongs to another model."""


class DeviceError(ModelError, RuntimeError):
    """A device, runtime or precision that was asked for is not to be had here."""


class OptionError(SignlightError, ValueError):
    """An option asks for what this source or this model does not have."""


class HandModelError(SignlightError, RuntimeError):
    """The hand landmarker could not be had."""


class WorkerError(SignlightError, RuntimeError):
    """A thread failed; what it raised is this error's ``__cause__``."""


def in_one_line(error: BaseException) -> str:
    """Return what a person needs to know, in one line: what is wrong and what to do."""
    if isinstance(error, WorkerError) and error.__cause__ is not None:
        return in_one_line(error.__cause__)
    message = printable(" ".join(str(error).split()))
    if isinstance(error, SignlightError):
        return message
    if isinstance(error, OSError) and error.filename is not None:
        name = printable(str(error.filename))
        return f"{name}: {error.strerror}; check the path and its permissions"
    if isinstance(error, ImportError):
        return (
            f"a library cannot be loaded: {message}; install Signlight again, "
            "and on a bare Linux its system libraries (README, Set-up)"
        )
    return f"{type(error).__name__}: {message} (a fault of Signlight's: -v shows where)"
