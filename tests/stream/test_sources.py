"""What holds for every source, whatever it reads."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from stream.errors import SourceError, SourceNotFoundError
from stream.sinks.png import write_png
from stream.sources import open_source
from stream.sources.camera import CameraSource
from stream.sources.closable import ClosableSource
from stream.sources.file import FileSource
from stream.sources.images import ImageFolderSource
from stream.sources.network import NetworkSource
from tests.clips import make_clip, number_in, numbered
from tests.conftest import ROOT
from tests.stream.captures import ScriptedCapture
from tests.stream.reading import read_all
from tests.stream.servers import ClipServer
from tests.waits import PROCESS_S, WAIT_S

NUM_FRAMES = 10
Opener = Callable[..., ClosableSource]
KINDS = ("file", "images", "camera", "network file", "network stream")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same ten pictures as a file, a stream and a folder of images."""
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "clip.mp4", num_frames=NUM_FRAMES, muxer_options={"movflags": "faststart"})
    make_clip(folder / "clip.ts", num_frames=NUM_FRAMES, time_base=Fraction(1, 90_000))
    (folder / "images").mkdir()
    for number in range(NUM_FRAMES):
        write_png(folder / "images" / f"picture {number}.png", numbered(number))
    return folder


@pytest.fixture
def opener(request: pytest.FixtureRequest, media: Path) -> Iterator[Opener]:
    """How to open a source of the parametrised kind that shows ten numbered pictures."""
    kind: str = request.param
    with ExitStack() as stack:
        if kind == "file":
            yield lambda **span: FileSource(media / "clip.mp4", **span)
        elif kind == "images":
            yield lambda **span: ImageFolderSource(media / "images", frame_rate=30, **span)
        elif kind == "camera":

            def open_capture(number: int) -> ScriptedCapture:
                return ScriptedCapture([numbered(index) for index in range(NUM_FRAMES)])

            yield lambda **span: CameraSource(0, open_capture=open_capture, **span)
        else:
            name = {"network file": "clip.mp4", "network stream": "live.ts"}[kind]
            content = (media / f"clip{Path(name).suffix}").read_bytes()
            server = stack.enter_context(ClipServer({name: content}))
            yield lambda **span: NetworkSource(server.url(name), **span)


@pytest.mark.parametrize("opener", KINDS, indirect=True)
class TestEverySource:
    def test_frames_come_in_order_with_rising_times(self, opener: Opener) -> None:
        with opener(max_frames=NUM_FRAMES) as source:
            frames = read_all(source)
            assert [number_in(frame.image) for frame in frames] == list(range(NUM_FRAMES))
            assert [frame.index for frame in frames] == list(range(NUM_FRAMES))
            assert frames[0].pts == 0
            assert np.diff([frame.pts for frame in frames]).min() > 0
            assert {frame.time_base for frame in frames} == {source.info.time_base}
            assert np.diff([frame.captured_ns for frame in frames]).min() >= 0
            assert list(source.warnings) == []

    def test_info_fits_the_first_frame(self, opener: Opener) -> None:
        with opener() as source:
            frame = source.read()
            assert frame is not None
            assert source.info.size_wh == frame.size_wh == (192, 128)
            assert source.info.name
            assert "\n" not in source.info.details

    def test_pictures_are_rgb_and_read_only(self, opener: Opener) -> None:
        with opener() as source:
            frame = source.read()
        assert frame is not None
        assert frame.image.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            frame.image[0, 0] = 0

    def test_max_frames_and_what_comes_after(self, opener: Opener) -> None:
        with opener(max_frames=4) as source:
            assert len(read_all(source)) == 4
            assert source.read() is None
            assert source.read() is None

    def test_a_closed_source_is_at_its_end(self, opener: Opener) -> None:
        source = opener()
        assert source.read() is not None
        source.close()
        source.close()
        assert source.read() is None
        assert source.info.size_wh == (192, 128)

    def test_leaving_the_block_closes(self, opener: Opener) -> None:
        with opener() as source:
            pass
        assert source.read() is None

    def test_another_thread_may_close_while_it_is_read(self, opener: Opener) -> None:
        with opener() as source:
            closer = threading.Thread(target=source.close)
            source.read()
            closer.start()
            try:
                while source.read() is not None:
                    pass
            except SourceError:
                pytest.fail("closing is no failure")
            finally:
                closer.join(WAIT_S)
            assert not closer.is_alive()

    def test_an_empty_span_is_refused(self, opener: Opener) -> None:
        with pytest.raises(ValueError, match="max_frames must be >= 1"):
            opener(max_frames=0)
        with pytest.raises(ValueError, match="start_s < end_s"):
            opener(end_s=0)


class TestOpenSource:
    def test_a_file(self, media: Path) -> None:
        for spec in (media / "clip.mp4", str(media / "clip.mp4")):
            with open_source(spec, start_s=0.1, end_s=0.2) as source:
                assert isinstance(source, FileSource)
                assert [number_in(frame.image) for frame in read_all(source)] == [3, 4, 5]

    def test_a_folder(self, media: Path) -> None:
        with open_source(str(media / "images"), max_frames=2) as source:
            assert isinstance(source, ImageFolderSource)
            assert len(read_all(source)) == 2

    def test_a_url(self, media: Path) -> None:
        content = (media / "clip.mp4").read_bytes()
        with (
            ClipServer({"clip.mp4": content}) as server,
            open_source(server.url("clip.mp4"), start_s=0.2) as source,
        ):
            assert isinstance(source, NetworkSource)
            assert [number_in(frame.image) for frame in read_all(source)] == [6, 7, 8, 9]

    @pytest.mark.parametrize("spec", [97, "97"])
    def test_a_camera(self, spec: int | str) -> None:
        with pytest.raises(SourceNotFoundError, match="camera 97"):
            open_source(spec)

    def test_a_camera_has_no_start(self) -> None:
        with pytest.raises(ValueError, match="camera 0 is live"):
            open_source(0, start_s=1.0)

    def test_a_path_of_digits_is_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(SourceNotFoundError, match="there is no file 7"):
            open_source(Path("7"))

    def test_nothing_heavy_loads_before_a_source_is_opened(self) -> None:
        code = (
            "import sys, stream.sources, stream.sinks;"
            "heavy = {'av', 'cv2', 'numpy'} & sys.modules.keys();"
            "sys.exit(f'loaded: {heavy}' if heavy else 0)"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PROCESS_S,
        )
        assert run.returncode == 0, run.stderr
