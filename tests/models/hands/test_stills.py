"""Hands in pictures that have nothing to do with each other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from models.hands.finder import MediaPipeHandFinder
from stream.frames import Frame, RgbImage
from stream.sources.picture_files import PictureReader
from tests.conftest import ROOT


def _frame(image: RgbImage) -> Frame:
    return Frame(image=image, pts=0, time_base=Fraction(1), index=0, captured_ns=0)


def test_the_order_of_pictures_makes_no_difference() -> None:
    reader = PictureReader()
    images = [reader.read(path) for path in sorted((ROOT / "samples" / "signs").glob("*.jpg"))]
    images.insert(2, np.zeros((480, 640, 3), np.uint8))
    with MediaPipeHandFinder(max_hands=1, stills=True) as finder:
        there, back = (
            [finder.find(_frame(image)) for image in order] for order in (images, images[::-1])
        )
    for ours, theirs in zip(there, back[::-1], strict=True):
        assert [hand.box_xyxy for hand in ours] == [hand.box_xyxy for hand in theirs]
    assert [len(hands) for hands in there] == [1, 1, 0, 1, 1, 1]
    assert all(hand.handedness == "right" for hands in there for hand in hands)


def test_dark_grey_hands_are_found_from_the_first_picture_on(shared: Path) -> None:
    reader = PictureReader()
    paths = sorted((shared / "isl").glob("*.jpg"))[::120]
    with MediaPipeHandFinder(max_hands=1, stills=True) as finder:
        found = [finder.find(_frame(reader.read(path))) for path in paths]
    assert all(found)
