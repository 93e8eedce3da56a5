"""The page with the browser's own camera, in a real browser."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stream.annotation.events import read_events
from tests.clips import make_clip
from tests.served_view import SECOND_MS, ServedView, drop_file
from tests.stream.mp4_files import probe
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


def opened(
    chromium: Any,  # noqa: ANN401
    served: ServedView,
    complaints: list[str],
    *scripts: str,
    **context: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """A page that offers to start the camera, in a browser profile of its own."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}, **context).new_page()
    page.set_default_timeout(PROCESS_S * SECOND_MS / 2)
    for script in scripts:
        page.add_init_script(script)

    def is_let_in() -> bool:
        page.goto(served.address)
        page.locator("#message button:visible").first.wait_for()
        return bool(page.locator("#camera-start").is_visible())

    # Who has just left keeps a place until all of theirs is put away.
    until(is_let_in, "a place", between=lambda: page.wait_for_timeout(100))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
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


FLASHING_CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d");
  let level = 0;
  const paint = () => {
    level = (level + 32) % 224;
    for (const [left, colour] of [[0, `rgb(${32 + level} 0 0)`], [320, `rgb(0 0 ${32 + level})`]]) {
      context.fillStyle = colour;
      context.fillRect(left, 0, 320, 360);
    }
  };
  setInterval(paint, 1000 / 30);
  paint();
  return canvas.captureStream(30);
};
"""
"""Red beside blue, each picture as bright as the ones before and after it are not."""


def record(page: Any) -> None:  # noqa: ANN401
    page.locator("body").press("r")
    page.locator("#elapsed", has_text="0:01").wait_for()


def kept(page: Any, folder: Path) -> list[str]:  # noqa: ANN401
    """End a recording; return the names of its files, which are in a folder then."""
    with page.expect_download() as download:
        page.locator("#record").click()
    assert re.fullmatch(r"signlight-\d{8}-\d{6}\.zip", download.value.suggested_filename)
    with zipfile.ZipFile(download.value.path()) as files:
        assert files.testzip() is None
        files.extractall(folder)
        return files.namelist()


def times_of(path: Path) -> list[str]:
    found = probe(path, "-show_entries", "frame=pts_time:stream=codec_name")
    assert found["streams"][0]["codec_name"] == "h264"
    return [frame["pts_time"] for frame in found["frames"]]


def colours_of(path: Path) -> list[tuple[int, ...]]:
    """Red and blue of each picture's left and right."""
    with av.open(str(path)) as container:
        pictures = [each.to_ndarray(format="rgb24") for each in container.decode(video=0)]
    return [
        (*map(int, each[100, 100, ::2]), *map(int, each[100, each.shape[1] - 100, ::2]))
        for each in pictures
    ]


