"""Training: a tiny run learns, does not collapse, and goes on as if it had never stopped."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoints import load_checkpoint
from models.evaluate import main as evaluate
from models.preprocessing import IMAGENET_MEAN, IMAGENET_STD, normalize
from models.train import Run, main, train
from models.training.corpus import Corpus, read_corpus
from models.training.learner import Learner, StepReport
from models.training.run_files import begin_with, read_recipe, read_weights, write_weights
from models.training.views import ViewMaker
from models.vit import VisionTransformer
from stream.errors import OutputError, SourceFormatError, SourceNotFoundError, WeightsError
from stream.sinks.png import write_png
from tests.clips import cut_off
from tests.conftest import ROOT
from tests.models.hand_sets import write_set
from tests.models.networks import SMALL, TINY, noise
from tests.waits import PROCESS_S, WAIT_S

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered set in miniature: blobs of many colours and shapes, with masks and truth."""
    folder = tmp_path_factory.mktemp("pictures")
    write_set(folder, count=48)
    return folder


@pytest.fixture(scope="session")
def backdrops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backdrops")
    for index in range(8):
        write_png(folder / f"{index}.png", noise(32, 32, 100 + index))
    return folder


@pytest.fixture(scope="session")
def finished(
    pictures: Path, backdrops: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, list[dict[str, float]]]:
    """A whole tiny run, and its log."""
    out = tmp_path_factory.mktemp("run")
    run = _run(pictures, backdrops, out)
    train(run, _quiet())
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return run, [json.loads(line) for line in lines]


def test_loss_falls_without_collapse(finished: tuple[Run, list[dict[str, float]]]) -> None:
    _, log = finished
    first, last = log[0], log[-1]
    assert last["step"] == SMALL.steps
    assert last["loss"] < first["loss"] - 0.5
    assert last["distillation"] < first["distillation"] - 0.5
    # Neither way to collapse: every picture the same, or nothing said about any.
    assert last["mean_entropy"] > 1.5
    assert last["teacher_entropy"] < math.log(SMALL.num_prototypes) - 0.3
    assert last["found"] > 1.5 / SMALL.batch


