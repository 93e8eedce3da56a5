"""The same tasks on a real cluster, of this machine alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream.errors import OptionError, SourceFormatError
from stream.jobs.ray_pool import run_each_on_ray

ray = pytest.importorskip("ray", reason="Ray is an extra: pip install 'signlight[ray]'")


class _Work:
    """Answers with its process's number; some tasks go wrong, one only the first time."""

    def __call__(self, task: str, tell: Callable[[Any], None]) -> int:
        if task == "bad":
            raise SourceFormatError("bad is no video")
        if task.startswith("dies once"):
            trace = Path(task.removeprefix("dies once "))
            if not trace.exists():
                trace.touch()
                os._exit(1)
        if task == "dies always":
            os._exit(1)
        return os.getpid()


def test_each_task_is_a_row_whatever_becomes_of_its_process(tmp_path: Path) -> None:
    dies_once = f"dies once {tmp_path / 'trace'}"
    tasks = ["a", "bad", dies_once, "dies always", *(f"{number}" for number in range(6))]
    ended = {
        one.task: one
        for one in run_each_on_ray(
            _Work, tasks, address=None, num_processes=2, stop=threading.Event()
        )
    }
    assert set(ended) == set(tasks)
    failed = {task: str(one.failure) for task, one in ended.items() if one.failure}
    assert failed == {
        "bad": "bad is no video",
        "dies always": "its process on the cluster died 2 times, perhaps for want of memory; "
        "try it with fewer at once",
    }
    assert isinstance(ended["bad"].failure, SourceFormatError)
    processes = {one.result for one in ended.values() if one.result is not None}
    assert os.getpid() not in processes
    assert not ray.is_initialized()


def test_cluster_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # where Ray remembers a cluster of this machine
    with pytest.raises(OptionError, match="no cluster answers"):
        list(run_each_on_ray(_Work, ["a"], address="auto", stop=threading.Event()))


def test_process_that_has_no_room_is_refused() -> None:
    work = run_each_on_ray(_Work, ["a"], address=None, cpus_each=1e4, stop=threading.Event())
    with pytest.raises(OptionError, match="no room"):
        list(work)
