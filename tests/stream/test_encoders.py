"""Encoders: their presets, and what is said of one that does not work here."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from stream.errors import OutputError
from stream.sinks import encoders
from stream.sinks.encoders import EncoderSettings, choose_encoder
from stream.sinks.fragments import FragmentedMp4
from stream.sinks.mp4 import Mp4Sink
from stream.sinks.options import PRESETS
from tests.clips import TIME_BASE, patches, regular_times
from tests.stream.mp4_files import write_numbers


def is_there(name: str) -> bool:
    try:
        av.Codec(name, "w")
    except ValueError:
        return False
    return True


def understands(name: str, options: dict[str, str]) -> bool:
    """Return whether an encoder takes the options, whether or not its hardware is there."""
    try:
        open_encoder(name, options)
    except av.ArgumentError:
        return False
    except FFmpegError:  # only now it has looked for the hardware
        return True
    return True


def works(name: str) -> bool:
    try:
        open_encoder(name, {})
    except FFmpegError:
        return False
    return True


def open_encoder(name: str, options: dict[str, str]) -> None:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.time_base = 640, 360, Fraction(1, 30)
    context.pix_fmt = "nv12"
    context.options = options
    context.open()


class TestPresets:
    @pytest.mark.parametrize("preset", [*PRESETS, "veryslow"])
    @pytest.mark.parametrize("name", ["libx264", "h264_nvenc", "h264_qsv"])
    def test_every_preset_is_said_in_the_encoder_s_words(self, name: str, preset: str) -> None:
        if not is_there(name):
            pytest.skip(f"this PyAV is built without {name}")
        assert not understands(name, {"preset": "warp"})
        options, warnings = encoders._options(name, crf=20, preset=preset)
        assert understands(name, options)
        assert warnings == ()

    def test_slower_stays_slower(self) -> None:
        speeds = [
            encoders._options("h264_nvenc", crf=20, preset=preset)[0]["preset"]
            for preset in PRESETS
        ]
        assert speeds == sorted(speeds)
        assert (speeds[0], speeds[-1]) == ("p1", "p7")

    def test_a_preset_that_makes_no_difference_is_a_warning(self) -> None:
        name = "h264_videotoolbox"
        _, warnings = encoders._options(name, crf=20, preset="slow")
        assert warnings == (f"the encoder {name} knows no presets: 'slow' makes no difference",)
        assert encoders._options(name, crf=20, preset="veryfast")[1] == ()

    def test_an_unknown_preset(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match=r"libx264 cannot be opened .*check its preset"):
            Mp4Sink(tmp_path / "out.mp4", preset="warp")


class TestEncodersThatDoNotWork:
    # The one for RGB takes no yuv420p, so it can be opened nowhere.
    @pytest.mark.parametrize("name", ["libx264rgb", "h264_nvenc", "h264_qsv"])
    def test_one_that_cannot_be_opened_is_named_at_once(self, tmp_path: Path, name: str) -> None:
        if not is_there(name):
            pytest.skip(f"this PyAV is built without {name}")
        if name != "libx264rgb" and works(name):
            pytest.skip(f"{name} has its hardware here")
        with pytest.raises(OutputError) as caught:
            Mp4Sink(tmp_path / "out.mp4", encoder=name)
        assert str(caught.value).startswith(f"the encoder {name} cannot be opened (")
        assert str(caught.value).endswith("; use --encoder libx264")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "out.mp4").exists()

    def test_one_that_cannot_take_the_pictures_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        with Mp4Sink(path) as sink:
            write_numbers(sink, regular_times(3))
        content = path.read_bytes()
        sink = Mp4Sink(path)
        with pytest.raises(OutputError, match=r"libx264 cannot be opened .* size of the picture"):
            sink.write(np.zeros((2, 16_400, 3), np.uint8), 0, TIME_BASE)  # x264 ends at 16384
        sink.close()
        assert path.read_bytes() == content

    @pytest.mark.parametrize("name", ["mpeg4", "libx265", "flv", "png"])
    def test_one_that_makes_no_h264(self, tmp_path: Path, name: str) -> None:
        if not is_there(name):
            pytest.skip(f"this PyAV is built without {name}")
        with pytest.raises(OutputError, match=rf"{name} makes no H\.264.*use --encoder libx264"):
            Mp4Sink(tmp_path / "out.mp4", encoder=name)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["h265_magic", "aac"])
    def test_one_that_is_none(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(OutputError, match=f"no encoder '{name}' .*use --encoder libx264"):
            Mp4Sink(tmp_path / "out.mp4", encoder=name)


@pytest.mark.parametrize("size_wh", [(640, 360), (4096, 2400)])
def test_only_of_large_pictures_none_waits_in_the_encoder(size_wh: tuple[int, int]) -> None:
    """What waits takes memory: of 8K some 90 MB a picture."""
    with av.open(io.BytesIO(), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=30)
        assert isinstance(stream, VideoStream)
        settings = choose_encoder("libx264", crf=20, frame_rate=Fraction(30))
        settings.apply(stream.codec_context, size_wh)
        packets = stream.encode(av.VideoFrame(*size_wh, "yuv420p"))
    assert len(packets) == (1 if size_wh[0] > 640 else 0)


def test_the_layout_of_pixels_makes_no_difference(tmp_path: Path) -> None:
    """Quick Sync takes nv12 only; x264 takes both."""
    chosen = choose_encoder("libx264", crf=20, frame_rate=Fraction(30))
    decoded = []
    for pix_fmt in ("yuv420p", "nv12"):
        path = tmp_path / f"{pix_fmt}.mp4"
        file = FragmentedMp4(
            path,
            size_wh=(192, 128),
            time_base=TIME_BASE,
            encoder=EncoderSettings(
                name=chosen.name,
                options=chosen.options,
                frame_rate=chosen.frame_rate,
                pix_fmt=pix_fmt,
            ),
            open_audio=None,
            comment="",
        )
        picture = av.VideoFrame.from_ndarray(patches(192, 128), format="rgb24")
        file.write(picture.reformat(format="yuv420p"), 0)
        file.finish()
        with av.open(str(path)) as container:
            decoded.append(next(container.decode(video=0)).to_ndarray())
    np.testing.assert_array_equal(*decoded)
