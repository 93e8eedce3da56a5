"""Downloads: whole, resumed, broken off, wrong, refused."""

from __future__ import annotations

import hashlib
import io
import resource
import socket
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path

import numpy as np
import pytest

from models.download import _SafeRedirects, _UnreachableError, download
from stream.errors import OutputError, WeightsError, WeightsNotFoundError
from stream.hashing import sha256_of
from tests.models.server import FileServer, serving
from tests.waits import WAIT_S

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CONTENT) as state:
        yield state


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "weights.pth"


def test_file_arrives_whole_and_progress_tells(server: FileServer, path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    digest = download(server.url, path, progress=lambda *counts: told.append(counts))
    assert digest == SHA256 == sha256_of(path)
    assert path.read_bytes() == CONTENT
    assert told[0] == (0, 300_000)
    assert told[-1] == (300_000, 300_000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert [file.name for file in path.parent.iterdir()] == ["weights.pth"]


def test_more_than_is_allowed_is_refused(server: FileServer, path: Path) -> None:
    with pytest.raises(WeightsError, match="more than 200000 bytes"):
        download(server.url, path, max_bytes=200_000)
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no such locks")
def test_what_another_run_downloads_is_left_to_it(server: FileServer, path: Path) -> None:
    def ask_again(done: int, total: int | None) -> None:
        del total
        if done == 100_000:
            with pytest.raises(WeightsNotFoundError, match="another run of Signlight"):
                download(server.url, path)

    server.break_after = [100_000]
    assert download(server.url, path, progress=ask_again) == SHA256
    assert len(server.requests) == 2


def test_broken_connection_is_taken_up_again(server: FileServer, path: Path) -> None:
    server.break_after = [100_000, 50_000]
    told: list[int] = []
    download(server.url, path, progress=lambda done, _: told.append(done))
    assert path.read_bytes() == CONTENT
    assert server.requests == [
        (None, None),
        ("bytes=100000-", '"1"'),
        ("bytes=150000-", '"1"'),
    ]
    assert told[-1] == 300_000
    assert 100_000 in told


def test_connection_that_brings_nothing_ends_it(server: FileServer, path: Path) -> None:
    server.break_after = [1000, 0, 0]
    with pytest.raises(
        WeightsNotFoundError, match=r"broke off after 1000 of 300000 bytes"
    ) as caught:
        download(server.url, path)
    assert str(path) in str(caught.value)
    assert server.url in str(caught.value)
    assert not path.exists()
    # A later call goes on from there.
    server.break_after = []
    download(server.url, path)
    assert path.read_bytes() == CONTENT
    assert server.requests[-1] == ("bytes=1000-", '"1"')


def test_file_that_changed_meanwhile_is_fetched_anew(server: FileServer, path: Path) -> None:
    server.break_after = [1000, 0]
    with pytest.raises(WeightsNotFoundError):
        download(server.url, path)
    server.content, server.etag, server.break_after = CONTENT[::-1], '"2"', []
    download(server.url, path)
    assert path.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("mode", ["whole", "ranges"])
def test_server_without_ranges_or_etags(mode: str, server: FileServer, path: Path) -> None:
    server.mode, server.etag, server.break_after = mode, None, [1000, 0]  # type: ignore[assignment]
    with pytest.raises(WeightsNotFoundError):
        download(server.url, path)
    server.break_after = []
    download(server.url, path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "left", [CONTENT, CONTENT + b"more"], ids=["complete but not renamed", "too long"]
)
def test_remains_that_leave_nothing_to_ask_for(left: bytes, server: FileServer, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("weights.pth.part").write_bytes(left)
    download(server.url, path)
    assert path.read_bytes() == CONTENT


def test_expected_hash_and_size_are_accepted(server: FileServer, path: Path) -> None:
    download(server.url, path, sha256=SHA256.upper(), size=300_000)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"sha256": "0" * 64}, rf"has SHA-256 {SHA256} instead of 0000"),
        ({"size": 299_999}, r"has more than 299999 bytes"),
    ],
    ids=["hash", "size"],
)
def test_wrong_file_is_discarded(
    expected: dict[str, object], message: str, server: FileServer, path: Path
) -> None:
    with pytest.raises(WeightsError, match=message):
        download(server.url, path, **expected)  # type: ignore[arg-type]
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("missing", "the server answers 404 Not Found"),
        ("html", "the server sends a web page"),
        ("silent", "no answer in time"),
    ],
)
def test_server_that_will_not(mode: str, message: str, server: FileServer, path: Path) -> None:
    server.mode = mode  # type: ignore[assignment]
    with pytest.raises(WeightsNotFoundError, match=message) as caught:
        download(server.url, path, timeout_s=0.2 if mode == "silent" else WAIT_S)
    assert isinstance(caught.value, FileNotFoundError)
    assert "\n" not in str(caught.value)
    assert not path.exists()


