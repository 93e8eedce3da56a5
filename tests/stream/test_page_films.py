"""Films and archives that the page writes in a browser, as other readers find them."""

from __future__ import annotations

import base64
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stream.screens.page import Page
from tests.stream.mp4_files import probe
from tests.waits import WAIT_S

WRITE_FILM = """async ([width, height, timesUs, chapters]) => {
  const { Film, findCodec } = await import("/mp4.js");
  const codec = await findCodec();
  const film = new Film(codec, width, height);
  for (const [index, timeUs] of timesUs.entries()) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.fillStyle = `rgb(${40 + 40 * index} 0 200)`;
    context.fillRect(0, 0, width, height);
    const bitmap = await createImageBitmap(canvas);
    film.write(bitmap, timeUs);
    bitmap.close();
  }
  await film.finish();
  const file = film.file(chapters);
  return file && [codec, ...new Uint8Array(await file.arrayBuffer())];
}"""
WITHOUT_H264 = """
const isSupported = VideoEncoder.isConfigSupported.bind(VideoEncoder);
VideoEncoder.isConfigSupported = async (config) =>
  config.codec.startsWith("avc1") ? { supported: false } : isSupported(config);
"""
AS_FIREFOX = """
const Encoder = VideoEncoder;
window.VideoEncoder = class extends Encoder {
  constructor({ output, error }) {
    let sets = null;
    super({
      error,
      output: (chunk, metadata) => {
        if (metadata?.decoderConfig) {
          const told = new Uint8Array(metadata.decoderConfig.description);
          const sequence = told.slice(8, 8 + told[7]);
          const picture = told.slice(8 + told[7] + 3);
          sets = [0, 0, 0, sequence.length, ...sequence, 0, 0, 0, picture.length, ...picture];
          const twice = (unit) => [0, unit.length + 1, unit[0], ...unit];
          const wrong = [...told.slice(0, 6), ...twice(sequence), 1, ...twice(picture)];
          metadata.decoderConfig.description = Uint8Array.from(wrong);
        }
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        const whole = chunk.type === "key" ? Uint8Array.from([...sets, ...data]) : data;
        const { type, timestamp } = chunk;
        output(new EncodedVideoChunk({ type, timestamp, data: whole }), metadata ?? {});
      },
    });
  }
};
"""
ZIP = """async (files) => {
  const { zipped } = await import("/zip.js");
  const zip = await zipped(files.map(([name, words]) => [name, new Blob([words])]));
  const url = await new Promise((told) => {
    const reader = new FileReader();
    reader.onload = () => told(reader.result);
    reader.readAsDataURL(zip);
  });
  return url.split(",")[1];
}"""


@pytest.fixture
def shown(chromium: Any, page: Page) -> Iterator[Any]:  # noqa: ANN401
    """The page in a browser."""
    context = chromium.new_context()
    shown = context.new_page()
    shown.goto(page.server.address)
    yield shown
    context.close()


def write_film(
    shown: Any,  # noqa: ANN401
    path: Path,
    times_us: Sequence[int],
    *,
    size_wh: tuple[int, int] = (320, 240),
    chapters: Sequence[tuple[float, str]] = (),
) -> str:
    """Write pictures of more and more red; return the coding."""
    codec, *content = shown.evaluate(WRITE_FILM, [*size_wh, times_us, chapters])
    path.write_bytes(bytes(content))
    return str(codec)


