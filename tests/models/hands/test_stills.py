"""Hands in pictures that have nothing to do with each other."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from models.hands.bundle import find_pose_bundle
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


def test_faces_are_those_of_each_picture() -> None:
    if find_pose_bundle() is None:
        pytest.skip("the pose bundle is not installed")
    pytest.importorskip("openvino")
    signer = PictureReader().read(ROOT / "samples" / "signs" / "L.jpg")
    hand_alone = signer[100:300, 100:300]
    with MediaPipeHandFinder(max_hands=1, stills=True, faces=True) as finder:
        (hand,), (other,) = (finder.find(_frame(image)) for image in (signer, hand_alone))
    assert hand.face_xyxy == pytest.approx((340, 70, 460, 239), abs=25)  # by eye
    assert other.face_xyxy is None
    with MediaPipeHandFinder(max_hands=1, stills=True) as finder:
        assert finder.find(_frame(signer))[0].face_xyxy is None


def test_dark_grey_hands_are_found_from_the_first_picture_on(shared: Path) -> None:
    reader = PictureReader()
    paths = sorted((shared / "isl").glob("*.jpg"))[::120]
    with MediaPipeHandFinder(max_hands=1, stills=True) as finder:
        found = [finder.find(_frame(reader.read(path))) for path in paths]
    assert all(found)
