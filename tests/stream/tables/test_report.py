"""The report's file: what it holds, how large it is, what it costs; and its curves."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.annotation.moments import Moment, Stretch
from stream.measures import jensen_shannon_bits
from stream.tables import hand_pictures, report
from stream.tables.hand_pictures import HandPictures
from stream.tables.report import Report
from stream.tables.thinning import ThinnedCurve
from tests.stream.tables.moments import make_moment, moments, scene_of, stretches, whole_picture


def page_of(
    path: Path,
    made: Sequence[Moment],
    lasting: Sequence[Stretch] = (),
    **options: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Write a report; return what its script is given."""
    pictures = HandPictures()
    settings: dict[str, Any] = {"title": "b.mp4", "video": PurePath("b.mp4"), "facts": {}}
    with Report(path, pictures=pictures, **(settings | options)) as page:
        for moment in made:
            pictures.write(scene_of(moment))
            page.write(moment)
        page.stretches = lasting
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    told: dict[str, Any] = json.loads(data)
    return told


def test_it_holds_curves_bands_heads_and_holds(tmp_path: Path) -> None:
    data = page_of(tmp_path / "b.html", list(moments(100)), stretches(100))
    assert data["end_s"] == 4.0
    assert data["frame_s"] == 0.04
    assert [side["name"] for side in data["sides"]] == ["Right hand", "Left hand"]
    assert [curve["name"] for curve in data["curves"]][:2] == ["Palm speed", "Handshape speed"]
    assert [band["label"] for band in data["bands"]] == [
        "Right: in view",
        "Right: phase",
        "Right: handshape change",
        "Right: most focused head",
        "Left: in view",
        "Number of hands",
    ]
    seen = data["bands"][4]["items"]
    assert seen == [[0, 1, "not yet"], [1, 2, "in view"], [2, 4, "left the picture"]]
    matrix = np.array(data["heads"]["matrix"], float)
    assert np.array_equal(matrix, matrix.T, equal_nan=True)
    assert 0 < matrix[0, 2] < 1
    assert data["heads"]["shares"] == [["0", 2.0], ["1", 2.0], ["2", 0.0]]
    assert [hold["start"] for hold in data["holds"]] == [0, 2]
    assert all(hold["start"] <= hold["typical"] < hold["end"] for hold in data["holds"])


def test_the_matrix_is_the_mean_divergence_of_two_heads(tmp_path: Path) -> None:
    made = list(moments(30))
    data = page_of(tmp_path / "b.html", made)
    maps = [hand.maps.maps.weights for moment in made for hand in moment.hands if hand.maps]
    expected = np.mean([jensen_shannon_bits(weights[0], weights[2]) for weights in maps])
    assert data["heads"]["matrix"][0][2] == pytest.approx(expected, abs=1e-4)
    assert data["heads"]["num"] == len(maps)


