"""What file and network sources share: a container's video stream, decoded picture by picture."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from stream.errors import SourceFormatError
from stream.frames import LARGE_PX, Frame
from stream.sources.clock import Clock
from stream.sources.cropping import declared_crop
from stream.sources.deinterlacing import deinterlaced
from stream.sources.options import PictureOptions
from stream.sources.pictures import PictureConverter
from stream.sources.timeline import Timeline
from stream.sources.tracks import declared_rate, main_video_stream, nominal_rate, video_streams

__all__ = ["VideoDecoder"]

_NUM_THREADS = 2
"""Enough for 1080p in real time; each further thread keeps one more picture in memory."""
_GENERATE_PTS = 0x0001
"""AVFMT_FLAG_GENPTS, which PyAV sets for every container."""
_NO_TIMES = 0x0080
"""AVFMT_NOTIMESTAMPS of FFmpeg: what it says of streams without a container."""
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d*)?)", re.ASCII)
"""Hours, minutes and seconds of Matroska's DURATION tag: 00:01:02.345000000."""


class VideoDecoder:
    """Decodes the main video stream of a container; used by one thread.

    Packets that cannot be decoded are skipped and counted.

    Args:
        container: An open container, owned by the caller.
        name: What to call it in messages.
        is_live: Hand each picture out as soon as it is decoded, which keeps threads from working
            on one picture each; time begins with the first.
        pictures: How its pictures are to be decoded.

    Raises:
        SourceFormatError: It has no video stream, or none that can be decoded.
    """

    def __init__(
        self, container: InputContainer, name: str, *, is_live: bool, pictures: PictureOptions
    ) -> None:
        self.stream = main_video_stream(container, name)
        if fault := pictures.fault_of((self.stream.width, self.stream.height)):
            raise SourceFormatError(f"{name}: {fault}")
        # Pictures may grow midway; the decoder then refuses them before it takes the memory.
        self.stream.codec_context.options = {"max_pixels": str(pictures.max_pixels)}
        if container.format.name == "avi":
            # An AVI knows the order of decoding only; what FFmpeg makes of it is a frame late.
            container.flags &= ~_GENERATE_PTS
        is_large = self.stream.width * self.stream.height > LARGE_PX
        self.stream.thread_type = "SLICE" if is_live or is_large else "AUTO"
        self.stream.thread_count = _NUM_THREADS
        self.time_base = self.stream.time_base or Fraction(1, 90_000)
        """Seconds per tick."""
        self.has_times = not container.format.flags & _NO_TIMES
        """Whether the container tells times at all; a raw stream has none and cannot be sought."""
        nominal = nominal_rate(self.stream) or Fraction(30)
        self.frame_rate = declared_rate(self.stream) if self.has_times else nominal
        """Declared frames per second; None where they cannot be believed."""
        self.frame_ticks = max(1, round(1 / (nominal * self.time_base)))
        """Ticks from one frame to the next where none is late or left out."""
        self.origin = round(Fraction(container.start_time or 0, av.time_base) / self.time_base)
        """Reported tick of the container's beginning, which players call time 0."""
        self.num_frames = 0
        """Frames handed out."""
        self.num_damaged = 0
        """Packets that could not be decoded."""
        self._num_late = 0
        self._container = container
        self._name = name
        num_tracks, size = len(video_streams(container)), (self.stream.width, self.stream.height)
        self._choice = (
            f"of its {num_tracks} tracks of pictures that of {size[0]} x {size[1]} is used"
            if num_tracks > 1
            else ""
        )
        self._clock = Clock()
        self._newest_end = 0
        self._deinterlace = pictures.deinterlace
        self._converter = PictureConverter(pixel_aspect=self.stream.sample_aspect_ratio)
        self._first_aspect = self.stream.codec_context.sample_aspect_ratio
        self._timeline = Timeline(
            origin=None if is_live else self.origin,
            time_base=self.time_base,
            frame_ticks=self.frame_ticks,
        )

    @property
    def num_repaired(self) -> int:
        """Frames whose time was missing, repeated or out of order, though others have one."""
        return self._timeline.num_repaired if self.has_times else 0

    @property
    def notes(self) -> list[str]:
        """What a person should know of the pictures handed out, one line each."""
        lines = [*self._clock.warnings, *self._converter.notes]
        if self._choice:
            lines.append(self._choice)
        if not self.has_times and self.frame_rate:
            rate = float(self.frame_rate)
            lines.append(f"it has no times: its frames are shown at {rate:g} a second")
        if self._num_late:
            lines.append(f"pictures missing where recordings were joined: {self._num_late}")
        return lines

    @property
    def can_seek(self) -> bool:
        """Whether times lead to places in the file."""
        return self.has_times and not self._clock.has_jumps

    @property
    def duration_s(self) -> float | None:
        """Length of the video in seconds, from the container's beginning; None where unknown."""
        stream = self.stream
        if self._clock.duration_s is not None:
            return self._clock.duration_s
        if stream.duration:
            end = (stream.start_time or 0) + stream.duration - self.origin
            return float(end * self.time_base)
        duration = self._container.duration
        return duration / av.time_base if duration else None

    @property
    def newest_s(self) -> float:
        """End of the newest packet, in seconds since the container's beginning."""
        return float((self._newest_end - self.origin) * self.time_base)

    @property
    def declared_end_s(self) -> float | None:
        """When the pictures end by a header that was written last; None without such a header.

        Unlike ``duration_s`` it neither comes from an edit list nor from the size of the file, so
        that a video which ends long before was cut short.
        """
        if self._container.format.name == "avi" and self.stream.frames:
            # Not its duration, which FFmpeg cuts to the size of the file.
            return float(self.stream.frames * self.time_base)
        # Other containers copy such a tag from wherever they were made of.
        if not self._container.format.name.startswith("matroska"):
            return None
        clock = _CLOCK.fullmatch(self.stream.metadata.get("DURATION", ""))
        if clock is None:
            return None
        hours, minutes, seconds = clock.groups()
        end_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
        return end_s - float(self.origin * self.time_base)  # FFmpeg's counts from 0

    @property
    def is_cut_off(self) -> bool:
        """Whether the index lists packets beyond the end of the file."""
        size = self._container.size  # not above 0 where there is none to be known
        return size > 0 and any(
            entry.pos + entry.size > size for entry in self.stream.index_entries
        )

    @property
    def details(self) -> str:
        """One line for people: codec and pixel format."""
        codec = self.stream.codec_context
        return ", ".join(filter(None, (codec.name, codec.pix_fmt)))

    @property
    def end(self) -> int | None:
        """Tick, since the container's beginning, up to which the last picture read is shown.

        None where nobody tells.
        """
        stream = self.stream
        is_whole = not (self.num_damaged or self.is_cut_off)
        if self._container.format.name.startswith("mov") and stream.duration and is_whole:
            # The last length in its index belongs to the picture that was decoded last.
            return (stream.start_time or 0) + stream.duration - self.origin
        return self._newest_end - self.origin if self._newest_end > self.origin else None

    def go_by(self, clock: Clock) -> None:
        """Have a clock move the times of the packets."""
        self._clock = clock

    def crop_as_declared_in(self, path: Path) -> None:
        """Cut off what the header of the file says, where that leaves something."""
        self._converter.crop = declared_crop(path, self.stream)

    def enlarge_to(self, size_wh: tuple[int, int] | None) -> None:
        """Enlarge the first pictures, up to one of this size in the stream's own pixels."""
        self._converter.enlarged_wh = size_wh

    def pictures(self) -> Iterator[av.VideoFrame]:
        """Yield the pictures from here to the end, in the order in which they are shown.

        Raises:
            FFmpegError: The container broke, after the last picture that came out of it.
        """
        decoded = self._decoded()
        return deinterlaced(decoded) if self._deinterlace else decoded

    def _decoded(self) -> Iterator[av.VideoFrame]:
        try:
            for packet in self._container.demux(self.stream):
                if self._clock.move(packet):
                    yield from self._decode(packet)
                else:
                    self._num_late += 1
        except FFmpegError:
            # Some pictures are still in the decoder, which sorts them.
            yield from self._decode(None)
            raise

    def place(self, picture: av.VideoFrame) -> int:
        """Return the picture's time in ticks since the container's beginning; call in order."""
        return self._timeline.place(self.reported_tick(picture))

    def reported_tick(self, picture: av.VideoFrame) -> int | None:
        """Return the picture's time as it stands in the file, where it does."""
        if not self.has_times:
            return None  # the order of decoding, counted at a rate that nobody declared
        return picture.dts if picture.pts is None else picture.pts

    def to_frame(self, picture: av.VideoFrame, pts: int, duration: int | None) -> Frame:
        """Return the picture as the next frame, shown for so many ticks where that is known."""
        if picture.key_frame:
            self._converter.pixel_aspect = self._pixel_aspect()
        frame = Frame(
            image=self._converter.to_rgb(picture),
            pts=pts,
            time_base=self.time_base,
            duration=duration,
            index=self.num_frames,
            captured_ns=time.monotonic_ns(),
        )
        self.num_frames += 1
        return frame

    def _pixel_aspect(self) -> Fraction | None:
        """Return the container's, until the pictures' own changes: broadcasts switch to 16:9."""
        aspect = self.stream.codec_context.sample_aspect_ratio
        return self.stream.sample_aspect_ratio if aspect == self._first_aspect else aspect

    def _decode(self, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
        # The rest of a file that is cut short. Its error would come late, from another thread, and
        # take good pictures with it. MPEG-TS marks any gap so; there the decoder makes do.
        if packet is not None and packet.has_sidedata("encryption_info"):
            raise SourceFormatError(
                f"{self._name} is encrypted; export a copy of it that plays without a key"
            )
        if packet is not None and packet.is_corrupt and self._container.format.name != "mpegts":
            self.num_damaged += 1
            return []
        try:
            pictures = self.stream.decode(packet)
        except MemoryError:
            raise
        except FFmpegError:
            self.num_damaged += 1
            return []
        begin = None if packet is None else packet.dts if packet.pts is None else packet.pts
        if packet is not None and begin is not None:
            self._newest_end = max(self._newest_end, begin + (packet.duration or 0))
        return pictures
