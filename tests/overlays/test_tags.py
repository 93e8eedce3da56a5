"""Text keeps off hands, faces and other text, and does not jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from overlays.colour_bar import Caption, caption_places
from overlays.compositor import Compositor
from overlays.exhibits import Exhibit
from overlays.labels import text_size
from overlays.marks import corner_boxes
from overlays.panes import Box, Pane, Rect
from overlays.places import SteadyChoice, covered_share
from overlays.style import Style
from overlays.tags import Tags
from stream.geometry import HandRegion
from stream.scene import Scene
from tests.overlays.scenes import GREY, flat_picture, make_maps, make_region, make_scene, one_hot

SIZE_WH = (640, 480)


def exhibit(region: HandRegion, margin_px: float = 0.0) -> Exhibit:
    left, top, right, bottom = region.box_xyxy
    crop = (left - margin_px, top - margin_px, right + margin_px, bottom + margin_px)
    return Exhibit(region, None, crop, 0.0, 1.0, None, ())


def tags_of(
    regions: Sequence[HandRegion],
    taken: Sequence[Rect] = (),
    tags: Tags | None = None,
    margin_px: float = 0.0,
) -> list[Box]:
    """Return where the tags of hands stand, found by drawing them one by one."""
    places = []
    tags = tags or Tags()
    exhibits = [exhibit(region, margin_px) for region in regions]
    pane = Pane((0, 0, *SIZE_WH), (0.0, 0.0, 640.0, 480.0))
    for shown in exhibits:
        canvas = flat_picture(SIZE_WH)
        faint = [e if e is shown else replace(e, presence=0.0) for e in exhibits]
        tags.draw(canvas, pane, faint, taken)
        rows, columns = np.nonzero((canvas != GREY).any(axis=2))
        places.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return places


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def test_a_tag_stands_above_its_hand_where_nothing_else_is() -> None:
    ((left, _, _, bottom),) = tags_of([make_region((200, 200, 300, 300))])
    assert left == pytest.approx(200, abs=1)
    assert 180 < bottom < 200


def test_a_tag_keeps_off_its_signer_s_face() -> None:
    face = (180.0, 100.0, 320.0, 230.0)
    hand = replace(make_region((200, 200, 300, 300)), face_xyxy=face)
    (place,) = tags_of([hand])
    assert covered_share(place, [face, hand.box_xyxy]) == 0


def test_tags_of_hands_that_cross_stand_at_the_outer_sides() -> None:
    boxes: list[Box] = [(190, 200, 310, 300), (230, 200, 350, 300)]
    hands = [
        make_region(boxes[0], handedness="right", track_id=0),
        make_region(boxes[1], handedness="left", track_id=1),
    ]
    right, left = tags_of(hands)
    assert middle(right)[0] < middle(boxes[0])[0]
    assert middle(left)[0] > middle(boxes[1])[0]
    assert covered_share(right, [left]) == 0


def test_a_tag_keeps_off_the_corners_of_another_hand_s_crop() -> None:
    hands = [
        make_region((200, 200, 300, 300), handedness="right", track_id=0),
        make_region((260, 40, 360, 140), handedness="left", track_id=1),
    ]
    right, _ = tags_of(hands, margin_px=25)
    assert covered_share(right, corner_boxes((235, 15, 385, 165))) == 0


def test_tags_avoid_other_text_and_stay_in_the_picture() -> None:
    taken: list[Rect] = []
    hand = make_region((20, 20, 140, 140))
    for _ in range(4):
        (place,) = tags_of([hand], taken)
        assert covered_share(place, taken) == 0
        assert 0 <= place[0] < place[2] <= SIZE_WH[0]
        assert 0 <= place[1] < place[3] <= SIZE_WH[1]
        taken.append((place[0], place[1], place[2], place[3]))  # type: ignore[arg-type]


def test_a_tag_stays_where_it_is_while_that_is_bearable() -> None:
    """A face that comes drives it away; when the face is gone it does not jump back."""
    hand = make_region((200, 200, 300, 300))
    tags = Tags()
    before = tags_of([hand], tags=tags)
    with_face = replace(hand, face_xyxy=(180.0, 100.0, 320.0, 230.0))
    away = tags_of([with_face], tags=tags)
    assert away != before
    assert tags_of([hand], tags=tags) == away


def test_a_choice_moves_only_where_much_is_won() -> None:
    choice = SteadyChoice()
    assert choice.choose("a", [0.0, 0.0], first=1) == 1
    assert choice.choose("a", [0.0, 0.09]) == 1
    assert choice.choose("a", [0.11, 0.2]) == 1
    assert choice.choose("a", [0.05, 0.2]) == 0
    choice.forget_all_but(["b"])
    assert choice.choose("a", [0.0, 0.0], first=1) == 1


def hand_at(box: Box) -> Scene:
    region = make_region(box)
    return make_scene(flat_picture(SIZE_WH), [region], [make_maps(region, one_hot(1, 1)[None])])


@pytest.mark.parametrize("layout", ["overlay", "insets"])
def test_the_caption_moves_to_a_corner_without_hands(layout: str) -> None:
    """Each corner of the bottom has a caption while the hand is in the other."""
    compositor = Compositor(Style(layout=layout, hud=False))
    width, height = SIZE_WH
    drawn = {}
    for side, x in (("right", 430.0), ("left", 20.0), ("left again", 20.0)):
        canvas = compositor.draw(hand_at((x, 300.0, x + 190, 470.0)))
        corners = {"left": canvas[-20:-12, 20:200], "right": canvas[-20:-12, width - 200 : -20]}
        drawn[side] = {name for name, part in corners.items() if part.mean() < 0.6 * GREY}
    assert height == canvas.shape[0]
    assert drawn == {"right": {"left"}, "left": {"right"}, "left again": {"right"}}


def test_text_hides_less_of_small_pictures() -> None:
    assert [text_size(side) for side in (120, 240, 320, 480, 720, 1080)] == [8, 8, 11, 11, 17, 25]
    caption = Caption(
        "dino_hands8 \N{MIDDLE DOT} layer 4 \N{MIDDLE DOT} mean of 6 heads",
        "low",
        "high",
        "attention \N{MIDDLE DOT} stable range of each hand",
    )
    left, top, right, bottom = caption_places(caption, (320, 240), text_size(240), 4)[0]
    assert (right - left) * (bottom - top) < 0.09 * 320 * 240


@pytest.mark.parametrize(("size_wh", "is_there"), [((320, 240), True), ((160, 120), False)])
def test_a_caption_that_would_hide_much_of_a_tiny_picture_is_left_out(
    size_wh: tuple[int, int], is_there: bool
) -> None:
    caption = Caption("dino_hands8 · layer 4 · mean of 6 heads", "low", "high", "attention")
    places = caption_places(caption, size_wh, text_size(min(size_wh)), 4)
    assert bool(places) is is_there