def test_interrupted_run_ends_in_the_same_bits(
    finished: tuple[Run, list[dict[str, float]]], tmp_path: Path
) -> None:
    whole, _ = finished
    begun = replace(whole, out=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(begun, Console(file=_Interrupting(after="step 35/")))
    assert torch.load(tmp_path / "checkpoint.pth", weights_only=True)["steps_done"] == 35
    train(replace(begun, resume=True), _quiet())
    for name in ("checkpoint.pth", "model.safetensors"):
        a, b = (_state(folder / name) for folder in (whole.out, tmp_path))
        assert a.keys() == b.keys()
        for key in a:
            assert torch.equal(a[key], b[key]), key


def test_weights_are_the_teacher_and_load_as_checkpoints(
    finished: tuple[Run, list[dict[str, float]]],
) -> None:
    run, _ = finished
    network, recipe = read_weights(run.out / "model.safetensors")
    assert recipe == run.recipe
    spec = replace(
        TINY, num_heads=2, depth=2, dim=32, cls_block=1, pretrain_px=recipe.view_px
    )  # fmt: skip
    pixels = normalize(torch.from_numpy(noise(32, 32)[None]))
    with torch.inference_mode():
        expected = network(pixels)
        for name in ("model.safetensors", "checkpoint.pth"):
            loaded = VisionTransformer(recipe.network)
            load_checkpoint(run.out / name, loaded, spec)
            torch.testing.assert_close(loaded(pixels), expected, rtol=1e-2, atol=1e-4)


def test_settings_change_the_views_and_the_seed_brings_them_back(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    backdrops = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    recipe = replace(SMALL, local_views=2, local_px=16, solarise=0.5)
    views = ViewMaker(corpus, backdrops, recipe, CPU).draw()
    assert [tuple(view.shape) for view in views] == [(16, 3, 24, 24)] * 2 + [(16, 3, 16, 16)] * 2
    assert all(view.isfinite().all() for view in views)
    again = ViewMaker(corpus, backdrops, recipe, CPU).draw()
    other = ViewMaker(corpus, backdrops, replace(recipe, seed=1), CPU).draw()
    assert all(torch.equal(a, b) for a, b in zip(views, again, strict=True))
    assert not torch.equal(views[0], other[0])
    easy = ViewMaker(corpus, backdrops, recipe, CPU).draw(0.0)
    assert not torch.equal(views[0], easy[0])
    report = Learner(recipe, device=CPU).step(views)
    assert math.isfinite(report.loss)


def test_a_run_without_muon_resumes_without_it(pictures: Path, tmp_path: Path) -> None:
    recipe = replace(SMALL, steps=2, muon=0)
    run = Run(data=(pictures,), out=tmp_path, recipe=recipe, num_threads=1, num_backdrops=4)
    said = StringIO()
    train(replace(run, resume=True), Console(file=said, width=200))
    assert "checkpoint.pth is not there: a new run begins" in said.getvalue()
    longer = replace(run, recipe=replace(recipe, steps=3), resume=True)
    train(longer, _quiet())
    assert torch.load(tmp_path / "checkpoint.pth", weights_only=True)["steps_done"] == 3
    with pytest.raises(WeightsError, match="muon was 0"):
        train(replace(longer, recipe=replace(recipe, steps=3, muon=1)), _quiet())


def test_a_run_begins_with_weights_of_the_same_network(
    finished: tuple[Run, list[dict[str, float]]], pictures: Path, tmp_path: Path
) -> None:
    run, _ = finished
    start, recipe = run.out / "model.safetensors", replace(SMALL, steps=1, lr=1e-9)
    train(
        Run(
            data=(pictures,), out=tmp_path, recipe=recipe, num_threads=1, num_backdrops=2,
            start=start,
        ),
        _quiet(),
    )  # fmt: skip
    before, after = (
        read_weights(start)[0].state_dict(),
        read_weights(tmp_path / "model.safetensors"),
    )
    for name, weight in after[0].state_dict().items():
        torch.testing.assert_close(weight, before[name], rtol=1e-3, atol=1e-4)
    with pytest.raises(WeightsError, match="of another network"):
        begin_with(start, Learner(replace(recipe, depth=recipe.depth + 1), device=CPU))


def test_a_run_on_larger_views_begins_as_its_start_sees_them(
    finished: tuple[Run, list[dict[str, float]]],
) -> None:
    run, _ = finished
    start = run.out / "model.safetensors"
    learner = Learner(replace(SMALL, view_px=48), device=CPU)
    begin_with(start, learner)
    pixels = normalize(torch.from_numpy(noise(48, 48)[None]))
    with torch.inference_mode():
        torch.testing.assert_close(learner.student(pixels), read_weights(start)[0](pixels))


def test_some_hands_are_dull_or_dark_before_what_is_behind_them() -> None:
    """So that neither colour nor brightness alone tells where a hand is."""
    hand = torch.zeros(1, 4, 64, 64, dtype=torch.uint8)
    hand[:, :, 16:48, 16:48] = torch.tensor([200, 90, 60, 255], dtype=torch.uint8)[:, None, None]
    corpus = Corpus(
        pictures=hand, boxes=torch.tensor([[16.0, 16, 48, 48]]), is_cut=torch.tensor([True])
    )
    recipe = replace(
        SMALL, batch=64, view_px=48, keep=0, plain=0, clutter=0, jitter=0, grey=0, turn=0
    )
    grey = torch.full((1, 3, 32, 32), 128, dtype=torch.uint8)
    view = ViewMaker(corpus, grey, recipe, CPU).draw()[0]
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    view = view * std + mean
    inside, behind = view[:, :, 20:28, 20:28].mean((2, 3)), view[:, :, :3, :3].mean((1, 2, 3))
    backlit = behind > 0.75  # the backdrop alone reaches 0.7
    assert 0 < backlit.float().mean() < 0.3
    assert inside[backlit].mean() < 0.7 * inside[~backlit].mean()
    colour = (inside.amax(1) - inside.amin(1)) / inside.amax(1)
    dull = colour < 0.15  # what views take away themselves leaves 0.2
    assert 0 < dull[~backlit].float().mean() < 0.4


def test_student_sees_a_random_part_of_each_view(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    backdrops = torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8)
    maker = ViewMaker(corpus, backdrops, replace(SMALL, mask=1 / 3), CPU)
    kept = maker.draw_kept()
    assert kept is not None
    assert kept.shape == (32, 6)  # two thirds of 3 x 3, for both views of 16 pictures
    assert all(len(set(row)) == 6 and max(row) < 9 for row in kept.tolist())
    assert len({tuple(sorted(row)) for row in kept.tolist()}) > 10
    assert ViewMaker(corpus, backdrops, replace(SMALL, mask=0.0), CPU).draw_kept() is None


def test_exchanged_backgrounds_leave_the_hand(pictures: Path) -> None:
    corpus = read_corpus([pictures], size_px=64)
    recipe = replace(
        SMALL, view_px=48, keep=0, plain=0, clutter=0, jitter=0, grey=0, turn=0, zoom_max=1
    )
    black, white = (torch.full((1, 3, 8, 8), value, dtype=torch.uint8) for value in (0, 255))
    on_black, on_white = (ViewMaker(corpus, b, recipe, CPU).draw()[0] for b in (black, white))
    difference = (on_black - on_white).abs().amax(1)
    centre = difference[:, 22:26, 22:26].amax((1, 2))
    corner = difference[:, :3, :3].amax((1, 2))
    assert (centre < 0.02).float().mean() > 0.8
    assert (corner > 0.5).float().mean() > 0.8
    plain = replace(recipe, plain=1)
    on_grey, too = (ViewMaker(corpus, b, plain, CPU).draw()[0] for b in (black, white))
    assert torch.equal(on_grey, too)  # whatever the backdrops are
    corners = on_grey[:, 0, :3, :3].flatten(1)  # red alone, normalized: light may be tinted
    assert corners.std(1).max() < 0.3  # the noise
    assert corners.mean(1).std() > 0.4  # each another grey


def test_each_backdrop_stands_behind_two_hands(pictures: Path) -> None:
    """So that nothing is won by going by what is behind a hand."""
    corpus = read_corpus([pictures], size_px=64)
    greys = torch.linspace(0, 255, 100).to(torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8)
    recipe = replace(SMALL, keep=0, plain=0, clutter=0, jitter=0, grey=0)
    first, second = ViewMaker(corpus, greys, recipe, CPU).draw()
    behind, too = (view[:, :, :2, :2].mean((1, 2, 3)) for view in (first, second))
    assert ((behind - too.roll(-1)).abs() < 0.15).float().mean() > 0.6  # but for windows
    assert ((behind - too).abs() < 0.15).float().mean() < 0.4


def test_student_of_a_run_sees_a_part_of_each_view(
    pictures: Path, backdrops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...] | None] = []

    class Recording(Learner):
        def step(self, views: list[Tensor], kept: Tensor | None = None) -> StepReport:
            seen.append(None if kept is None else tuple(kept.shape))
            return super().step(views, kept)

    monkeypatch.setattr("models.train.Learner", Recording)
    run = _run(pictures, backdrops, tmp_path)
    train(replace(run, recipe=replace(SMALL, steps=2, mask=1 / 3)), _quiet())
    assert seen == [(32, 6)] * 2


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ("--dim 0", "dim must be >= 1, got 0"),
        ("--dim 100", "dim must be a multiple of num_heads = 6, got 100"),
        ("--view-px 8", "two patches at least"),
        ("--view-px 100000", "1024 at most"),
        ("--turn 99", "turn must be in"),
        ("--wide 0.5", "wide must be"),
        ("--threads 0", "0 must be >= 1"),
        ("--limit some", "invalid integer value"),
    ],
)
def test_numbers_that_cannot_be_are_one_clear_line_before_anything_is_made(
    numbers: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as caught:
        main(["--data", str(tmp_path), "--out", str(out), *numbers.split()])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert fault in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_a_broken_video_of_a_folder_is_left_out_and_a_cut_one_told(
    sample_clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    cut_off(sample_clip, tmp_path / "b.mp4", 0.2)
    assert len(read_corpus([tmp_path], size_px=32)) > 0
    assert f"{tmp_path / 'b.mp4'} ends at" in caplog.text
    assert f"left out: {tmp_path / 'a.mp4'} is a text file" in caplog.text


def test_a_picture_of_a_format_nobody_means_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_png(tmp_path / "a.png", np.full((16, 16, 3), 90, np.uint8))
    made, jpeg_2000 = cv2.imencode(".jp2", np.zeros((16, 16, 3), np.uint8))
    (tmp_path / "b.png").write_bytes(jpeg_2000.tobytes() if made else b"no picture")
    corpus = read_corpus([tmp_path], size_px=16)
    assert len(corpus) == 1
    assert (corpus.pictures[0, :3] == 90).all()
    assert f"left out: {tmp_path / 'b.png'} is no picture" in caplog.text


def test_a_run_whose_output_nobody_reads_any_more_keeps_what_it_learnt(
    pictures: Path, backdrops: Path, tmp_path: Path
) -> None:
    arguments = (
        f"--data {pictures} --backdrops {backdrops} --out {tmp_path} --steps 1000000 --batch 4 "
        "--dim 16 --depth 2 --num-heads 2 --cls-block 1 --view-px 16 --log-every 1 --num-threads 1"
    )
    program = subprocess.Popen(
        [sys.executable, "-m", "models.train", *arguments.split()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        while not program.stdout.readline().startswith("step 1/"):
            assert program.poll() is None
        program.stdout.close()
        _, said = program.communicate(timeout=PROCESS_S)
    finally:
        program.kill()
        program.communicate(timeout=WAIT_S)
    assert program.returncode == 1
    assert said == "models.train: interrupted; --resume goes on from the checkpoint\n"
    assert read_recipe(tmp_path / "checkpoint.pth").steps == 1000000


def test_pictures_without_masks_train_too(tmp_path: Path) -> None:
    for index in range(4):
        write_png(tmp_path / f"{index}.jpg", noise(50, 40, index))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    corpus = read_corpus([tmp_path], size_px=32)
    assert tuple(corpus.pictures.shape) == (4, 4, 32, 32)
    assert not corpus.is_cut.any()
    views = ViewMaker(corpus, torch.zeros(1, 3, 1, 1, dtype=torch.uint8), SMALL, CPU).draw()
    assert views[0].std() > 0.3  # the noise of the pictures, not the black of the backdrop


def test_hands_of_videos_are_cut_out(sample_clip: Path) -> None:
    corpus = read_corpus([sample_clip], size_px=64, limit=3)
    assert tuple(corpus.pictures.shape) == (3, 4, 64, 64)


def test_a_run_is_not_overwritten(
    finished: tuple[Run, list[dict[str, float]]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = finished
    with pytest.raises(OutputError, match="--resume"):
        train(run, _quiet())
    assert main(["--data", str(run.data[0]), "--out", str(run.out)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("damage", [b"", b"text", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_one_clear_line(
    damage: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoint.pth").write_bytes(damage)
    assert main(["--data", str(tmp_path), "--out", str(tmp_path), "--resume"]) == 1
    captured = capsys.readouterr()
    assert captured.err == (
        f"models.train: {tmp_path / 'checkpoint.pth'}: is damaged or not a checkpoint; "
        "delete it, or choose another --out\n"
    )


def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pth").mkdir()
    with pytest.raises(WeightsError, match="cannot be read"):
        read_recipe(tmp_path / "checkpoint.pth")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_terminal_ends_a_run_with_a_checkpoint(
    pictures: Path, backdrops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closing(Learner):
        def step(self, views: list[Tensor], kept: Tensor | None = None) -> StepReport:
            signal.raise_signal(signal.SIGHUP)
            return super().step(views, kept)

    monkeypatch.setattr("models.train.Learner", Closing)
    with pytest.raises(KeyboardInterrupt):
        train(_run(pictures, backdrops, tmp_path), _quiet())
    assert torch.load(tmp_path / "checkpoint.pth", weights_only=True)["steps_done"] == 1


def test_a_checkpoint_of_another_network_is_refused(
    finished: tuple[Run, list[dict[str, float]]],
) -> None:
    run, _ = finished
    other = replace(run, recipe=replace(run.recipe, dim=16), resume=True)
    with pytest.raises(WeightsError, match=r"does not fit this run \(dim was \d+\)"):
        train(other, _quiet())


def test_heads_of_a_run_stay_as_they_are_though_no_shape_depends_on_them(
    finished: tuple[Run, list[dict[str, float]]],
) -> None:
    run, _ = finished
    other = replace(run, recipe=replace(run.recipe, num_heads=1), resume=True)
    with pytest.raises(WeightsError, match="num_heads was 2"):
        train(other, _quiet())


def test_a_run_that_is_further_than_asked_is_left_as_it_is(
    finished: tuple[Run, list[dict[str, float]]],
) -> None:
    run, _ = finished
    before = (run.out / "model.safetensors").read_bytes()
    shorter = replace(run, recipe=replace(run.recipe, steps=run.recipe.steps - 1), resume=True)
    with pytest.raises(WeightsError, match=r"at step \d+ already; ask for more with --steps$"):
        train(shorter, _quiet())
    assert (run.out / "model.safetensors").read_bytes() == before


def test_interrupted_before_the_first_step_promises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.train", interrupted)
    assert main(["--data", str(tmp_path), "--out", str(tmp_path)]) == 130
    assert "nothing was learnt yet" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["more", "fewer"])
def test_weights_of_another_version_are_named_as_such(
    change: str, finished: tuple[Run, list[dict[str, float]]], tmp_path: Path
) -> None:
    """Whose numbers would be taken for today's defaults."""
    with safe_open(finished[0].out / "model.safetensors", framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        (key,) = [key for key, value in file.metadata().items() if "steps" in value]
        numbers = json.loads(file.metadata()[key])
    name = "brightness" if change == "more" else "muon"
    if change == "more":
        numbers[name] = 1.0
    else:
        del numbers[name]
    other = tmp_path / "model.safetensors"
    save_file(tensors, other, {key: json.dumps(numbers)})
    with pytest.raises(WeightsError, match=f"another version of Signlight wrote it: {name};"):
        read_weights(other)


def test_weights_that_cannot_be_written_are_said_and_leave_nothing(
    finished: tuple[Run, list[dict[str, float]]], tmp_path: Path
) -> None:
    network, recipe = read_weights(finished[0].out / "model.safetensors")
    taken = tmp_path / "model.safetensors"
    taken.mkdir()  # what was written whole cannot take this place
    for path in (taken, tmp_path / "nowhere" / "model.safetensors"):
        with pytest.raises(OutputError, match="the weights cannot be written"):
            write_weights(path, network, recipe)
    assert list(tmp_path.iterdir()) == [taken]


@pytest.mark.parametrize("program", [main, partial(evaluate, draw=lambda block, path: None)])
def test_wrong_usage_is_one_line(
    program: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        program([])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="no such"):
        read_corpus([tmp_path / "absent"], size_px=32)
    with pytest.raises(SourceFormatError, match="nothing to train on"):
        read_corpus([tmp_path], size_px=32)


def test_command_line_trains(
    pictures: Path, backdrops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = (
        f"--data {pictures} --backdrops {backdrops} --out {out} --steps 2 --batch 4 --dim 16 "
        "--depth 2 --num-heads 2 --cls-block 1 --view-px 16 --log-every 1 --num-threads 1"
    )
    assert main(arguments.split()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "model.safetensors")
    network, recipe = read_weights(out / "model.safetensors")
    assert (recipe.steps, network.config.dim) == (2, 16)


def _run(pictures: Path, backdrops: Path, out: Path) -> Run:
    return Run(
        data=(pictures,), out=out, recipe=SMALL, backdrops=backdrops, device="cpu",
        precision="float32", num_threads=1, log_every=5,
    )  # fmt: skip


def _state(path: Path) -> dict[str, torch.Tensor]:
    """Return all tensors of a checkpoint or a file of weights by name."""
    if path.suffix == ".safetensors":
        return dict(read_weights(path)[0].state_dict())
    content = torch.load(path, weights_only=True)
    return {
        "centre": content["centre"],
        "views": content["views"],
        **{f"student.{key}": value for key, value in content["student"].items()},
        **{f"teacher.{key}": value for key, value in content["teacher"].items()},
        **{
            f"{optimiser}.{index}.{key}": value
            for optimiser in ("optimizer", "muon")
            for index, state in content[optimiser]["state"].items()
            for key, value in state.items()
        },
    }


class _Interrupting(StringIO):
    """Presses Ctrl-C when a text is written, as a person does who has seen enough."""

    def __init__(self, *, after: str) -> None:
        super().__init__()
        self._after = after

    def write(self, text: str) -> int:
        if self._after in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def _quiet() -> Console:
    return Console(file=StringIO())
