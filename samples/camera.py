"""The camera in front of the signer: how wide it sees, how it blurs, exposes and adds noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from samples.tone import to_display

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Optics and sensor of one recording."""

    field_of_view_deg: float = 40.0
    """Vertical angle of view, degrees: 30 is a close portrait lens, 60 a webcam."""
    exposure_ev: float = 0.0
    """Brightness in stops; +1 doubles the light."""
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gains of red, green and blue."""
    shutter: float = 0.5
    """Share of a frame's time in which the shutter is open and moving hands smear."""
    defocus_px: float = 0.0
    """Standard deviation of the blur over the whole picture, px."""
    grain: float = 0.004
    """Standard deviation of the noise on middle grey, in linear light."""
    vignette: float = 0.0
    """Loss of light in the corners, 0 to 1."""

    def __post_init__(self) -> None:
        if not 5.0 <= self.field_of_view_deg <= 120.0:
            raise ValueError(f"field_of_view_deg must be 5 to 120, got {self.field_of_view_deg}")
        if not 0.0 <= self.shutter <= 1.0 or min(self.defocus_px, self.grain, self.vignette) < 0:
            raise ValueError("shutter must be 0 to 1; defocus_px, grain and vignette must be >= 0")

    @classmethod
    def random(cls, rng: np.random.Generator) -> Camera:
        """Draw a camera between a good one and a cheap webcam in a dim room."""
        warmth = rng.uniform(-0.12, 0.12)
        return cls(
            field_of_view_deg=float(rng.uniform(28, 62)),
            exposure_ev=float(np.clip(rng.normal(0.0, 0.35), -1.0, 0.7)),
            white_balance=(1 + warmth, float(1 + rng.uniform(-0.03, 0.03)), 1 - warmth),
            shutter=float(rng.uniform(0.1, 0.9)),
            defocus_px=float(rng.uniform(0.3, 1.2)) if rng.random() < 0.3 else 0.0,
            grain=float(0.002 + 0.02 * rng.random() ** 2),
            vignette=float(rng.uniform(0, 0.35)) if rng.random() < 0.4 else 0.0,
        )

    def focal_px(self, height_px: int) -> float:
        """Return the focal length for pictures ``height_px`` high, px."""
        return height_px / (2 * math.tan(math.radians(self.field_of_view_deg) / 2))

    def develop(self, light: Image, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Return the picture that the sensor makes of linear light.

        Args:
            light: Linear RGB, float32 (H, W, 3); not modified.
            rng: Source of the noise.

        Returns:
            uint8 (H, W, 3), RGB, sRGB tone curve.
        """
        exposed = light * (
            np.asarray(self.white_balance, np.float32) * np.float32(2.0**self.exposure_ev)
        )
        if self.vignette > 0:
            exposed *= _falloff(*light.shape[:2], self.vignette)
        if self.defocus_px > 0.2:
            exposed = cv2.GaussianBlur(
                exposed, (0, 0), self.defocus_px, borderType=cv2.BORDER_REPLICATE
            )
        if self.grain > 0:
            # Photon noise grows with the root of the light; some noise is there in the dark too.
            spread = self.grain * np.sqrt(
                np.maximum(exposed, 0) / np.float32(0.2) + np.float32(0.08)
            )
            exposed = exposed + spread * rng.standard_normal(exposed.shape, np.float32)
        return to_display(np.asarray(exposed, np.float32))


def compress(image: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    """Return a picture with the blocks and the weak colour that compression leaves.

    As JPEG does: half the resolution for colour, a cosine transform of blocks of 8 x 8, fine detail
    in coarse steps (ITU-T T.81, 1992; the steps here are a plane through those of its annex K).

    Args:
        image: uint8 (H, W, 3) RGB; not modified.
        quality: 1 to 100.
    """
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % 16), (0, -width % 16), (0, 0)), "edge")
    planes = cv2.cvtColor(padded, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    coarse = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    luma = _in_steps(planes[..., 0], 10.0, 7.0, coarse)
    colour = [
        cv2.resize(_in_steps(half, 17.0, 14.0, coarse), luma.shape[::-1])
        for half in cv2.split(cv2.resize(planes[..., 1:], None, fx=0.5, fy=0.5))
    ]
    seen = np.clip(np.dstack([luma, *colour]) + 0.5, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.cvtColor(seen, cv2.COLOR_YCrCb2RGB)[:height, :width])


def _in_steps(plane: Image, least: float, slope: float, coarse: float) -> Image:
    """Return a plane, sides multiples of 8, whose blocks are rounded to steps by frequency."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    k = np.arange(8)
    waves = (
        np.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * np.where(k, 0.5, 8**-0.5)[:, None]
    )
    waves = waves.astype(np.float32)
    blocks = plane.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3) - np.float32(128)
    steps = np.maximum((least + slope * (k[:, None] + k[None])) * coarse, 1).astype(np.float32)
    rounded = np.round(waves @ blocks @ waves.T / steps) * steps
    result = waves.T @ rounded @ waves + np.float32(128)
    return np.asarray(result.transpose(0, 2, 1, 3).reshape(plane.shape), np.float32)


def smear(layer: Image, way_px: tuple[float, float]) -> Image:
    """Return a layer blurred along a straight way, centred, as an open shutter sees it move.

    Args:
        layer: float32 (H, W) or (H, W, C), premultiplied by its alpha.
        way_px: The way travelled while the shutter is open, px, x to the right and y down.
    """
    dx, dy = way_px
    length = math.hypot(dx, dy)
    if length < 0.7:
        return layer
    reach = math.ceil(length / 2) + 1
    steps = np.linspace(-0.5, 0.5, 4 * math.ceil(length) + 1)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for x, y in zip(reach + steps * dx, reach + steps * dy, strict=True):
        x0, y0 = int(x), int(y)
        fx, fy = x - x0, y - y0
        kernel[y0 : y0 + 2, x0 : x0 + 2] += np.outer((1 - fy, fy), (1 - fx, fx))
    return np.asarray(
        cv2.filter2D(layer, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32
    )


@lru_cache(maxsize=4)
def _falloff(height: int, width: int, strength: float) -> Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    reach = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (width**2 + height**2) * 4
    return np.asarray(1 - strength * reach**1.3, np.float32)[..., None]
