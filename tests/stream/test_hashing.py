from __future__ import annotations

import hashlib
from pathlib import Path

from stream.hashing import sha256_of


def test_hash_is_that_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = bytes(range(256)) * 10_000  # longer than one chunk
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()
