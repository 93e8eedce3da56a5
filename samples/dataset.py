"""Random pictures of hands with their truth, one by one or as a folder.

Picture ``index`` of seed ``seed`` is always the same picture, so a folder can be continued where it
stopped, and two processes can share the work.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from samples.anatomy import HandBody, HandPose
from samples.backgrounds import draw_background
from samples.camera import Camera
from samples.hand import Handedness, Light, Placement, Sleeve
from samples.handshapes import LETTERS, pose_of, transition, view_of
from samples.person import Signer
from samples.scene import HandTruth, SceneHand, ScenePicture, compose, elbow_of
from samples.signer import FigureLayer, Posture, render_signer
from samples.skin import Skin
from stream.sinks.png import write_png
from stream.whole_files import written_whole

FORMAT: Final = 2
"""Version of the folder, raised when its files change meaning, or the same numbers draw others."""
_GLOVED: Final = 0.06
"""Share of pictures in which hands wear gloves; their masks are the gloves'."""
_ABOUT: Final = "set.json"


class SetMismatchError(ValueError):
    """A folder already holds a set made with other settings."""


def draw_picture(seed: int, index: int, size_px: int) -> ScenePicture:
    """Return one random picture with one hand, sometimes two; the same numbers, the same bytes.

    Handshapes are letters, each held as another person would, or half-way between two; the hand is
    seen from all sides, most often from its palm, before a wall, a room, a pattern or its signer.

    Args:
        seed: Chooses the series, >= 0.
        index: Chooses the picture in it, >= 0.
        size_px: Side of the square picture.

    Raises:
        ValueError: ``size_px`` < 1 or a negative number.
    """
    if size_px < 1:
        raise ValueError(f"size_px must be >= 1, got {size_px}")
    if min(seed, index) < 0:
        raise ValueError(f"seed and index must be >= 0, got {seed} and {index}")
    rng = np.random.default_rng([seed, index])
    light, camera = Light.random(rng), Camera.random(rng)
    skin, body = Skin.random(rng), HandBody.random(rng)
    looks = Signer.random(rng, skin.back)
    if rng.random() < _GLOVED:
        skin = Skin.glove(rng.spawn(1)[0])  # so that nothing else in the picture depends on it
    sleeve = Sleeve(looks.cloth, float(rng.uniform(2.0, 9.0))) if rng.random() < 0.5 else None
    hand = random_hand(rng, size_px, skin, body, sleeve)
    hands = [hand]
    if rng.random() < 0.15:
        hands.append(_other_hand(rng, size_px, hand))
    background = draw_background((size_px, size_px), rng)
    figure = None
    if rng.random() < 0.3:
        figure = _signer_behind(rng, size_px, hand, looks, light)
    return compose(background, hands, light, camera, rng, figure=figure)


def write_set(
    folder: Path, *, count: int, size_px: int, seed: int = 0
) -> Iterator[tuple[int, bool]]:
    """Write pictures 0 to ``count - 1`` into a folder, leaving out those already there.

    For each picture ``000123.png`` (RGB), ``000123.mask.png`` (0 background, 1 and 2 the bare skin
    of the first and second hand) and ``000123.json`` (the truth, see ``truth_of``) are written, the
    last one last: where it stands, the picture is whole.

    Args:
        folder: Made if it does not exist.
        count: Number of pictures, >= 1.
        size_px: Side of the pictures, >= 1.
        seed: Chooses the series.

    Yields:
        Index of each finished picture and whether it was drawn now.

    Raises:
        ValueError: ``count`` or ``size_px`` < 1.
        SetMismatchError: The folder holds a set of another size, seed or format.
        OSError: The folder or a file cannot be written.
    """
    if count < 1 or size_px < 1:
        raise ValueError(f"count and size must be >= 1, got {count} and {size_px}")
    folder.mkdir(parents=True, exist_ok=True)
    agree(folder / _ABOUT, {"format": FORMAT, "seed": seed, "size_px": size_px})
    for index in range(count):
        truth_path = folder / f"{index:06d}.json"
        if truth_path.exists():
            yield index, False
            continue
        picture = draw_picture(seed, index, size_px)
        write_png(folder / f"{index:06d}.png", picture.image)
        write_png(folder / f"{index:06d}.mask.png", label_map(picture.hands))
        truth = {"index": index, "hands": [truth_of(hand) for hand in picture.hands]}
        _write_whole(truth_path, json.dumps(truth, separators=(",", ":")).encode())
        yield index, True


def random_hand(
    rng: np.random.Generator, size_px: int, skin: Skin, body: HandBody, sleeve: Sleeve | None
) -> SceneHand:
    """Return a hand in the middle of a square picture, held and turned in any likely way."""
    letter, pose, view = _random_shape(rng)
    yaw, pitch, roll = view
    if rng.random() < 0.12:
        yaw += 180.0  # the back of the hand
    side: Handedness = "left" if rng.random() < 0.5 else "right"
    way = (0.0, 0.0)
    if rng.random() < 0.35:
        turn, length = rng.uniform(0.0, 2.0 * math.pi), size_px * rng.uniform(0.01, 0.10)
        way = (length * math.cos(turn), length * math.sin(turn))
    placement = Placement(
        centre_px=(size_px * rng.uniform(0.38, 0.62), size_px * rng.uniform(0.42, 0.66)),
        hand_length_px=size_px * rng.uniform(0.42, 0.80),
        yaw=yaw + float(np.clip(rng.normal(0.0, 24.0), -55.0, 55.0)),
        pitch=pitch + float(np.clip(rng.normal(0.0, 15.0), -35.0, 35.0)),
        roll=roll + float(np.clip(rng.normal(0.0, 24.0), -60.0, 60.0)),
        distance_cm=rng.uniform(35.0, 95.0),
        handedness=side,
    )
    return SceneHand(
        pose=pose, placement=placement, body=body, skin=skin, sleeve=sleeve, letter=letter,
        way_px=way,
    )  # fmt: skip


