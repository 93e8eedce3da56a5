"""The last seconds of pictures, encoded: a file may begin with them once somebody wants one."""

from __future__ import annotations

import io
from collections import deque
from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from stream.frames import RgbImage
from stream.sinks.canvas import CanvasConverter
from stream.sinks.encoders import EncoderSettings
from stream.sinks.picture_encoder import PictureEncoder, track_time_base

__all__ = ["EncodedPreRoll"]

_KEYFRAME_EVERY_S = 1
"""A file begins with a key frame: at most so much earlier than it was asked to."""


class EncodedPreRoll:
    """Encodes pictures of one size and keeps the packets of the newest; used by one thread.

    Args:
        length_s: How much to keep at least, once there is so much; a second more at most.
        encoder: How to encode.
    """

    def __init__(self, length_s: float, encoder: EncoderSettings) -> None:
        self.encoder = encoder
        """How it is encoded."""
        self.converter = CanvasConverter()
        """Makes canvases into pictures."""
        self._length_s = length_s
        self._host = av.open(io.BytesIO(), "w", format="mp4")  # an encoder needs one
        self._video: PictureEncoder | None = None
        self._packets: deque[Packet[VideoStream]] = deque()
        self._keys: deque[int] = deque()

    @property
    def video(self) -> PictureEncoder:
        """What encodes the pictures that come; there is one once one came."""
        assert self._video is not None
        return self._video

    @property
    def begin_tick(self) -> int:
        """When the first picture that is kept is shown."""
        return self._keys[0]

    @property
    def begin_s(self) -> Fraction:
        """That in seconds."""
        return self.begin_tick * self.video.time_base

    def write(self, canvas: RgbImage, pts: int, time_base: Fraction) -> None:
        """Encode ``canvas``, uint8 ``(H, W, 3)`` RGB, as shown from ``pts * time_base`` s on.

        Raises:
            OutputError: The encoder fails.
        """
        picture = self.converter.convert(canvas)
        if self._video is None:
            assert self.converter.size_wh is not None
            self._video = PictureEncoder(
                self._host,
                size_wh=self.converter.size_wh,
                time_base=track_time_base(time_base),
                encoder=self.encoder,
                key_every_s=_KEYFRAME_EVERY_S,
            )
            self._host.start_encoding()
        video = self._video
        tick = max(round(pts * time_base / video.time_base), video.last_tick + 1)
        self._packets += video.encode(picture, tick)
        if not self._keys:
            self._keys.append(tick)
        if video.key_tick > self._keys[-1]:
            self._keys.append(video.key_tick)
        self._forget(round(video.last_tick - self._length_s / video.time_base))

    def take(self) -> list[Packet[VideoStream]]:
        """Return what is kept, for the beginning of a file; the encoder's next packets follow."""
        packets, self._packets = [*self._packets], deque()
        return packets

    def _forget(self, before: int) -> None:
        """Forget whole groups of pictures, each from a key frame up to the next."""
        while len(self._keys) > 1 and self._keys[1] <= before:
            key = self._keys[1]
            begun = next((packet for packet in self._packets if packet.pts == key), None)
            if begun is None:
                return  # the encoder still has it
            if not begun.is_keyframe:  # an encoder in hardware may not do as it is told
                del self._keys[1]
                continue
            while self._packets[0].pts != key:
                self._packets.popleft()
            self._keys.popleft()
            ticks = self.video.ticks
            del ticks[: ticks.index(key)]
