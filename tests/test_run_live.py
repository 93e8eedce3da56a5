"""The whole program, run as a person runs it: arguments in, files and exit codes out."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from models.registry import DEFAULT_MODEL, MODELS
from run_live import main
from samples.hand import render_hand
from stream.hashing import sha256_of
from tests.clips import audio_packets, make_clip
from tests.program import PTS, QUICK, TIME_BASE, decoded, fails
from tests.stream.servers import ClipServer


def test_export_keeps_times_finds_the_hand_and_says_how(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert main(["export", str(hand_clip), str(output), *QUICK]) == 0
    times, pictures = decoded(output)
    assert times == [pts * TIME_BASE for pts in PTS]
    assert decoded(hand_clip)[0] == times
    # The overlay is there: what was exported is not what was read.
    difference = np.abs(pictures[3].astype(int) - decoded(hand_clip)[1][3])
    assert difference.max() > 60

    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert sidecar["frames"] == len(PTS)
    assert sidecar["frames_with_hand"] == len(PTS)
    assert sidecar["hands"] == {"left": 0, "right": len(PTS)}
    assert sidecar["model"] == DEFAULT_MODEL
    assert sidecar["weights_sha256"] is None
    assert sidecar["source_sha256"] == sha256_of(hand_clip)
    assert sidecar["options"]["crop_size"] == 32
    assert sidecar["options"]["random_weights"] is True
    assert sidecar["versions"]["python"]
    assert sidecar["seconds"] > 0
    assert sidecar["warnings"] == []


def test_two_exports_are_the_same_frames(hand_clip: Path, tmp_path: Path) -> None:
    pictures = []
    for name in ("one.mp4", "two.mp4"):
        assert main(["export", str(hand_clip), str(tmp_path / name), *QUICK]) == 0
        pictures.append(decoded(tmp_path / name)[1])
    for first, second in zip(*pictures, strict=True):
        np.testing.assert_array_equal(first, second)


def test_output_stands_beside_the_input_by_default(hand_clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / "my sign.mp4"
    copy.write_bytes(hand_clip.read_bytes())
    assert main(["export", str(copy), *QUICK, "--max-frames", "2"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "my sign.mp4",
        "my sign.overlay.mp4",
        "my sign.overlay.json",
    }


@pytest.mark.parametrize("layout", ["side", "heads", "insets"])
@pytest.mark.parametrize("region", ["hands", "frame"])
def test_every_layout_of_hands_and_of_the_whole_picture(
    hand_clip: Path, tmp_path: Path, layout: str, region: str
) -> None:
    pictures = []
    for chosen in ("overlay", layout):
        output = tmp_path / f"{chosen}.mp4"
        look = ["--layout", chosen, "--region", region, "--skeleton", "--threshold", "0.6"]
        command = ["export", str(hand_clip), str(output), *QUICK, *look, "--max-frames", "2"]
        assert main(command) == 0
        sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
        num_seen = 2 if region == "hands" else None  # of a whole picture nobody looks for hands
        assert sidecar["frames_with_hand"] == sidecar["hands"]["right"] == num_seen
        pictures.append(decoded(output)[1])
    plain, other = pictures
    assert len(other) == 2
    if layout == "insets":
        assert other[0].shape == plain[0].shape
        assert np.abs(other[0].astype(int) - plain[0]).max() > 60
    else:  # a panel stands beside the picture
        assert other[0].shape[1] > plain[0].shape[1]


def test_read_outs_are_drawn_where_they_are_asked_for(hand_clip: Path, tmp_path: Path) -> None:
    pictures = []
    for name, hud in (("without", []), ("off", ["--no-hud"]), ("on", ["--hud"])):
        output = tmp_path / f"{name}.mp4"
        command = ["export", str(hand_clip), str(output), *QUICK, *hud, "--max-frames", "1"]
        assert main(command) == 0
        pictures.append(decoded(output)[1][0].astype(int))
    without, off, on = pictures
    assert (without == off).all()
    assert np.abs(on - off)[:40].max() > 60


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"signlight {metadata.version('signlight')}\n"


def test_random_weights_are_written_across_the_picture(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    # Grey without a hand: the mark appears with the first map, here of the whole picture.
    folder = tmp_path / "grey"
    folder.mkdir()
    write_png(folder / "0.png", np.full((240, 320, 3), 128, np.uint8))
    plain = ["--region", "frame", "--alpha", "0"]
    output = tmp_path / "out.mp4"
    assert main(["export", str(folder), str(output), *QUICK, *plain]) == 0
    (picture,) = decoded(output)[1]
    middle = picture[picture.shape[0] * 2 // 5 : picture.shape[0] * 3 // 5]
    bright = (middle.min(axis=2) > 190).any(axis=0)
    assert bright.mean() > 0.2, "no letters across the middle"
    assert bright[: bright.size // 4].any()
    assert bright[-bright.size // 4 :].any()


def test_part_of_a_file_starts_at_zero(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "part.mp4"
    part = ["--start", "0.08", "--end", "0.2"]
    assert main(["export", str(hand_clip), str(output), *QUICK, *part]) == 0
    assert decoded(output)[0] == [Fraction(pts - 48, 600) for pts in (48, 60, 96)]


def test_resnet_shows_activation(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    options = ["--model", "dino_resnet50", "--random-weights", "--crop-size", "64", "--head", "2"]
    assert main(["export", str(hand_clip), str(output), *options, "--max-frames", "2"]) == 0
    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    assert (sidecar["model"], sidecar["layer"]) == ("dino_resnet50", 3)
    without = tmp_path / "without.mp4"
    clear = ["--alpha", "0"]
    assert (
        main(["export", str(hand_clip), str(without), *options, *clear, "--max-frames", "2"]) == 0
    )
    shown, plain = decoded(output)[1][1], decoded(without)[1][1]
    assert np.abs(shown.astype(int) - plain).max() > 60, "no activation is drawn"


def test_live_without_a_window_saves_every_frame(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "live.mp4"
    assert main([str(hand_clip), "--no-window", "--save", str(output), *QUICK]) == 0
    assert decoded(output)[0] == [pts * TIME_BASE for pts in PTS]


def test_live_part_of_a_file_is_saved_from_time_zero(hand_clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "live.mp4"
    part = ["--start", "0.08", "--end", "0.2"]
    assert main([str(hand_clip), "--no-window", "--save", str(output), *QUICK, *part]) == 0
    assert decoded(output)[0] == [Fraction(pts - 48, 600) for pts in (48, 60, 96)]


def test_what_is_saved_of_a_file_that_plays_has_its_sound(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", audio_codec="aac")
    output = tmp_path / "live.mp4"
    assert main([str(clip), "--no-window", "--save", str(output), *QUICK]) == 0
    assert audio_packets(output) == audio_packets(clip)


def test_a_file_on_a_web_server_keeps_its_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = make_clip(
        tmp_path / "talk.mp4",
        num_frames=12,
        audio_codec="aac",
        muxer_options={"movflags": "faststart"},
    )
    with ClipServer({"talk.mp4": clip.read_bytes()}) as server:
        url = server.url("talk.mp4", login="me:secret@")
        assert main(["export", url, *QUICK, "--region", "frame"]) == 0
    assert audio_packets(tmp_path / "talk.overlay.mp4") == audio_packets(clip)
    text = (tmp_path / "talk.overlay.json").read_text(encoding="utf-8")
    assert json.loads(text)["warnings"] == []
    assert "secret" not in text


def test_folder_of_pictures_is_exported_beside_itself(tmp_path: Path) -> None:
    from stream.sinks.png import write_png

    folder = tmp_path / "shots"
    folder.mkdir()
    for index in range(3):
        write_png(folder / f"{index}.png", render_hand("B", size_px=96, seed=index).image)
    assert main(["export", str(folder), *QUICK]) == 0
    assert len(decoded(tmp_path / "shots.overlay.mp4")[0]) == 3


def test_table_of_models_names_each_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["models"]) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in MODELS)
    assert str(tmp_path) in table
    assert "Apache-2.0" in table


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["export"])
    assert caught.value.code == 2
    assert "INPUT" in capsys.readouterr().err


def test_unexpected_fault_is_one_line_and_a_traceback_only_on_request(
    hand_clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("models.load_model", broken, raising=False)
    assert "ZeroDivisionError: by zero" in fails(capsys, "export", hand_clip, *QUICK)
    with pytest.raises(ZeroDivisionError):
        main(["export", str(hand_clip), *QUICK, "-v"])


@pytest.mark.parametrize("command", ["train", "evaluate", "evaluate-hands"])
def test_programs_beside_it_are_commands_too(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: signlight {command} ")


def test_what_follows_such_a_command_is_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate-hands", str(tmp_path / "nothing"), "--max-hands", "1"]) == 1
    assert capsys.readouterr().err.startswith("signlight evaluate-hands: there is no folder ")
