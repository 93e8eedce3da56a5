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

import pytest
import torch
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoints import load_checkpoint
from models.evaluate import main as evaluate
from models.preprocessing import normalize
from models.train import Run, main, train
from models.training.learner import Learner, StepReport
from models.training.run_files import begin_with, read_recipe, read_weights, write_weights
from models.vit import VisionTransformer
from stream.errors import OutputError, WeightsError
from stream.sinks.png import write_png
from tests.conftest import ROOT
from tests.models.networks import SMALL, TINY, noise
from tests.waits import PROCESS_S, WAIT_S

CPU = torch.device("cpu")


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
