"""Canvases of any size made into the encoder's pictures: one size, even sides, BT.709."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from stream.frames import RgbImage, frozen_rgb

__all__ = ["CanvasConverter"]


class CanvasConverter:
    """Turns canvases into 4:2:0 pictures of one size, which the first canvas decides.

    4:2:0 needs even sides: an odd one gains a column or row that repeats its neighbour. A later
    canvas of another size is scaled into the first one's, with black bars where it does not fit.
    """

    def __init__(self) -> None:
        self.size_wh: tuple[int, int] | None = None
        """Width and height of the encoded picture in pixels; None before the first canvas."""
        self._to_yuv = VideoReformatter()
        self._scaler = VideoReformatter()
        self._rgb: av.VideoFrame | None = None

    def convert(self, canvas: RgbImage) -> av.VideoFrame:
        """Return ``canvas``, uint8 ``(H, W, 3)`` RGB, as yuv420p, BT.709, limited range.

        Raises:
            ValueError: ``canvas`` is no such array.
        """
        canvas = frozen_rgb(canvas)
        height, width = canvas.shape[:2]
        even_wh = (width + width % 2, height + height % 2)
        if self.size_wh is None:
            self.size_wh = even_wh
        if even_wh != self.size_wh:
            canvas = self._letterbox(canvas, self.size_wh)
        elif even_wh != (width, height):
            canvas = np.pad(canvas, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return self._to_yuv.reformat(
            self._lend(canvas),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _lend(self, canvas: RgbImage) -> av.VideoFrame:
        """Return ``canvas`` as a picture in FFmpeg's memory, good until the next call.

        FFmpeg may read past the end of a row, for which its own memory has room. This is one copy,
        into a picture that is kept; PyAV's ``from_ndarray`` makes two, into new memory and with the
        interpreter locked: the whole conversion then takes three times as long (4.6 instead of
        1.6 ms of processor time at 1280 x 720).
        """
        height, width = canvas.shape[:2]
        if self._rgb is None or (self._rgb.width, self._rgb.height) != (width, height):
            self._rgb = av.VideoFrame(width, height, "rgb24")
        rows = np.frombuffer(memoryview(self._rgb.planes[0]), np.uint8).reshape(height, -1)
        rows[:, : 3 * width] = canvas.reshape(height, 3 * width)
        return self._rgb

    def _letterbox(self, canvas: RgbImage, size_wh: tuple[int, int]) -> RgbImage:
        height, width = canvas.shape[:2]
        scale = min(size_wh[0] / width, size_wh[1] / height)
        fit_w, fit_h = max(1, round(width * scale)), max(1, round(height * scale))
        scaled = self._scaler.reformat(
            self._lend(canvas),
            width=fit_w,
            height=fit_h,
            format="rgb24",
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.BICUBIC,
        )
        left, top = (size_wh[0] - fit_w) // 2, (size_wh[1] - fit_h) // 2
        boxed = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
        boxed[top : top + fit_h, left : left + fit_w] = scaled.to_ndarray()
        return boxed
