"""The two committed clips: what players, the audio path and MediaPipe find in them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import mediapipe as mp
import numpy as np
import numpy.typing as npt
import pytest

from models.hands.bundle import find_hand_bundle
from samples.clips import Clip, Fingerspelling, TwoHands, blink, wander
from samples.encode import soft_pad
from tests.conftest import ROOT

CLIPS: dict[str, Clip] = {"fingerspelling": Fingerspelling(), "two_hands": TwoHands()}
SAMPLES = ROOT / "samples"


def _frames(name: str, every: int) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    with av.open(str(SAMPLES / f"{name}.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                yield index, frame.to_ndarray(format="rgb24")


@pytest.fixture(scope="module")
def landmarker() -> Iterator[mp.tasks.vision.HandLandmarker]:
    """MediaPipe as it comes: single pictures, default confidence, up to two hands."""
    options = mp.tasks.vision.HandLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_buffer=find_hand_bundle().content),
        num_hands=2,
    )
    with mp.tasks.vision.HandLandmarker.create_from_options(options) as finder:
        yield finder


def _handedness(finder: mp.tasks.vision.HandLandmarker, image: npt.NDArray[np.uint8]) -> list[str]:
    found = finder.detect(mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(image)))
    return sorted(categories[0].category_name.lower() for categories in found.handedness)


@pytest.mark.parametrize("name", CLIPS)
def test_clip_plays_everywhere(name: str) -> None:
    path = SAMPLES / f"{name}.mp4"
    assert path.stat().st_size < 2_000_000
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == (1280, 720)
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert video.average_rate == 30
        assert video.frames == CLIPS[name].num_frames
        assert 8.0 <= float(video.duration * video.time_base) <= 12.0
        assert (sound.codec_context.name, sound.codec_context.sample_rate) == ("aac", 48_000)
        assert float(sound.duration * sound.time_base) == pytest.approx(
            float(video.duration * video.time_base), abs=0.1
        )
        times = [packet.pts * packet.time_base for packet in container.demux(video) if packet.size]
    assert sorted(times) == [Fraction(index, 30) for index in range(CLIPS[name].num_frames)]


@pytest.mark.parametrize("name", CLIPS)
def test_clip_starts_before_it_is_all_there(name: str) -> None:
    """The index stands before the pictures, so that a browser need not fetch the end first."""
    data = (SAMPLES / f"{name}.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("name", CLIPS)
def test_clip_has_a_soft_sound(name: str) -> None:
    with av.open(str(SAMPLES / f"{name}.mp4")) as container:
        pieces = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    sound = np.concatenate(pieces)
    assert 0.05 < np.abs(sound).max() < 0.3
    assert np.abs(sound[:480]).max() < 0.01


def test_one_right_hand_is_found_all_along(
    landmarker: mp.tasks.vision.HandLandmarker,
) -> None:
    found = {i: _handedness(landmarker, image) for i, image in _frames("fingerspelling", 12)}
    assert len(found) > 20
    assert all(hands == ["right"] for hands in found.values()), found


def test_left_hand_leaves_and_returns(landmarker: mp.tasks.vision.HandLandmarker) -> None:
    clip = CLIPS["two_hands"]
    seen = {}
    for index, image in _frames("two_hands", 22):
        truth = clip.frame(index, (160, 90)).hands
        if truth[1].mask.sum() == 0:
            assert _handedness(landmarker, image) == ["right"], index
        seen[index] = _handedness(landmarker, image)
    both = [index for index, hands in seen.items() if hands == ["left", "right"]]
    alone = [index for index, hands in seen.items() if hands == ["right"]]
    assert both
    assert alone
    assert min(both) < min(alone) < max(both)


@pytest.mark.parametrize("name", CLIPS)
def test_committed_clip_is_what_the_code_draws(name: str) -> None:
    """A file left behind by a change of the renderer would lie about how it was made."""
    clip = CLIPS[name]
    index, image = list(_frames(name, clip.num_frames // 2))[1]
    drawn = clip.frame(index).image
    assert np.abs(image.astype(int) - drawn).mean() < 3.0


def test_any_frame_can_be_drawn_alone_at_any_size() -> None:
    clip = Fingerspelling("HI")
    small = clip.frame(30, (96, 54))
    assert small.image.shape == (54, 96, 3)
    assert small.image.tobytes() == clip.frame(30, (96, 54)).image.tobytes()
    large = clip.frame(30, (192, 108)).hands[0].landmarks
    np.testing.assert_allclose(large, 2 * small.hands[0].landmarks, atol=0.01)


def test_hands_cross_in_front_of_each_other() -> None:
    clip = TwoHands()
    wrists = [
        [hand.landmarks[0, 0] for hand in clip.frame(index, (64, 36)).hands]
        for index in (0, 85, 130)
    ]
    assert [right < left for right, left in wrists] == [True, False, True]


def test_motions_are_bounded_and_blinks_close() -> None:
    assert max(abs(wander(t / 7, 3, 2.0)) for t in range(500)) <= 2.0
    assert blink(1.0, (1.0,)) == 1.0
    assert blink(2.0, (1.0,)) == 0.0
    sound = soft_pad(2.0, 8000)
    assert sound.shape == (16000,)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() <= 0.2
