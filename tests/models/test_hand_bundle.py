"""The hand model is made, fetched or named; whatever goes wrong has a way out."""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from models import hand_bundle
from models.hand_bundle import BUNDLE_NAME, find_hand_bundle
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
def carries_models() -> None:
    """Skip where the installed mediapipe has no models in it."""
    package = hand_bundle._mediapipe_folder()
    if not all((package / source).is_file() for source in hand_bundle.PARTS.values()):
        pytest.skip("this mediapipe carries no models")


@pytest.fixture
def bare_mediapipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mediapipe package without models, as from release 1 on, in front of the installed one."""
    package = tmp_path / "packages" / "mediapipe"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    monkeypatch.syspath_prepend(str(package.parent))
    importlib.invalidate_caches()
    yield package
    importlib.invalidate_caches()


def bundle_of(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name in names:
            bundle.writestr(name, b"network " * 100)
    return file.getvalue()


@pytest.mark.usefixtures("carries_models")
def test_bundle_is_made_once_and_uncompressed(cache: Path) -> None:
    path = find_hand_bundle()
    assert path == cache / BUNDLE_NAME
    with zipfile.ZipFile(path) as bundle:
        assert bundle.namelist() == PARTS
        assert {info.compress_type for info in bundle.infolist()} == {zipfile.ZIP_STORED}
        assert bundle.testzip() is None
    made = path.stat().st_mtime_ns
    assert find_hand_bundle() == path
    assert path.stat().st_mtime_ns == made
    assert [entry.name for entry in cache.iterdir()] == [BUNDLE_NAME], "nothing else is left there"


@pytest.mark.usefixtures("carries_models")
def test_same_bytes_on_every_machine(cache: Path) -> None:
    first = find_hand_bundle().read_bytes()
    (cache / BUNDLE_NAME).unlink()
    assert find_hand_bundle().read_bytes() == first


@pytest.mark.usefixtures("carries_models")
@pytest.mark.parametrize("rubbish", [b"", b"half a fi", bundle_of(PARTS[0])])
def test_damaged_file_in_the_cache_is_made_again(cache: Path, rubbish: bytes) -> None:
    cache.mkdir()
    (cache / BUNDLE_NAME).write_bytes(rubbish)
    with zipfile.ZipFile(find_hand_bundle()) as bundle:
        assert bundle.namelist() == PARTS


@pytest.mark.usefixtures("bare_mediapipe")
def test_bundle_is_downloaded_once_with_progress(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bundle_of(*PARTS)
    told: list[tuple[int, int | None]] = []
    with serving(content) as server:
        monkeypatch.setattr(hand_bundle, "BUNDLE_URL", server.url)
        monkeypatch.setattr(hand_bundle, "BUNDLE_SIZE", len(content))
        monkeypatch.setattr(hand_bundle, "BUNDLE_SHA256", sha256(content).hexdigest())
        path = find_hand_bundle(progress=lambda done, total: told.append((done, total)))
        assert find_hand_bundle() == path
        assert len(server.requests) == 1
    assert path == cache / BUNDLE_NAME
    assert path.read_bytes() == content
    assert told[-1] == (len(content), len(content))


@pytest.mark.usefixtures("bare_mediapipe")
def test_wrong_download_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(bundle_of(*PARTS)) as server:
        monkeypatch.setattr(hand_bundle, "BUNDLE_URL", server.url)
        with pytest.raises(HandModelError, match="--hand-model") as caught:
            find_hand_bundle()
    assert "\n" not in str(caught.value)
    assert not (cache / BUNDLE_NAME).exists()


@pytest.mark.usefixtures("bare_mediapipe")
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


@pytest.mark.usefixtures("bare_mediapipe")
def test_bundle_put_into_the_cache_by_hand_is_used(cache: Path) -> None:
    cache.mkdir()
    (cache / BUNDLE_NAME).write_bytes(bundle_of(*PARTS))
    assert find_hand_bundle() == cache / BUNDLE_NAME


def test_own_bundle_is_used_as_it_is(tmp_path: Path, cache: Path) -> None:
    own = tmp_path / "my hand.task"
    own.write_bytes(bundle_of(*PARTS, "and_more.txt"))
    assert find_hand_bundle(own) == own
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


def test_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match="is not a hand model"):
        find_hand_bundle(tmp_path)


@pytest.mark.usefixtures("carries_models")
def test_cache_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(HandModelError, match="SIGNLIGHT_CACHE") as caught:
        find_hand_bundle()
    assert str(cache) in str(caught.value)