def label_map(hands: tuple[HandTruth, ...]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return which hand each pixel shows, uint8 ``(H, W)``: 0 none, then 1, 2, ... in order."""
    labels = np.zeros(hands[0].mask.shape, np.uint8)
    for number, hand in enumerate(hands, start=1):
        labels[hand.mask] = number
    return labels


def truth_of(hand: HandTruth) -> dict[str, Any]:
    """Return a hand's truth as JSON: handedness, letter ("" between two), landmarks, angles.

    ``landmarks_px`` are 21 pairs x, y in MediaPipe's order; ``angles_deg`` name the joints of
    ``samples.anatomy.JOINTS``.
    """
    return {
        "handedness": hand.handedness,
        "letter": hand.letter,
        "landmarks_px": np.round(hand.landmarks.astype(float), 2).tolist(),
        "angles_deg": {name: round(angle, 2) for name, angle in hand.pose.degrees().items()},
    }


def _random_shape(rng: np.random.Generator) -> tuple[str, HandPose, tuple[float, float, float]]:
    """Return a letter ("" for a shape between two), its pose and the turn of the hand, degrees."""
    first, second = (LETTERS[int(i)] for i in rng.integers(len(LETTERS), size=2))
    if rng.random() < 0.7 or first == second:
        return first, pose_of(first).varied(rng, 1.3), view_of(first)
    share = rng.uniform(0.2, 0.8)
    a, b = view_of(first), view_of(second)
    view = (
        a[0] + (b[0] - a[0]) * share,
        a[1] + (b[1] - a[1]) * share,
        a[2] + (b[2] - a[2]) * share,
    )
    return "", transition(pose_of(first), pose_of(second), share).varied(rng), view


def _other_hand(rng: np.random.Generator, size_px: int, hand: SceneHand) -> SceneHand:
    """Return the same person's other hand, beside, behind or before the first."""
    first = hand.placement
    second = random_hand(rng, size_px, hand.skin, hand.body, hand.sleeve).placement
    distance_cm = max(26.0, first.distance_cm + rng.uniform(-12.0, 12.0))
    letter, pose, _ = _random_shape(rng)
    placement = Placement(
        centre_px=(
            first.centre_px[0] + size_px * rng.choice((-1, 1)) * rng.uniform(0.15, 0.6),
            first.centre_px[1] + size_px * rng.uniform(-0.25, 0.4),
        ),
        # One lens sees both, so the nearer one is larger.
        hand_length_px=first.hand_length_px * first.distance_cm / distance_cm,
        yaw=second.yaw,
        pitch=second.pitch,
        roll=second.roll,
        distance_cm=distance_cm,
        handedness="left" if first.handedness == "right" else "right",
    )
    return SceneHand(
        pose=pose, placement=placement, body=hand.body, skin=hand.skin, sleeve=hand.sleeve,
        letter=letter,
    )  # fmt: skip


def _signer_behind(
    rng: np.random.Generator, size_px: int, hand: SceneHand, looks: Signer, light: Light
) -> FigureLayer:
    """Return the person whose hand it is, with chest, neck or face behind the hand."""
    placement = hand.placement
    depth = placement.distance_cm + rng.uniform(10.0, 35.0)
    neck = np.array([rng.uniform(-22.0, 22.0), rng.uniform(-16.0, 18.0), -max(depth, 40.0)])
    x, y, z = (elbow_of(hand, (size_px, size_px)) - neck).tolist()
    right = placement.handedness == "right"
    elbows = ((x, y, z), None) if right else (None, (x, y, z))
    posture = Posture(
        head_yaw=rng.uniform(-25.0, 25.0),
        head_pitch=rng.uniform(-10.0, 15.0),
        head_roll=rng.uniform(-10.0, 10.0),
        blink=float(rng.random() < 0.1),
        smile=rng.uniform(-0.1, 0.5),
        mouth=max(0.0, rng.uniform(-0.5, 0.6)),
        elbows=elbows,
    )
    return render_signer(
        (size_px, size_px),
        looks,
        posture,
        neck_cm=(float(neck[0]), float(neck[1]), float(neck[2])),
        focal_px=placement.focal_px(hand.body),
        light=light,
        rim=float(rng.uniform(0.0, 0.8)),
        softness_px=size_px * float(rng.uniform(0.006, 0.03)),
    )


def agree(path: Path, settings: dict[str, int]) -> None:
    """Write the settings, or check that an earlier run used the same."""
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SetMismatchError(f"{path} is not a set's description: {error}") from error
        if found != settings:
            raise SetMismatchError(
                f"{path.parent} holds a set made with {found}, not {settings}; "
                "choose another folder"
            )
        return
    _write_whole(path, json.dumps(settings).encode())


def _write_whole(path: Path, data: bytes) -> None:
    with written_whole(path) as unfinished:
        unfinished.write_bytes(data)
