"""Clips made for the tests, each with one property that a decoder may get wrong.

Pictures are flat patches of known colours, so that a test can say which RGB it expects, and each
carries its own number (see :func:`number_in`), so that a test can tell frames apart.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from stream.frames import RgbImage

__all__ = [
    "COLOURS",
    "FRAME_TICKS",
    "TIME_BASE",
    "audio_packets",
    "cut_off",
    "irregular_times",
    "make_audio_only",
    "make_clip",
    "make_size_change",
    "number_in",
    "numbered",
    "patches",
    "regular_times",
    "turn",
    "video_times",
]

TIME_BASE = Fraction(1, 15_360)
FRAME_TICKS = 512
"""One frame at 30 per second."""

COLOURS = np.array(
    [[200, 40, 40], [40, 180, 60], [40, 60, 200], [230, 230, 230], [20, 20, 20], [210, 200, 40]],
    np.uint8,
)
"""Red, green, blue, light, dark and yellow, shape (6, 3)."""


def regular_times(num: int, first: int = 0) -> list[int]:
    """Return times at 30 frames per second."""
    return [first + FRAME_TICKS * index for index in range(num)]


def irregular_times(num: int, first: int = 0, seed: int = 0) -> list[int]:
    """Return times at a rate that wanders between 12 and 60 frames per second."""
    gaps = np.random.default_rng(seed).integers(256, 1280, num)
    return [first, *(first + np.cumsum(gaps[:-1])).tolist()]


def patches(width: int = 192, height: int = 128) -> RgbImage:
    """Return six patches of :data:`COLOURS` in two rows of three."""
    rows = np.arange(height) * 2 // max(height, 2)
    columns = np.arange(width) * 3 // max(width, 3)
    return COLOURS[rows[:, None] * 3 + columns[None, :]]


def numbered(number: int, width: int = 192, height: int = 128) -> RgbImage:
    """Return a grey picture that shows ``number`` (0 to 255) as eight bars, black or white."""
    bits = (number >> np.arange(8)) & 1
    row = np.where(bits[np.arange(width) * 8 // width], 235, 20).astype(np.uint8)
    return np.repeat(np.broadcast_to(row, (height, width))[:, :, None], 3, axis=2)


def number_in(image: RgbImage) -> int:
    """Return the number that a picture of :func:`numbered` shows."""
    width = image.shape[1]
    centres = (np.arange(8) * 2 + 1) * width // 16
    bits = image[image.shape[0] // 2, centres, 0] > 128
    return int((bits << np.arange(8)).sum())


def make_clip(
    path: Path,
    pictures: Sequence[RgbImage] | None = None,
    *,
    times: Sequence[int] | None = None,
    num_frames: int = 12,
    time_base: Fraction = TIME_BASE,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    matrix: Colorspace | None = None,
    color_range: ColorRange | None = None,
    options: dict[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
    audio_codec: str | None = None,
    audio_delay_s: Fraction = Fraction(0),
    audio_s: float | None = None,
    sound: npt.NDArray[np.float32] | None = None,
    alpha: RgbImage | None = None,
    display_matrix: Sequence[int] | None = None,
    gop_size: int = 12,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """Write a clip and return its path; the container goes by the path's suffix.

    Args:
        path: File to write.
        pictures: uint8 (H, W, 3) RGB each; by default numbered ones.
        times: Of each picture, in ticks; by default 30 per second.
        num_frames: How many, where neither pictures nor times are given.
        time_base: Seconds per tick.
        codec: FFmpeg's name of the video encoder.
        pix_fmt: Pixel format to encode.
        matrix: BT.601 or BT.709, to convert with and to tag; None for BT.601 without a tag.
        color_range: Range to convert to and to tag; None for limited without a tag.
        options: Options of the encoder.
        muxer_options: Options of the container.
        audio_codec: Encoder of a tone beside the pictures; None for silence without a stream.
        audio_delay_s: When the tone begins.
        audio_s: Its length; by default as long as the pictures.
        sound: What is heard in place of the tone, -1 to 1, shape (2, 48 000 x seconds).
        alpha: uint8 (H, W) opacity of every picture, for formats that have it.
        display_matrix: Nine 16.16 numbers for the track header.
        gop_size: Frames between key frames.
        pixel_aspect: Width of a pixel by its height.
    """
    if pictures is None:
        count = len(times) if times is not None else num_frames
        pictures = [numbered(index) for index in range(count)]
    if times is None:
        ticks = 1 / (30 * time_base)
        times = [round(index * ticks) for index in range(len(pictures))]
    with av.open(f"file:{path}", "w", container_options=muxer_options or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.gop_size = gop_size
        stream.time_base = stream.codec_context.time_base = time_base
        if matrix is not None:
            stream.colorspace = 1 if matrix == Colorspace.ITU709 else 6  # ITU-T H.273
        if color_range is not None:
            stream.color_range = color_range
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        tone = None
        if audio_codec is not None:
            tone = container.add_stream(audio_codec, rate=48_000)
            assert isinstance(tone, AudioStream)
        for picture, pts in zip(pictures, times, strict=True):
            frame = _frame(picture, alpha).reformat(
                format=pix_fmt,
                dst_colorspace=matrix or Colorspace.ITU601,
                src_color_range=ColorRange.JPEG,
                dst_color_range=color_range or ColorRange.MPEG,
            )
            frame.pts, frame.time_base = pts, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            length_s = audio_s or float((times[-1] + FRAME_TICKS) * time_base)
            samples = _tone(length_s) if sound is None else sound
            container.mux(_sound_packets(tone, samples, audio_delay_s))
    if display_matrix is not None:
        _write_display_matrix(path, display_matrix)
    return path


def make_audio_only(path: Path, codec: str = "aac") -> Path:
    """Write a second of a tone without pictures."""
    with av.open(f"file:{path}", "w") as container:
        tone = container.add_stream(codec, rate=48_000)
        assert isinstance(tone, AudioStream)
        container.mux(_sound_packets(tone, _tone(1.0), Fraction(0)))
    return path


def make_size_change(
    path: Path, *sizes_wh: tuple[int, int], pixel_aspects: Sequence[Fraction | None] = ()
) -> Path:
    """Write an MPEG-TS of ten frames a size: by default 192 x 128, then 128 x 160.

    Args:
        path: File to write.
        sizes_wh: Width and height of each part.
        pixel_aspects: Width of a pixel by its height, in each part.
    """
    parts = []
    sizes_wh = sizes_wh or ((192, 128), (128, 160))
    for index, (width, height) in enumerate(sizes_wh):
        part = path.with_name(f"part{index}.ts")
        make_clip(
            part,
            [numbered(10 * index + number, width, height) for number in range(10)],
            times=[90_000 + 3_000 * (10 * index + number) for number in range(10)],
            time_base=Fraction(1, 90_000),
            muxer_options={"muxdelay": "0", "muxpreload": "0"},
            options={"bf": "0"},
            pixel_aspect=pixel_aspects[index] if pixel_aspects else None,
        )
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def cut_off(path: Path, target: Path, share: float) -> Path:
    """Write the first ``share`` of a file's bytes to ``target``."""
    content = path.read_bytes()
    target.write_bytes(content[: round(len(content) * share)])
    return target


