"""What competes with a hand: people who differ, skin of the colour asked for, light from behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from samples.at_face import SignsAtFace
from samples.backdrops import draw_backdrop
from samples.hand import Light
from samples.person import HAIR_STYLES, Clothes, Complexion, Glasses, Signer, lip_colour
from samples.render import main
from samples.rivals import RIVAL_KINDS, RivalKind, draw_rival
from samples.signer import Posture, render_signer
from samples.skin import Skin

SKIN = Skin.of_tone(0.25).back
PLAIN = Signer(skin=SKIN, lip=lip_colour(SKIN), cloth=(0.02, 0.3, 0.02), hair=(0.01, 0.01, 0.2))


def _portrait(signer: Signer) -> npt.NDArray[np.float32]:
    """Linear RGB of a face from the front: eyes at row 40, chin at 61, chest from 80 on."""
    return render_signer(
        (96, 96), signer, Posture(), neck_cm=(0.0, -13.5, -90.0), focal_px=190.0, light=Light(),
        softness_px=0.4,
    ).rgb  # fmt: skip


@pytest.mark.parametrize("kind", RIVAL_KINDS)
def test_same_seed_same_bytes_other_seed_other_picture(kind: RivalKind) -> None:
    first, again, other = (draw_rival(kind, 48, np.random.default_rng(s)) for s in (3, 3, 4))
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    assert first.tobytes() == again.tobytes()
    assert np.abs(first.astype(int) - other).mean() > 5


def test_people_differ_in_what_people_differ_in() -> None:
    people = [Signer.random(np.random.default_rng([1, i]), SKIN) for i in range(80)]
    assert {person.hair_style for person in people} == set(HAIR_STYLES)
    assert 10 < sum(person.glasses is not None for person in people) < 40
    assert 8 < sum(person.beard > 0 for person in people) < 40
    assert 30 < sum(person.clothes.neckline_cm > 0 for person in people) < 70
    assert len({person.complexion for person in people}) == 80
    assert max(p.hair[0] for p in people) > 20 * min(p.hair[0] for p in people)


def test_glasses_are_worn_before_the_eyes() -> None:
    glasses = Glasses(frame=(0.004, 0.004, 0.004), thickness=0.3)
    without, worn = _portrait(PLAIN), _portrait(replace(PLAIN, glasses=glasses))
    darker = without.mean(2) - worn.mean(2) > 0.1
    rows = np.flatnonzero(darker.any(1))
    assert darker.sum() > 60
    assert 22 < rows.min() < rows.max() < 46
    sun = _portrait(replace(PLAIN, glasses=replace(glasses, tint=0.9)))
    assert (without.mean(2) - sun.mean(2) > 0.1).sum() > 1.5 * darker.sum()


def test_a_neckline_bares_the_chest() -> None:
    closed = _portrait(PLAIN)[82, 44:52].mean(0)
    bare = _portrait(replace(PLAIN, clothes=Clothes(neckline_cm=9.0)))[82, 44:52].mean(0)
    assert closed.argmax() == 1  # the green of the sweater
    assert bare.argmax() == 0  # skin


def test_skin_that_lives_is_uneven() -> None:
    live = Complexion(pores=1.2, redness=1.2, age=1.0, freckles=1.0)
    doll, person = _portrait(PLAIN), _portrait(replace(PLAIN, complexion=live))
    rough, smooth = (np.abs(np.diff(face[26:36, 40:56], axis=1)).mean() for face in (person, doll))
    assert rough > 1.25 * smooth  # from pixel to pixel on the forehead


def test_skin_is_of_the_colour_asked_for() -> None:
    """Seen side by side with the same seeds, so that all else is alike."""
    for kind in ("face", "hand", "arm", "surface"):
        light, dark = (
            np.mean([draw_rival(kind, 40, np.random.default_rng(s), skin=skin) for s in range(6)])
            for skin in (Skin.of_tone(0.0).back, Skin.of_tone(1.0).back)
        )
        assert light > dark + 8, kind


def test_windows_are_bright() -> None:
    bright = [draw_rival("window", 40, np.random.default_rng(s)) for s in range(8)]
    assert np.median([np.percentile(picture, 90) for picture in bright]) > 220


def test_backdrops_are_continued_and_not_mixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["backdrops", "--size", "32", "--out", str(tmp_path)]
    assert main([*ask, "--count", "3"]) == 0
    seen = cv2.imread(str(tmp_path / "000002.png"))
    assert seen is not None
    assert (seen[..., ::-1] == draw_backdrop(0, 2, 32)).all()
    (tmp_path / "000001.png").write_bytes(b"kept")
    assert main([*ask, "--count", "4"]) == 0
    assert (tmp_path / "000001.png").read_bytes() == b"kept"
    assert (tmp_path / "000003.png").exists()
    assert json.loads((tmp_path / "backdrops.json").read_text())["size_px"] == 32
    capsys.readouterr()
    assert main([*ask, "--count", "4", "--seed", "1"]) == 1
    assert "choose another folder" in capsys.readouterr().err


def test_signs_are_made_before_the_face() -> None:
    """The hand's own truth, and what it hides: the same frame's face without it."""
    size_wh = (160, 90)
    clip = SignsAtFace(1)
    frames = [clip.frame(index, size_wh) for index in range(5, clip.num_frames, 24)]
    middles = np.stack([frame.hands[0].landmarks.mean(0) for frame in frames])
    assert all(frame.hands[0].mask.sum() > 100 for frame in frames)
    assert ((middles > 0) & (middles < size_wh)).all()
    at_head = (np.abs(middles[:, 0] - 80) < 20) & (middles[:, 1] < 50)
    assert at_head.sum() >= 3
    again = clip.frame(5, size_wh)
    assert again.image.tobytes() == frames[0].image.tobytes()
    other = SignsAtFace(2).frame(5, size_wh)
    assert np.abs(other.image.astype(int) - again.image).mean() > 10