def test_a_recording_is_two_films_of_the_same_pictures_and_a_table(
    chromium: Any,  # noqa: ANN401
    served: ServedView,
    complaints: list[str],
    tmp_path: Path,
) -> None:
    page = opened(chromium, served, complaints, FLASHING_CAMERA, accept_downloads=True)
    start(page)
    page.locator("#mark").wait_for(state="hidden")
    record(page)
    page.locator("body").press("b")
    page.keyboard.type('HELLO, "r"')
    page.keyboard.press("Enter")
    page.select_option("#set-colormap", "viridis")
    page.wait_for_url("**/?*colormap=viridis*")
    page.locator("#mark").click()
    page.keyboard.press("Escape")
    page.locator("#mark").click()
    page.locator("#mark-name").wait_for()  # and is not named
    names = kept(page, tmp_path)
    page.locator("#toast", has_text="downloads").wait_for()
    page.context.close()
    stem = names[0].partition(".")[0]
    assert names == [f"{stem}.clean.mp4", f"{stem}.overlay.mp4", f"{stem}.events.csv"]
    clean, overlay, table = (tmp_path / name for name in names)
    times = times_of(clean)
    assert times == times_of(overlay)
    assert times[0] == "0.000000"
    assert len(times) > 5
    came, drawn = colours_of(clean), colours_of(overlay)
    assert len({each[0] // 32 for each in came}) > 3
    for number, ((red, no_blue, no_red, blue), mirrored) in enumerate(
        zip(came, drawn, strict=True)
    ):
        assert max(no_blue, no_red) < 24
        assert abs(red - blue) < 24
        assert np.allclose(mirrored, (no_red, blue, red, no_blue), atol=24), number
    with table.open(newline="", encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    assert {row["setting"]: row["value"] for row in rows if row["time_s"] == "0.000"}[
        "layout"
    ] == "overlay"
    later = [(row["setting"], row["value"]) for row in rows if row["time_s"] != "0.000"]
    # A change counts from the first picture that has it, a mark from the one on show.
    assert sorted(later) == [("colormap", "viridis"), ("mark", 'HELLO, "r"'), ("mark", "mark 2")]
    told = probe(overlay, "-show_chapters")["chapters"]
    titles = ", ".join(chapter["tags"]["title"] for chapter in told)
    assert sorted(titles.split(", ")) == ['"r"', "HELLO", "beginning", "colormap viridis", "mark 2"]
    stretches = read_events(table, Fraction(times[-1]))
    assert [each.value for each in stretches if each.tier == "mark"] == ['HELLO, "r"', "mark 2"]


def test_another_size_is_a_part_of_its_own_with_its_marks(page: Any, tmp_path: Path) -> None:  # noqa: ANN401
    start(page)
    page.locator("#age", has_text="ms").wait_for()
    record(page)
    page.locator("body").press("b")  # is named in the other part
    page.select_option("#set-layout", "side")
    until(
        lambda: page.locator("#picture").evaluate("it => it.width") > 1200,
        "the other size",
        between=lambda: page.wait_for_timeout(100),
    )
    page.keyboard.type("before")
    page.keyboard.press("Enter")
    page.locator("body").press("b")
    page.keyboard.type("after")
    names = kept(page, tmp_path)
    assert [name.partition(".")[2] for name in names] == 2 * [
        "clean.mp4",
        "overlay.mp4",
        "events.csv",
    ]
    tables = [(tmp_path / name).read_text() for name in names[2::3]]
    assert [re.findall("mark,(.*)", table) for table in tables] == [["before"], ["after"]]
    assert ["layout,side" in table for table in tables] == [False, True]
    for films in (names[:2], names[3:5]):
        clean, overlay = (times_of(tmp_path / name) for name in films)
        assert clean == overlay
    assert "-2." in names[3]


def test_a_file_that_cannot_be_shown_ends_what_is_recorded_and_another_start_is_live(
    page: Any,  # noqa: ANN401
) -> None:
    start(page)
    record(page)
    page.locator("#freeze").click()
    page.locator('#freeze[aria-pressed="true"]').wait_for()
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"}
    page.locator("#file").set_input_files(notes)
    page.locator("#toast", has_text="notes.txt is no video or picture").wait_for()
    assert page.locator("#lamp").is_visible(), "and goes on"
    broken = {"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    with page.expect_download():
        page.locator("#file").set_input_files(broken)
    page.locator("#words", has_text="cannot play a.mp4").wait_for()
    page.locator("#lamp").wait_for(state="hidden")
    page.locator("body").press(" ")  # there is nothing to freeze
    page.locator("#camera-start").click()
    page.locator("#message").wait_for(state="hidden")
    page.locator('#freeze[aria-pressed="false"]').wait_for()


def test_pictures_and_recordings_stay_in_the_browser(page: Any, served: ServedView) -> None:  # noqa: ANN401
    start(page)
    with page.expect_download() as snapshot:
        page.locator("#snapshot").click()
    assert re.fullmatch(r"signlight-\d{8}-\d{6}\.png", snapshot.value.suggested_filename)
    record(page)
    page.locator("#freeze").click()
    page.locator('#freeze[aria-pressed="true"]').wait_for()
    page.locator("#elapsed", has_text="0:02").wait_for()  # what is frozen is recorded for as long
    with page.expect_download() as recording:
        page.locator("#camera-stop").click()
    assert zipfile.is_zipfile(recording.value.path())
    assert [path.name for path in served.folder.iterdir()] == ["stderr"]


def test_pictures_that_a_browser_cannot_encode_in_time_are_counted_and_left_out_of_both_films(
    page: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    start(page)
    page.evaluate(
        """() => {
          let asked = 0; // by each film of each picture
          Object.defineProperty(VideoEncoder.prototype, "encodeQueueSize", { get: () => (asked++ % 3 ? 0 : 99) });
        }"""  # noqa: E501
    )
    record(page)
    page.locator("#dropped", has_text="not recorded").wait_for()
    names = kept(page, tmp_path)
    assert times_of(tmp_path / names[0]) == times_of(tmp_path / names[1])


def test_a_recording_that_cannot_go_on_is_kept_up_to_there_and_the_view_goes_on(
    page: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    start(page)
    record(page)
    with page.expect_download() as download:
        page.evaluate(
            """() => {
              const encode = VideoEncoder.prototype.encode;
              VideoEncoder.prototype.encode = function (...given) {
                VideoEncoder.prototype.encode = encode;
                this.configure({ codec: "avc1.42E00A", width: 4096, height: 4096 });
                encode.apply(this, given);
              };
            }"""
        )
    page.locator("#toast", has_text="cut short").wait_for()
    assert "downloads" in page.locator("#toast").inner_text()
    with zipfile.ZipFile(download.value.path()) as files:
        files.extractall(tmp_path)
        for name in files.namelist()[:2]:
            assert len(times_of(tmp_path / name)) > 1
    assert page.locator("#record").inner_text() == "Record"


def test_a_browser_that_keeps_no_videos_says_so(page: Any) -> None:  # noqa: ANN401
    page.evaluate("window.VideoEncoder = undefined")
    start(page)
    page.locator("#record").click()
    page.locator("#toast", has_text="snapshots").wait_for()
    assert page.locator("#record").inner_text() == "Record"


def test_a_video_of_a_single_picture_gets_its_map(
    page: Any,  # noqa: ANN401
    tmp_path: Path,
    sample_clip: Path,
) -> None:
    with av.open(str(sample_clip)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    clip = make_clip(tmp_path / "one.mp4", [picture])
    with page.expect_file_chooser() as chooser:
        page.locator("#file-choose").click()
    chooser.value.set_files(clip)
    page.locator("#age", has_text="ms").wait_for()


def test_a_video_plays_in_place_of_a_camera_not_mirrored(page: Any, sample_clip: Path) -> None:  # noqa: ANN401
    with page.expect_file_chooser() as chooser:
        page.locator("#file-choose").click()
    chooser.value.set_files(sample_clip)
    page.locator("#message").wait_for(state="hidden")
    page.locator("#age", has_text="ms").wait_for()
    assert not page.locator("#camera-lamp").is_visible()
    assert not page.locator("#set-mirror").is_checked()
    assert page.locator("#title").inner_text() == sample_clip.name


def test_a_camera_that_is_allowed_when_a_file_is_shown_already_is_off(
    page: Any,  # noqa: ANN401
    sample_clip: Path,
) -> None:
    page.evaluate(
        """() => {
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          window.asked = new Promise((tell) => {
            navigator.mediaDevices.getUserMedia = async (wanted) => {
              window.stream = await ask(wanted);
              await new Promise((allow) => { window.allow = allow; tell(); });
              return window.stream;
            };
          });
        }"""
    )
    page.locator("#camera-start").click()
    page.evaluate("window.asked")
    page.locator("#file").set_input_files(sample_clip)
    page.locator("#message").wait_for(state="hidden")
    page.evaluate(
        """async () => {
          window.allow();
          const [track] = window.stream.getTracks();
          while (track.readyState !== "ended") await new Promise(requestAnimationFrame);
        }"""
    )
    assert not page.locator("#camera-lamp").is_visible()
    assert page.locator("#title").inner_text() == sample_clip.name


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
