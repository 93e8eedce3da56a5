"""Streams that come, hang, stall, break off, refuse."""

from __future__ import annotations

import socket
import threading
import traceback
from fractions import Fraction
from pathlib import Path

import pytest

from stream.errors import (
    SourceFormatError,
    SourceLostError,
    SourceNotFoundError,
    SourceTimeoutError,
)
from stream.frames import Frame
from stream.sources.network import NetworkSource, hide_password
from stream.sources.options import PictureOptions
from tests.clips import make_clip, number_in
from tests.stream.servers import ClipServer
from tests.waits import WAIT_S


@pytest.fixture(scope="module")
def ts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of MPEG-TS."""
    path = tmp_path_factory.mktemp("network") / "clip.ts"
    return make_clip(
        path, num_frames=60, time_base=Fraction(1, 90_000), options={"bf": "0"}
    ).read_bytes()


def read_until_lost(source: NetworkSource) -> tuple[list[int], SourceLostError]:
    numbers = []
    try:
        while (frame := source.read()) is not None:
            numbers.append(number_in(frame.image))
    except SourceLostError as exc:
        return numbers, exc
    raise AssertionError("the stream came to an end as if it were a file")


def test_a_file_on_a_web_server_is_no_live_stream(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", muxer_options={"movflags": "faststart"})
    with (
        ClipServer({"clip.mp4": clip.read_bytes()}) as server,
        NetworkSource(server.url("clip.mp4")) as source,
    ):
        assert not source.info.is_live
        assert source.info.num_frames == 12
        assert source.info.duration_s == pytest.approx(0.4)


def playlist(*lines: str) -> bytes:
    """Return a list in HLS of one part, of two seconds."""
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", *lines]).encode()


def test_a_playlist_is_followed_only_by_who_asks_for_it(ts: bytes) -> None:
    contents = {"list.m3u8": playlist("part.ts", "#EXT-X-ENDLIST"), "part.ts": ts}
    with ClipServer(contents) as server:
        url = server.url("list.m3u8")
        with pytest.raises(SourceFormatError, match="--playlists"):
            NetworkSource(url)
        assert server.asked == ["list.m3u8"]
        with NetworkSource(url, pictures=PictureOptions(playlists=True)) as source:
            assert not source.info.is_live
            numbers = [number_in(frame.image) for frame in iter(source.read, None)]
    assert numbers == list(range(60))


def test_a_playlist_of_the_web_leads_to_no_file(ts: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret.ts").write_bytes(ts)
    content = playlist(f"file://{tmp_path / 'secret.ts'}", "#EXT-X-ENDLIST")
    with (
        ClipServer({"list.m3u8": content}) as server,
        pytest.raises(SourceFormatError),
    ):
        NetworkSource(server.url("list.m3u8"), pictures=PictureOptions(playlists=True))


def test_a_stream_without_a_length_is_live_and_its_end_a_loss(ts: bytes) -> None:
    with ClipServer({"live.ts": ts}) as server, NetworkSource(server.url("live.ts")) as source:
        assert source.info.is_live
        assert source.info.duration_s is None
        numbers, error = read_until_lost(source)
        assert source.read() is None
    assert numbers == list(range(60))
    assert "live.ts stopped after 60 frames" in str(error)
    assert "\n" not in str(error)


def test_a_stream_that_stalls_is_lost_after_the_read_timeout(ts: bytes) -> None:
    with (
        ClipServer({"stall.ts": ts}) as server,
        NetworkSource(server.url("stall.ts"), read_timeout_s=1) as source,
    ):
        numbers, error = read_until_lost(source)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 55
    assert "nothing came for 1 s" in str(error)


def test_a_server_that_hangs_is_given_up(ts: bytes) -> None:
    with (
        ClipServer({}) as server,
        pytest.raises(SourceTimeoutError, match=r"did not answer within 0\.3 s"),
    ):
        NetworkSource(server.url("hang"), open_timeout_s=0.3)


def test_another_thread_may_close_while_the_stream_stalls(ts: bytes) -> None:
    with (
        ClipServer({"stall.ts": ts}) as server,
        NetworkSource(server.url("stall.ts"), read_timeout_s=1) as source,
    ):
        results: list[Frame | Exception | None] = []
        begun = threading.Event()

        def read_all() -> None:
            try:
                while (frame := source.read()) is not None:
                    begun.set()
                results.append(frame)
            except SourceLostError as exc:
                results.append(exc)

        reader = threading.Thread(target=read_all)
        reader.start()
        assert begun.wait(WAIT_S)
        source.close()
        reader.join(WAIT_S)
        assert not reader.is_alive()
    assert results == [None]


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/x.mp4", f"rtsp://127.0.0.1:{port}/x"):
            with pytest.raises(SourceNotFoundError, match="cannot be reached"):
                NetworkSource(url)


def test_a_page_that_is_not_there() -> None:
    with ClipServer({}) as server, pytest.raises(SourceNotFoundError, match="404"):
        NetworkSource(server.url("missing.mp4"))


def test_a_page_that_is_no_video() -> None:
    page = b"<html>" + b"hello " * 500
    with (
        ClipServer({"page.html": page}) as server,
        pytest.raises(SourceFormatError, match="no video that can be read"),
    ):
        NetworkSource(server.url("page.html"))


def test_a_protocol_that_nobody_knows() -> None:
    with pytest.raises(SourceFormatError, match="no protocol 'gopherx'"):
        NetworkSource("gopherx://somewhere/x")


def test_a_live_stream_has_no_start(ts: bytes) -> None:
    with ClipServer({"live.ts": ts}) as server, pytest.raises(ValueError, match="is live"):
        NetworkSource(server.url("live.ts"), start_s=1)


def test_a_password_is_shown_nowhere(ts: bytes) -> None:
    password = "sesame" * 2  # never written out here: a traceback quotes this file too
    login = f"me:{password}@"
    with ClipServer({"secret.ts": b"", "live.ts": ts}) as server:
        with pytest.raises(SourceNotFoundError, match="refuses access") as caught:
            NetworkSource(server.url("secret.ts", login))
        shown = "".join(traceback.format_exception(caught.value))
        with NetworkSource(server.url(f"live.ts?pwd={password}", login)) as source:
            shown += source.info.name
            shown += str(read_until_lost(source)[1])
    assert password not in shown
    assert "me:***@" in shown
    assert "pwd=***" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam.local:554/a", "rtsp://cam.local:554/a"),
        ("rtsp://me:secret@cam.local/a", "rtsp://me:***@cam.local/a"),
        ("rtsp://me:se@cret@cam.local/a", "rtsp://me:***@cam.local/a"),
        ("rtsp://me@cam.local/a", "rtsp://me@cam.local/a"),
        ("http://h/a?user=me&password=x&n=1", "http://h/a?user=me&password=***&n=1"),
        ("http://h/a?TOKEN=x", "http://h/a?TOKEN=***"),
        ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234"),
    ],
)
def test_hide_password(url: str, shown: str) -> None:
    assert hide_password(url) == shown


def test_udp(ts: bytes) -> None:
    """MPEG-TS over UDP, as cameras and encoders send it: seven packets of 188 bytes a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not done.is_set():
                for at in range(0, len(ts), 1316):
                    sender.sendto(ts[at : at + 1316], ("127.0.0.1", port))
                    if done.wait(0.001):
                        return

    sending = threading.Thread(target=send, name="test sender")
    sending.start()
    try:
        with NetworkSource(f"udp://127.0.0.1:{port}", max_frames=20) as source:
            frames = [frame for _ in range(20) if (frame := source.read()) is not None]
            assert source.info.is_live
            assert source.info.name == f"udp://127.0.0.1:{port}"
    finally:
        done.set()
        sending.join(WAIT_S)
    assert len(frames) == 20
    assert frames[0].pts == 0