def test_answer_to_another_range_is_refused(server: FileServer, path: Path) -> None:
    server.mode, server.break_after = "shifted", [1000]
    with pytest.raises(WeightsNotFoundError, match="another part than was asked for"):
        download(server.url, path)


def test_no_network_says_which_file_to_put_where(path: Path) -> None:
    with socket.socket() as unused:  # bound, never listening: connections are refused
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/weights.pth"
        with pytest.raises(WeightsNotFoundError, match=r"refused.*fetch it elsewhere and put") as e:
            download(url, path, timeout_s=WAIT_S)
    assert url in str(e.value)
    assert str(path) in str(e.value)


def test_folder_that_cannot_be_made(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot write .*file/weights.pth: "):
        download(server.url, tmp_path / "file" / "weights.pth")
    assert server.requests == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_disk(server: FileServer, path: Path) -> None:
    """A limit on the size of files stands in for the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*weights.pth: File too large"):
            download(server.url, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not path.exists()


def test_remains_without_a_tag_are_not_continued(server: FileServer, path: Path) -> None:
    """They may be of another version: half of each would be neither."""
    server.etag, server.break_after = None, [1000, 0]
    with pytest.raises(WeightsNotFoundError):
        download(server.url, path)
    server.content, server.break_after = CONTENT[::-1], []
    download(server.url, path)
    assert path.read_bytes() == CONTENT[::-1]


def test_a_link_in_place_of_the_remains_is_not_followed(server: FileServer, path: Path) -> None:
    path.parent.mkdir()
    other = path.with_name("mine.txt")
    other.write_text("mine")
    path.with_name("weights.pth.part").symlink_to(other)
    download(server.url, path)
    assert other.read_text() == "mine"
    assert path.read_bytes() == CONTENT
    assert not path.is_symlink()


@pytest.mark.parametrize(
    ("begin", "to", "is_followed"),
    [
        ("https://a.example/x", "https://b.example/x", True),
        ("http://a.example/x", "https://a.example/x", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "file:///etc/passwd", False),
    ],
)
def test_the_server_may_not_lead_out_of_https(begin: str, to: str, is_followed: bool) -> None:
    handler = _SafeRedirects()
    request = urllib.request.Request(begin)
    if is_followed:
        followed = handler.redirect_request(request, io.BytesIO(), 302, "", HTTPMessage(), to)
        assert followed is not None
        assert followed.full_url == to
    else:
        with pytest.raises(_UnreachableError, match="out of https"):
            handler.redirect_request(request, io.BytesIO(), 302, "", HTTPMessage(), to)


def test_more_than_was_expected_is_not_taken(server: FileServer, path: Path) -> None:
    told: list[int] = []
    with pytest.raises(WeightsError, match="has more than 100000 bytes"):
        download(server.url, path, size=100_000, progress=lambda done, _: told.append(done))
    assert max(told) <= 100_000
    assert list(path.parent.iterdir()) == []
