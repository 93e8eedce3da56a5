"""Clips to MP4: H.264 that plays everywhere and starts at once, with a soft AAC sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from samples.clips import FRAME_RATE, SIZE_WH, Clip

SOUND_RATE: Final = 48_000
_BT709: Final = 1
"""Code of ITU-R BT.709 in ISO/IEC 23091-2, for primaries, transfer and matrix alike."""


def write_clip(
    clip: Clip,
    path: Path,
    *,
    size_wh: tuple[int, int] = SIZE_WH,
    quality: int = 20,
    on_frame: Callable[[int], None] = lambda index: None,
) -> None:
    """Draw a clip and write it to an MP4: H.264 yuv420p, AAC mono, index first.

    The file appears under its name only when it is whole. The same versions of the libraries write
    the same bytes.

    Args:
        clip: What to draw.
        path: The file to write; an existing one is replaced.
        size_wh: Picture size, px, both sides even.
        quality: x264's constant rate factor, 0 to 51; lower is better and bigger.
        on_frame: Called with the index of each frame that has been written.

    Raises:
        ValueError: A side is odd or smaller than 2.
        OSError: The file cannot be written.
    """
    width, height = size_wh
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise ValueError(f"a clip needs even sides of at least 2 px, got {width} x {height}")
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(
            str(part), "w", format="mp4",
            options={"movflags": "+faststart", "fflags": "+bitexact"},
        ) as container:  # fmt: skip
            video = container.add_stream(
                "libx264", rate=FRAME_RATE, options={"crf": str(quality), "preset": "slow"}
            )
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.time_base = Fraction(1, FRAME_RATE)
            context = video.codec_context
            context.flags |= av.codec.context.Flags.bitexact
            context.thread_count = 2
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
            sound.bit_rate = 64_000
            sound.codec_context.flags |= av.codec.context.Flags.bitexact
            for index in range(clip.num_frames):
                frame = av.VideoFrame.from_ndarray(clip.frame(index, size_wh).image, "rgb24")
                frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
                frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
                container.mux(video.encode(frame))
                on_frame(index)
            container.mux(video.encode(None))
            samples = soft_pad(clip.num_frames / FRAME_RATE, SOUND_RATE)
            block = sound.codec_context.frame_size or 1024
            for start in range(0, len(samples), block):
                piece = np.ascontiguousarray(samples[None, start : start + block])
                tone = av.AudioFrame.from_ndarray(piece, "fltp", "mono")
                tone.sample_rate, tone.pts = SOUND_RATE, start
                tone.time_base = Fraction(1, SOUND_RATE)
                container.mux(sound.encode(tone))
            container.mux(sound.encode(None))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def soft_pad(duration_s: float, rate: int) -> npt.NDArray[np.float32]:
    """Return a quiet chord that swells and fades, mono, float32 (N,), within -0.2 to 0.2.

    Args:
        duration_s: Length, seconds.
        rate: Samples per second.
    """
    t = np.arange(round(duration_s * rate)) / rate
    chord = np.zeros_like(t)
    for k, pitch_hz in enumerate((110.0, 164.81, 220.0, 277.18, 329.63)):
        swell = 0.7 + 0.3 * np.sin(2 * np.pi * t / (4.1 + k) + k)
        for detune, share in ((0.998, 0.4), (1.0, 1.0), (1.0025, 0.4)):
            chord += share * swell * np.sin(2 * np.pi * pitch_hz * detune * t + k) / (1 + k)
    fade = np.clip(np.minimum(t, duration_s - t) / 1.0, 0.0, 1.0)
    loudness = 0.18 * np.sin(0.5 * np.pi * fade) ** 2
    return np.asarray(loudness * chord / np.abs(chord).max(), np.float32)
