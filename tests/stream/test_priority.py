from __future__ import annotations

import os
import sys
import threading

import pytest

from stream.priority import NICENESS, let_waiting_threads_sleep, run_after_others
from tests.waits import WAIT_S


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness per thread")
def test_only_the_calling_thread_steps_back() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen: list[int] = []

    def step_back() -> None:
        run_after_others()
        seen.append(niceness())

    before = niceness()
    thread = threading.Thread(target=step_back, name="signlight-test")
    thread.start()
    thread.join(WAIT_S)
    assert seen == [max(before, NICENESS)]
    assert niceness() == before


def test_threads_that_wait_sleep_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