def test_names_are_never_markup(tmp_path: Path) -> None:
    title = "a \"b\" 'c' <img src=x onerror=alert(1)></script>\nשנה\u202etxt.mp4"
    video = PurePath("..") / "a:b #1?" / "</script> ü.mp4"
    data = page_of(tmp_path / "b.html", list(moments(3)), title=title, video=video)
    text = (tmp_path / "b.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "שנה" in text
    assert "\\u202etxt" in text  # what turns the direction of writing is shown, and does nothing
    assert data["video"] == "../a%3Ab%20%231%3F/%3C/script%3E%20%C3%BC.mp4"


def test_it_asks_no_network(tmp_path: Path) -> None:
    page_of(tmp_path / "b.html", list(moments(3)))
    text = (tmp_path / "b.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"\w+://[^\"' ]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which nobody looks up
    assert not re.search(r"<link|@import|url\((?!#)|src=\"", text)


def test_much_of_everything_stays_below_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_BINS", 256)
    monkeypatch.setattr(report, "MAX_STRETCHES", 150)
    monkeypatch.setattr(report, "MAX_BYTES", 60_000)
    lasting = [
        Stretch(
            tier="phase",
            hand="right",
            start_s=Fraction(index, 5),
            end_s=Fraction(index + 1, 5) + Fraction(index % 7, 1000),
            value="hold",
        )
        for index in range(200)
    ]
    data = page_of(tmp_path / "b.html", list(moments(200)), lasting)
    size = (tmp_path / "b.html").stat().st_size
    assert 0.9 * 60_000 < size <= 60_000
    assert "The 50 shortest stretches are not drawn." in data["note"]
    num = len(data["holds"])
    assert f"The {num} longest of 200 that have a picture." in data["holds_note"]
    starts = [hold["start"] for hold in data["holds"]]
    assert starts == sorted(starts)


def test_whole_pictures_have_curves_of_their_own(tmp_path: Path) -> None:
    made = [make_moment(index, [whole_picture(index)]) for index in range(5)]
    data = page_of(tmp_path / "b.html", made)
    assert [side["name"] for side in data["sides"]] == ["Picture"]
    assert [curve["name"] for curve in data["curves"]] == [
        "Entropy of attention",
        "Change of attention",
    ]


def test_without_hands_or_frames_there_is_still_a_page(tmp_path: Path) -> None:
    data = page_of(tmp_path / "a.html", [make_moment(0, []), make_moment(1, [])], video=None)
    assert (data["curves"], data["heads"], data["holds"], data["video"]) == ([], None, [], None)
    assert page_of(tmp_path / "b.html", [])["end_s"] == 0


def test_activations_are_not_called_attention_and_random_weights_are_told_of(
    tmp_path: Path,
) -> None:
    (moment,) = moments(1)
    hand = moment.hands[0]
    assert hand.maps is not None
    maps = replace(hand.maps.maps, kind="activation", is_random=True)
    moment = make_moment(0, [replace(hand, maps=replace(hand.maps, maps=maps))])
    lasting = [one for one in stretches(100) if one.tier == "most focused head"]
    data = page_of(tmp_path / "b.html", [moment], lasting)
    assert data["is_random"]
    assert [curve["name"] for curve in data["curves"]] == [
        "Handshape speed",
        "Entropy of activation",
        "Activation on the hand",
    ]
    assert data["bands"][0]["label"] == "Right: most focused component"
    text = (tmp_path / "b.html").read_text(encoding="utf-8")
    assert "Activation and hands" in text
    assert "<h2>Components</h2>" in text


def test_a_part_begins_where_it_begins(tmp_path: Path) -> None:
    data = page_of(tmp_path / "b.html", list(moments(100))[75:])
    assert (data["start_s"], data["end_s"]) == (3.0, 4.0)
    assert dict(data["facts"])["Length"] == "1.00 s"


def test_the_picture_of_a_hold_is_one_of_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_pictures, "EVERY_S", 0.0)
    made = list(moments(25))
    (hold,) = page_of(tmp_path / "b.html", made, stretches(25))["holds"]
    pictures = HandPictures()
    typical = made[round(hold["typical"] * 25)]
    pictures.write(scene_of(typical))

    assert pictures.take(typical.frame_index, 0) == base64.b64decode(hold["picture"])


numbers = st.floats(-1e3, 1e3, width=32) | st.just(float("nan"))


@given(st.lists(st.tuples(st.floats(0.001, 3.0), numbers), min_size=1, max_size=200))
def test_thinning_loses_no_peak_and_invents_none(steps: list[tuple[float, float]]) -> None:
    curve = ThinnedCurve(16)
    times_s = np.cumsum([step for step, _ in steps])
    values = np.array([value for _, value in steps], np.float32)
    for time_s, value in zip(times_s, values, strict=True):
        curve.put(float(time_s), float(value))
    bins = curve.bins()
    assert len(bins) <= 16
    at = (times_s / curve.bin_s).astype(int)
    for number, (least, most) in enumerate(bins):
        inside = values[at == number]
        known = inside[~np.isnan(inside)]
        if not inside.size:
            assert np.isinf(most)
        elif not known.size:
            assert np.isnan(most)
        else:
            assert (least, most) == (known.min(), known.max())
