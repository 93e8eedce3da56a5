from __future__ import annotations

import os
import sys
import threading

import pytest

from stream.priority import (
    NICENESS,
    let_waiting_threads_sleep,
    num_cores,
    num_threads_beside_picture,
    run_after_others,
)
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lends a process some of its cores")
def test_cores_that_are_lent_to_others_are_not_counted() -> None:
    seen: list[tuple[int, int]] = []

    def ask() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # of this thread alone
        seen.append((num_cores(), num_threads_beside_picture()))

    thread = threading.Thread(target=ask, name="signlight-test")
    thread.start()
    thread.join(WAIT_S)
    assert seen == [(1, 1)]
