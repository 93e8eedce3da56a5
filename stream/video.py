"""Scenes as a video: drawn, then encoded, on a thread each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from stream.channel import Channel, ChannelClosed
from stream.closing import Closing
from stream.errors import SinkError, WorkerError
from stream.frames import RgbImage
from stream.protocols import Renderer, Sink
from stream.scene import Scene
from stream.worker import Worker

__all__ = ["Video"]


class Video(Closing):
    """Draws scenes and keeps the pictures; a ``stream.scenes.SceneReader``.

    Renderer and sink stay open: who made them closes them.

    Args:
        renderer: Called on one thread.
        sink: Written on another.
        on_written: Called with each scene on the sink's thread, once its picture is written.
    """

    def __init__(
        self,
        renderer: Renderer,
        sink: Sink,
        *,
        on_written: Callable[[Scene], None] = lambda scene: None,
    ) -> None:
        self._renderer = renderer
        self._sink = sink
        self._on_written = on_written
        self._scenes: Channel[Scene] = Channel(0, keep="all")
        self._canvases: Channel[tuple[Scene, RgbImage]] = Channel(0, keep="all")
        self._compose: Worker[Scene, tuple[Scene, RgbImage]] = Worker(
            self._draw, inbox=self._scenes, outbox=self._canvases, name="compose"
        )
        self._encode: Worker[tuple[Scene, RgbImage], None] = Worker(
            self._keep, inbox=self._canvases, outbox=None, name="encode"
        )
        self._compose.start()
        self._encode.start()

    def write(self, scene: Scene) -> None:
        """Hand over a scene; waits while others wait.

        Raises:
            SinkError: The sink failed; what it wrote before stays good.
            WorkerError: The renderer failed; what it drew before is written.
        """
        try:
            self._scenes.put(scene)
        except ChannelClosed:
            self.close()
            raise ValueError("write() to a video that is closed") from None

    def close(self) -> None:
        """Draw and write all that still waits.

        Raises:
            SinkError: The sink failed.
            WorkerError: The renderer failed.
        """
        self._scenes.close()
        self._compose.join()
        self._encode.join()
        try:
            self._encode.check()
        except WorkerError as error:
            if isinstance(error.__cause__, SinkError):  # it tells all by itself
                raise error.__cause__ from None
            raise
        self._compose.check()

    def __exit__(self, *exc_info: object) -> None:
        exc = exc_info[1]
        if exc is None:
            self.close()
        elif isinstance(exc, Exception):  # what came before the failure is still written
            with suppress(SinkError, WorkerError):  # what went wrong first is what counts
                self.close()
        else:  # a person who wants out now
            self._compose.stop()
            self._encode.stop()

    def _draw(self, scene: Scene) -> tuple[Scene, RgbImage]:
        return scene, self._renderer.draw(scene)

    def _keep(self, drawn: tuple[Scene, RgbImage]) -> None:
        scene, canvas = drawn
        frame = scene.frame
        self._sink.write(canvas, frame.pts, frame.time_base, frame.duration)
        self._on_written(scene)
