from __future__ import annotations

import os
import signal
import traceback

import pytest

from models.bench.fresh import run_fresh


def _outlives_ctrl_c() -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return os.getpid()


def test_ctrl_c_is_left_to_the_process_that_waits() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert run_fresh(_outlives_ctrl_c) != os.getpid()
    assert signal.getsignal(signal.SIGINT) is before


def _wait_policy() -> str | None:
    return os.environ.get("OMP_WAIT_POLICY")


def test_waiting_threads_sleep_only_where_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert run_fresh(_wait_policy, sleep_waiting=True) == "PASSIVE"
    assert run_fresh(_wait_policy) is None, "the rival would be slowed down"
    assert "OMP_WAIT_POLICY" not in os.environ


def _fail_deep_inside() -> None:
    def depth_of_the_fault() -> None:
        raise ZeroDivisionError("by zero")

    depth_of_the_fault()


def test_failure_tells_where_it_was() -> None:
    with pytest.raises(RuntimeError, match="by zero") as caught:
        run_fresh(_fail_deep_inside)
    assert "in depth_of_the_fault" in "".join(traceback.format_exception(caught.value))
