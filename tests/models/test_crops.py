"""Crops show what their transform says, to a tenth of a pixel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from models.crops import Cropper, WholeFrameFinder, cut_crop, cut_frame
from stream.frames import Frame, RgbImage
from stream.geometry import HandCrop, HandRegion


def frame_of(image: RgbImage) -> Frame:
    return Frame(image=image, pts=7, time_base=Fraction(1, 30), index=3, captured_ns=11)


def hand_in(box_xyxy: tuple[float, float, float, float]) -> HandRegion:
    return HandRegion(
        box_xyxy=box_xyxy,
        landmarks=np.zeros((21, 2), np.float32),
        handedness="right",
        score=1.0,
        track_id=0,
    )


def spot(size_wh: tuple[int, int], centre_xy: tuple[float, float], radius_px: float) -> RgbImage:
    """Return a soft white spot on black, centred to a fraction of a pixel."""
    x = np.arange(size_wh[0])[None, :] + 0.5 - centre_xy[0]
    y = np.arange(size_wh[1])[:, None] + 0.5 - centre_xy[1]
    light = 250 * np.exp(-(x**2 + y**2) / (2 * radius_px**2))
    return np.repeat(light.round().astype(np.uint8)[..., None], 3, axis=2)


def brightest(image: RgbImage) -> npt.NDArray[np.float64]:
    """Return the centroid of the light in ``image``, x before y, in its pixels."""
    light = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return np.array([(x * light).sum() / light.sum(), (y * light).sum() / light.sum()])


@pytest.mark.parametrize("centre", [(160.0, 120.0), (151.37, 113.81)])
@pytest.mark.parametrize("side", [40.0, 61.7, 112.0, 149.33, 150.0, 333.3])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, 0.25), (-0.31, 0.77)])
def test_known_point_lands_where_the_transform_says(
    centre: tuple[float, float], side: float, shift: tuple[float, float]
) -> None:
    image = spot((320, 240), centre, radius_px=max(2.0, side / 30))
    left, top = centre[0] - side / 2 + shift[0], centre[1] - side / 2 + shift[1]
    crop = cut_crop(
        frame_of(image), hand_in((left, top, left + side, top + side)), size_px=224, margin=0
    )
    expected = crop.transform.to_crop(np.array(centre))
    assert brightest(crop.image) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("box", [(10.3, 20.7, 60.1, 50.2), (-30.0, 5.5, 300.0, 420.0)])
def test_crop_and_frame_pixels_go_round(box: tuple[float, float, float, float]) -> None:
    crop = cut_crop(frame_of(np.zeros((240, 320, 3), np.uint8)), hand_in(box), size_px=112)
    points = np.random.default_rng(0).uniform(-500, 500, size=(9, 4, 2))
    there = crop.transform.to_frame(points)
    assert crop.transform.to_crop(there) == pytest.approx(points, abs=1e-9)


@pytest.mark.parametrize("size_px", [32, 224])
@pytest.mark.parametrize("margin", [0.0, 0.25, 1.0])
def test_whole_box_is_inside_a_square_crop_with_its_margin(size_px: int, margin: float) -> None:
    box = (30.25, 60.5, 130.75, 110.0)
    crop = cut_crop(
        frame_of(np.zeros((240, 320, 3), np.uint8)), hand_in(box), size_px=size_px, margin=margin
    )
    assert crop.image.shape == (size_px, size_px, 3)
    left, top, right, bottom = crop.transform.box_xyxy
    wanted = 100.5 * margin
    # Crops that shrink start on whole pixels: up to half a pixel to either side.
    assert left <= 30.25 - wanted + 0.5
    assert right >= 130.75 + wanted - 0.5
    assert right - left == pytest.approx(bottom - top)
    assert right - left == pytest.approx(100.5 * (1 + 2 * margin), abs=1)


@pytest.mark.parametrize("size_px", [16, 64, 256])
def test_outside_the_frame_is_black_and_inside_is_not(size_px: int) -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    crop = cut_crop(frame_of(image), hand_in((-50, -50, 50, 50)), size_px=size_px, margin=0)
    edge = size_px // 2
    assert np.all(crop.image[: edge - 4] == 0)
    assert np.all(crop.image[:, : edge - 4] == 0)
    assert np.all(crop.image[edge + 4 :, edge + 4 :] == 200)


def test_crop_beside_the_frame_is_all_black() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    for box in [(200, 10, 260, 70), (-90, 10, -30, 70), (10, 500, 900, 1400)]:
        crop = cut_crop(frame_of(image), hand_in(box), size_px=64, margin=0.1)
        assert not crop.image.any()


@pytest.mark.parametrize("side", [20.5, 64.0, 500.0])
def test_even_colour_stays_what_it_is(side: float) -> None:
    image = np.empty((600, 600, 3), np.uint8)
    image[:] = (10, 120, 250)
    crop = cut_crop(
        frame_of(image), hand_in((50.3, 50.6, 50.3 + side, 50.6 + side)), size_px=64, margin=0
    )
    assert np.all(crop.image == (10, 120, 250))


def test_shrinking_averages_what_is_there() -> None:
    """A fine chessboard becomes grey: no aliasing."""
    board = np.indices((512, 512)).sum(axis=0) % 2 * 255
    image = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)
    crop = cut_crop(frame_of(image), hand_in((0, 0, 512, 512)), size_px=64, margin=0)
    assert np.all(np.abs(crop.image.astype(int) - 127) <= 1)


def test_crop_knows_where_it_came_from_and_owns_its_pixels() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    region = hand_in((0, 0, 64, 64))
    crop = cut_crop(frame_of(image), region, size_px=64, margin=0)
    image[:] = 255
    assert not crop.image.any()
    assert (crop.frame_index, crop.pts, crop.time_base, crop.captured_ns) == (
        3,
        7,
        Fraction(1, 30),
        11,
    )
    assert crop.region is region


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"),
    [
        ((1280, 720), (400, 224)),
        ((720, 1280), (224, 400)),
        ((640, 480), (304, 224)),
        ((100, 100), (224, 224)),
        ((1, 1), (224, 224)),
        ((1, 5000), (224, 896)),
        ((4000, 3), (896, 224)),
    ],
)
def test_whole_picture_keeps_its_aspect_in_whole_patches(
    size_wh: tuple[int, int], expected_wh: tuple[int, int]
) -> None:
    image = np.full((size_wh[1], size_wh[0], 3), 99, np.uint8)
    crop = cut_frame(frame_of(image), HandRegion.whole_frame(size_wh), size_px=224, patch_px=16)
    assert crop.transform.crop_wh == expected_wh
    assert crop.transform.box_xyxy == pytest.approx((0, 0, *size_wh))
    assert np.all(crop.image == 99)


@pytest.mark.parametrize("size_wh", [(640, 360), (97, 61), (300, 224)])
def test_known_point_of_the_whole_picture(size_wh: tuple[int, int]) -> None:
    centre = (size_wh[0] * 0.4 + 0.3, size_wh[1] * 0.55)
    image = spot(size_wh, centre, radius_px=4)
    crop = cut_frame(frame_of(image), HandRegion.whole_frame(size_wh), size_px=224, patch_px=8)
    assert brightest(crop.image) == pytest.approx(crop.transform.to_crop(np.array(centre)), abs=0.1)


@pytest.mark.parametrize(
    ("size_px", "patch_px", "side"), [(224, 16, 224), (230, 16, 224), (233, 16, 240), (3, 8, 8)]
)
def test_cropper_rounds_to_whole_patches(size_px: int, patch_px: int, side: int) -> None:
    cropper = Cropper(size_px=size_px, patch_px=patch_px)
    frame = frame_of(np.zeros((50, 80, 3), np.uint8))
    assert cropper.size_px == side
    assert cropper(frame, hand_in((10, 10, 30, 30))).image.shape == (side, side, 3)
    assert min(cropper(frame, HandRegion.whole_frame((80, 50))).transform.crop_wh) == side


def test_whole_frame_finder_gives_the_whole_picture() -> None:
    with WholeFrameFinder() as finder:
        (region,) = finder.find(frame_of(np.zeros((48, 64, 3), np.uint8)))
    assert region.is_whole_frame
    assert region.box_xyxy == (0, 0, 64, 48)


def test_8k_frame_and_one_pixel_frame() -> None:
    huge = frame_of(np.full((4320, 7680, 3), 50, np.uint8))
    tiny = frame_of(np.full((1, 1, 3), 50, np.uint8))
    cropper = Cropper(size_px=224, patch_px=16)

    def middle(crop: HandCrop) -> int:
        return int(crop.image[112, 112, 0])

    assert middle(cropper(huge, hand_in((3000, 1000, 5000, 4000)))) == 50
    assert middle(cropper(tiny, hand_in((0, 0, 1, 1)))) == 50


@pytest.mark.parametrize("arguments", [{"size_px": 0}, {"patch_px": 0}, {"margin": -0.1}])
def test_nonsense_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be >= "):
        Cropper(**{"size_px": 224, "patch_px": 16, "margin": 0.25, **arguments})  # type: ignore[arg-type]
