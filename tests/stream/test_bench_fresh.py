from __future__ import annotations

import os
import signal

from stream.bench.fresh import run_fresh


def _outlives_ctrl_c() -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return os.getpid()


def test_ctrl_c_is_left_to_the_process_that_waits() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_fresh(_outlives_ctrl_c) != os.getpid()
    assert signal.getsignal(signal.SIGINT) is before
