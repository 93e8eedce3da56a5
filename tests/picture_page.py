"""Pictures of the page for the README: ``python -m tests.picture_page`` writes samples/page*.jpg.

They need Chromium and Playwright, as the page's tests do.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from stream.frames import RgbImage
from stream.sinks.jpeg import encode_jpeg
from stream.sources.picture_files import PictureReader
from tests.browsers import opened_chromium, write_camera
from tests.conftest import ROOT
from tests.served_view import SECOND_MS, ServedView
from tests.waits import PROCESS_S, until

SAMPLES = ROOT / "samples"
CLIP = SAMPLES / "fingerspelling.mp4"
DESKTOP_WH, PHONE_WH = (1280, 860), (390, 860)
GAP_PX = 20
GREY = 128


def main() -> None:
    """Write both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera = folder / "camera.mjpeg"
        write_camera(camera, CLIP)
        with opened_chromium(camera) as chromium:
            _write(SAMPLES / "page.jpg", _clip_playing(chromium, folder))
            _write(SAMPLES / "page_states.jpg", _states(chromium, folder))


def _clip_playing(chromium: Any, folder: Path) -> list[RgbImage]:  # noqa: ANN401
    """The sample clip on a desktop in light colours, on a phone in dark ones."""
    with ServedView(folder, str(CLIP)) as view:
        pictures = []
        for size_wh, scheme in ((DESKTOP_WH, "light"), (PHONE_WH, "dark")):
            with _opened(chromium, view, size_wh, scheme) as page:
                _wait_for_maps(page)
                pictures.append(_picture_of(page, folder))
        return pictures


def _states(chromium: Any, folder: Path) -> list[RgbImage]:  # noqa: ANN401
    """One's own camera on phones: before it starts, at work, refused, lost, and at the end."""
    pictures = []
    with ServedView(folder, "--own-camera") as view:
        with _opened(chromium, view, PHONE_WH, "light") as page:
            page.locator("#camera-start").click()
            page.locator("#words", has_text="may not use").wait_for()
            pictures.append(_picture_of(page, folder))
        with _opened(chromium, view, PHONE_WH, "light", permissions=["camera"]) as page:
            page.locator("#camera-start").wait_for()
            pictures.insert(0, _picture_of(page, folder))
            page.locator("#camera-start").click()
            _wait_for_maps(page)
            pictures.insert(1, _picture_of(page, folder))
            page.locator("#camera-video").evaluate("video => video.pause()")
            page.wait_for_timeout(5 * SECOND_MS)
            pictures.append(_picture_of(page, folder))
            view.end()
            page.locator("#words", has_text="has ended").wait_for()
            pictures.append(_picture_of(page, folder))
    return pictures


@contextmanager
def _opened(
    chromium: Any,  # noqa: ANN401
    view: ServedView,
    size_wh: tuple[int, int],
    scheme: str,
    **context: Any,  # noqa: ANN401
) -> Iterator[Any]:
    viewport = {"width": size_wh[0], "height": size_wh[1]}
    opened = chromium.new_context(viewport=viewport, color_scheme=scheme, **context)
    page = opened.new_page()
    page.set_default_timeout(PROCESS_S * SECOND_MS)
    page.goto(view.address)
    yield page
    opened.close()


def _wait_for_maps(page: Any) -> None:  # noqa: ANN401
    """Wait until the maps are quick and on the heads' buttons."""
    page.locator("#strip canvas:not([hidden])").first.wait_for()
    # The test's camera is called by its path, which is nobody's business.
    page.locator("#camera-menu").evaluate(
        "menu => { for (const each of menu.options) each.textContent = 'Integrated camera'; }"
    )
    until(
        lambda: re.fullmatch(r"\d{1,2} ms", page.locator("#age").inner_text()) is not None,
        "a map that is quick",
        between=lambda: page.wait_for_timeout(50),
    )


def _picture_of(page: Any, folder: Path) -> RgbImage:  # noqa: ANN401
    path = folder / "screen.png"
    page.screenshot(path=path)
    return PictureReader().read(path)


def _write(path: Path, pictures: Sequence[RgbImage]) -> None:
    """Write pictures of one height side by side."""
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), GREY, np.uint8)
    row = [pictures[0]]
    for picture in pictures[1:]:
        row += [gap, picture]
    path.write_bytes(encode_jpeg(np.ascontiguousarray(np.concatenate(row, axis=1))))


if __name__ == "__main__":
    main()
