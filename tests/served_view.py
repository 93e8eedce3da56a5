"""``signlight serve`` as its own process, for tests that look at its page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT
from tests.waits import PROCESS_S, until

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SECOND_MS", "ServedView", "drop_file"]

SECOND_MS = 1000


class ServedView:
    """``signlight serve`` in a process and a folder of its own."""

    def __init__(self, folder: Path, *arguments: str, program: Path = ROOT / "run_live.py") -> None:
        self.folder = folder
        self.errors = folder / "stderr"
        with self.errors.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(program), "serve", "--port", "0", *arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stderr=stderr,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.wait(PROCESS_S)

    def text(self) -> str:
        """Return what it has said on stderr."""
        return self.errors.read_text()

    @property
    def address(self) -> str:
        """The address that it prints."""

        def is_printed() -> bool:
            assert self.process.poll() is None, self.text()
            return "the page: " in self.text() and "Ctrl-C" in self.text()

        until(is_printed, "the address", between=self.pause)
        return self.text().partition("the page: ")[2].split()[0]

    def pause(self) -> None:
        """Let a moment pass, or less where the process ends."""
        try:
            self.process.wait(0.1)
        except subprocess.TimeoutExpired:
            return

    def end(self) -> tuple[int, str]:
        """Interrupt it; return its exit code and all that it said."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PROCESS_S)
        return code, self.text()


def drop_file(page: Any, name: str) -> None:  # noqa: ANN401
    """Drop a file on the page that is a video by its name alone."""
    dropped = page.evaluate_handle(
        """name => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["no video"], name, { type: "video/mp4" }));
            return transfer;
        }""",
        name,
    )
    page.dispatch_event("#screen", "drop", {"dataTransfer": dropped})
