"""The page in a real browser: what a person sees, and what a click does."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import av
import pytest

from run_live import main
from tests.served_view import SECOND_MS, ServedView, drop_file
from tests.waits import PROCESS_S, until

ARABIC = "".join(map(chr, (0x625, 0x634, 0x627, 0x631, 0x629)))


@pytest.fixture(scope="module")
def served(sample_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedView]:
    folder = tmp_path_factory.mktemp("served")
    with ServedView(folder, str(sample_clip), "--max-viewers", "3") as view:
        yield view


@pytest.fixture
def page(chromium: Any, served: ServedView) -> Iterator[Any]:  # noqa: ANN401
    """The page with a picture on it; fails in the end where it complained."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PROCESS_S * SECOND_MS / 2)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(served.address)
    page.locator("#message").wait_for(state="hidden")
    yield page
    context.close()
    assert complaints == []


def test_the_clip_plays_at_once_with_its_readings_in_view(page: Any, served: ServedView) -> None:  # noqa: ANN401
    assert "token" not in page.url
    assert page.title() == f"fingerspelling.mp4 {chr(0x2013)} Signlight"
    assert page.locator("#picture").evaluate("it => [it.width, it.height]") == [1280, 720]
    first = page.locator("#picture").evaluate("it => it.toDataURL()")
    page.locator("#age", has_text="ms").wait_for()
    until(
        lambda: page.locator("#picture").evaluate("it => it.toDataURL()") != first,
        "another picture",
        between=served.pause,
    )
    for reading in ("fps", "latency", "age", "dropped"):
        assert page.locator(f"#{reading}").is_visible()
    assert "not an explanation" in page.locator("footer").inner_text()
    assert str(served.folder) not in page.content()


def test_clicks_and_keys_change_the_same_settings(page: Any) -> None:  # noqa: ANN401
    def chosen(head: str) -> Any:  # noqa: ANN401
        return page.locator('#strip [aria-pressed="true"]', has_text=head)

    page.locator("#strip button", has_text="3").click()
    chosen("3").wait_for()
    page.locator("body").press("m")
    chosen("mean").wait_for()
    page.select_option("#set-colormap", "viridis")
    page.get_by_role("slider", name="Opacity").fill("0.85")
    page.locator("#set-alpha-value", has_text="0.85").wait_for()
    page.locator("#set-mirror").click()
    page.locator("h1").click()
    page.locator("body").press("f")  # back again, by its key
    page.locator("#set-mirror:not(:checked)").wait_for()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#set-alpha-value", has_text="0.85").wait_for()
    assert other.locator("#set-colormap").input_value() == "viridis"
    other.close()
    page.locator("#strip button", has_text="1").click()
    page.wait_for_url("**/?*head=1*")
    page.locator("#strip button", has_text="4").click()
    page.wait_for_url("**/?*head=4*")
    page.goto(page.url.replace("head=4", "head=1"))
    chosen("1").wait_for()  # the address sets what it says


def test_a_model_that_never_comes_is_told_after_a_minute_and_holds_up_nothing(page: Any) -> None:  # noqa: ANN401
    page.add_init_script(
        """const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (said) {
          if (!`${said}`.startsWith("model=")) send.call(this, said);
        };"""
    )
    page.clock.install()
    page.goto(urljoin(page.url, "/?model=dino_hands16&head=2&alpha=0.35"))
    page.locator("#set-alpha-value", has_text="0.35").wait_for()
    assert page.locator('#strip [aria-pressed="true"]').inner_text() != "2"
    page.clock.fast_forward(60 * SECOND_MS)
    page.locator("#toast", has_text="dino_hands16 is not ready").wait_for()
    page.wait_for_url(lambda address: "alpha=0.35" in address and "model" not in address)
    assert page.locator('#strip [aria-pressed="true"]').inner_text() != "2"
    assert "head=2" not in page.url


def test_who_chooses_a_model_by_hand_has_it_whatever_the_address_asks_for(page: Any) -> None:  # noqa: ANN401
    page.add_init_script(
        """window.said = [];
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (said) {
          window.said.push(said);
          if (!`${said}`.startsWith("model=")) send.call(this, said);
        };"""
    )
    page.clock.install()
    page.goto(urljoin(page.url, "/?model=dino_hands16&head=2&alpha=0.4"))
    page.locator("#set-alpha-value", has_text="0.40").wait_for()
    first = page.locator("#set-model").input_value()
    for name in ("dino_hands16", first):  # and back, before either is ready
        page.select_option("#set-model", name)
    page.get_by_role("slider", name="Opacity").fill("0.35")
    page.wait_for_url(lambda address: "alpha=0.35" in address and "model" not in address)
    page.clock.fast_forward(60 * SECOND_MS)
    asked = [each for each in page.evaluate("window.said") if each.startswith("model=")]
    assert asked == [f"model={name}" for name in ("dino_hands16", "dino_hands16", first)]
    assert page.locator("#toast").is_hidden()
    assert page.locator('#strip [aria-pressed="true"]').inner_text() != "2"


