"""The rendered hand: same seed, same bytes; masks, depth and landmarks agree with the picture."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from samples.anatomy import JOINTS, LIMITS_DEG, HandBody, HandPose, build_hand
from samples.hand import (
    HAND_PARTS,
    HandLayer,
    Light,
    Placement,
    Sleeve,
    render_hand,
    render_layer,
)
from samples.handshapes import LETTERS, pose_of, view_of
from samples.skin import Skin
from samples.tone import to_display, to_linear

BODY = HandBody()
LIGHT = Light()


def layer_of(
    letter: str,
    *,
    size_px: int = 160,
    skin: Skin | None = None,
    sleeve: Sleeve | None = None,
    light: Light = LIGHT,
    **placement: object,
) -> HandLayer:
    yaw, pitch, roll = view_of(letter)
    place = {
        "centre_px": (size_px / 2, size_px / 2),
        "hand_length_px": 0.7 * size_px,
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
    } | placement
    return render_layer(
        (size_px, size_px),
        pose_of(letter),
        BODY,
        skin or Skin.of_tone(0.3),
        light,
        Placement(**place),  # type: ignore[arg-type]
        sleeve,
    )


def grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The mask and all within two pixels of it."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(wide > 0)


def luminance(image: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> float:
    return float(image[mask].mean())


def test_same_seed_gives_same_bytes() -> None:
    first, second = (render_hand("G", seed=7, size_px=200) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.mask.tobytes() == second.mask.tobytes()
    assert first.landmarks.tobytes() == second.landmarks.tobytes()
    assert render_hand("G", seed=8, size_px=200).image.tobytes() != first.image.tobytes()


@pytest.mark.parametrize("letter", LETTERS)
def test_mask_agrees_with_picture(letter: str) -> None:
    layer = layer_of(letter, size_px=128, distance_cm=60.0)
    dark, bright = (
        to_display(layer.rgb + (1.0 - layer.alpha[..., None]) * np.array(colour, np.float32))
        for colour in ((0.0, 0.0, 0.0), (0.1, 0.9, 0.1))
    )
    changes = (dark != bright).any(axis=-1)
    inside = ~grown(~layer.skin_mask)
    assert inside.sum() > 0.04 * inside.size
    assert not changes[layer.alpha == 1.0].any(), "the background shows through the hand"
    # A gap between straight fingers may be narrower than a pixel.
    assert changes[inside].mean() < 0.01
    assert changes[~grown(layer.skin_mask)].all(), "something is drawn outside the mask"


def test_picture_is_the_layer_before_its_background() -> None:
    background = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    picture = render_hand("W", seed=4, background=background)
    assert picture.image.shape == (128, 128, 3)
    assert picture.letter == "W"
    touched = (picture.image != background).any(axis=-1)
    assert (touched | ~picture.mask).all()
    assert 0.1 < touched.mean() < 0.7
    assert render_hand("W", seed=4, handedness="left").handedness == "left"


@pytest.mark.parametrize("letter", LETTERS)
def test_landmarks_lie_on_the_hand(letter: str) -> None:
    layer = layer_of(letter, size_px=240)
    near = grown(layer.alpha > 0.5)
    columns, rows = np.round(layer.landmarks).astype(int).T
    assert near[rows, columns].all()
    depths = layer.depth[rows, columns]
    # A landmark is inside the hand, so the surface the camera sees is not far behind it.
    assert (layer.landmark_depth > depths - 1.0).mean() > 0.9


def test_fingers_have_masks_of_their_own() -> None:
    layer = layer_of("B", size_px=240, sleeve=Sleeve((0.1, 0.2, 0.6), begins_cm=4.0))
    assert layer.part_masks.shape == (len(HAND_PARTS), 240, 240)
    assert (layer.part_masks.sum(0) <= 1).all(), "a pixel shows two parts"
    assert not (layer.part_masks.any(0) & ~grown(layer.skin_mask)).any()
    columns, rows = np.round(layer.landmarks).astype(int).T
    for finger, joints in enumerate(((3,), (6, 7), (10, 11), (14, 15), (18, 19))):
        for joint in joints:
            assert layer.part_masks[finger, rows[joint], columns[joint]], (finger, joint)
    palm = layer.part_masks[HAND_PARTS.index("palm")]
    assert palm[(rows[0] + rows[9]) // 2, (columns[0] + columns[9]) // 2]
    elbow = rows[0] + (rows[0] - rows[9]) // 2
    assert not layer.part_masks[:, elbow:].any(), "the forearm is no part of the hand"


def test_layer_is_premultiplied_and_deep_where_it_covers() -> None:
    layer = layer_of("V", distance_cm=70.0)
    covered = layer.alpha > 0.0
    assert layer.rgb.dtype == layer.alpha.dtype == layer.depth.dtype == np.float32
    assert (layer.rgb[~covered] == 0.0).all()
    assert np.isinf(layer.depth[~covered]).all()
    assert np.isfinite(layer.depth[covered]).all()
    assert (layer.skin <= layer.alpha).all()
    assert abs(float(np.median(layer.depth[covered])) - 70.0) < 6.0
    outline = covered & (layer.alpha < 1.0)
    assert 0.0 < outline.sum() < 0.2 * covered.sum()


def test_left_hand_is_mirror_image_of_right() -> None:
    light = Light(direction=(0.4, 0.5, 0.8))
    mirrored = Light(direction=(-0.4, 0.5, 0.8))
    right = layer_of("F", light=light, yaw=20.0, roll=10.0, handedness="right")
    left = layer_of("F", light=mirrored, yaw=20.0, roll=10.0, handedness="left")
    assert np.array_equal(right.alpha, left.alpha[:, ::-1])
    assert np.abs(right.rgb - left.rgb[:, ::-1]).mean() < 4e-3
    np.testing.assert_allclose(right.landmarks[:, 0], 160 - left.landmarks[:, 0], atol=1e-2)


def test_sleeve_covers_skin_but_not_the_hand() -> None:
    bare = layer_of("B")
    dressed = layer_of("B", sleeve=Sleeve((0.1, 0.2, 0.6), begins_cm=2.0))
    assert np.array_equal(bare.alpha, dressed.alpha)
    covered = (bare.skin > 0.5) & (dressed.skin < 0.5)
    wrist_y = bare.landmarks[0, 1]
    assert covered.any()
    assert np.nonzero(covered)[0].min() > wrist_y
    assert (dressed.rgb[covered][:, 2] > dressed.rgb[covered][:, 0]).all()


def test_tones_go_from_light_to_dark() -> None:
    black = np.zeros(3, np.float32)
    means = []
    for tone in (0.0, 0.25, 0.5, 0.75, 1.0):
        layer = layer_of("L", skin=Skin.of_tone(tone), yaw=180.0)
        image = to_display(layer.rgb + (1.0 - layer.alpha[..., None]) * black)
        means.append(luminance(image, layer.alpha == 1.0))
    assert all(a > b + 5.0 for a, b in pairwise(means)), means


def test_hand_may_leave_the_picture() -> None:
    layer = layer_of("L", centre_px=(0.0, 0.0))
    assert 0.0 < layer.alpha.mean() < 0.5
    assert layer_of("L", centre_px=(-900.0, 60.0)).alpha.max() == 0.0
    assert layer_of("A", size_px=1).alpha.shape == (1, 1)


def test_tone_curve_and_its_inverse_agree() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_display(to_linear(levels)), levels)


@pytest.mark.parametrize("letter", LETTERS)
def test_poses_respect_anatomy(letter: str) -> None:
    pose = pose_of(letter)
    for joint, angle in pose.degrees().items():
        low, high = LIMITS_DEG[joint]
        assert low - 1e-6 <= angle <= high + 1e-6, joint
    varied = pose.varied(np.random.default_rng(0), 3.0)
    assert np.array_equal(varied.angles, varied.clipped().angles)


def test_bones_keep_their_length() -> None:
    def reach(pose: HandPose) -> npt.NDArray[np.float64]:
        geometry = build_hand(pose, BODY)
        length: npt.NDArray[np.float64] = np.linalg.norm(geometry.end - geometry.start, axis=1)
        return length[geometry.part > 0]

    for letter in LETTERS:
        np.testing.assert_allclose(reach(pose_of(letter)), reach(HandPose()), atol=1e-9)


def test_body_scale_scales_the_hand() -> None:
    small, large = (build_hand(pose_of("V"), HandBody(scale=s)).landmarks for s in (0.9, 1.08))
    np.testing.assert_allclose(small * 1.2, large, atol=1e-9)
    assert HandBody(scale=1.1).hand_length_cm == pytest.approx(1.1 * BODY.hand_length_cm)


def test_bad_input_gets_one_clear_line() -> None:
    with pytest.raises(ValueError, match="no handshape for 'J'; letters are A B C"):
        render_hand("J")
    with pytest.raises(ValueError, match="size_px must be >= 1, got 0"):
        render_hand("A", size_px=0)
    with pytest.raises(ValueError, match=r"background must be \(128, 128, 3\)"):
        render_hand("A", background=np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="size_wh must be at least"):
        render_layer((0, 10), pose_of("A"), BODY, Skin.of_tone(0.5), LIGHT, Placement((0, 0), 50.0))
    with pytest.raises(ValueError, match="hand_length_px must be > 0"):
        Placement((0, 0), 0.0)
    with pytest.raises(ValueError, match="handedness must be"):
        Placement((0, 0), 10.0, handedness="both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"tone must be in 0\.\.1, got 1\.5"):
        Skin.of_tone(1.5)
    with pytest.raises(ValueError, match=f"angles must be {len(JOINTS)} finite numbers"):
        HandPose(np.zeros(3))
    with pytest.raises(ValueError, match="no joint is called 'elbow'"):
        HandPose.from_degrees({"elbow": 3.0})
