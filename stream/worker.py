"""One thread that turns what comes in into what goes out, and keeps what it raised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Generic, TypeVar

from stream.channel import Channel, ChannelClosed
from stream.errors import WorkerError

__all__ = ["Worker"]

In = TypeVar("In")
Out = TypeVar("Out")


class Worker(Generic[In, Out]):
    """A named thread that applies a function to each item of ``inbox``, in order.

    It ends when ``inbox`` is exhausted (for a channel: closed and empty), when nobody takes from
    ``outbox`` any more, or when the function raises. In each case both channels are closed, so
    neighbours on either side wake up and end too: a chain shuts down from any of its links.

    Args:
        function: Called with each item, on this thread only.
        inbox: Where items come from: a channel, or an iterable that only this thread touches.
        outbox: Where results go; None throws them away.
        name: What the worker is, in errors; the thread is called ``signlight-NAME``.
        is_daemon: The program's end does not wait for it: it may hang in a driver.

    Attributes:
        name: What the worker is.
    """

    def __init__(
        self,
        function: Callable[[In], Out],
        *,
        inbox: Channel[In] | Iterable[In],
        outbox: Channel[Out] | None,
        name: str,
        is_daemon: bool = False,
    ) -> None:
        self.name = name
        self._function = function
        self._inbox = inbox
        self._outbox = outbox
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"signlight-{name}", daemon=is_daemon
        )

    def check(self) -> None:
        """Raise what stopped the worker, if anything did.

        Raises:
            WorkerError: The function raised; its exception is the ``__cause__``.
        """
        if self._failure is not None:
            reason = f"{self._failure}" or type(self._failure).__name__
            raise WorkerError(f"{self.name} failed: {reason}") from self._failure

    @property
    def is_running(self) -> bool:
        """True from start until the thread has ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread. A worker starts once."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end, at most so long; harmless before start, and again."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def stop(self) -> None:
        """Throw away what waits in channels, let the item in hand finish, and join. Idempotent.

        Of an inbox that is no channel nothing waits: the worker ends at its next result, when it
        finds the outbox closed.
        """
        if isinstance(self._inbox, Channel):
            self._inbox.discard()
        if self._outbox is not None:
            self._outbox.discard()
        self.join()

    def __enter__(self) -> Worker[In, Out]:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            for item in self._inbox:
                result = self._function(item)
                if self._outbox is not None:
                    self._outbox.put(result)
                del item, result  # pictures are large, and the next may be long in coming
        except ChannelClosed:
            pass  # nobody takes the results any more
        except BaseException as failure:
            self._failure = failure
        finally:
            if isinstance(self._inbox, Channel):
                self._inbox.discard()
            elif isinstance(self._inbox, Generator):
                self._inbox.close()  # what it takes from learns that nobody does any more
            if self._outbox is not None:
                self._outbox.close()
