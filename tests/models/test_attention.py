"""DinoModel: pictures and crops in, maps out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models import DinoModel, load_model
from models.preprocessing import normalize
from models.registry import find_spec
from models.runtimes.protocol import Pending
from models.runtimes.torch_cpu import TorchRuntime
from stream.frames import RgbImage
from stream.geometry import CropTransform, HandCrop, HandRegion
from stream.protocols import AttentionModel
from tests.models.networks import TINY, noise, plain_cls_attention, tiny_vit

pytestmark = pytest.mark.usefixtures("one_torch_thread")

CPU = torch.device("cpu")


@pytest.fixture
def model() -> DinoModel:
    return DinoModel(TINY, TorchRuntime(tiny_vit(), device=CPU))


def make_crop(image: RgbImage, index: int) -> HandCrop:
    height, width, _ = image.shape
    return HandCrop(
        image=image,
        transform=CropTransform(
            left_px=10.0 * index, top_px=-5, scale_xy=(2, 2), crop_wh=(width, height)
        ),
        region=HandRegion(
            box_xyxy=(0, 0, 9, 9), landmarks=None, handedness=None, score=1, track_id=index + 100
        ),
        frame_index=index,
        pts=index * 40,
        time_base=Fraction(1, 1000),
        captured_ns=index + 7,
    )


class SteppingRuntime:
    """A runtime in whose midst a key is pressed: the first batch changes the model's layer."""

    name, device, precision = "stepping", "nowhere", "float32"
    pictures_at_once = 5

    def __init__(self) -> None:
        self.model: DinoModel | None = None
        self.layers: list[int] = []
        self.batches: list[int] = []
        self.uncollected = self.most_uncollected = 0
        self.closed = 0

    def submit(self, images: Sequence[RgbImage], layer: int) -> Pending:
        self.layers.append(layer)
        self.batches.append(len(images))
        self.uncollected += 1
        self.most_uncollected = max(self.most_uncollected, self.uncollected)
        assert self.model is not None
        self.model.layer = 1
        height, width, _ = images[0].shape
        rows = np.zeros((len(images), 3, height // 8, width // 8), np.float32)
        rows += np.array([image[0, 0, 0] for image in images], np.float32)[:, None, None, None]

        def wait() -> npt.NDArray[np.float32]:
            self.uncollected -= 1
            return rows

        return wait

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def stepping() -> SteppingRuntime:
    runtime = SteppingRuntime()
    runtime.model = DinoModel(TINY, runtime)
    return runtime


def test_one_picture(model: DinoModel) -> None:
    picture = noise(24, 40)
    maps = model.attend(picture)
    with torch.inference_mode():
        pixels = normalize(torch.from_numpy(picture)[None])
        expected = plain_cls_attention(tiny_vit(), pixels, 3)[0].numpy()
    np.testing.assert_allclose(maps.weights, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(maps.mean, expected.mean(axis=0), rtol=1e-4, atol=1e-6)
    assert (maps.kind, maps.model, maps.layer) == ("attention", "tiny", 3)
    assert maps.transform == CropTransform.identity((40, 24))
    assert maps.compute_ns > 0
    np.testing.assert_allclose(maps.kept, 1 - expected.sum(axis=(1, 2)), rtol=1e-4, atol=1e-6)


def test_sequence_keeps_its_order_over_mixed_shapes(model: DinoModel) -> None:
    pictures = [noise(24, 40, 0), noise(32, 32, 1), noise(24, 40, 2), noise(8, 8, 3)]
    for images in (pictures, tuple(pictures)):
        many = model.attend(images)
        assert [maps.grid_hw for maps in many] == [(3, 5), (4, 4), (3, 5), (1, 1)]
        for picture, maps in zip(pictures, many, strict=True):
            alone = model.attend(picture)
            np.testing.assert_allclose(maps.weights, alone.weights, rtol=1e-4, atol=1e-6)


def test_pictures_may_be_slices_of_one_array(model: DinoModel) -> None:
    first, second = model.attend(list(np.stack([noise(16, 16, 0), noise(16, 16, 1)])))
    assert not np.array_equal(first.weights, second.weights)


def test_nothing_in_nothing_out(model: DinoModel) -> None:
    assert model.attend([]) == []
    assert model.attend_crops([]) == []


def test_picture_is_left_alone_and_may_be_a_view(model: DinoModel) -> None:
    picture = noise(48, 48)
    before = picture.copy()
    view = picture[8:32, ::2][:, ::-1]
    maps = model.attend(view)
    np.testing.assert_array_equal(picture, before)
    again = model.attend(np.ascontiguousarray(view))
    np.testing.assert_array_equal(maps.weights, again.weights)


def test_crops_keep_where_and_when_they_came_from(model: DinoModel) -> None:
    as_protocol: AttentionModel = model
    crops = [make_crop(noise(24, 24 + 8 * (index % 2), index), index) for index in range(3)]
    all_maps = as_protocol.attend_crops(crops)
    for crop, maps in zip(crops, all_maps, strict=True):
        assert maps.transform == crop.transform
        assert maps.track_id == crop.region.track_id
        assert maps.frame_index == crop.frame_index
        assert maps.time_s == crop.time_s
        assert maps.captured_ns == crop.captured_ns
        alone = model.attend(crop.image)
        np.testing.assert_allclose(maps.weights, alone.weights, rtol=1e-4, atol=1e-6)
    assert len({maps.compute_ns for maps in all_maps}) == 1


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (noise(24, 41), r"multiples of 8 for tiny, got 24 x 41 .*; the nearest is 24 x 40"),
        (noise(3, 3), r"the nearest is 8 x 8"),
        (noise(24, 24).astype(np.float32), r"must be uint8 \(H, W, 3\), got float32 \(24, 24, 3\)"),
        (noise(24, 24)[..., :2], r"got uint8 \(24, 24, 2\)"),
        (noise(24, 24)[..., 0][None], r"multiples|uint8"),
    ],
)
def test_picture_that_does_not_fit(picture: RgbImage, message: str, model: DinoModel) -> None:
    with pytest.raises(ValueError, match=message):
        model.attend(picture)


def test_layer_can_be_changed_between_calls(model: DinoModel) -> None:
    picture = noise(24, 24)
    by_layer: dict[int, npt.NDArray[np.float32]] = {}
    for layer in (0, 2, -1, -4):
        model.layer = layer
        maps = model.attend(picture)
        assert maps.layer == model.layer == layer % 4
        by_layer.setdefault(maps.layer, maps.weights)
        np.testing.assert_array_equal(by_layer[maps.layer], maps.weights)
    assert np.abs(by_layer[0] - by_layer[2]).max() > 0.01


@pytest.mark.parametrize("layer", [4, -5, 100])
def test_layer_that_is_not_there_changes_nothing(layer: int, model: DinoModel) -> None:
    with pytest.raises(ValueError, match=rf"tiny has layers 0 to 3 \(or -4 to -1 .* got {layer}$"):
        model.layer = layer
    assert model.layer == 3


def test_layers_before_the_cls_token_joins_cannot_be_read() -> None:
    spec = replace(TINY, cls_block=2)
    model = DinoModel(spec, TorchRuntime(tiny_vit(spec), device=CPU), layer=2)
    assert model.attend(noise(24, 24)).layer == 2
    with pytest.raises(ValueError, match=r"has layers 2 to 3 \(or -2 to -1 from the end\), got 1"):
        model.layer = 1


def test_batch_under_way_keeps_its_layer(stepping: SteppingRuntime) -> None:
    assert stepping.model is not None
    many = stepping.model.attend([noise(8, 8), noise(16, 16)])
    assert stepping.layers == [3, 3]
    assert [maps.layer for maps in many] == [3, 3]
    assert stepping.model.attend(noise(8, 8)).layer == 1


def test_batches_have_few_sizes(stepping: SteppingRuntime) -> None:
    assert stepping.model is not None
    pictures = [np.full((32, 32, 3), number, np.uint8) for number in range(13)]
    maps = stepping.model.attend(pictures)
    assert [int(entry.weights[0, 0, 0]) for entry in maps] == list(range(13))
    assert stepping.batches == [8, 4, 1]


def test_hundreds_of_pictures_go_in_bounded_batches(stepping: SteppingRuntime) -> None:
    assert stepping.model is not None
    pictures = [np.full((8, 8, 3), value, np.uint8) for value in range(100)]
    many = stepping.model.attend(pictures)
    assert [maps.weights.max() for maps in many] == list(range(100))
    assert stepping.batches == [32, 32, 32, 4]
    assert stepping.most_uncollected == 2


def test_closing_closes_the_runtime(stepping: SteppingRuntime) -> None:
    assert stepping.model is not None
    with stepping.model as model:
        assert (model.runtime, model.device, model.precision) == ("stepping", "nowhere", "float32")
    assert stepping.closed == 1


def test_warming_up_runs_on_one_square(stepping: SteppingRuntime) -> None:
    assert stepping.model is not None
    stepping.model.warm_up(16)
    assert stepping.batches == [1]


def test_what_a_model_tells_about_itself() -> None:
    with load_model(
        "dino_vits16", random_weights=True, device="cpu", runtime="torch", layer=-2
    ) as model:
        assert (model.name, model.kind, model.spec) == (
            "dino_vits16",
            "attention",
            find_spec("dino_vits16"),
        )
        assert (model.num_heads, model.num_layers, model.patch_px, model.layer) == (6, 12, 16, 10)
        assert (model.device, model.runtime) == ("cpu", "torch")
        assert (model.weights_path, model.weights_sha256, model.is_random) == (None, None, True)
        maps = model.attend(noise(32, 64))
        assert maps.weights.shape == (6, 2, 4)
        assert maps.is_random


def test_random_weights_depend_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loading.find_spec", lambda name: TINY)
    first, again, other = (
        load_model("tiny", random_weights=True, seed=seed, device="cpu").attend(noise(32, 32))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)


def test_resnet_gives_activation() -> None:
    with load_model("dino_resnet50", random_weights=True, device="cpu") as model:
        maps = model.attend(noise(64, 96))
        assert (maps.kind, maps.layer) == ("activation", 3)
        assert maps.weights.shape == (6, 2, 3)
        assert not maps.kept.any()
        np.testing.assert_allclose(
            (maps.weights**2).sum(axis=0), maps.mean**2, rtol=1e-4
        )  # rank 6: six places
        model.layer = 0
        assert model.attend(noise(64, 96)).grid_hw == (16, 24)
        with pytest.raises(ValueError, match="multiples of 32 for dino_resnet50"):
            model.attend(noise(48, 64))


def test_bad_options_are_refused_before_anything_is_loaded() -> None:
    with pytest.raises(ValueError, match="dino_vits16 has layers 0 to 11"):
        load_model("dino_vits16", layer=12)
    with pytest.raises(ValueError, match="device must be one of auto, cpu"):
        load_model("dino_vits16", device="gpu")
    with pytest.raises(LookupError, match="no model is called 'dino'"):
        load_model("dino")
