from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from stream.errors import SourceLostError
from stream.jobs.processes import run_each, run_fresh


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


class _Twice:
    """Doubles numbers; knows how many it has done, and in which process."""

    def __init__(self) -> None:
        self.num_done = 0

    def __call__(self, task: int, tell: Callable[[Any], None]) -> tuple[int, int, int]:
        if task == 3:
            raise SourceLostError("three is broken")
        if task == 5:
            os._exit(9)
        self.num_done += 1
        tell(f"{task} begins")
        return 2 * task, self.num_done, os.getpid()


def test_one_that_fails_or_dies_stops_no_other() -> None:
    told: list[tuple[int, str]] = []
    ended = list(
        run_each(
            _Twice,
            range(8),
            num_processes=2,
            stop=threading.Event(),
            on_told=lambda task, value: told.append((task, value)),
        )
    )
    assert {one.task for one in ended} == set(range(8))
    results = {one.task: one.result for one in ended if one.result is not None}
    assert {task: result[0] for task, result in results.items()} == {
        task: 2 * task for task in (0, 1, 2, 4, 6, 7)
    }
    assert sorted(told) == [(task, f"{task} begins") for task in (0, 1, 2, 4, 6, 7)]
    failures = {one.task: one.failure for one in ended if one.failure is not None}
    assert isinstance(failures[3], SourceLostError)
    assert str(failures[3]) == "three is broken"
    assert "exit code 9" in str(failures[5])
    assert len({result[2] for result in results.values()}) <= 3, "processes last"
    assert max(result[1] for result in results.values()) > 1


def test_stop_begins_no_more() -> None:
    stop = threading.Event()
    ended = []
    for one in run_each(_Twice, iter([0, 1, 2, 4]), num_processes=1, stop=stop):
        ended.append(one.task)
        stop.set()
    assert ended == [0]
    assert not multiprocessing.active_children()
