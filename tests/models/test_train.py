"""Training: a tiny run learns, does not collapse, and goes on as if it had never stopped."""

from __future__ import annotations

import json
import math
import signal
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import save_file

from models.checkpoints import load_checkpoint
from models.preprocessing import normalise
from models.train import Run, main, train
from models.training.checkpoint import read_weights, write_weights
from models.training.corpus import read_corpus
from models.training.learner import Learner, start_network
from models.training.losses import alike_loss
from models.training.recipe import Recipe
from models.training.views import ViewMaker
from models.vit import VisionTransformer
from stream.errors import OutputError, SourceFormatError, SourceNotFoundError, WeightsError
from tests.models.hand_sets import write_png, write_set
from tests.models.networks import TINY, noise

CPU = torch.device("cpu")
SMALL = Recipe(
    steps=100,
    batch=16,
    dim=32,
    depth=2,
    num_heads=2,
    cls_block=1,
    view_px=24,
    head_hidden=32,
    bottleneck=32,
    num_prototypes=32,
    warm_up=0.1,
    lr=3e-3,
    clutter=0.0,
    zoom_max=1.2,
    turn=0.1,
    contrast=0.0,
    contrast_fade=0.0,
    muon=1,
)


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
    pixels = normalise(torch.from_numpy(noise(32, 32)[None]))
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


def test_heads_asked_to_differ_do() -> None:
    views = torch.randn(2, 16, 3, 24, 24, generator=torch.Generator().manual_seed(0)).unbind()

    def alike(differ: float) -> float:
        learner = Learner(replace(SMALL, num_heads=4, differ=differ, alike_max=0.0), device=CPU)
        for _ in range(8):
            learner.step(list(views))
        _, row = learner.student.cls_feature(views[0])
        return alike_loss([row], 0.0).item()

    assert alike(differ=20.0) < 0.5 * alike(differ=0.0)


def test_infonce_term_tells_pictures_apart_where_asked_for() -> None:
    views = torch.randn(2, 16, 3, 24, 24, generator=torch.Generator().manual_seed(0)).unbind()

    def contrast(weight: float) -> float:
        learner = Learner(replace(SMALL, contrast=weight), device=CPU)
        return [learner.step(list(views)).contrast for _ in range(12)][-1]

    assert contrast(weight=1.0) < 0.6 * contrast(weight=0.0)


def test_infonce_term_fades_where_asked_to() -> None:
    steady = replace(SMALL, steps=100, contrast=0.5)
    fading = replace(steady, contrast_fade=0.4)
    assert [steady.contrast_at(step) for step in (0, 99)] == [0.5, 0.5]
    weights = [fading.contrast_at(step) for step in (0, 60, 80, 99)]
    assert weights == pytest.approx([0.5, 0.5, 0.25, 0.0125])


@pytest.mark.parametrize("muon", [0, 1])
def test_every_parameter_is_trained_by_one_optimiser(muon: int) -> None:
    learner = Learner(replace(SMALL, muon=muon), device=CPU)
    trained = {
        name: [id(p) for group in optimiser.param_groups for p in group["params"]]
        for name, optimiser in learner.optimisers.items()
    }
    everything = [*learner.student.parameters(), *learner.student_head.parameters()]
    both = [number for numbers in trained.values() for number in numbers]
    assert sorted(both) == sorted(id(p) for p in everything)
    matrices = [p for p in learner.student.blocks.parameters() if p.ndim == 2]
    assert len(matrices) == 4 * SMALL.depth
    assert trained.get("muon", []) == [id(p) for p in matrices] * muon


@pytest.mark.parametrize("where", ["cls_token", "blocks.0.attn.qkv.weight"])
def test_gradients_beyond_float16_hold_the_whole_step_back(where: str) -> None:
    """Whichever optimiser's they are."""
    learner = Learner(SMALL, device=CPU, dtype=torch.float16)
    views = torch.randn(2, 16, 3, 24, 24, generator=torch.Generator().manual_seed(0)).unbind()
    everything = [*learner.student.parameters(), *learner.teacher.parameters()]
    before = [parameter.detach().clone() for parameter in everything]
    spoilt = learner.student.get_parameter(where).register_hook(  # type: ignore[no-untyped-call]
        lambda grad: grad * math.inf
    )
    learner.step(list(views))
    assert all(torch.equal(a, b) for a, b in zip(before, everything, strict=True))
    spoilt.remove()
    assert math.isfinite(learner.step(list(views)).loss)
    assert not all(torch.equal(a, b) for a, b in zip(before, everything, strict=True))


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
    recipe = replace(SMALL, view_px=48, keep=0, clutter=0, jitter=0, grey=0, turn=0, zoom_max=1)
    black, white = (torch.full((1, 3, 8, 8), value, dtype=torch.uint8) for value in (0, 255))
    on_black, on_white = (ViewMaker(corpus, b, recipe, CPU).draw()[0] for b in (black, white))
    difference = (on_black - on_white).abs().amax(1)
    centre = difference[:, 22:26, 22:26].amax((1, 2))
    corner = difference[:, :3, :3].amax((1, 2))
    assert (centre < 0.02).float().mean() > 0.8
    # One backdrop in twelve is a plain grey, the same for both.
    assert (corner > 0.5).float().mean() > 0.7


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


def test_schedules_rise_and_end_where_they_should() -> None:
    recipe = Recipe(ramp=0.5, steps=1000, warm_up=0.1, lr=1.0, momentum=0.9)
    rates = [recipe.lr_at(step) for step in range(1001)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[1000] == pytest.approx(0.02)
    assert recipe.momentum_at(0) == pytest.approx(0.9)
    assert recipe.momentum_at(1000) == pytest.approx(1.0)
    strengths = [recipe.strength_at(step) for step in (0, 250, 500, 1000)]
    assert strengths == pytest.approx([0.25, 0.625, 1.0, 1.0])
    assert replace(recipe, ramp=0.0).strength_at(0) == 1.0


def test_fresh_network_depends_on_the_seed_alone() -> None:
    first, again, other = (
        start_network(SMALL.network, torch.Generator().manual_seed(seed)).blocks[0].state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["mlp.fc1.weight"], other["mlp.fc1.weight"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("grey", 1.5),
        ("lr", 0.0),
        ("zoom_max", 0.5),
        ("cls_block", 9),
        ("dim", 31),
        ("patch_px", 0),
        ("view_px", 25),
        ("cover_min", 0.0),
        ("cover_max", 1.1),
        ("cover_min", 0.5),
        ("first_min", 0.9),
        ("differ", -0.1),
        ("contrast", -0.1),
        ("contrast_fade", 1.1),
        ("muon", 2),
        ("alike_max", 1.1),
    ],
)
def test_numbers_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        replace(SMALL, **{name: value})  # type: ignore[arg-type]


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
    assert captured.err.startswith(f"models.train: {tmp_path / 'checkpoint.pth'}: ")
    assert captured.err.count("\n") == 1


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
    with pytest.raises(WeightsError, match="ask for more steps"):
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