def turn(a: int, b: int, c: int, d: int) -> list[int]:
    """Return the display matrix that maps (x, y) to (a x + c y, b x + d y)."""
    one, w = 1 << 16, 1 << 30
    return [a * one, b * one, 0, c * one, d * one, 0, 0, 0, w]


def video_times(path: Path) -> list[Fraction]:
    """Return the times of a file's pictures in seconds, by PyAV alone."""
    with av.open(f"file:{path}") as container:
        return [
            picture.pts * picture.time_base
            for picture in container.decode(video=0)
            if picture.pts is not None and picture.time_base is not None
        ]


def audio_packets(path: Path, track: int = 0) -> list[tuple[Fraction, bytes]]:
    """Return times in seconds and contents of a file's audio packets, by PyAV alone."""
    with av.open(f"file:{path}") as container:
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(audio=track)
            if packet.pts is not None
        ]


def _write_display_matrix(path: Path, matrix: Sequence[int]) -> None:
    content = path.read_bytes()
    # Track header of version 0 (ISO/IEC 14496-12, 8.3.2): 40 bytes precede the matrix.
    at = content.index(b"tkhd") + 4 + 40
    path.write_bytes(content[:at] + struct.pack(">9i", *matrix) + content[at + 36 :])


def _frame(picture: RgbImage, alpha: RgbImage | None) -> av.VideoFrame:
    if alpha is None:
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return av.VideoFrame.from_ndarray(np.dstack([picture, alpha]), format="rgba")


def _tone(length_s: float) -> npt.NDArray[np.float32]:
    phase = np.arange(round(length_s * 48_000)) * (2 * np.pi * 440 / 48_000)
    return np.tile(0.2 * np.sin(phase), (2, 1)).astype(np.float32)


def _sound_packets(
    stream: AudioStream, samples: npt.NDArray[np.float32], delay_s: Fraction
) -> list[Packet[Stream]]:
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate = 48_000
    frame.time_base = Fraction(1, 48_000)
    frame.pts = round(delay_s * 48_000)
    return [*stream.encode(frame), *stream.encode(None)]
