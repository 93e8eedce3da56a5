"""Files made to do harm: nothing but the file that was named is opened, nor all memory taken."""

from __future__ import annotations

import gc
import os
import re
import shutil
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from run_live import main
from stream.errors import SourceFormatError
from stream.frames import Frame
from stream.sinks.png import write_png
from stream.sources import media, open_source
from stream.sources.file import FileSource
from stream.sources.images import ImageFolderSource
from stream.sources.options import PictureOptions
from tests.clips import make_clip, number_in, numbered
from tests.conftest import ROOT
from tests.program import QUICK, fails, num_played
from tests.waits import PROCESS_S

SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A recording that nobody named."""
    (tmp_path / "private").mkdir()
    return make_clip(
        tmp_path / "private" / "secret.ts", num_frames=10, time_base=Fraction(1, 90_000)
    )


@pytest.fixture
def garbage_stays() -> Iterator[None]:
    """Python does not look for circles of objects meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def lists_of(secret: Path, port: int) -> dict[str, str]:
    """Return what would open something else, by the name it lies under."""
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile://{secret}\n"
    return {
        "list.m3u8": f"{hls}#EXT-X-ENDLIST\n",
        "live.m3u8": hls,
        "list.mp4": f"{hls}#EXT-X-ENDLIST\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {secret}\n",
        "concat.png": f"ffconcat version 1.0\nfile {secret}\n",
        "stream.sdp": SDP.format(port=port),
        "stream.png": SDP.format(port=port),
    }


