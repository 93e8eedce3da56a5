"""What a file is, in 64 digits."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["sha256_of"]

CHUNK_BYTES = 1 << 20
"""Read at a time: enough for the disk to stay busy."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    chunk = memoryview(bytearray(CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(chunk):
            digest.update(chunk[:count])
    return digest.hexdigest()