def test_what_an_address_asks_for_in_vain_is_told_and_the_rest_is_set(page: Any) -> None:  # noqa: ANN401
    page.goto(urljoin(page.url, "/?model=nonsense&alpha=7&colormap=cividis"))
    page.locator("#toast", has_text="model=nonsense, alpha=7").wait_for()
    page.wait_for_url(lambda address: "colormap=cividis" in address and "model" not in address)


def test_freezing_holds_the_picture(page: Any) -> None:  # noqa: ANN401
    page.locator("#help").click()
    page.locator("#close").click()
    page.keyboard.press(" ")  # of the picture, not of the button that was clicked
    page.locator('#freeze[aria-pressed="true"]').wait_for()
    page.keyboard.press(" ")
    page.locator('#freeze[aria-pressed="false"]').wait_for()
    page.keyboard.press("ArrowLeft")
    page.locator("#notice", has_text="-5 s").wait_for()


def test_snapshot_and_recording_are_kept_where_it_was_started(
    page: Any,  # noqa: ANN401
    served: ServedView,
) -> None:
    page.locator("#snapshot").click()
    until(lambda: bool([*served.folder.glob("*.png")]), "a snapshot", between=served.pause)
    page.locator("#record").click()
    page.locator("#lamp").wait_for()
    page.locator("#elapsed", has_text="0:01").wait_for()
    page.locator("#record", has_text="Stop").click()
    page.locator("#lamp").wait_for(state="hidden")
    page.locator("#notice", has_text="saved signlight-").wait_for()
    (recording,) = served.folder.glob("signlight-*.overlay.mp4")
    with av.open(str(recording)) as container:
        assert len([*container.decode(video=0)]) > 1


def test_several_name_their_marks_at_a_time(page: Any, served: ServedView) -> None:  # noqa: ANN401
    before = {*served.folder.glob("*.csv")}
    other = page.context.new_page()
    other.set_viewport_size({"width": 390, "height": 844})
    other.goto(page.url)
    page.locator("body").press("b")
    page.locator("#notice", has_text="press r first").wait_for()
    page.locator("#record").click()
    page.locator("#elapsed", has_text="0:01").wait_for()
    page.bring_to_front()
    page.locator("body").press("b")
    page.keyboard.type("rest, 1 ")
    other.bring_to_front()
    other.locator("#mark").click()
    other.keyboard.insert_text(ARABIC)
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    other.locator("#naming button", has_text="Keep").click()
    other.locator("#notice", has_text=ARABIC).wait_for()
    other.locator("#mark").click()
    other.locator("#mark-drop").click()
    other.locator("#notice", has_text="no mark").wait_for()
    page.bring_to_front()
    page.locator("#mark-name").press("Enter")
    page.locator("#notice", has_text="rest, 1").wait_for()
    page.locator("body").press("b")
    page.locator("#record").click()  # what is typed so far is the name
    page.locator("#naming").wait_for(state="hidden")
    until(
        lambda: len({*served.folder.glob("*.csv")}) > len(before), "a table", between=served.pause
    )
    (table,) = {*served.folder.glob("*.csv")} - before
    with table.open(newline="", encoding="utf-8") as file:
        marks = [row["value"] for row in csv.DictReader(file) if row["setting"] == "mark"]
    assert marks == ["rest, 1", ARABIC, "mark 3"]
    other.close()


def test_who_types_on_when_another_ends_the_recording_presses_no_keys(
    page: Any,  # noqa: ANN401
    served: ServedView,
) -> None:
    before = {*served.folder.glob("*.csv")}
    other = page.context.new_page()
    other.goto(page.url)
    page.bring_to_front()
    page.locator("#record").click()
    page.locator("#elapsed", has_text="0:01").wait_for()
    page.locator("body").press("b")
    page.keyboard.type("half")
    other.bring_to_front()
    other.locator("#record[aria-pressed=true]").click()
    page.bring_to_front()
    page.locator("#toast", has_text="typed until then").wait_for()
    page.keyboard.type(" r")
    page.keyboard.press("Enter")
    page.locator("#naming").wait_for(state="hidden")
    until(
        lambda: len({*served.folder.glob("*.csv")}) > len(before), "a table", between=served.pause
    )
    assert page.locator("#record").get_attribute("aria-pressed") == "false"
    assert page.locator("#freeze").get_attribute("aria-pressed") == "false"
    (table,) = {*served.folder.glob("*.csv")} - before
    with table.open(newline="", encoding="utf-8") as file:
        assert [row["value"] for row in csv.DictReader(file) if row["setting"] == "mark"] == [
            "half"
        ]
    other.close()


