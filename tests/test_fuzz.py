"""Damaged files of many containers: whatever is done to them, nothing untrue is said.

In the suite the same few examples run each time. ``pytest tests/test_fuzz.py
--hypothesis-profile=long`` tries thousands of new ones.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from run_live import main
from tests.clips import make_clip
from tests.program import QUICK, num_played

CONTAINERS: Final = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "pcm_s16le"),
    "mkv": ("libx264", "libopus"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
    "ts": ("libx264", "aac"),
    "flv": ("flv", "aac"),
    "mpg": ("mpeg2video", "mp2"),
    "mxf": ("mpeg2video", "pcm_s16le"),
    "3gp": ("mpeg4", "aac"),
    "nut": ("mpeg4", "aac"),
    "wmv": ("wmv2", "libmp3lame"),
    "gif": ("gif", None),
}
"""What is damaged: encoders of picture and sound by the ending of the name."""

SOUND_HEADERS: Final = {
    "mp4": b"mp4a",
    "3gp": b"mp4a",
    "mov": b"sowt",
    "mkv": b"OpusHead",
    "webm": b"OpusHead",
    "avi": b"auds",
    "flv": b"\xaf\x00",
}
"""With what a file tells how its sound is stored, by the ending of the name."""

Damage = Callable[[bytearray], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an undamaged small clip of each container."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix, (codec, audio_codec) in CONTAINERS.items():
        make_clip(
            folder / f"clip.{suffix}",
            num_frames=10,
            time_base=Fraction(1, 30),
            codec=codec,
            pix_fmt="gray" if codec == "gif" else "yuv420p",
            audio_codec=audio_codec,
            audio_s=1 / 3,
        )
    return folder


def truncated(share: float) -> Damage:
    """Cut the end off."""

    def damage(content: bytearray) -> None:
        del content[round(share * len(content)) :]

    return damage


def flipped(place: int | float, bit: int) -> Damage:
    """Turn a bit over, at a place in bytes or as a share of the file."""

    def damage(content: bytearray) -> None:
        at = place if isinstance(place, int) else int(place * len(content))
        if content:
            content[at % len(content)] ^= 1 << bit

    return damage


def spliced(place: float, begin: float, length: int) -> Damage:
    """Write bytes of one place of the file over another."""

    def damage(content: bytearray) -> None:
        at, source = int(place * len(content)), int(begin * len(content))
        content[at : at + length] = content[source : source + length]

    return damage


SHARES: Final = st.floats(0, 1, exclude_max=True)
DAMAGES: Final = st.lists(
    st.one_of(
        st.builds(truncated, SHARES),
        # Half of them in the first bytes, where the headers are.
        st.builds(flipped, st.integers(0, 1500), st.integers(0, 7)),
        st.builds(flipped, SHARES, st.integers(0, 7)),
        st.builds(spliced, SHARES, SHARES, st.integers(1, 400)),
    ),
    min_size=1,
    max_size=4,
)


@given(suffix=st.sampled_from(sorted(CONTAINERS)), damages=DAMAGES)
def test_a_damaged_file_gives_a_playable_video_or_one_clear_line(
    whole: Path, suffix: str, damages: list[Damage]
) -> None:
    content = bytearray((whole / f"clip.{suffix}").read_bytes())
    for damage in damages:
        damage(content)
    check(suffix, bytes(content))


@given(
    first=st.sampled_from(sorted(CONTAINERS)),
    second=st.sampled_from(sorted(CONTAINERS)),
    keep=SHARES,
    skip=SHARES,
)
def test_a_file_that_goes_on_as_another_gives_a_playable_video_or_one_clear_line(
    whole: Path, first: str, second: str, keep: float, skip: float
) -> None:
    head, tail = ((whole / f"clip.{suffix}").read_bytes() for suffix in (first, second))
    check(first, head[: int(keep * len(head))] + tail[int(skip * len(tail)) :])


@given(
    suffix=st.sampled_from(sorted(SOUND_HEADERS)),
    place=st.integers(0, 80),
    replacement=st.binary(min_size=1, max_size=4),
)
def test_a_damaged_header_of_the_sound_gives_a_playable_video_or_one_clear_line(
    whole: Path, suffix: str, place: int, replacement: bytes
) -> None:
    content = bytearray((whole / f"clip.{suffix}").read_bytes())
    at = content.index(SOUND_HEADERS[suffix]) + place
    content[at : at + len(replacement)] = replacement
    check(suffix, bytes(content))


def check(suffix: str, content: bytes) -> None:
    """Export a file and compare what was said with what was written."""
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder, f"in.{suffix}"), Path(folder, "out.mp4")
        path.write_bytes(content)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = main(["export", str(path), str(output), "--region", "frame", *QUICK])
        note(f"{code}: {said.getvalue()}")
        assert "Traceback" not in said.getvalue()
        assert "fault of Signlight's" not in said.getvalue()
        if code == 0:
            sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
            assert num_played(output) == sidecar["frames"] > 0
            with av.open(str(output)) as container:
                for stream in container.streams.audio:
                    assert stream.frames or stream.duration == 0
        else:
            assert code == 1
            errors = [line for line in said.getvalue().splitlines() if "signlight: " in line]
            assert len(errors) == 1
