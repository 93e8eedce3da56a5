"""What this machine is, as far as it matters to speed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from models.bench.figures import Machine
from stream.installed_packages import version_of
from stream.priority import num_cores

__all__ = ["OtherPrograms", "describe_machine", "peak_memory_mb"]

_INSTRUCTIONS = (
    "avx2",
    "fma",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_int8",
    "amx_bf16",
    "amx_fp16",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
)
"""Flags of /proc/cpuinfo that decide how matrices are multiplied."""
_DISTRIBUTIONS = (
    "signlight",
    "python",
    "torch",
    "openvino",
    "mediapipe",
    "opencv-python",
    "av",
    "numpy",
)


def describe_machine(*, gpu: str | None) -> Machine:
    """Return what this machine is.

    Args:
        gpu: Name of the GPU that would be used, which torch knows; None without one.
    """
    cpu, flags = _processor()
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        cpu=cpu,
        num_cores=num_cores(),
        instructions=tuple(name for name in _INSTRUCTIONS if name in flags),
        memory_gb=_memory_gb(),
        gpu=gpu,
        versions={
            name: version
            for name in _DISTRIBUTIONS
            if (version := platform.python_version() if name == "python" else version_of(name))
        },
    )


class OtherPrograms:
    """How busy others keep the processor from now on: what they take is missing in the figures."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._busy_s, self._own_s = _busy_s(), _own_s()

    def mean_cores(self) -> float | None:
        """Return how many cores others have used, on average; None where the system hides it."""
        busy_s = _busy_s()
        if busy_s is None or self._busy_s is None:
            return None
        span_s = max(time.monotonic() - self._began_s, 1e-9)
        return max(0.0, busy_s - self._busy_s - (_own_s() - self._own_s)) / span_s


def _busy_s() -> float | None:
    """Return how long cores have been at work since the machine started, all together."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, stat.read_text().split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    """Return the processor time of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_memory_mb() -> float | None:
    """Return the most memory that this process has held, in 10^6 bytes; None where unknown."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: its peak counts the parent's memory too, up to the exec.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        return int(found[1]) * 1024 / 1e6 if found else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def _processor() -> tuple[str, set[str]]:
    """Return the processor's name and its flags."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        text = cpuinfo.read_text(errors="replace")
        name = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", text, re.MULTILINE)
        flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
        return name[1] if name else platform.machine(), set(flags[1].split() if flags else ())
    if platform.system() == "Darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=10)
        return done.stdout.strip() or platform.machine(), set()
    return platform.processor() or platform.machine(), set()


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows has none of it
        return None
