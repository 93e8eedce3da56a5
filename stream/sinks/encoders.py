"""Video encoders: each asked in its own words, tried before it is needed, named where it fails."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from stream.errors import OutputError
from stream.frames import LARGE_PX

__all__ = ["EncoderSettings", "choose_encoder", "encoder_named"]

_NVENC_PRESETS = {
    "ultrafast": "p1",
    "superfast": "p2",
    "veryfast": "p3",
    "faster": "p4",
    "fast": "p4",
    "medium": "p5",
    "slow": "p6",
    "slower": "p7",
    "veryslow": "p7",
}
"""x264's names of speeds in NVENC's words."""
_QSV_PRESETS = {"ultrafast": "veryfast", "superfast": "veryfast"}
"""Those of x264's that Quick Sync lacks; the others have the same names."""
_DEFAULT_PRESET = "veryfast"
_ONE_AT_A_TIME = {
    "thread_type": "slice",
    "rc-lookahead": "0",
    "bf": "0",
    "refs": "1",
    "x264-params": "force-cfr=1",
}
"""For large pictures, of which libx264 else keeps some twenty, each with four scaled copies: its
threads share one picture, and it looks neither ahead nor back, nor at how long a picture lasts."""
_TRIAL_WH = (640, 360)
"""Size to try encoders with: NVENC takes none below 145 x 49."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """How pictures are encoded."""

    name: str
    """FFmpeg's name of the encoder."""
    options: dict[str, str]
    """The encoder's own options."""
    frame_rate: Fraction
    """Nominal frames per second: a hint for the encoder, and the length of the last frame."""
    pix_fmt: str
    """The 4:2:0 layout that the encoder takes: yuv420p or nv12."""
    warnings: tuple[str, ...] = ()
    """What is not as asked for, one line each."""

    def apply(self, context: VideoCodecContext, size_wh: tuple[int, int]) -> None:
        """Open a fresh encoder for pictures of a size; its time base is set already.

        Raises:
            OutputError: The encoder cannot be opened.
        """
        context.width, context.height = size_wh
        context.pix_fmt = self.pix_fmt
        is_large = size_wh[0] * size_wh[1] > LARGE_PX and self.name == "libx264"
        context.options = self.options | (_ONE_AT_A_TIME if is_large else {})
        with encoder_named(self.name, "cannot be opened"):
            context.open()


def choose_encoder(
    name: str, *, crf: int, preset: str = _DEFAULT_PRESET, frame_rate: Fraction
) -> EncoderSettings:
    """Return how to use an encoder, after a trial whether it can be opened on this machine.

    The trial takes some 2 ms with libx264.

    Args:
        name: FFmpeg's name of an H.264 encoder: libx264, h264_nvenc, h264_videotoolbox, ...
        crf: Quality from 0 (best) to 51.
        preset: Speed by x264's name, "ultrafast" to "veryslow", or the encoder's own.
        frame_rate: Nominal frames per second.

    Raises:
        OutputError: There is no such encoder, it makes no H.264, or it cannot be opened.
    """
    try:
        codec = av.Codec(name, "w")
    except ValueError:
        codec = None
    if codec is None or codec.type != "video":
        raise OutputError(f"there is no encoder {name!r} in this PyAV; use --encoder libx264")
    if codec.canonical_name != "h264":
        raise OutputError(
            f"the encoder {codec.name} makes no H.264, which alone plays everywhere; "
            "use --encoder libx264"
        )
    formats = {each.name for each in codec.video_formats or ()}
    options, warnings = _options(codec.name, crf=crf, preset=preset)
    settings = EncoderSettings(
        name=codec.name,
        options=options,
        frame_rate=frame_rate,
        pix_fmt="nv12" if "nv12" in formats and "yuv420p" not in formats else "yuv420p",
        warnings=warnings,
    )
    trial = av.open(io.BytesIO(), "w", format="mp4").add_stream(codec.name, rate=frame_rate)
    assert isinstance(trial, VideoStream)
    settings.apply(trial.codec_context, _TRIAL_WH)
    return settings


@contextmanager
def encoder_named(name: str, fault: str = "fails") -> Iterator[None]:
    """Say of what goes wrong in the block which encoder it was, and what to use instead.

    Raises:
        OutputError: FFmpeg raised an error, of whichever class.
    """
    try:
        yield
    except FFmpegError as exc:
        way_out = "check its preset and quality, and the size of the picture"
        if name != "libx264":
            way_out = "use --encoder libx264"
        raise OutputError(f"the encoder {name} {fault} ({exc.strerror}); {way_out}") from exc


def _options(name: str, *, crf: int, preset: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the options of an encoder, and what cannot be asked of it."""
    if name == "libx264":
        return {"crf": str(crf), "preset": preset, "forced-idr": "1"}, ()
    if name.endswith("_nvenc"):
        preset = _NVENC_PRESETS.get(preset, preset)
        return {"rc": "vbr", "cq": str(crf), "preset": preset, "forced-idr": "1"}, ()
    if name.endswith("_qsv"):
        return {"global_quality": str(crf), "preset": _QSV_PRESETS.get(preset, preset)}, ()
    is_asked = preset != _DEFAULT_PRESET
    warning = f"the encoder {name} knows no presets: {preset!r} makes no difference"
    return {"global_quality": str(crf)}, (warning,) if is_asked else ()
