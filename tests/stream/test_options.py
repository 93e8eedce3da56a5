from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from run_live import COMMANDS, main
from stream.command_line.parsing import parse_args


def _parse(*argv: str) -> SimpleNamespace:
    _, options = parse_args(argv, COMMANDS)
    return SimpleNamespace(**options.by_name)


def test_no_arguments_open_the_first_camera() -> None:
    options = _parse()
    assert (options.command, options.source, options.model) == ("live", "0", "dino_hands8")
    assert (options.skeleton, options.hud, options.window) == (True, True, True)


def test_export_leaves_landmarks_and_read_outs_out_by_default() -> None:
    options = _parse("export", "clip.mp4")
    assert (options.command, options.source, options.output) == ("export", "clip.mp4", None)
    assert (options.skeleton, options.hud) == (False, False)
    assert _parse("export", "clip.mp4", "--skeleton", "--hud").skeleton


def test_every_shared_option_of_the_contract_is_understood_by_both() -> None:
    shared = shlex.split(
        "--model dino_vits8 --weights w.pth --head 3 --layer -2 --region frame --max-hands 1 "
        "--crop-size 160 --normalize absolute --colormap gray --alpha 0.5 --threshold 0.6 "
        "--layout side --no-skeleton --no-hud --mirror --precision float32 --device cpu "
        "--runtime torch --deinterlace --input-mirrored --start 1.5 --end 1:02 --max-frames 9 "
        "--hand-model h.task -v"
    )
    for options in (_parse("clip.mp4", *shared), _parse("export", "clip.mp4", *shared)):
        assert options.model == "dino_vits8"
        assert options.weights == Path("w.pth")
        assert (options.head, options.layer, options.region) == (3, -2, "frame")
        assert (options.max_hands, options.crop_size) == (1, 160)
        assert (options.normalize, options.colormap) == ("absolute", "gray")
        assert (options.alpha, options.threshold, options.layout) == (0.5, 0.6, "side")
        assert (options.skeleton, options.hud, options.mirror) == (False, False, True)
        assert (options.precision, options.device, options.runtime) == ("float32", "cpu", "torch")
        assert (options.start_s, options.end_s, options.max_frames) == (1.5, 62.0, 9)
        assert (options.deinterlace, options.input_mirrored) == (True, True)
        assert options.hand_model == Path("h.task")
        assert options.verbose


def test_output_may_stand_after_options() -> None:
    options = _parse("export", "in.mp4", "--random-weights", "--layout", "side", "out.mp4")
    assert (options.source, options.output) == ("in.mp4", Path("out.mp4"))


def test_names_that_begin_with_a_dash_stand_behind_two() -> None:
    options = _parse("export", "--random-weights", "--", "-in.mp4", "-out.mp4")
    assert (options.source, options.output) == ("./-in.mp4", Path("-out.mp4"))
    assert _parse("--", "-in.mp4").source == "./-in.mp4"


def test_the_url_of_a_file_is_that_file() -> None:
    assert _parse("export", "file:///clips/my%20sign.mp4").source == "/clips/my sign.mp4"


def test_a_file_called_like_a_camera_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _parse("0020").source == "0020"
    (tmp_path / "0020").touch()
    (tmp_path / "0").mkdir()
    assert _parse("0020").source == "./0020"
    assert _parse("export", "0020").source == "./0020"
    assert _parse().source == "0"


def test_an_address_with_a_broken_host_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["export", "http://[bad"])
    assert caught.value.code == 2
    assert "http://[bad is no address" in capsys.readouterr().err


def test_models_lists_or_fetches() -> None:
    assert _parse("models").command == "models"
    options = _parse("models", "fetch", "dino_vits8")
    assert (options.action, options.model) == ("fetch", "dino_vits8")


def test_file_called_like_a_command_is_reached_by_its_path() -> None:
    assert _parse("./export").source == "./export"


def test_file_called_almost_like_a_command_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exports").mkdir()
    assert _parse("exports").source == "exports"


def test_the_grid_of_heads_by_either_name() -> None:
    assert (_parse().head, _parse().layout) == ("mean", "overlay")
    assert _parse("--head", "all").layout == "overlay"  # of one head, once that is chosen by key
    assert _parse("--head", "all", "--layout", "heads").layout == "heads"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--head", "first"], "'first' must be a head's number, 'mean' or 'all'"),
        (["--alpha", "2"], "2 must be from 0 to 1"),
        (["--alpha", "nan"], "nan must be from 0 to 1"),
        (["--threshold", "1"], "between 0 and 1"),
        (["--threshold", "x"], "'x' must be between 0 and 1, or 'off'"),
        (["export", ""], "the input has an empty name"),
        (["--model", "huge"], "no 'huge': there are dino_hands8, dino_hands16, dino_vits16"),
        (["--model", "Dino_vits"], "did you mean dino_vits8? there are dino_hands8"),
        (["--max-hands", "0"], "0 must be from 1 to 8"),
        (["--max-frames", "0"], "0 must be >= 1"),
        (["--start", "-3"], "must be seconds"),
        (["--start", "1:2:3:4"], "must be seconds"),
        (["--start", "1:99"], "'1:99': minutes and seconds after a colon end at 59"),
        (["--start", "1:60:00"], "end at 59"),
        (["--start", "1.5:30"], "must be seconds"),
        (["--head", "all", "--layout", "side"], "--head all is a grid, which --layout side is not"),
        (["--layout", "overlay", "--head", "all"], "leave one of them out"),
        (["exprot", "a.mp4"], "there is no file exprot; did you mean export?"),
        (["Models"], "there is no file Models; did you mean models?"),
        (["clip.mp4", "--end", "0"], "--end 0 must be after --start 0"),
        (["--start", "5", "--end", "5"], "--end 5 must be after --start 5"),
        (["--weights", "w", "--random-weights"], "exclude each other"),
        (["--no-window"], "add --save FILE.mp4"),
        (["--no-window", "--save", "a.mp4", "--pre-roll", "3"], "--pre-roll is for the record key"),
        (["export", "a.mp4", "out.json"], "must end in .mp4"),
        (["0", "--save", "out"], "must end in .mp4"),
        (["--colormap", "jet"], "no 'jet': there are"),
        (["export"], "INPUT"),
        (["models", "fetch"], "which model"),
        (["models", "fetch", "huge"], "no 'huge': there are"),
        (["--no-such-option"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_says_what_is_allowed(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _parse(*argv)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert "--help" in said


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("12.5", 12.5), ("1:02", 62.0), ("90:00", 5400.0), ("1:00:00.5", 3600.5)],
)
def test_times_are_seconds_or_clock_times(text: str, seconds: float) -> None:
    assert _parse("clip.mp4", "--end", "9:00:00", "--start", text).start_s == seconds
