"""Contrast lifted, so that networks see hands in dark and grey pictures."""

from __future__ import annotations

import cv2

from stream.frames import RgbImage

__all__ = ["lift_contrast"]


def lift_contrast(picture: RgbImage) -> RgbImage:
    """Return the picture with its lightness equalised tile by tile (CLAHE).

    Lightness is L of CIELAB: the luma of YCrCb does half as well at lifting dark hands.
    """
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3, tileGridSize=(8, 8)).apply(lab[..., 0])
    lifted: RgbImage = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return lifted
