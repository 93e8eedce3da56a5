"""The renderer's command line, run as a user runs it, at tiny sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from samples.anatomy import JOINTS
from samples.handshapes import LETTERS
from samples.render import main
from tests.conftest import ROOT
from tests.waits import PROCESS_S


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "samples.render", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_S, check=False,
    )  # fmt: skip


def _error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failed run leaves on stderr (after the progress bar's)."""
    lines = [line for line in capsys.readouterr().err.splitlines() if "samples.render:" in line]
    assert len(lines) == 1
    return lines[0]


def test_set_is_written_with_its_truth_and_continued(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    ran = _run("set", "--count", "2", "--size", "48", "--out", str(folder))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    names = {path.name for path in folder.iterdir()}
    numbered = {f"{i:06d}{end}" for i in range(2) for end in (".png", ".mask.png", ".json")}
    assert names == numbered | {"set.json"}
    for index in range(2):
        image = np.asarray(cv2.imread(str(folder / f"{index:06d}.png")))
        labels = np.asarray(cv2.imread(str(folder / f"{index:06d}.mask.png"), cv2.IMREAD_UNCHANGED))
        truth = json.loads((folder / f"{index:06d}.json").read_text())
        assert image.shape == (48, 48, 3)
        assert labels.shape == (48, 48)
        assert truth["index"] == index
        assert set(np.unique(labels)) <= set(range(len(truth["hands"]) + 1))
        for hand in truth["hands"]:
            assert hand["handedness"] in ("left", "right")
            assert hand["letter"] in ("", *LETTERS)
            assert np.array(hand["landmarks_px"]).shape == (21, 2)
            assert tuple(hand["angles_deg"]) == JOINTS

    # What is whole is kept, what is missing is drawn again as it was, and the set can grow.
    first, second = folder / "000000.png", folder / "000001.png"
    before = second.read_bytes()
    first.write_bytes(b"kept")
    second.unlink()
    (folder / "000001.json").unlink()
    assert main(["set", "--count", "3", "--size", "48", "--out", str(folder)]) == 0
    assert first.read_bytes() == b"kept"
    assert second.read_bytes() == before
    assert (folder / "000002.json").exists()


def test_set_of_other_settings_is_not_mixed_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["set", "--count", "1", "--size", "32", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["set", "--count", "1", "--size", "40", "--out", str(tmp_path)]) == 1
    assert "choose another folder" in _error_line(capsys)
    (tmp_path / "set.json").write_text("{")
    assert main(["set", "--count", "1", "--size", "32", "--out", str(tmp_path)]) == 1
    assert "set.json" in _error_line(capsys)


def test_sheet_shows_all_letters(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    ran = _run("sheet", "--size", "40", "--out", str(path))
    assert ran.returncode == 0, ran.stderr
    sheet = np.asarray(cv2.imread(str(path)))
    assert sheet.shape == (3 * 40, 9 * 40, 3)
    # 26 tiles with a hand, red over green over blue, and one empty one, green over red.
    tiles = sheet.reshape(3, 40, 9, 40, 3).transpose(0, 2, 1, 3, 4).reshape(27, -1, 3).astype(int)
    skin = (tiles[..., 2] > tiles[..., 1] + 8).mean(1)
    assert (skin[:26] > 0.08).all()
    assert skin[26] == 0.0


def test_clip_spells_a_word(tmp_path: Path) -> None:
    path = tmp_path / "hi.mp4"
    assert main(["clip", "--word", "hi", "--size", "48", "--out", str(path)]) == 0
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (86, 48)
        frames = [frame.pts * frame.time_base for frame in container.decode(video)]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec_context.name == "aac"
    steps = np.diff(np.array(frames, float))
    np.testing.assert_allclose(steps, 1 / 30, atol=1e-4)
    assert 50 < len(frames) < 150
    assert [path.name for path in tmp_path.iterdir()] == ["hi.mp4"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["clip", "--word", "S1GN"], "S1GN"),
        (["clip", "--word", ""], "letters"),
        (["clip", "--size", "0"], "--size must be at least 16, got 0"),
        (["clip", "two_hands", "--word", "HI"], "--word"),
        (["sheet", "--size", "0"], "got 0"),
        (["set", "--count", "0", "--size", "32"], "count and size must be >= 1"),
        (["set", "--count", "1", "--size", "0"], "count and size must be >= 1"),
        (["set", "--count", "1", "--size", "32", "--seed", "-1"], "--seed must be >= 0"),
    ],
)
def test_bad_values_get_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert said in _error_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["clip", "--word", "A", "--size", "32"],
        ["sheet", "--size", "16"],
        ["set", "--count", "1", "--size", "16"],
    ],
)
def test_unwritable_place_gets_one_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main([*arguments, "--out", str(blocked / "out.mp4")]) == 1
    assert str(blocked) in _error_line(capsys)
    assert blocked.read_text() == "in the way"


def test_wrong_usage_is_exit_code_2() -> None:
    ran = _run("set", "--count", "many", "--size", "32", "--out", "x")
    assert ran.returncode == 2
    assert "invalid int value: 'many'" in ran.stderr


def test_a_missing_numba_is_one_clear_line(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "from samples.render import main\n"
        f"sys.exit(main(['set', '--count', '1', '--size', '64', '--out', {str(tmp_path)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, timeout=PROCESS_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "samples.render:" in line]
    assert said == [
        "samples.render: needs numba, which is not installed: "
        'pip install -c constraints.txt -e ".[render]"'
    ]
    assert "Traceback" not in done.stderr
