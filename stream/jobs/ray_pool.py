"""Work on a Ray cluster: the same tasks as in processes here, one process of the cluster each."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, TypeVar

from stream.errors import OptionError, WorkerError
from stream.jobs.processes import Ended, MakeWork, portable

__all__ = ["run_each_on_ray"]

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_TRIES = 2
"""A machine that goes away takes its task with it, which is no fault of the task's; a task that
takes its machine with it twice is."""
_DIED = (
    f"its process on the cluster died {MAX_TRIES} times, perhaps for want of memory; "
    "try it with fewer at once"
)
STOP_HEARD_S = 0.2
"""Longest time until a stop is heeded."""


def run_each_on_ray(
    make_work: MakeWork[Task, Result],
    tasks: Iterable[Task],
    *,
    address: str | None,
    num_processes: int | None = None,
    cpus_each: float = 1.0,
    gpus_each: float = 0.0,
    stop: threading.Event,
) -> Iterator[Ended[Task, Result]]:
    """Do tasks in processes of a cluster that last; yield each as it ends.

    Every machine has Signlight installed and finds the files under the same paths. What work tells
    meanwhile is not brought here.

    Args:
        make_work: Gets a process ready, once; can be pickled, as tasks and results are.
        tasks: Taken as processes have time for them.
        address: Of the cluster's head, as Ray takes it; "auto" for the one this machine belongs to,
            None for a cluster of this machine alone, which ends with this.
        num_processes: How many at once; None for as many as the cluster has room for.
        cpus_each: Processor cores of each.
        gpus_each: GPUs of each; parts of one are shared.
        stop: Set it to end early: what is at work is ended, and told as failed.

    Raises:
        OptionError: Ray is not installed, or there is no cluster, or no room in it.
    """
    try:
        ray: Any = import_module("ray")
    except ImportError as error:
        raise OptionError(
            "--ray needs Ray, which is not installed: pip install 'signlight[ray]'"
        ) from error
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own would end this without a word
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise OptionError(
            f"--ray {address}: no cluster answers there; begin one with: ray start --head; "
            "to one that asks for its token, go with RAY_AUTH_MODE=token in the environment"
        ) from error
    try:
        resources: dict[str, float] = ray.cluster_resources()
        room = _room(resources, cpus_each, gpus_each)
        if not room:
            raise OptionError(
                f"the cluster has no room for a process of {cpus_each:g} cores and "
                f"{gpus_each:g} GPUs: it has {resources.get('CPU', 0):g} and "
                f"{resources.get('GPU', 0):g}"
            )
        desk = ray.remote(num_cpus=cpus_each, num_gpus=gpus_each)(_Desk)
        count = min(num_processes or room, room)
        with redirect_stdout(sys.stderr):  # Ray tells there of processes that died
            yield from _share_out(ray, lambda: desk.remote(make_work), tasks, count, stop)
    finally:
        ray.shutdown()


def _room(resources: dict[str, float], cpus_each: float, gpus_each: float) -> int:
    """Return how many processes the cluster has room for."""
    rooms = [
        int(resources.get(name, 0.0) / each)
        for name, each in (("CPU", cpus_each), ("GPU", gpus_each))
        if each
    ]
    return min(rooms, default=1)


def _share_out(
    ray: Any,  # noqa: ANN401 - the module, which may be missing
    make_desk: Callable[[], Any],
    tasks: Iterable[Task],
    count: int,
    stop: threading.Event,
) -> Iterator[Ended[Task, Result]]:
    waiting, idle = deque((task, 1) for task in tasks), [make_desk() for _ in range(count)]
    at_work: dict[Any, tuple[Any, Task, int]] = {}
    while (waiting and not stop.is_set()) or at_work:
        while waiting and idle and not stop.is_set():
            (task, num_tries), desk = waiting.popleft(), idle.pop()
            at_work[desk.do.remote(task)] = (desk, task, num_tries)
        ready, _ = ray.wait(list(at_work), num_returns=1, timeout=STOP_HEARD_S)
        if stop.is_set():
            for desk, _, _ in at_work.values():
                ray.kill(desk)
        for answer in ready:
            desk, task, num_tries = at_work.pop(answer)
            try:
                result, failure = ray.get(answer)
                idle.append(desk)
                yield Ended(task, result, failure)
            except ray.exceptions.RayActorError:
                idle.append(make_desk())
                if num_tries < MAX_TRIES and not stop.is_set():
                    waiting.appendleft((task, num_tries + 1))
                else:
                    yield Ended(task, None, WorkerError(_DIED))


class _Desk:
    """A process of the cluster; made there."""

    def __init__(self, make_work: MakeWork[Any, Any]) -> None:
        self._make_work = make_work
        self._work: Any = None

    def do(self, task: Any) -> tuple[Any, Exception | None]:  # noqa: ANN401
        """Return what comes of a task, and else why it failed: a row, whatever happens."""
        try:
            self._work = self._work or self._make_work()
            return self._work(task, lambda told: None), None
        except Exception as error:
            return None, portable(error)