@pytest.mark.parametrize("name", ["h264", "vp9"])
def test_a_film_keeps_each_picture_with_its_time_and_colour(
    shown: Any,  # noqa: ANN401
    tmp_path: Path,
    name: str,
) -> None:
    if name == "vp9":
        shown.add_init_script(WITHOUT_H264)
        shown.reload()
    times_us = [0, 33_333, 50_000, 1_250_000, 3_700_000]
    write_film(shown, tmp_path / "a.mp4", times_us)
    found = probe(tmp_path / "a.mp4", "-show_frames", "-show_streams")
    (stream,) = found["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == (name, 320, 240)
    times_s = [float(frame["pts_time"]) for frame in found["frames"]]
    assert np.allclose(times_s, [each / 1e6 for each in times_us], atol=1e-5)
    assert [frame["key_frame"] for frame in found["frames"]] == [1, 0, 0, 0, 1]
    with av.open(str(tmp_path / "a.mp4")) as container:
        middles = [each.to_ndarray(format="rgb24")[120, 160] for each in container.decode(video=0)]
    expected = [(40 + 40 * index, 0, 200) for index in range(len(times_us))]
    assert np.allclose(middles, expected, atol=8), middles


def test_parameters_are_those_of_the_pictures_where_a_browser_tells_others(
    shown: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    """As Firefox does: the first byte of each is told twice."""
    shown.add_init_script(AS_FIREFOX)
    shown.reload()
    write_film(shown, tmp_path / "a.mp4", [0, 33_333, 2_500_000])
    with av.open(str(tmp_path / "a.mp4")) as container:
        told = container.streams.video[0].codec_context.extradata
        assert told is not None
        assert len(list(container.decode(video=0))) == 3
    assert told[8:10] == bytes((0x67, told[1])), "a set of a sequence, then its profile"
    decode = ("ffmpeg", "-v", "warning", "-i", tmp_path / "a.mp4", "-f", "null", "-")
    assert subprocess.run(decode, capture_output=True, check=True, timeout=WAIT_S).stderr == b""


@pytest.mark.parametrize("size_wh", [(321, 241), (1285, 360)])
def test_an_odd_row_or_column_is_cut_off(
    shown: Any,  # noqa: ANN401
    tmp_path: Path,
    size_wh: tuple[int, int],
) -> None:
    write_film(shown, tmp_path / "a.mp4", [0], size_wh=size_wh)
    (stream,) = probe(tmp_path / "a.mp4", "-show_streams")["streams"]
    assert (stream["width"], stream["height"]) == tuple(side // 2 * 2 for side in size_wh)
    assert stream["nb_frames"] == "1"
    assert float(stream["duration"]) == pytest.approx(1 / 30, abs=1e-4)


def test_chapters_have_titles_of_any_script_cut_to_whole_characters(
    shown: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    long = 100 * chr(0x624B)  # three bytes each, and there is room for 255
    chapters = [(0.0, "first"), (0.5, long)]
    write_film(shown, tmp_path / "a.mp4", [0, 1_000_000], chapters=chapters)
    told = probe(tmp_path / "a.mp4", "-show_chapters")["chapters"]
    titles = [(float(each["start_time"]), each["tags"]["title"]) for each in told]
    assert titles == [(0.0, "first"), (0.5, long[:85])]


def test_a_browser_plays_what_it_kept(shown: Any, tmp_path: Path) -> None:  # noqa: ANN401
    write_film(shown, tmp_path / "a.mp4", [0, 500_000, 1_000_000])
    film = base64.b64encode((tmp_path / "a.mp4").read_bytes()).decode()
    played = shown.evaluate(
        """async (film) => {
          const video = document.createElement("video");
          const content = Uint8Array.from(atob(film), (each) => each.charCodeAt(0));
          video.src = URL.createObjectURL(new Blob([content], { type: "video/mp4" }));
          await new Promise((told, failed) => { video.onloadeddata = told; video.onerror = failed; });
          video.currentTime = 1.01;
          await new Promise((told) => { video.onseeked = told; });
          const canvas = new OffscreenCanvas(320, 240);
          const context = canvas.getContext("2d");
          context.drawImage(video, 0, 0);
          const [red] = context.getImageData(160, 120, 1, 1).data;
          return [video.duration, video.videoWidth, video.videoHeight, red];
        }""",  # noqa: E501
        film,
    )
    last_red = 120
    assert played == [pytest.approx(1 + 1 / 30), 320, 240, pytest.approx(last_red, abs=8)]


def test_without_a_picture_there_is_no_film(shown: Any) -> None:  # noqa: ANN401
    assert shown.evaluate(WRITE_FILM, [320, 240, [], []]) is None


def test_an_archive_has_all_files_as_they_are(shown: Any, tmp_path: Path) -> None:  # noqa: ANN401
    long = "".join(f"{number} and " for number in range(1_000_000))  # is read in several parts
    files = {"a.csv": "time_s", f"{chr(0x624B)}.txt": "", "long.txt": long}
    (tmp_path / "a.zip").write_bytes(base64.b64decode(shown.evaluate(ZIP, [*files.items()])))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name).decode() for name in archive.namelist()} == files


def test_what_is_too_large_for_an_archive_is_left_alone(shown: Any) -> None:  # noqa: ANN401
    files = '[["a", { size: 3e9 }], ["b", { size: 2e9 }]]'
    assert shown.evaluate(f"""async () => (await import("/zip.js")).zipped({files})""") is None
