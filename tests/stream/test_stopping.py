from __future__ import annotations

import os
import signal

import pytest

from stream.stopping import stop_on_signals
from tests.waits import WAIT_S


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_asks_and_the_second_insists(signum: signal.Signals) -> None:
    with stop_on_signals() as stop:
        assert not stop.event.is_set()
        os.kill(os.getpid(), signum)
        assert stop.event.wait(WAIT_S)
        assert stop.signum == signum
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signum)


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
