"""How MediaPipe sees the rendered hands.

Renders seeded random views of every handshape before random backgrounds, runs MediaPipe's hand
landmarker (Tasks API, single pictures, default confidence) over them and tells per letter how many
were found exactly: one hand, in place. Landmark error is the mean distance of the 21 points
divided by the palm's width (knuckle of the index to knuckle of the little finger, as it would be
seen flat).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.table import Table

from models.chatter import muted_chatter
from models.hands.bundle import find_hand_bundle
from samples.anatomy import HandBody
from samples.backgrounds import draw_background
from samples.hand import Handedness, HandLayer, Light, Placement, Sleeve, render_layer
from samples.handshapes import LETTERS, pose_of, view_of
from samples.skin import Skin
from samples.tone import to_display

VIEW_WH: Final = (640, 480)
"""Size of a view, that of a webcam."""
PLACE_TOLERANCE: Final = 0.25
"""A hand counts as found in place when the mean of its landmarks is off by less than this share
of the hand's longer side."""


@dataclass(frozen=True)
class Finding:
    """What MediaPipe made of one view."""

    letter: str
    num_found: int
    """Hands found, 0, 1 or 2."""
    in_place: bool
    """Exactly one hand was found, and where it is."""
    same_hand: bool
    """Its handedness is right."""
    error: float
    """Mean landmark error in palm widths; NaN where no hand was found in place."""
    tone: float
    """Skin tone, 0 light to 1 dark."""
    offsets: npt.NDArray[np.float64] | None
    """Found minus true landmarks in palm widths, ``(21, 2)``; None where not found in place."""


@dataclass(frozen=True, eq=False)
class View:
    """One random view with its truth."""

    letter: str
    image: npt.NDArray[np.uint8]
    layer: HandLayer
    palm_px: float
    """Width of the palm if it were seen flat, px."""
    tone: float


def random_view(letter: str, seed: int, *, size_wh: tuple[int, int] = VIEW_WH) -> View:
    """Return a random view of a letter: person, light, place, turn and background by the seed.

    Raises:
        ValueError: Unknown letter.
    """
    pose = pose_of(letter)
    rng = np.random.default_rng([seed, ord(letter)])
    width, height = size_wh
    body, skin, light = HandBody.random(rng), Skin.random(rng), Light.random(rng)
    yaw, pitch, roll = view_of(letter)
    hand: Handedness = "left" if rng.uniform() < 0.5 else "right"
    placement = Placement(
        centre_px=(width * rng.uniform(0.30, 0.70), height * rng.uniform(0.42, 0.66)),
        hand_length_px=height * rng.uniform(0.30, 0.60),
        yaw=yaw + rng.uniform(-25.0, 25.0),
        pitch=pitch + rng.uniform(-15.0, 15.0),
        roll=roll + rng.uniform(-25.0, 25.0),
        distance_cm=rng.uniform(45.0, 110.0),
        handedness=hand,
    )
    sleeve = None
    if rng.uniform() < 0.5:
        red, green, blue = rng.uniform(0.02, 0.6, 3).tolist()
        sleeve = Sleeve((red, green, blue), float(rng.uniform(2.0, 12.0)))
    layer = render_layer(size_wh, pose.varied(rng), body, skin, light, placement, sleeve)
    behind = draw_background(size_wh, rng)
    image = to_display(layer.rgb + (1.0 - layer.alpha[..., None]) * behind)
    palm_px = placement.hand_length_px * 5.95 * body.palm_width * body.scale / body.hand_length_cm
    return View(letter, image, layer, palm_px, skin.tone)


def findings(num_views: int, *, seed: int = 0) -> Iterator[Finding]:
    """Yield what MediaPipe finds in ``num_views`` views, letters in turn.

    Raises:
        ValueError: ``num_views`` < 1.
    """
    if num_views < 1:
        raise ValueError(f"num_views must be >= 1, got {num_views}")
    with open_landmarker() as landmarker:
        for i in range(num_views):
            yield judge(landmarker, random_view(LETTERS[i % len(LETTERS)], seed + i))


def open_landmarker() -> Any:  # noqa: ANN401 - mediapipe ships no types
    """Return MediaPipe's landmarker for up to two hands in single pictures; close it after use.

    Raises:
        HandModelError: There is no hand model and none can be downloaded.
    """
    from mediapipe.tasks.python import BaseOptions, vision

    bundle = find_hand_bundle()
    with muted_chatter():
        return vision.HandLandmarker.create_from_options(
            vision.HandLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=bundle.content), num_hands=2
            )
        )


def judge(landmarker: Any, view: View) -> Finding:  # noqa: ANN401
    """Return what the landmarker makes of a view.

    Args:
        landmarker: From ``open_landmarker``.
        view: From ``random_view``.
    """
    import mediapipe

    height, width = view.image.shape[:2]
    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=view.image)
    with muted_chatter():
        found = landmarker.detect(image)
    true = view.layer.landmarks.astype(np.float64)
    num_found = len(found.hand_landmarks)
    offsets, error, in_place, same_hand = None, math.nan, False, False
    if num_found == 1:
        points = np.array([[p.x * width, p.y * height] for p in found.hand_landmarks[0]])
        off = float(np.linalg.norm(points.mean(0) - true.mean(0)))
        in_place = off < PLACE_TOLERANCE * float(np.ptp(true, axis=0).max())
        same_hand = found.handedness[0][0].category_name.lower() == view.layer.handedness
    if in_place:
        offsets = (points - true) / view.palm_px
        error = float(np.linalg.norm(offsets, axis=1).mean())
    return Finding(view.letter, num_found, in_place, same_hand, error, view.tone, offsets)


def tabulate(all_findings: Sequence[Finding]) -> Table:
    """Return the findings as a table, one row per letter and one for all."""
    table = Table(title=f"MediaPipe on {len(all_findings)} rendered views")
    for column in ("letter", "views", "exact %", "none", "two", "elsewhere", "hand %", "error"):
        table.add_column(column, justify="right")
    for letter in (*LETTERS, "all"):
        rows = [f for f in all_findings if letter in (f.letter, "all")]
        if not rows:
            continue
        exact = [f for f in rows if f.in_place]
        errors = [f.error for f in exact]
        table.add_row(
            letter,
            str(len(rows)),
            f"{100 * len(exact) / len(rows):.1f}",
            str(sum(f.num_found == 0 for f in rows)),
            str(sum(f.num_found == 2 for f in rows)),
            str(sum(f.num_found == 1 and not f.in_place for f in rows)),
            f"{100 * sum(f.same_hand for f in exact) / max(1, len(exact)):.1f}",
            f"{np.median(errors):.3f}" if errors else "-",
            end_section=letter == LETTERS[-1],
        )
    return table
