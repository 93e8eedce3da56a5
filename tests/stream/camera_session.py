"""A camera that can be plugged in and unplugged: PipeWire shows one to programs under pw-v4l2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.conftest import ROOT
from tests.waits import WAIT_S, until

__all__ = ["MISSING", "CameraSession"]

_PROGRAMS = ("pipewire", "wireplumber", "pw-v4l2", "pw-cli", "gst-launch-1.0", "dbus-daemon")
MISSING = [name for name in _PROGRAMS if not shutil.which(name)]
"""Programs that are needed and not installed."""
_SEATS = [Path("/run/systemd") / name for name in ("users", "seats", "sessions", "machines")]
"""Folders without which WirePlumber ends; only root may make them."""
_NAME = "signlight-camera"


class CameraSession:
    """A session of PipeWire's, with a bus and a folder of its own, at first without a camera."""

    def __enter__(self) -> CameraSession:
        for seat in _SEATS:
            seat.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp())
            stack.callback(shutil.rmtree, folder)
            self._env = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
            self._stack = stack
            bus = self._start("dbus-daemon", "--session", "--nofork", "--print-address", stdout=-1)
            assert bus.stdout is not None
            stack.callback(bus.stdout.close)
            self._env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
            self._start("pipewire")
            until((folder / "pipewire-0").exists, "PipeWire")
            self._start("wireplumber")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def plug(self, width: int = 640, height: int = 480) -> None:
        """Plug in the camera: 30 bright pictures a second of this size, no two the same."""
        self._camera = self._start(
            *["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", "horizontal-speed=7", "!"],
            f"video/x-raw,format=YUY2,width={width},height={height},framerate=30/1",
            *["!", "pipewiresink", "mode=provide"],
            f"stream-properties=p,media.class=Video/Source,media.role=Camera,node.name={_NAME}",
        )
        until(lambda: _NAME in self._nodes(), "the camera")

    def unplug(self) -> None:
        """Have the camera vanish, without a word to whoever reads it."""
        _end(self._camera)

    def start_python(
        self, *arguments: str, cwd: Path = ROOT, **settings: str
    ) -> subprocess.Popen[str]:
        """Start Python where the camera is to be seen, with ``settings`` in its environment."""
        return subprocess.Popen(
            ["pw-v4l2", sys.executable, *arguments],
            cwd=cwd,
            env={**self._env, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _nodes(self) -> str:
        return subprocess.run(
            ["pw-cli", "ls", "Node"],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
        ).stdout

    def _start(self, *command: str, **pipes: Any) -> subprocess.Popen[str]:  # noqa: ANN401
        process = subprocess.Popen(
            command, env=self._env, stderr=subprocess.DEVNULL, text=True, **pipes
        )
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(WAIT_S)
