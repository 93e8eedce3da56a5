"""The benchmark's honesty about models: the baseline does the same, the rows tell the truth."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from models.bench.figures import MatrixRate
from models.bench.maps import Timed, interleave, official_way, runtimes_here, time_maps
from models.bench.official import VIDEO_WH, OfficialWay
from models.bench.peak import measure_matrix_rate
from models.loading import build_network, load_model
from models.registry import MODELS
from models.runtimes.selection import choose
from models.vit import VisionTransformer, VitConfig
from stream.errors import SourceFormatError

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["dino_vits16", "dino_vits8"])
def test_official_way_makes_the_maps_that_ours_makes(name: str) -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    official = official_way(MODELS[name], device=CPU, num_threads=1)
    assert official is not None
    maps = official.attend(image)
    with load_model(
        name, random_weights=True, device="cpu", runtime="torch", precision="float32", num_threads=1
    ) as ours:
        expected = ours.attend(image).weights
    assert np.abs(maps - expected).max() <= 1e-5 * expected.max()


def test_official_way_of_a_transformer_whose_cls_joins_late() -> None:
    config = VitConfig(patch_px=4, dim=12, depth=3, num_heads=2, pretrain_px=8, cls_block=2)
    network = VisionTransformer(config)
    network.initialise(torch.Generator().manual_seed(3))
    image = np.random.default_rng(2).integers(0, 256, (8, 12, 3), np.uint8)
    mean = np.array([0.485, 0.456, 0.406])
    std = np.array([0.229, 0.224, 0.225])
    pixels = torch.from_numpy((image / 255 - mean) / std).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        expected = network.eval()(pixels)[0].numpy()
    maps = OfficialWay(network, device=CPU, num_threads=1).attend(image)
    assert np.abs(maps - expected).max() <= 1e-5 * expected.max()


@pytest.mark.parametrize("name", ["dino_hands16", "dinov3_vits16", "dino_resnet50"])
def test_converted_way_makes_the_rows_that_ours_makes(name: str) -> None:
    pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)
    from models.bench.maps import _converted_way

    image = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    rows = _converted_way(MODELS[name], 64, dtype=torch.float32, num_threads=1).attend(image)
    network = build_network(MODELS[name])
    network.initialise(torch.Generator().manual_seed(0))
    ours = choose("cpu", "openvino", "float32").open(network, num_threads=1)
    expected = ours.submit([image], MODELS[name].depth - 1)()[0]
    ours.close()
    assert np.abs(rows - expected).max() <= 2e-5 * expected.max()
    assert "openvino_telemetry" not in sys.modules


def test_converted_way_is_timed_beside_openvino() -> None:
    pytest.importorskip("models.runtimes.openvino_cpu", exc_type=ImportError)
    figures = time_maps(
        MODELS["dino_hands16"], runtimes=["openvino"], device="cpu", precision="float32",
        num_threads=1, crop_px=32, budget_s=0.0, rates=[],
    )  # fmt: skip
    assert [each.runtime for each in figures] == ["openvino", "converted", "official"]
    assert len({each.num_maps for each in figures}) == 1


@pytest.mark.parametrize("name", ["dino_resnet50", "dinov2_vits14", "dinov3_vits16"])
def test_official_way_is_that_of_dino_transformers_alone(name: str) -> None:
    assert official_way(MODELS[name], device=CPU, num_threads=1) is None


def test_official_export_writes_pictures_and_a_video_of_them(
    hand_clip: Path, tmp_path: Path
) -> None:
    official = official_way(MODELS["dino_vits16"], device=CPU, num_threads=1)
    assert official is not None
    assert official.export(hand_clip, tmp_path, num_frames=3) > 0
    assert len(list(tmp_path.glob("frame-*.jpg"))) == 3
    assert len(list(tmp_path.glob("attn-*.jpg"))) == 3
    with av.open(str(tmp_path / "video.mp4")) as video:
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(pictures) == 3
    assert pictures[0].shape == (VIDEO_WH[1], VIDEO_WH[0], 3)
    assert pictures[0].std() > 10, "the map is one colour"


def test_official_export_of_no_video_says_so(tmp_path: Path) -> None:
    clip = tmp_path / "no.mp4"
    clip.write_bytes(b"not a video")
    official = official_way(MODELS["dino_vits16"], device=CPU, num_threads=1)
    assert official is not None
    with pytest.raises(SourceFormatError, match="no frame"):
        official.export(clip, tmp_path, num_frames=3)


def test_figures_of_a_model_follow_from_its_times_and_the_rate() -> None:
    rate = MatrixRate(device="cpu", precision="float32", gflop_s=100.0)
    ours, official = time_maps(
        MODELS["dino_vits16"],
        runtimes=["torch"],
        device="cpu",
        precision="float32",
        num_threads=1,
        crop_px=32,
        budget_s=0.0,
        rates=[rate],
    )
    assert (ours.runtime, ours.device, ours.precision) == ("torch", "cpu", "float32")
    assert (official.runtime, official.model) == ("official", "dino_vits16")
    assert ours.num_maps == official.num_maps >= 5
    assert 0 < ours.least_ms <= ours.median_ms <= ours.p95_ms
    assert ours.floor_ms == pytest.approx(1e3 * ours.gflop / 100.0)
    assert ours.times_floor == pytest.approx(ours.in_a_row_ms / (1e3 * ours.gflop / 100.0))
    assert ours.maps_per_s == pytest.approx(1e3 / ours.in_a_row_ms)


def test_time_in_a_row_is_that_of_the_calls_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "models.bench.maps.interleave",
        lambda calls, budget_s: {key: Timed([30.0, 20.0, 20.0], [18.0] * 6) for key in calls},
    )
    ours, _ = time_maps(
        MODELS["dino_vits16"], runtimes=["torch"], device="cpu", precision="float32",
        num_threads=1, crop_px=32, budget_s=0.0, rates=[],
    )  # fmt: skip
    assert (ours.median_ms, ours.least_ms, ours.in_a_row_ms, ours.num_maps) == (20, 20, 18, 3)


def test_no_floor_where_the_rate_of_the_precision_is_unknown() -> None:
    (figures,) = time_maps(
        MODELS["dino_resnet50"],
        runtimes=["torch"],
        device="cpu",
        precision="float32",
        num_threads=1,
        crop_px=32,
        budget_s=0.0,
        rates=[MatrixRate(device="cpu", precision="bfloat16", gflop_s=100.0)],
    )
    assert figures.floor_ms is None
    assert figures.times_floor is None


def test_calls_are_timed_in_turns() -> None:
    order: list[str] = []
    calls = {
        ("a", "", ""): lambda: order.append("a"),
        ("b", "", ""): lambda: order.append("b"),
    }
    timed = interleave(calls, budget_s=0.0)
    num_turns = len(timed["a", "", ""].after_pause)
    assert num_turns == len(timed["b", "", ""].after_pause) >= 5
    assert len(timed["a", "", ""].in_a_row) == 2 * num_turns
    turns = list(itertools.islice(itertools.cycle("aaabbb"), 6 * num_turns))
    assert order[-len(turns) :] == turns


def test_a_pause_is_not_counted_and_stands_before_the_first_of_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 0.0
    order: list[str] = []

    def spend(what: str, seconds: float) -> None:
        nonlocal now_s
        now_s += seconds
        order.append(what)

    monkeypatch.setattr("models.bench.maps.time.perf_counter", lambda: now_s)
    monkeypatch.setattr("models.bench.maps.time.sleep", lambda seconds: spend("pause", seconds))
    timed = interleave({("a", "", ""): lambda: spend("call", 0.25)}, budget_s=0.0)["a", "", ""]
    assert [*timed.after_pause, *timed.in_a_row] == pytest.approx([250.0] * 15)
    turns = ["pause", "call", "call", "call"] * len(timed.after_pause)
    assert order[-len(turns) :] == turns


def test_runtime_asked_for_is_the_only_one() -> None:
    assert runtimes_here("cpu", "torch", "auto") == (["torch"], [])
    names, missing = runtimes_here("cpu", "auto", "float32")
    assert len(names) + len(missing) == 2, "a runtime that is missing is explained"


def test_matrix_rate_is_that_of_a_machine() -> None:
    rate = measure_matrix_rate(CPU, torch.float32, num_threads=1, budget_s=0.0)
    assert (rate.device, rate.precision) == ("cpu", "float32")
    # One core does more than 10^8 and less than 10^13 operations a second.
    assert 0.1 < rate.gflop_s < 10_000
