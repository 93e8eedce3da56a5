from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from overlays.colour_bar import caption_of
from overlays.compositor import Compositor
from overlays.exhibits import collect_exhibits
from overlays.layouts import LAYOUTS, open_layout
from overlays.normalize import Normalizer
from overlays.style import NORMALIZATIONS, Style
from stream.geometry import HandRegion
from stream.scene import MapKind
from stream.stats import Stats
from tests.overlays.scenes import (
    GREY,
    flat_picture,
    make_maps,
    make_region,
    make_scene,
    one_hot,
    random_weights,
    two_hands,
)

BARE = Style(skeleton=False, hud=False)
STATS = Stats(fps_shown=29.97, maps_per_s=12.1, latency_ms=41, recording_s=72.0)
NOISE = np.random.default_rng(0).integers(0, 256, (241, 321, 3), np.uint8)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_frame_is_read_only_and_never_touched(layout: str) -> None:
    before = NOISE.copy()
    scene = two_hands(NOISE, is_random=True, stats=STATS)
    canvas = Compositor(Style(layout=layout, threshold=0.6)).draw(scene)
    np.testing.assert_array_equal(NOISE, before)
    assert not np.shares_memory(canvas, scene.frame.image)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "size_wh", [(1, 1), (2, 1), (1, 400), (17, 33), (64, 48), (321, 241), (90, 640), (1280, 719)]
)
def test_canvas_is_even_and_keeps_its_size(layout: str, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    image = flat_picture(size_wh)
    hand = make_region((0.2 * width, 0.2 * height, 0.7 * width, 0.8 * height))
    maps = make_maps(hand, random_weights())
    compositor = Compositor(Style(layout=layout, threshold=0.5))
    scenes = [
        make_scene(image),
        make_scene(image, [hand]),
        make_scene(image, [hand], [maps], stats=STATS),
        make_scene(image, [HandRegion.whole_frame(size_wh)], [maps], age_s=0.3),
    ]
    shapes = {compositor.draw(scene).shape for scene in scenes}
    assert len(shapes) == 1
    canvas_h, canvas_w, channels = shapes.pop()
    assert canvas_h % 2 == canvas_w % 2 == 0
    assert channels == 3
    assert max(canvas_w, canvas_h) <= 4096


@pytest.mark.parametrize("layout", LAYOUTS)
def test_8k_pictures_keep_within_what_decoders_play_beside_a_panel(layout: str) -> None:
    plan = open_layout(layout).plan((7680, 4320))
    limit = 4096 if plan.panel else 7680
    assert max(plan.canvas_wh) <= limit
    assert plan.canvas_wh[0] >= 4000


def test_8k_picture_is_drawn() -> None:
    scene = make_scene(
        flat_picture((7680, 4320)),
        [region := HandRegion.whole_frame((7680, 4320))],
        [make_maps(region, np.ones((1, 4, 4), np.float32) / np.float32(16))],
    )
    canvas = Compositor(replace(BARE, normalize="absolute")).draw(scene)
    assert canvas.shape == (4320, 7680, 3)
    assert (canvas[::500, ::500] != GREY).all()  # a map over the whole picture


def test_without_hands_the_canvas_is_the_frame() -> None:
    canvas = Compositor(BARE).draw(make_scene(NOISE))
    np.testing.assert_array_equal(canvas[:241, :321], NOISE)
    # Rounded up to even by repeating the last column and row.
    np.testing.assert_array_equal(canvas[:241, 321], NOISE[:, 320])
    np.testing.assert_array_equal(canvas[241], canvas[240])


def test_mirrored_the_canvas_is_the_flipped_frame() -> None:
    canvas = Compositor(replace(BARE, mirror=True)).draw(make_scene(NOISE))
    np.testing.assert_array_equal(canvas[:241, :321], NOISE[:, ::-1])


def test_only_the_crop_its_tag_and_the_caption_are_touched() -> None:
    hand = make_region((100, 90, 160, 150))  # crop: 85..175, 75..165
    canvas = Compositor(BARE).draw(
        make_scene(flat_picture((640, 480)), [hand], [make_maps(hand, random_weights())])
    )
    changed = (canvas != GREY).any(axis=2)
    assert changed[75:165, 85:175].mean() > 0.8
    changed[70:170, 80:180] = False  # the crop and the lines of its corners
    changed[40:75, 80:180] = False  # its tag
    changed[400:, 380:] = False  # the caption
    assert not changed.any()


def test_map_lies_on_the_hand_and_mirrored_on_the_flipped_hand() -> None:
    hand = make_region((100, 80, 180, 160))
    weights = one_hot(1, 0)[None]
    scene = make_scene(flat_picture(value=0), [hand], [make_maps(hand, weights)])
    style = replace(BARE, colormap="gray", alpha=1.0, normalize="frame")
    for is_mirrored in (False, True):
        canvas = Compositor(replace(style, mirror=is_mirrored)).draw(scene)
        picture = canvas[:, ::-1] if is_mirrored else canvas
        # The crop spans 80..200, 60..180 with 4 x 4 patches of 30: this one is at 80..110, 90..120.
        # Its outer half fades with the crop's border.
        patch = picture[95:115, 96:106].mean()
        assert patch > 100
        assert picture[95:115, 170:185].mean() < 5


def test_text_is_not_mirrored() -> None:
    scene = two_hands(stats=STATS)
    plain = Compositor(BARE).draw(scene)
    mirrored = Compositor(replace(BARE, mirror=True)).draw(scene)
    caption = np.s_[195:, 120:]  # same text, same place: bottom right
    np.testing.assert_array_equal(plain[caption], mirrored[caption])
    assert plain[caption].std() > 20


def test_left_stays_left_in_the_mirror_and_panels_stand_as_the_viewer_sees_the_hands() -> None:
    for is_mirrored, was_mirrored, names in (
        (False, False, ["right", "left"]),
        (True, False, ["left", "right"]),
        (False, True, ["left", "right"]),
        (True, True, ["right", "left"]),
    ):
        style = Style(mirror=is_mirrored, input_mirrored=was_mirrored)
        exhibits = collect_exhibits(two_hands(), style, Normalizer(), with_heads=False)
        assert [exhibit.name for exhibit in exhibits] == names


def test_a_map_fades_with_age_until_only_its_hand_is_left() -> None:
    crop = np.s_[95:135, 75:115]
    changes = []
    for age_s in (0.0, 0.1, 0.4, 0.7, 1.0, 5.0):
        canvas = Compositor(BARE).draw(two_hands(age_s=age_s))
        changes.append(np.abs(canvas[crop].astype(int) - GREY).mean())
    assert changes[0] == changes[1] > changes[2] > changes[3] > changes[4] == 0
    assert changes[5] == 0


def test_a_held_hand_fades() -> None:
    canvases = [Compositor(BARE).draw(two_hands(unseen_s=s)) for s in (0.0, 0.15, 0.3)]
    crop = np.s_[60:170, 40:150]
    seen, held, gone = (np.abs(c[crop].astype(int) - GREY).mean() for c in canvases)
    assert seen > held > gone == 0


def test_a_held_hand_s_skeleton_fades_with_its_map() -> None:
    left_over = {}
    for name, style in (("map", BARE), ("skeleton", replace(BARE, alpha=0.0, skeleton=True))):
        changes = []
        for unseen_s in (0.0, 0.1, 0.2):
            canvas = Compositor(style).draw(two_hands(unseen_s=unseen_s))
            changes.append(np.abs(canvas[85:145, 65:125].astype(int) - GREY).mean())
        left_over[name] = np.array(changes[1:]) / changes[0]
    assert left_over["map"] == pytest.approx(left_over["skeleton"], abs=0.05)


def test_age_can_be_read_and_a_map_of_the_very_frame_has_none() -> None:
    for age_s, label in (
        (0.0, "right"),
        (0.045, "right \N{MIDDLE DOT} 45 ms old"),
        (0.85, "right \N{MIDDLE DOT} 850 ms old"),
        (2.5, "right \N{MIDDLE DOT} last map 2500 ms old"),
    ):
        exhibit = collect_exhibits(two_hands(age_s=age_s), Style(), Normalizer(), with_heads=False)[
            0
        ]
        assert exhibit.label == label


def test_an_old_map_is_drawn_where_its_hand_is_now() -> None:
    then, now = make_region((60, 60, 120, 120)), make_region((180, 100, 240, 160))
    scene = make_scene(flat_picture(), [now], [make_maps(then, random_weights())], age_s=0.1)
    changed = (Compositor(BARE).draw(scene) != GREY).any(axis=2)
    assert changed[110:150, 190:230].all()
    assert not changed[50:130, 40:140].any()


def test_a_hand_without_a_map_gets_a_box_and_no_map() -> None:
    hand = make_region((100, 80, 180, 160))
    canvas = Compositor(BARE).draw(make_scene(flat_picture(), [hand]))
    assert (canvas[65:175, 85:195] == GREY).all()
    assert (canvas[60, 80:200] != GREY).any()  # the dashed border
    exhibit = collect_exhibits(
        make_scene(flat_picture(), [hand]), BARE, Normalizer(), with_heads=False
    )[0]
    assert exhibit.label == "right \N{MIDDLE DOT} no map yet"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_random_weights_are_written_across_every_layout(layout: str) -> None:
    style = replace(BARE, layout=layout)
    plain = Compositor(style).draw(two_hands())
    marked = Compositor(style).draw(two_hands(is_random=True))
    plan = open_layout(layout).plan((320, 240))
    for left, top, right, bottom in filter(None, (plan.picture, plan.panel)):
        # In the panel of heads the mark has a place of its own at the foot, beside every tile.
        is_grid = layout == "heads" and left > 0
        middle = bottom - (right - left) // 17 if is_grid else (top + bottom) // 2
        band = np.s_[middle - 15 : middle + 15, left:right]
        columns = (plain[band] != marked[band]).any(axis=(0, 2))
        where = np.flatnonzero(columns)
        assert where[-1] - where[0] > 0.6 * (right - left)


def test_random_weights_stay_marked_between_maps_until_trained_weights_come() -> None:
    compositor, empty = Compositor(BARE), make_scene(flat_picture())
    middle = np.s_[105:135]
    compositor.draw(two_hands(is_random=True))
    assert (compositor.draw(empty)[middle] != GREY).any()
    compositor.draw(two_hands())
    assert (compositor.draw(empty)[middle] == GREY).all()


def test_caption_stays_while_no_hand_is_in_view() -> None:
    compositor, empty = Compositor(replace(BARE, normalize="absolute")), make_scene(flat_picture())
    assert (compositor.draw(empty) == GREY).all()  # nothing known yet
    caption = np.s_[185:, 100:]
    shown = compositor.draw(two_hands())[caption]
    np.testing.assert_array_equal(compositor.draw(empty)[caption], shown)


def test_even_a_tiny_picture_says_random() -> None:
    hand = make_region((4, 4, 12, 12))
    scenes = [
        make_scene(flat_picture((24, 16)), [hand], [make_maps(hand, random_weights(), is_random=r)])
        for r in (False, True)
    ]
    plain, marked = (Compositor(BARE).draw(scene) for scene in scenes)
    assert (plain != marked).any(axis=2).mean() > 0.1


@pytest.mark.parametrize("kind", ["attention", "activation"])
@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize("with_heads", [False, True])
def test_caption_calls_things_what_they_are(
    kind: MapKind, normalize: str, with_heads: bool
) -> None:
    hand = make_region()
    scene = make_scene(flat_picture(), [hand], [make_maps(hand, random_weights(), kind=kind)])
    style = Style(normalize=normalize, head=2)  # type: ignore[arg-type]
    exhibits = collect_exhibits(scene, style, Normalizer(), with_heads=with_heads)
    caption = caption_of(scene.maps[0].maps, exhibits, style, with_heads=with_heads)
    words = f"{caption.title} {caption.note} {caption.low} {caption.high}"
    assert kind in words
    assert ("attention" in words) == (kind == "attention")
    assert ("head 2" in words, "component 2" in words) == (
        kind == "attention",
        kind == "activation",
    )
    assert normalize in words
    assert "layer 11" in words
    assert ("dino_vits16" if kind == "attention" else "dino_resnet50") in words
    if normalize == "absolute":
        assert (caption.low, caption.high) == (
            "0",
            "6\N{MULTIPLICATION SIGN} " + ("uniform" if kind == "attention" else "mean"),
        )


def test_a_head_that_the_model_lacks_is_named_and_nothing_is_drawn_for_it() -> None:
    style = replace(BARE, head=9)
    exhibits = collect_exhibits(two_hands(), style, Normalizer(), with_heads=False)
    caption = caption_of(two_hands().maps[0].maps, exhibits, style, with_heads=False)
    assert "no head 9 (0\N{EN DASH}5)" in caption.title
    canvas = Compositor(style).draw(two_hands())
    assert (canvas[95:135, 75:115] == GREY).all()


def test_head_mean_and_all_choose_what_is_drawn() -> None:
    scene = two_hands()
    canvases = {head: Compositor(replace(BARE, head=head)).draw(scene) for head in (0, 5, "mean")}
    crop = np.s_[60:170, 40:150]
    assert (canvases[0][crop] != canvases[5][crop]).any()
    assert (canvases[0][crop] != canvases["mean"][crop]).any()
    np.testing.assert_array_equal(
        Compositor(replace(BARE, head="all")).draw(scene),
        Compositor(replace(BARE, layout="heads")).draw(scene),
    )


def test_whole_picture_is_covered_to_its_corners() -> None:
    region = HandRegion.whole_frame((320, 240))
    maps = make_maps(region, np.full((1, 4, 4), 1 / 16, np.float32))
    canvas = Compositor(replace(BARE, normalize="absolute")).draw(
        make_scene(flat_picture(), [region], [maps])
    )
    for corner in (canvas[0, 0], canvas[0, -1], canvas[-1, 0], canvas[-1, -1]):
        assert (corner != GREY).all()


def test_equal_input_gives_equal_pictures() -> None:
    style = Style(threshold=0.6)
    first, second = (Compositor(style).draw(two_hands(NOISE, stats=STATS)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_another_style_takes_effect_on_the_next_frame() -> None:
    compositor = Compositor(BARE)
    before = compositor.draw(two_hands())
    compositor.style = replace(compositor.style, colormap="viridis")
    assert (compositor.draw(two_hands()) != before).any()


def test_read_outs_skeleton_and_outline_come_and_go_with_the_style() -> None:
    scene = two_hands(stats=STATS)
    plain = Compositor(BARE).draw(scene)
    for change, where in (
        ({"hud": True}, np.s_[:40]),
        ({"skeleton": True}, np.s_[90:140, 70:120]),
        ({"threshold": 0.6}, np.s_[70:160, 50:140]),
    ):
        canvas = Compositor(replace(BARE, **change)).draw(scene)
        assert (canvas[where] != plain[where]).any()
