"""The page with the browser's own camera, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.served_view import SECOND_MS, ServedView, drop_file
from tests.waits import PROCESS_S, until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedView]:
    folder = tmp_path_factory.mktemp("served")
    with ServedView(folder, "--own-camera", "--max-viewers", "2") as view:
        yield view


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What pages complain of; nothing, in the end."""
    complaints: list[str] = []
    yield complaints
    assert complaints == []


def opened(chromium: Any, served: ServedView, complaints: list[str], **context: Any) -> Any:  # noqa: ANN401
    """A page that offers to start the camera, in a browser profile of its own."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, **context).new_page()
    page.set_default_timeout(PROCESS_S * SECOND_MS / 2)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(served.address)
    page.locator("#camera-start").wait_for()
    return page


@pytest.fixture
def page(chromium: Any, served: ServedView, complaints: list[str]) -> Iterator[Any]:  # noqa: ANN401
    page = opened(chromium, served, complaints, permissions=["camera"], accept_downloads=True)
    yield page
    page.context.close()


def start(page: Any) -> None:  # noqa: ANN401
    page.locator("#camera-start").click()
    page.locator("#message").wait_for(state="hidden")


def test_a_camera_starts_by_a_click_with_its_lamp_its_name_and_maps(page: Any) -> None:  # noqa: ANN401
    assert not page.locator("#camera-lamp").is_visible()
    start(page)
    assert page.locator("#camera-lamp").inner_text() == "camera on"
    assert page.locator("#set-mirror").is_checked()
    assert "camera.mjpeg" in page.locator("#camera-menu option:checked").inner_text()
    page.locator("#age", has_text="ms").wait_for()
    assert page.locator("#picture").evaluate("it => it.width") >= 320
    page.locator("#set-mirror").uncheck()
    page.wait_for_url("**/?*mirror=off*")
    page.locator("#camera-stop").click()
    page.locator("#words", has_text="camera is off").wait_for()
    assert not page.locator("#camera-lamp").is_visible()
    assert not re.search(r"\d", page.locator("#fps").inner_text()), "nothing is read any more"
    start(page)
    page.locator("#camera-lamp").wait_for()
    assert not page.locator("#set-mirror").is_checked(), "what a person chose stays"


def test_two_show_different_cameras_and_settings_and_a_third_is_refused(
    chromium: Any,  # noqa: ANN401
    served: ServedView,
    complaints: list[str],
    page: Any,  # noqa: ANN401
) -> None:
    start(page)
    other = opened(chromium, served, complaints, permissions=["camera"])
    start(other)
    other.locator("#strip button", has_text="2").click()
    other.locator('#strip [aria-pressed="true"]', has_text="2").wait_for()
    for each in (page, other):
        each.locator("#age", has_text="ms").wait_for()
    assert page.locator('#strip [aria-pressed="true"]').inner_text() == "mean"
    third = chromium.new_page()
    third.goto(served.address)
    third.locator("#words", has_text="as many browsers watch as may").wait_for()
    third.close()
    other.context.close()


def test_a_refused_camera_is_explained_with_the_way_out(
    chromium: Any,  # noqa: ANN401
    served: ServedView,
    complaints: list[str],
) -> None:
    page = opened(chromium, served, complaints, permissions=[])
    page.locator("#camera-start").click()
    page.locator("#words", has_text="may not use the camera. Allow it").wait_for()
    assert page.locator("#camera-start").is_visible()
    page.context.close()


def test_another_model_takes_over_while_the_picture_goes_on(page: Any) -> None:  # noqa: ANN401
    start(page)
    page.locator("#age", has_text="ms").wait_for()
    page.select_option("#set-model", "dino_hands16")
    page.wait_for_url("**/?*model=dino_hands16*")
    page.locator("#age", has_text="ms").wait_for()
    page.reload()  # the address asks for it again
    assert page.locator("#set-model").input_value() == "dino_hands8"
    start(page)
    page.wait_for_url("**/?*model=dino_hands16*")
    until(
        lambda: page.locator("#set-model").input_value() == "dino_hands16",
        "the model of the address",
        between=lambda: page.wait_for_timeout(100),
    )


def test_what_is_recorded_stays_in_the_browser(page: Any, served: ServedView) -> None:  # noqa: ANN401
    start(page)
    page.locator("#age", has_text="ms").wait_for()
    with page.expect_download() as snapshot:
        page.locator("#snapshot").click()
    assert snapshot.value.suggested_filename.endswith(".png")
    page.locator("#record").click()
    page.locator("#elapsed", has_text="0:01").wait_for()
    with page.expect_download() as recording:
        page.locator("#record").click()
    assert Path(recording.value.path()).stat().st_size > 10_000
    assert [path.name for path in served.folder.iterdir()] == ["stderr"]


def test_a_browser_that_keeps_no_videos_says_so(page: Any) -> None:  # noqa: ANN401
    page.evaluate("window.MediaRecorder = undefined")
    start(page)
    page.locator("#record").click()
    assert "snapshots" in page.locator("#toast").inner_text()
    assert page.locator("#record").inner_text() == "Record"


def test_a_video_plays_in_place_of_a_camera_not_mirrored(page: Any, sample_clip: Path) -> None:  # noqa: ANN401
    with page.expect_file_chooser() as chooser:
        page.locator("#file-choose").click()
    chooser.value.set_files(sample_clip)
    page.locator("#message").wait_for(state="hidden")
    page.locator("#age", has_text="ms").wait_for()
    assert not page.locator("#camera-lamp").is_visible()
    assert not page.locator("#set-mirror").is_checked()


def test_a_dropped_file_that_is_no_video_is_told(page: Any) -> None:  # noqa: ANN401
    drop_file(page, "notes.mp4")
    page.locator("#words", has_text="cannot play notes.mp4").wait_for()
    assert page.locator("#camera-start").is_visible()


def test_the_end_leaves_nothing_behind(page: Any, served: ServedView) -> None:  # noqa: ANN401
    """Last of this file: it ends the view."""
    start(page)
    tasks = Path(f"/proc/{served.process.pid}/task")
    names = [(each / "comm").read_text().strip() for each in tasks.iterdir()]
    assert sum(name.startswith("signlight-visit") for name in names) <= 1, names
    code, said = served.end()
    assert code == 130, said
    assert "fail" not in said
    page.locator("#words", has_text="has ended").wait_for()
