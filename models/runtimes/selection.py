"""Which device, runtime and precision to use, out of those that are there."""

from __future__ import annotations

import logging
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from models.options import DEVICES, PRECISIONS, RUNTIMES
from models.runtimes.neural_network import Network
from models.runtimes.protocol import Runtime
from stream.errors import DeviceError

__all__ = ["Choice", "choose", "cpu_has_amx"]

logger = logging.getLogger(__name__)

_X86_64 = ("x86_64", "AMD64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A device, runtime and precision that this machine has."""

    device: torch.device
    """Where to compute."""
    dtype: torch.dtype
    """Arithmetic of the network."""
    use_openvino: bool = False
    """Compute with OpenVINO, on the processor; else with torch."""

    def open(self, network: Network, *, num_threads: int | None = None) -> Runtime:
        """Return the runtime with ``network`` in it; it takes the network over.

        Args:
            network: What to run.
            num_threads: Processor threads for one operation; None takes as many as there are cores
                (see ``TorchRuntime``).
        """
        if self.use_openvino:
            from models.runtimes.openvino_cpu import OpenVinoRuntime

            return OpenVinoRuntime(network, dtype=self.dtype, num_threads=num_threads)
        if self.device.type == "cuda":
            from models.runtimes.torch_cuda import CudaRuntime

            return CudaRuntime(network, device=self.device, dtype=self.dtype)
        from models.runtimes.torch_cpu import TorchRuntime

        return TorchRuntime(network, device=self.device, dtype=self.dtype, num_threads=num_threads)


def choose(device: str = "auto", runtime: str = "auto", precision: str = "auto") -> Choice:
    """Return the best choice that fits, before any weights are fetched.

    "auto" is a CUDA device, then Apple's GPU, then the processor; there OpenVINO where it is
    installed, which on x86-64 was quicker than torch with all models (README, Speed); and the
    quickest arithmetic that does not change the maps (cosine to float32 of 0.999 or more).

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        runtime: "auto", "torch" or "openvino".
        precision: "auto", "float32", "bfloat16" or "float16".

    Raises:
        ValueError: An option has a value that does not exist.
        DeviceError: What was asked for is not to be had on this machine.
    """
    for option, value, allowed in (
        ("device", device, DEVICES),
        ("runtime", runtime, RUNTIMES),
        ("precision", precision, PRECISIONS),
    ):
        if value not in allowed:
            raise ValueError(f"{option} must be one of {', '.join(allowed)}, got {value!r}")
    if runtime == "openvino" and device not in ("auto", "cpu"):
        raise DeviceError(f"OpenVINO runs on the processor, not on {device}: use --device cpu")
    found = _find_device("cpu" if runtime == "openvino" else device)
    dtype = _best_dtype(found) if precision == "auto" else getattr(torch, precision)
    return Choice(device=found, dtype=dtype, use_openvino=_use_openvino(runtime, found, dtype))


def cpu_has_amx() -> bool:
    """Return whether the processor has Intel's matrix unit for bfloat16."""
    return _torch_cpu("_is_amx_tile_supported")


def _use_openvino(runtime: str, device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether OpenVINO is to run; raise where it was asked for by name and cannot."""
    is_wanted = runtime == "openvino"
    is_candidate = runtime == "auto" and device.type == "cpu" and platform.machine() in _X86_64
    if not (is_wanted or is_candidate):
        return False
    try:
        from models.runtimes.openvino_cpu import can_compute
    except ImportError as error:
        if is_wanted:
            raise DeviceError(
                f"OpenVINO cannot be loaded ({error}): pip install 'openvino>=2026.0', "
                "or use --runtime torch"
            ) from error
        logger.debug("no OpenVINO: %s", error)
        return False
    if is_wanted and not can_compute(dtype):
        name = str(dtype).removeprefix("torch.")
        raise DeviceError(
            f"OpenVINO does not compute in {name} on this processor: "
            "use --precision float32, or --runtime torch"
        )
    return can_compute(dtype)


def _find_device(device: str) -> torch.device:
    has_cuda = torch.cuda.is_available()
    has_mps = torch.backends.mps.is_available()
    if device == "cuda" and not has_cuda:
        why = "no NVIDIA GPU is usable" if torch.version.cuda else "this torch is built without it"
        raise DeviceError(f"device cuda is not available ({why}): use --device cpu")
    if device == "mps" and not has_mps:
        raise DeviceError("device mps is not available (no Apple GPU): use --device cpu")
    if device == "cuda" or (device == "auto" and has_cuda):
        return torch.device("cuda", torch.cuda.current_device())
    if device == "mps" or (device == "auto" and has_mps):
        return torch.device("mps")
    return torch.device("cpu")


def _best_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        if major >= 8:  # Ampere, the first with bfloat16 matrix units
            return torch.bfloat16
        return torch.float16 if major == 7 else torch.float32
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 quicker than float32.

    With AMX it does, and with AVX512-BF16 on AMD's. Intel's have that instruction at half the rate
    of their two float32 units (Emerald Rapids without its AMX: 163 and 276 GFLOP/s, two cores).
    """
    if cpu_has_amx():
        return True
    return _torch_cpu("_is_avx512_bf16_supported") and not _cpu_is_intel()


def _torch_cpu(question: str) -> bool:
    # torch has no public question for it in every version that we admit.
    ask = getattr(torch.cpu, question, None)
    return ask is not None and ask()


def _cpu_is_intel() -> bool:
    cpuinfo = Path("/proc/cpuinfo")  # elsewhere the processor's description names its maker
    about = cpuinfo.read_text(errors="replace") if cpuinfo.exists() else platform.processor()
    return "GenuineIntel" in about
