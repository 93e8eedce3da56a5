from __future__ import annotations

import numpy as np
import pytest

from overlays.help_card import HelpCard, draw_notice
from overlays.lettering import CAP_EM, text_mask, text_width
from overlays.live_view import LiveView
from overlays.paint import draw_dot, draw_lines, draw_plate, paint
from overlays.style import Style
from stream.stats import Stats
from tests.overlays.scenes import flat_picture, make_scene


def test_paint_lays_on_the_colour_where_covered_and_nothing_elsewhere() -> None:
    canvas = flat_picture()
    coverage = np.zeros((4, 6), np.uint8)
    coverage[1, 2], coverage[2, 3] = 255, 128
    paint(canvas, coverage, 10, 20, (200, 100, 50))
    assert canvas[21, 12].tolist() == [200, 100, 50]
    assert np.abs(canvas[22, 13].astype(int) - (164, 114, 89)).max() <= 1
    canvas[21, 12] = canvas[22, 13] = 128
    assert (canvas == 128).all()


@pytest.mark.parametrize("at", [(-3, -2), (318, 238), (400, 0), (0, -50), (-50, 300)])
def test_paint_cuts_off_what_leaves_the_canvas(at: tuple[int, int]) -> None:
    canvas = flat_picture()
    paint(canvas, np.full((5, 5), 255, np.uint8), *at, (0, 0, 0))
    rows, columns = np.mgrid[0:240, 0:320]
    inside = (columns >= at[0]) & (columns < at[0] + 5) & (rows >= at[1]) & (rows < at[1] + 5)
    assert (canvas[inside] == 0).all()
    assert (canvas[~inside] == 128).all()


def test_plate_darkens_its_rectangle_evenly_and_leaves_its_corners_round() -> None:
    canvas = flat_picture()
    draw_plate(canvas, (20, 30, 120, 70), 10, 0.5)
    assert len(np.unique(canvas[35:65, 30:110])) == 1
    assert canvas[50, 70, 0] < 80
    assert canvas[30, 20, 0] == 128
    canvas[30:70, 20:120] = 128
    assert (canvas == 128).all()


def test_lines_and_dots_leave_the_rest_alone() -> None:
    canvas = flat_picture()
    draw_lines(
        canvas, [np.array([[50.0, 50.5], [90, 50.5]])], closed=False, width_px=1.0, opacity=1.0
    )
    draw_dot(canvas, 70.5, 120.5, 4.0, (255, 0, 0))
    assert canvas[50, 60].min() > 220
    assert canvas[120, 70].tolist() == [255, 0, 0]
    canvas[47:55, 46:95] = canvas[114:128, 64:78] = 128
    assert (canvas == 128).all()


@pytest.mark.parametrize("size_px", [8.0, 13.0, 17.0, 60.0])
def test_text_is_as_wide_as_it_says_and_its_capitals_as_high(size_px: float) -> None:
    mask = text_mask("HEN", size_px)
    assert mask.shape[1] == text_width("HEN", size_px)
    rows = np.flatnonzero(mask.max(axis=1) > 127)
    assert rows[-1] - rows[0] + 1 == pytest.approx(CAP_EM * size_px, abs=0.1 * size_px + 1.5)


def test_running_numbers_stand_still() -> None:
    widths = {text_width(f"{digit}{digit}.{digit}", 16.0) for digit in range(10)}
    assert len(widths) == 1


def test_every_letter_is_drawn_and_differs_from_every_other() -> None:
    letters = [chr(code) for code in range(33, 127) if chr(code) not in "^`{}$"]
    seen = {text_mask(letter, 24.0).tobytes() for letter in letters}
    assert len(seen) == len(letters)
    assert all(text_mask(letter, 24.0).max() > 200 for letter in letters)


def test_letter_without_a_glyph_is_a_box_not_an_error() -> None:
    assert text_mask("\N{SNOWMAN}", 24.0).max() > 200


@pytest.mark.parametrize("size_wh", [(1280, 720), (320, 240), (240, 900), (40, 30), (2, 2)])
def test_help_card_and_notices_fit_any_canvas(size_wh: tuple[int, int]) -> None:
    canvas = flat_picture(size_wh)
    HelpCard().draw(canvas, [])
    if min(size_wh) >= 240:
        assert canvas.std() > 10  # drawn, and inside:
        assert (canvas[0] == 128).all()
        assert (canvas[:, 0] == 128).all()
    canvas = flat_picture(size_wh)
    draw_notice(canvas, "saved signlight-20260101-120000.png")
    if min(size_wh) >= 240:
        assert canvas.std() > 1
        assert (canvas[:, 0] == 128).all()


SIGNER = [(330.0, 230.0, 560.0, 520.0), (740.0, 240.0, 980.0, 520.0), (540.0, 60.0, 730.0, 400.0)]
"""Two hands and a face in a picture of 1280 x 720."""


@pytest.mark.parametrize("shift_px", [0, 250, -250], ids=["middle", "right", "left"])
def test_help_card_hides_neither_hands_nor_faces(shift_px: int) -> None:
    canvas = flat_picture((1280, 720))
    shown = [(x0 + shift_px, y0, x1 + shift_px, y1) for x0, y0, x1, y1 in SIGNER]
    HelpCard().draw(canvas, shown)
    assert (canvas != 128).mean() > 0.1
    for x0, y0, x1, y1 in shown:
        assert (canvas[int(y0) : int(y1), int(x0) : int(x1)] == 128).all()


def test_nothing_shines_through_the_help_card() -> None:
    dark, light = flat_picture((1280, 720), 0), flat_picture((1280, 720), 255)
    for canvas in (dark, light):
        HelpCard().draw(canvas, SIGNER)
    same = (dark == light).all(axis=2)
    rows, columns = np.nonzero(same)
    card = same[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert card.mean() > 0.99  # all but the rounded corners


def test_help_card_has_the_notice_at_its_head() -> None:
    plain, noticing = flat_picture((1280, 720)), flat_picture((1280, 720))
    HelpCard().draw(plain, SIGNER)
    HelpCard().draw(noticing, SIGNER, "saved signlight-20260101-120000.png")
    rows = np.nonzero((plain != noticing).any(axis=(1, 2)))[0]
    assert rows.size
    assert rows.max() < 80


def test_recording_is_seen_beside_the_help_card() -> None:
    scene = make_scene(flat_picture((1280, 720)), stats=Stats(recording_s=12.0))
    view = LiveView(Style(hud=False))
    without = view.draw(scene)
    view.is_help_shown = True
    with_card = view.draw(scene)
    assert (without[:60, :200] != 128).any()
    assert (with_card != without).any()
    assert (with_card[:60, :200] == without[:60, :200]).all()


@pytest.mark.parametrize("size_wh", [(160, 120), (1280, 720)])
def test_a_notice_that_cannot_be_read_on_the_card_is_not_on_it(size_wh: tuple[int, int]) -> None:
    """Then it is drawn as if there were no card."""
    words = "recording stopped: the disk is full; " * 4
    hides_all_but_a_column = (0.3 * size_wh[0], 0.0, float(size_wh[0]), float(size_wh[1]))
    with_notice, without = (np.zeros((size_wh[1], size_wh[0], 3), np.uint8) for _ in range(2))
    assert not HelpCard().draw(with_notice, [hides_all_but_a_column], words)
    HelpCard().draw(without, [hides_all_but_a_column])
    np.testing.assert_array_equal(with_notice, without)
    assert HelpCard().draw(np.zeros((720, 1280, 3), np.uint8), [], "saved")