def test_the_list_of_keys_opens_and_closes(page: Any) -> None:  # noqa: ANN401
    page.set_viewport_size({"width": 844, "height": 390})
    page.locator("body").press("?")
    assert page.locator("#keys").is_visible()
    assert page.locator("#keys").evaluate("it => it.scrollTop") == 0, "it begins with the first"
    assert "skeleton" in page.locator("#key-list").inner_text()
    assert "quit" not in page.locator("#key-list").inner_text()
    page.locator("#keys").press("Escape")
    page.locator("#keys").wait_for(state="hidden")


def test_a_dropped_file_leaves_the_view_alone_and_the_page_says_so(page: Any) -> None:  # noqa: ANN401
    drop_file(page, "clip.mp4")
    assert "--own-camera" in page.locator("#toast").inner_text()
    page.locator("#toast").wait_for(state="hidden")
    assert page.locator("#message").is_hidden()


@pytest.mark.parametrize(
    ("width", "height"), [(320, 844), (390, 844), (820, 844), (1280, 844), (844, 390), (667, 375)]
)
def test_nothing_is_cut_off_on_narrow_and_wide_screens(page: Any, width: int, height: int) -> None:  # noqa: ANN401
    page.set_viewport_size({"width": width, "height": height})
    page.locator("#strip button").first.wait_for()
    scroll_width = page.evaluate(
        """() => {
            const shown = { fps: "30.0 frames/s", latency: "12345 ms", age: "12345 ms", dropped: "12345, 678 not recorded" };
            for (const [id, words] of Object.entries(shown)) document.getElementById(id).textContent = words;
            return document.documentElement.scrollWidth;
        }"""  # noqa: E501
    )
    assert scroll_width <= width, "on a busy machine"
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = page.locator("#age").bounding_box()
    assert 0 <= box["y"] <= height - box["height"], "the readings stay in view"


def test_a_phone_reads_notices_beside_the_picture_where_they_are_large_enough(page: Any) -> None:  # noqa: ANN401
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#freeze").click()
    page.locator('#freeze[aria-pressed="true"]').wait_for()
    page.select_option("#set-layout", "side")
    page.locator("#notice", has_text="layout: side").wait_for()
    assert page.locator("#notice").bounding_box()["width"] > 80
    page.locator("#freeze").click()
    page.select_option("#set-layout", "overlay")


def test_the_clean_view_is_the_picture_alone(page: Any) -> None:  # noqa: ANN401
    page.goto(urljoin(page.url, "/view?clean=1"))
    page.locator("#message").wait_for(state="hidden")
    assert page.locator("#picture").is_visible()
    assert not page.locator("#settings, header, footer, #readings").first.is_visible()


def test_the_end_is_told_in_a_sentence(page: Any, served: ServedView) -> None:  # noqa: ANN401
    """Last of this file: it ends the view."""
    code, said = served.end()
    assert code == 130, said
    page.locator("#message").wait_for(state="visible")
    assert "has ended" in page.locator("#words").inner_text()
    assert page.locator("#record").is_disabled()
    assert "frames shown" in said
    assert "saved signlight-" in said


def test_a_source_that_is_missing_is_told_before_anything_is_served(tmp_path: Path) -> None:
    with ServedView(tmp_path, "clip.mp4") as view:
        assert view.process.wait(PROCESS_S) == 1
    assert view.text() == "signlight: there is no file clip.mp4; check the path\n"


def test_other_machines_are_let_in_only_when_asked_and_told_what_that_means(
    tmp_path: Path, sample_clip: Path
) -> None:
    arguments = (str(sample_clip), "--host", "0.0.0.0", "--random-weights")
    with ServedView(tmp_path, *arguments) as view:
        assert "token=" in view.address
        assert "browsers allow a page their own camera only on localhost" in view.text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clip.mp4", "--own-camera"], "leave out clip.mp4"),
        (["--own-camera", "--save", "a.mp4"], "each browser has its own"),
        (["--own-camera", "--pre-roll", "3"], "with --own-camera there are none"),
        (["--cert", "cert.pem"], "--cert and --key go together"),
    ],
)
def test_what_does_not_go_together_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", *arguments])
    assert end.value.code == 2
    assert words in " ".join(capsys.readouterr().err.split())
