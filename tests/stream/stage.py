"""A live loop whose parts follow a script."""

from __future__ import annotations

import threading
from typing import Any

from stream.live import LiveLoop
from stream.live_parts import LiveReport
from stream.newest_maps import NewestMaps
from stream.protocols import Source
from stream.takes import Takes
from tests.fakes import (
    FakeClock,
    FakeControls,
    FakePart,
    FrameRenderer,
    GatedModel,
    ListSink,
    ScriptedFinder,
    ScriptedScreen,
    ScriptedSource,
    cut_box,
    make_frame,
    make_hand,
)

__all__ = ["Stage", "frames"]


class Stage:
    """A live loop with scripted parts, each to be replaced by name."""

    def __init__(
        self,
        source: Source,
        *,
        finder: ScriptedFinder | None = None,
        model: GatedModel | None = None,
        renderer: FrameRenderer | None = None,
        screen: ScriptedScreen | None = None,
        controls: FakeControls | None = None,
        save_to: ListSink | None = None,
        is_watched: bool = True,
        **others: Any,  # noqa: ANN401 - LiveLoop's own
    ) -> None:
        self.model = model or GatedModel()
        self.renderer = renderer or FrameRenderer()
        self.screen = screen or ScriptedScreen()
        self.controls = controls or FakeControls()
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.attention = NewestMaps(self.model, cut_box, now_ns=self.clock.now_ns)
        self.loop = LiveLoop(
            source=source,
            finder=finder or ScriptedFinder(lambda index: (make_hand(),)),
            attention=self.attention,
            renderer=self.renderer,
            screen=self.screen if is_watched else None,
            controls=self.controls,
            files=self.controls,
            save_to=Takes(lambda number: FakePart(save_to)) if save_to is not None else None,
            stop=self.stop,
            clock=self.clock,
            **others,
        )

    def run(self) -> LiveReport:
        with self.attention:
            return self.loop.run()


def frames(count: int, **script: Any) -> ScriptedSource:  # noqa: ANN401 - ScriptedSource's own
    return ScriptedSource((make_frame(index) for index in range(count)), **script)
