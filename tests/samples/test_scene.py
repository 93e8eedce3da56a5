"""Scenes: the same seed gives the same bytes, and what is called true agrees with the picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import samples.dataset
from samples.anatomy import HandBody
from samples.backgrounds import KINDS, BackgroundKind, defocus, draw_background
from samples.camera import Camera, compress, smear
from samples.dataset import draw_picture, label_map, truth_of
from samples.hand import Handedness, Light, Placement, Sleeve
from samples.handshapes import pose_of
from samples.person import HAIR_STYLES, HairStyle, Signer, lip_colour
from samples.scene import SceneHand, ScenePicture, compose, elbow_of
from samples.signer import Posture, render_signer
from samples.skin import Skin

CLEAN = Camera(grain=0.0, shutter=1.0)
SIZE = 96


@pytest.mark.parametrize("index", [0, 3, 9])
def test_a_glove_changes_the_hand_and_nothing_else(
    index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(samples.dataset, "_GLOVED", share)
        pictures.append(draw_picture(1, index, SIZE))
    bare, gloved = pictures
    hands = np.any([hand.mask for hand in bare.hands], axis=0)
    assert all((a.mask == b.mask).all() for a, b in zip(bare.hands, gloved.hands, strict=True))
    change = np.abs(bare.image.astype(int) - gloved.image).max(2)
    near = cv2.dilate(hands.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.median(change[hands]) > 10
    assert (change[~near] <= 1).mean() > 0.98


def _hand(
    letter: str = "L",
    *,
    side: Handedness = "right",
    x: float = 48.0,
    distance_cm: float = 60.0,
    sleeve: Sleeve | None = None,
    way_px: tuple[float, float] = (0.0, 0.0),
) -> SceneHand:
    return SceneHand(
        pose=pose_of(letter),
        placement=Placement(
            centre_px=(x, 58.0), hand_length_px=60.0, distance_cm=distance_cm, handedness=side
        ),
        body=HandBody(),
        skin=Skin.of_tone(0.3),
        sleeve=sleeve,
        letter=letter,
        way_px=way_px,
    )


def _picture(
    *hands: SceneHand, behind: tuple[float, float, float] = (0.2, 0.2, 0.2)
) -> ScenePicture:
    background = np.broadcast_to(np.array(behind, np.float32), (SIZE, SIZE, 3))
    return compose(background, hands, Light(), CLEAN, np.random.default_rng(0))


def _unchanged(*hands: SceneHand) -> npt.NDArray[np.bool_]:
    """Pixels that look alike before green and before magenta: what is not background."""
    green = _picture(*hands, behind=(0.0, 1.0, 0.0)).image.astype(int)
    magenta = _picture(*hands, behind=(1.0, 0.0, 1.0)).image.astype(int)
    same: npt.NDArray[np.bool_] = np.abs(green - magenta).max(-1) <= 2
    return same


def test_same_seed_same_bytes_other_seed_other_picture() -> None:
    first, again = draw_picture(3, 14, 64), draw_picture(3, 14, 64)
    assert first.image.tobytes() == again.image.tobytes()
    assert label_map(first.hands).tobytes() == label_map(again.hands).tobytes()
    assert [truth_of(hand) for hand in first.hands] == [truth_of(hand) for hand in again.hands]
    for seed, index in ((3, 15), (4, 14)):
        assert draw_picture(seed, index, 64).image.tobytes() != first.image.tobytes()


@pytest.mark.parametrize("letter", ["A", "C", "L", "V"])
def test_mask_is_the_bare_arm_and_nothing_else(letter: str) -> None:
    hand = _hand(letter)
    mask, opaque = _picture(hand).hands[0].mask, _unchanged(hand)
    assert opaque.sum() > 400
    # Pixels on the outline are half hand, half background: they may differ.
    assert not (opaque & ~mask).any()
    assert (mask & ~opaque).sum() < 0.2 * mask.sum()


def test_sleeve_is_opaque_but_not_in_the_mask() -> None:
    hand = _hand(sleeve=Sleeve((0.1, 0.2, 0.5), 1.0))
    mask, opaque = _picture(hand).hands[0].mask, _unchanged(hand)
    cloth = opaque & ~mask
    assert cloth[-4:].sum() > 20
    assert not mask[-4:].any()


def test_nearer_hand_hides_the_farther_one_in_either_order() -> None:
    near = _hand("B", x=44.0, distance_cm=50.0)
    far = _hand("B", side="left", x=52.0, distance_cm=70.0)
    one, other = _picture(near, far), _picture(far, near)
    assert one.image.tobytes() == other.image.tobytes()
    near_mask, far_mask = (hand.mask for hand in one.hands)
    alone = _picture(near).hands[0].mask
    np.testing.assert_array_equal(near_mask, alone)
    assert not (near_mask & far_mask).any()
    assert far_mask.sum() < 0.8 * _picture(far).hands[0].mask.sum()


@pytest.mark.parametrize("side", ["left", "right"])
def test_handedness_is_that_of_the_person(side: Handedness) -> None:
    truth = _picture(_hand(side=side)).hands[0]
    assert truth.handedness == side
    # Palm to the camera, fingers up: a right thumb points to the picture's right.
    thumb, little = truth.landmarks[4, 0], truth.landmarks[20, 0]
    assert (thumb > little) == (side == "right")


def test_landmarks_lie_on_an_open_hand() -> None:
    truth = _picture(_hand("L")).hands[0]
    x, y = np.round(truth.landmarks - 0.5).astype(int).T
    assert truth.mask[y, x].all()


def test_motion_smears_the_hand_but_not_the_truth() -> None:
    still, moving = _picture(_hand()), _picture(_hand(way_px=(14.0, 0.0)))
    np.testing.assert_array_equal(still.hands[0].mask, moving.hands[0].mask)
    edges = [np.abs(np.diff(p.image[20:50].astype(int), axis=1)).max() for p in (still, moving)]
    assert edges[1] < 0.7 * edges[0]


def test_elbow_is_a_forearm_below_an_upright_hand() -> None:
    x, y, z = elbow_of(_hand("B"), (SIZE, SIZE))
    assert abs(x) < 3.0
    assert -36.0 < y < -26.0
    assert z == pytest.approx(-60.0, abs=4.0)


def test_hand_casts_a_shadow_on_the_signer() -> None:
    looks = Signer(skin=(0.5, 0.3, 0.2), lip=(0.4, 0.2, 0.2), cloth=(0.5, 0.5, 0.5), hair=(0, 0, 0))
    figure = render_signer(
        (SIZE, SIZE), looks, Posture(), neck_cm=(0.0, 12.0, -80.0), focal_px=190.0, light=Light()
    )
    background = np.zeros((SIZE, SIZE, 3), np.float32)
    rng = np.random.default_rng(0)
    bare = compose(background, [], Light(), CLEAN, rng, figure=figure).image.astype(int)
    hand = compose(background, [_hand()], Light(), CLEAN, rng, figure=figure)
    near = (figure.alpha > 0.99) & ~hand.hands[0].mask
    darker = (bare - hand.image)[near].mean(-1)
    assert (darker > 8).sum() > 100
    assert darker.min() > -3 or (darker < -3).mean() < 0.2


def test_figure_of_another_size_is_refused() -> None:
    looks = Signer(skin=(0.5, 0.3, 0.2), lip=(0.4, 0.2, 0.2), cloth=(0.2, 0.2, 0.2), hair=(0, 0, 0))
    figure = render_signer(
        (32, 32), looks, Posture(), neck_cm=(0.0, 0.0, -80.0), focal_px=60.0, light=Light()
    )
    background = np.zeros((SIZE, SIZE, 3), np.float32)
    with pytest.raises(ValueError, match=r"figure must be \(96, 96\)"):
        compose(background, [], Light(), CLEAN, np.random.default_rng(0), figure=figure)


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_signer_has_a_face_and_hair_of_the_colours_asked_for(style: HairStyle) -> None:
    skin, hair = Skin.of_tone(0.3).back, (0.01, 0.01, 0.2)
    looks = Signer(
        skin=skin, lip=lip_colour(skin), cloth=(0.02, 0.3, 0.02), hair=hair, hair_style=style
    )
    layer = render_signer(
        (80, 80), looks, Posture(), neck_cm=(0.0, -14.0, -90.0), focal_px=150.0, light=Light(),
        softness_px=0.5,
    )  # fmt: skip
    assert layer.rgb.shape == (80, 80, 3)
    assert layer.rgb.dtype == layer.alpha.dtype == layer.depth.dtype == np.float32
    assert layer.alpha.min() >= 0.0
    assert layer.alpha.max() == pytest.approx(1.0, abs=1e-4)
    solid = layer.alpha > 0.999
    assert (np.abs(layer.depth[solid] - 90.0) < 30.0).all()
    column = layer.rgb[:, 38:42].mean(1)
    strongest = [int(i) for i in column.argmax(-1)[layer.alpha[:, 40] > 0.99]]
    # From the crown down: blue hair, red face, green sweater; a scarf is of the sweater's cloth.
    assert strongest[0] == {"bald": 0, "scarf": 1}.get(style, 2)
    assert strongest[-1] == 1
    assert strongest.count(0) > 15


def test_signer_behind_the_camera_is_refused() -> None:
    looks = Signer(skin=(0.5, 0.3, 0.2), lip=(0.4, 0.2, 0.2), cloth=(0.2, 0.2, 0.2), hair=(0, 0, 0))
    with pytest.raises(ValueError, match="neck_cm"):
        render_signer((8, 8), looks, Posture(), neck_cm=(0, 0, 10.0), focal_px=10.0, light=Light())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size_wh", [(64, 40), (1, 1), (33, 7)])
def test_background_is_light_of_the_size_asked_for(
    kind: BackgroundKind, size_wh: tuple[int, int]
) -> None:
    picture = draw_background(size_wh, np.random.default_rng(5), kind)
    assert picture.shape == (size_wh[1], size_wh[0], 3)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0.0
    again = draw_background(size_wh, np.random.default_rng(5), kind)
    np.testing.assert_array_equal(picture, again)


def test_bad_backgrounds_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 x 1"):
        draw_background((0, 5), np.random.default_rng(0))
    with pytest.raises(ValueError, match="wall, gradient"):
        draw_background((5, 5), np.random.default_rng(0), "beach")  # type: ignore[arg-type]


def test_defocus_keeps_the_light() -> None:
    point = np.zeros((60, 60, 3), np.float32)
    point[30, 30] = 9.0
    soft = defocus(point, 4.0)
    assert soft.max() < 0.3
    assert soft.sum() == pytest.approx(point.sum(), rel=0.05)


def test_exposure_is_in_stops_and_noise_is_in_the_seed() -> None:
    grey = np.full((32, 32, 3), 0.1, np.float32)
    rng = np.random.default_rng
    dark = CLEAN.develop(grey, rng(0))
    assert (dark == dark[0, 0, 0]).all()
    bright = Camera(grain=0.0, exposure_ev=1.0).develop(grey, rng(0))
    twice = CLEAN.develop(grey * 2, rng(0))
    np.testing.assert_array_equal(bright, twice)
    noisy = Camera(grain=0.02).develop(grey, rng(1))
    np.testing.assert_array_equal(noisy, Camera(grain=0.02).develop(grey, rng(1)))
    assert noisy.std() > 2


@pytest.mark.parametrize(
    "settings", [{"field_of_view_deg": 2.0}, {"shutter": 1.5}, {"grain": -0.1}]
)
def test_impossible_cameras_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Camera(**settings)  # type: ignore[arg-type]


def test_compression_leaves_blocks_and_more_of_them_the_lower_its_quality() -> None:
    ramp = np.linspace(20, 230, 50)[None, :, None] * (1.0, 0.8, 0.6)
    rng = np.random.default_rng(0)
    image = np.clip(ramp + rng.normal(0, 12, (34, 50, 3)), 0, 255).astype(np.uint8)
    fine, coarse = compress(image, 95), compress(image, 20)
    assert fine.shape == coarse.shape == image.shape
    assert fine.dtype == np.uint8
    assert compress(np.full((8, 8, 3), 90, np.uint8), 50).std() < 2
    lost = [float(np.abs(seen.astype(int) - image).mean()) for seen in (fine, coarse)]
    assert lost[0] < lost[1] < 14
    steps = np.abs(np.diff(coarse.astype(int).mean(2), axis=1)).mean(0)
    assert steps[7::8].mean() > 1.3 * np.delete(steps, np.s_[7::8]).mean()


def test_smear_spreads_light_along_the_way() -> None:
    point = np.zeros((21, 41), np.float32)
    point[10, 20] = 1.0
    line = smear(point, (12.0, 0.0))
    assert line.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.flatnonzero(line[10] > 0.02).tolist() == list(range(14, 27))
    assert line[[8, 12]].max() < 1e-6
    assert smear(point, (0.3, 0.2)) is point