class TestFilesThatNameOthers:
    def test_each_is_refused_in_one_line(
        self,
        secret: Path,
        free_port: int,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name, content in lists_of(secret, free_port).items():
            path = tmp_path / name
            path.write_text(content)
            line = fails(capsys, "export", path, tmp_path / "out.mp4", *QUICK)
            assert "name the video itself" in line, name
        assert not (tmp_path / "out.mp4").exists()

    def test_a_playlist_is_followed_by_who_asks_for_it(self, secret: Path, tmp_path: Path) -> None:
        path, output = tmp_path / "list.m3u8", tmp_path / "out.mp4"
        path.write_text(lists_of(secret, 0)["list.m3u8"])
        frame = ["--region", "frame", *QUICK]
        assert main(["export", str(path), str(output), "--playlists", *frame]) == 0
        assert num_played(output) == 10

    def test_a_playlist_that_does_not_end_is_waited_for_but_not_for_ever(
        self, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(media, "_PLAYLIST_TIMEOUTS_S", (5.0, 0.2))
        path = tmp_path / "live.m3u8"
        path.write_text(lists_of(secret, 0)["live.m3u8"])
        with open_source(path, pictures=PictureOptions(playlists=True)) as source:
            assert len(list(iter(source.read, None))) == 10

    def test_in_a_folder_of_pictures_they_are_left_out(
        self, secret: Path, free_port: int, tmp_path: Path
    ) -> None:
        folder = tmp_path / "pictures"
        folder.mkdir()
        write_png(folder / "real.png", numbered(7))
        for name, content in lists_of(secret, free_port).items():
            (folder / f"{name}.png").write_text(content)
        with ImageFolderSource(folder) as source:
            frames = [frame for frame in iter(source.read, None)]
            warnings = source.warnings
        assert [number_in(frame.image) for frame in frames] == [7]
        assert len(warnings) == len(lists_of(secret, free_port))

    def test_a_name_with_a_percent_sign_is_no_series(self, tmp_path: Path) -> None:
        for number in range(1, 4):
            write_png(tmp_path / f"f{number}.png", numbered(number))
        write_png(tmp_path / "f%d.png", numbered(9))
        with pytest.raises(SourceFormatError, match="without the %"):
            FileSource(tmp_path / "f%d.png")
        with ImageFolderSource(tmp_path) as source:
            assert len(list(iter(source.read, None))) == 4

    @pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
    def test_nothing_else_is_opened(self, secret: Path, free_port: int, tmp_path: Path) -> None:
        """What the system was asked to open, by the program itself and all its threads."""
        paths = []
        for name, content in lists_of(secret, free_port).items():
            paths.append(tmp_path / name)
            paths[-1].write_text(content)
        read = (
            "import sys\n"
            "from stream.errors import SourceError\n"
            "from stream.sources import open_source\n"
            "for path in sys.argv[1:]:\n"
            "    try:\n"
            "        open_source(path).close()\n"
            "    except SourceError: pass\n"
        )
        trace = tmp_path / "trace.txt"
        subprocess.run(
            ["strace", "-f", "-qq", "-e", "trace=openat,open,bind,connect", "-o", str(trace),
             sys.executable, "-c", read, *map(str, paths)],
            cwd=ROOT, check=True, timeout=PROCESS_S,
        )  # fmt: skip
        asked = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        assert any(str(paths[0]) in line for line in asked), "strace saw nothing"
        assert [line for line in asked if str(secret) in line] == []
        assert [line for line in asked if "AF_INET" in line] == []

    @pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
    def test_whole_exports_open_what_is_theirs_and_nothing_else(
        self, secret: Path, free_port: int, tmp_path: Path
    ) -> None:
        """Of a clip with sound, a folder with hostile files among pictures, and of those alone."""
        named = tmp_path / "named"
        pictures = named / "pictures"
        pictures.mkdir(parents=True)
        clip = make_clip(named / "clip.mp4", num_frames=4, audio_codec="aac")
        write_png(pictures / "real.png", numbered(7))
        hostile = []
        for name, content in lists_of(secret, free_port).items():
            (pictures / f"{name}.png").write_text(content)
            hostile.append(named / name)
            hostile[-1].write_text(content)
        export = (
            "import sys\n"
            "from run_live import main\n"
            "for number, path in enumerate(sys.argv[2:]):\n"
            "    arguments = '--region frame --random-weights --crop-size 32'.split()\n"
            "    print(main(['export', path, f'{sys.argv[1]}/{number}.mp4', *arguments]))\n"
        )
        trace, cache = tmp_path / "trace.txt", tmp_path / "cache"
        run = subprocess.run(
            ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=openat,open,bind,connect",
             "-o", str(trace), sys.executable, "-c", export,
             *map(str, [named, clip, pictures, *hostile])],
            cwd=ROOT, check=True, timeout=5 * PROCESS_S, capture_output=True, encoding="utf-8",
            env=os.environ | {"SIGNLIGHT_CACHE": str(cache), "HOME": str(tmp_path / "home")},
        )  # fmt: skip
        codes = [line for line in run.stdout.splitlines() if line.isdecimal()]
        assert codes == ["0", "0"] + len(hostile) * ["1"]
        asked = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        assert [line for line in asked if "AF_INET" in line] == []
        opened = {
            os.path.normpath(ROOT / found[1])
            for line in asked
            if (found := re.search(r'open(?:at)?\(.*?"(.*)".*\) += \d', line))
        }
        assert str(clip) in opened, "strace saw nothing"
        own: list[str | Path] = [ROOT, sys.prefix, sys.base_prefix, cache, named, tmp_path / "home"]
        system = ["/dev", "/etc", "/lib", "/lib64", "/proc", "/sys", "/usr"]
        allowed = [Path(folder).resolve() for folder in (*own, *system)]
        strange = [
            path
            for path in opened
            if not any(Path(path).resolve().is_relative_to(folder) for folder in allowed)
        ]
        assert strange == []


class TestSizes:
    def test_a_picture_is_given_back_once_it_was_read(
        self, tmp_path: Path, garbage_stays: None
    ) -> None:
        huge_gif(tmp_path / "many.gif", 64, num_frames=12)
        with FileSource(tmp_path / "many.gif") as source:
            assert len(list(iter(source.read, None))) == 12
            alive = [each for each in gc.get_objects() if type(each) is av.VideoFrame]
        assert len(alive) < 4

    def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
        self, tmp_path: Path
    ) -> None:
        path = huge_gif(tmp_path / "bomb.gif", 16_000)
        with pytest.raises(SourceFormatError, match="--max-pixels 256000000"):
            FileSource(path)

    def test_a_small_limit_holds_and_a_larger_one_lets_pass(self, tmp_path: Path) -> None:
        path = make_clip(tmp_path / "clip.mp4", num_frames=2)  # 192 x 128
        with pytest.raises(SourceFormatError, match="192 x 128 pixels are more than 24575"):
            FileSource(path, pictures=PictureOptions(max_pixels=192 * 128 - 1))
        with FileSource(path, pictures=PictureOptions(max_pixels=192 * 128)) as source:
            assert len(list(iter(source.read, None))) == 2

    def test_a_picture_of_a_folder_is_left_out_and_named(self, tmp_path: Path) -> None:
        (tmp_path / "bomb.png").write_bytes(huge_png(16_000))
        write_png(tmp_path / "real.png", numbered(3))
        with ImageFolderSource(tmp_path) as source:
            frames: list[Frame] = list(iter(source.read, None))
            (warning,) = source.warnings
        assert len(frames) == 1
        assert "bomb.png is left out" in warning
        assert "--max-pixels" in warning

    def test_8k_is_admitted(self) -> None:
        assert PictureOptions().fault_of((8192, 4320)) is None


def test_an_encrypted_file_is_called_that(tmp_path: Path) -> None:
    key = "00112233445566778899aabbccddeeff"
    path = make_clip(
        tmp_path / "clip.mp4",
        num_frames=10,
        muxer_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": key,
            "encryption_kid": key,
        },
    )
    with pytest.raises(SourceFormatError, match="is encrypted"):
        FileSource(path)


def huge_gif(path: Path, side_px: int, num_frames: int = 1) -> Path:
    """Write a GIF that declares large pictures and holds next to nothing."""
    side = side_px.to_bytes(2, "little")
    screen = b"GIF89a" + side + side + b"\x80\x00\x00" + b"\0\0\0\xff\xff\xff"
    wait = b"\x21\xf9\x04\x04\x05\0\0\0"
    image = wait + b"\x2c" + b"\0\0\0\0" + side + side + b"\x00" + b"\x02\x02\x44\x01\x00"
    path.write_bytes(screen + num_frames * image + b"\x3b")
    return path


def huge_png(side_px: int) -> bytes:
    """Return a white PNG of one bit a pixel: a few kilobytes for any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    side = side_px.to_bytes(4, "big")
    rows = zlib.compress((b"\0" + b"\xff" * ((side_px + 7) // 8)) * side_px, 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", side + side + b"\x01\x00\x00\x00\x00")
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )
