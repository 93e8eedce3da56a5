"""The report in a real browser, off line, from its folder: what is seen, and what a click does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest

from stream.tables.hand_pictures import HandPictures
from stream.tables.report import Report
from tests.clips import make_clip, regular_times
from tests.stream.tables.moments import moments, scene_of, stretches

TITLE = 'a "b" <i>c</i> שנה.mp4'
NAME = "a:b #1 %20?.mp4"
SECONDS = 4
NOTHING = "\N{EN DASH}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video of four seconds, and in a folder of its own what is told of it."""
    folder = tmp_path_factory.mktemp("report") / "a b#c"
    (folder / "b.annotation").mkdir(parents=True)
    make_clip(folder / NAME, times=regular_times(30 * SECONDS))
    pictures = HandPictures()
    with Report(
        folder / "b.annotation" / "b.html",
        title=TITLE,
        video=PurePath("..") / NAME,
        facts={"Model": "dino_hands8"},
        pictures=pictures,
    ) as page:
        for moment in moments(25 * SECONDS):
            pictures.write(scene_of(moment))
            page.write(moment)
        page.stretches = stretches(25 * SECONDS)
    return folder


@pytest.fixture(scope="module")
def window(chromium: Any) -> Iterator[Any]:  # noqa: ANN401
    """A window without a network; fails in the end where a page complained or asked for more."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    window = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("console", lambda message: complaints.append(message.text))
    window.on("request", lambda request: asked.append(request.url))
    yield window
    context.close()
    assert complaints == []
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}


@pytest.fixture
def page(window: Any, folder: Path) -> Any:  # noqa: ANN401
    """The report as it is opened."""
    window.goto((folder / "b.annotation" / "b.html").as_uri())
    window.wait_for_function("document.getElementById('video').readyState >= 2")
    return window


def click_at(page: Any, share: float) -> None:  # noqa: ANN401
    """Click the curves where that share of the time has gone by."""
    room = page.locator("rect.frame").first.bounding_box()
    page.mouse.click(room["x"] + share * room["width"], room["y"] + 10)


def cursor_share(page: Any) -> float:  # noqa: ANN401
    """Return how far along the curves the cursor stands."""
    room = page.locator("rect.frame").first.bounding_box()
    cursor = page.locator(".cursor").bounding_box()
    return float((cursor["x"] + cursor["width"] / 2 - room["x"]) / room["width"])


def now_of(page: Any, name: str) -> list[str]:  # noqa: ANN401
    row = page.locator("#now tr", has=page.get_by_text(name, exact=True))
    return list(row.locator("td").all_inner_texts())


def test_it_shows_all_its_parts(page: Any) -> None:  # noqa: ANN401
    assert page.locator("h1").inner_text() == TITLE
    assert page.title() == TITLE
    assert page.locator("path.curve").count() == 10  # of two hands
    assert page.locator("#matrix td").count() == 9
    assert page.locator("button.hold").count() == 2
    assert page.locator("button.hold img").first.evaluate("picture => picture.naturalWidth") == 128
    assert page.locator("svg text.name").all_text_contents()[:2] == [
        "Right: in view",
        "Right: phase",
    ]


def test_a_click_goes_there_in_video_and_read_outs(page: Any) -> None:  # noqa: ANN401
    click_at(page, 0.375)
    page.wait_for_function("Math.abs(document.getElementById('video').currentTime - 1.5) < 0.01")
    assert cursor_share(page) == pytest.approx(0.375, abs=0.003)
    assert page.locator("#clock").inner_text().startswith("0:01.5")
    assert now_of(page, "phase") == ["movement", NOTHING]
    assert now_of(page, "in view") == ["yes", "yes"]
    assert now_of(page, "Attention on the hand") == ["0.8", "0.8"]
    click_at(page, 0.75)
    assert now_of(page, "in view") == ["yes", "left the picture"]
    assert now_of(page, "Attention on the hand") == ["0.8", NOTHING]


def test_the_cursor_follows_the_video(page: Any) -> None:  # noqa: ANN401
    page.evaluate("document.getElementById('video').currentTime = 3")
    page.wait_for_function("document.getElementById('clock').textContent === '0:03.00'")
    assert cursor_share(page) == pytest.approx(0.75, abs=0.003)


def test_a_hold_leads_to_its_typical_frame(page: Any) -> None:  # noqa: ANN401
    page.locator("button.hold").nth(1).click()
    page.wait_for_function("document.getElementById('video').currentTime >= 2")
    assert page.evaluate("document.getElementById('video').currentTime") < 3


def test_zooming_keeps_the_moment_and_all_shows_all(page: Any) -> None:  # noqa: ANN401
    click_at(page, 0.5)
    for _ in range(2):
        page.locator("#in").click()
    ticks = page.locator("svg text[text-anchor=middle]:not(.word)")
    assert ticks.first.text_content() >= "0:01.5"
    assert cursor_share(page) == pytest.approx(0.5, abs=0.003)
    page.locator("#all").click()
    assert ticks.first.text_content() == "0:00.0"


def test_arrow_keys_go_by_a_frame(page: Any) -> None:  # noqa: ANN401
    click_at(page, 0.5)
    page.locator("#timeline").press("ArrowRight")
    page.wait_for_function("Math.abs(document.getElementById('video').currentTime - 2.04) < 0.02")


def test_bands_and_curves_are_where_their_times_are(page: Any) -> None:  # noqa: ANN401
    room = page.locator("rect.frame").first.bounding_box()
    holds = page.locator("g.right rect.band:not(.faint):not(.head)")
    for number, start_s in enumerate((0, 2)):
        box = holds.nth(number).bounding_box()
        assert (box["x"] - room["x"]) / room["width"] * SECONDS == pytest.approx(start_s, abs=0.01)
        assert box["width"] / room["width"] * SECONDS == pytest.approx(1, abs=0.01)
    left = page.locator("path.curve.left").first.bounding_box()
    assert (left["x"] - room["x"]) / room["width"] * SECONDS == pytest.approx(1, abs=0.05)
    assert left["width"] / room["width"] * SECONDS == pytest.approx(1, abs=0.08)


def test_it_is_dark_where_the_system_is(page: Any) -> None:  # noqa: ANN401
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == "rgb(20, 22, 26)"


def test_a_video_that_is_gone_is_told_of(page: Any, folder: Path) -> None:  # noqa: ANN401
    copy = folder / "alone.html"
    copy.write_bytes((folder / "b.annotation" / "b.html").read_bytes())
    other = page.context.new_page()
    other.goto(copy.as_uri())
    told = other.locator("#no-video")
    told.wait_for(state="visible")
    assert "cannot play ../a:b #1 %20?.mp4" in told.inner_text()
    click_at(other, 0.75)
    assert cursor_share(other) == pytest.approx(0.75, abs=0.003)
