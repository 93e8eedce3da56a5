"""MediaPipe on real and rendered hands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from models.hands.finder import MediaPipeHandFinder
from stream.errors import HandModelError
from stream.frames import Frame, RgbImage
from stream.geometry import HandRegion
from tests.conftest import ROOT
from tests.waits import PROCESS_S

WEBCAM_HAND = range(17, 46)
"""Frames of webcam_sign.mp4 with a hand in view that is no mere blur, by eye. Before and after,
fingertips rest at the lower edge; in 12 to 16 and from 46 on the hand is a smear."""


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGNLIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def finder() -> Iterator[MediaPipeHandFinder]:
    with MediaPipeHandFinder() as finder:
        yield finder


def frames_of(clip: Path, stop: int | None = None) -> Iterator[Frame]:
    with av.open(str(clip)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index == stop:
                return
            assert picture.pts is not None
            assert picture.time_base is not None
            yield frame_of(picture.to_ndarray(format="rgb24"), picture.pts, picture.time_base)


def frame_of(image: RgbImage, pts: int, time_base: Fraction = Fraction(1, 30)) -> Frame:
    return Frame(image=image, pts=pts, time_base=time_base, index=0, captured_ns=0)


@pytest.fixture(scope="module")
def open_hand(shared: Path) -> RgbImage:
    """A frame of a real webcam with a sharp open right hand, (720, 540, 3)."""
    return list(frames_of(shared / "clips" / "webcam_sign.mp4", stop=32))[31].image


def test_dark_grey_hands_on_black_are_found_and_boxed(
    finder: MediaPipeHandFinder, shared: Path
) -> None:
    """In 99 % of the frames or more: one hand, its landmarks on it, and all of it in its box."""
    right = wrong = 0
    numbers = set()
    for frame in frames_of(shared / "clips" / "isl_fingerspelling.mp4"):
        regions = finder.find(frame)
        numbers |= {(region.track_id, region.handedness) for region in regions}
        if len(regions) == 1 and _is_on(regions[0], _largest_thing(frame.image)):
            right += 1
        else:
            wrong += 1
    assert right + wrong == 312
    assert right / 312 >= 0.99
    assert numbers == {(0, "right")}


def test_webcam_hand_is_found_wherever_it_is_no_mere_blur(
    finder: MediaPipeHandFinder, shared: Path
) -> None:
    found: dict[int, tuple[HandRegion, ...]] = {}
    for index, frame in enumerate(frames_of(shared / "clips" / "webcam_sign.mp4")):
        found[index] = finder.find(frame)
    assert len(found) == 58
    assert [index for index in WEBCAM_HAND if not found[index]] == []
    assert {(hand.track_id, hand.handedness) for hands in found.values() for hand in hands} == {
        (0, "right")
    }
    assert not any(found[index] for index in range(12)), "nothing where there is no hand"
    seen = [index for index in WEBCAM_HAND if found[index][0].unseen_s == 0]
    assert len(seen) >= len(WEBCAM_HAND) - 4, "and hardly ever only held"


def test_rendered_hand_is_found_in_every_frame(
    finder: MediaPipeHandFinder, sample_clip: Path
) -> None:
    for frame in frames_of(sample_clip, stop=90):
        (region,) = finder.find(frame)
        assert (region.track_id, region.handedness, region.unseen_s) == (0, "right", 0)


def test_without_openvino_hands_are_found_all_the_same(
    open_hand: RgbImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "models.hands.network_detector", None)
    with MediaPipeHandFinder() as finder:
        for pts in range(3):
            (region,) = finder.find(frame_of(open_hand, pts))
    assert (region.track_id, region.handedness, region.unseen_s) == (0, "right", 0)
    with MediaPipeHandFinder(input_mirrored=True) as finder:
        (region,) = finder.find(frame_of(open_hand[:, ::-1], 0))
    assert region.handedness == "right"


def test_mirrored_right_hand_is_a_left_hand(
    finder: MediaPipeHandFinder, open_hand: RgbImage
) -> None:
    (region,) = finder.find(frame_of(open_hand[:, ::-1], 0))
    assert region.handedness == "left"


def test_in_a_mirrored_input_hands_are_the_signers_own(open_hand: RgbImage) -> None:
    with MediaPipeHandFinder(input_mirrored=True) as finder:
        (region,) = finder.find(frame_of(open_hand[:, ::-1], 0))
    assert region.handedness == "right"


def test_two_hands_are_told_apart(finder: MediaPipeHandFinder, open_hand: RgbImage) -> None:
    both = np.concatenate([open_hand, open_hand[:, ::-1]], axis=1)
    for pts in range(3):
        regions = finder.find(frame_of(both, pts))
    places = {region.handedness: region.centre_xy[0] for region in regions}
    assert set(places) == {"left", "right"}
    assert places["right"] < 540 < places["left"]


def test_most_hands_are_a_bound(open_hand: RgbImage) -> None:
    both = np.concatenate([open_hand, open_hand[:, ::-1]], axis=1)
    with MediaPipeHandFinder(max_hands=1) as finder:
        assert len(finder.find(frame_of(both, 0))) == 1


def test_landmarks_and_box_are_in_frame_pixels(
    finder: MediaPipeHandFinder, open_hand: RgbImage
) -> None:
    (region,) = finder.find(frame_of(open_hand, 0))
    assert region.landmarks is not None
    # By eye: the palm's middle, and the tips of the index finger and the thumb.
    assert region.landmarks[9] == pytest.approx((178, 262), abs=25)
    left, top, right, bottom = region.box_xyxy
    assert (left, top, right, bottom) == pytest.approx((50, 150, 330, 380), abs=45)


@pytest.mark.parametrize("zoom", [0.5, 3, 14])
def test_large_and_small_frames_give_the_same_places(open_hand: RgbImage, zoom: float) -> None:
    """Up to 7560 x 10080: what MediaPipe sees is bounded, where the hand is does not change."""
    import cv2

    def box(image: RgbImage) -> npt.NDArray[np.float64]:
        with MediaPipeHandFinder() as finder:
            (region,) = finder.find(frame_of(image, 0))
        return np.array(region.box_xyxy)

    large = cv2.resize(open_hand, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    assert box(large) / zoom == pytest.approx(box(open_hand), abs=20)


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 1), (1, 300), (3000, 1), (7, 5)])
def test_tiny_frames_have_no_hands(finder: MediaPipeHandFinder, size_wh: tuple[int, int]) -> None:
    image = np.full((size_wh[1], size_wh[0], 3), 128, np.uint8)
    assert finder.find(frame_of(image, 0)) == ()
    assert finder.find(frame_of(image, 1)) == ()


def test_handless_pictures_have_no_hands(finder: MediaPipeHandFinder, shared: Path) -> None:
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 255, size=(6, 8, 3), dtype=np.uint8).repeat(60, 0).repeat(80, 1)
    room = next(iter(frames_of(shared / "clips" / "webcam_sign.mp4"))).image[:600]
    black = np.zeros((480, 640, 3), np.uint8)
    noise = rng.integers(0, 255, size=(480, 640, 3), dtype=np.uint8)
    for pts, image in enumerate([black, tiles, noise, room, room[:, ::-1], room >> np.uint8(2)]):
        assert finder.find(frame_of(image, pts)) == ()


def test_dark_hand_that_appears_later_is_found_within_three_frames(
    finder: MediaPipeHandFinder, shared: Path
) -> None:
    """While no hand is about the enhanced view is only looked at now and then."""
    (dark,) = frames_of(shared / "clips" / "isl_fingerspelling.mp4", stop=1)
    for pts in range(5):
        assert finder.find(frame_of(np.zeros_like(dark.image), pts)) == ()
    found = [bool(finder.find(frame_of(dark.image, 5 + pts))) for pts in range(4)]
    assert found[2:] == [True, True]


def test_size_may_change_mid_stream(finder: MediaPipeHandFinder, open_hand: RgbImage) -> None:
    finder.find(frame_of(open_hand, 0))
    wide = np.concatenate([np.zeros((720, 500, 3), np.uint8), open_hand], axis=1)
    (region,) = finder.find(frame_of(wide, 1))
    assert region.unseen_s == 0
    assert region.centre_xy[0] > 540


def test_any_time_base_and_frame_rate_will_do(
    finder: MediaPipeHandFinder, open_hand: RgbImage
) -> None:
    for pts in (0, 1, 2, 90_000, 90_001, 3_000_000):
        (region,) = finder.find(frame_of(open_hand, pts, Fraction(1, 90_000)))
        assert region.unseen_s == 0


def test_two_runs_give_the_same_hands(shared: Path) -> None:
    def run() -> list[tuple[float, ...]]:
        with MediaPipeHandFinder() as finder:
            clip = frames_of(shared / "clips" / "webcam_sign.mp4", stop=30)
            return [region.box_xyxy for frame in clip for region in finder.find(frame)]

    assert run() == run()


def test_closing_twice_is_harmless() -> None:
    finder = MediaPipeHandFinder()
    finder.close()
    finder.close()


@pytest.mark.parametrize("max_hands", [0, 9])
def test_number_of_hands_is_checked(max_hands: int) -> None:
    with pytest.raises(ValueError, match="max_hands"):
        MediaPipeHandFinder(max_hands=max_hands)


def test_bundle_with_rubbish_in_it(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "hand.task"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("hand_detector.tflite", "hand_landmarks_detector.tflite"):
            bundle.writestr(name, b"no network")
    with pytest.raises(HandModelError, match="--hand-model") as caught:
        MediaPipeHandFinder(bundle=path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mediapipe_is_silent_but_errors_are_not(shared: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.models.hands.test_finder import frames_of
from models.chatter import muted_chatter
from models.hands.finder import MediaPipeHandFinder
with MediaPipeHandFinder() as finder:
    for frame in frames_of(Path({str(shared)!r}) / "clips" / "webcam_sign.mp4", stop=22):
        hands = finder.find(frame)
with muted_chatter():
    print("said inside", file=sys.stderr)
print("hands", len(hands), file=sys.stderr)
raise SystemExit("said at the end")
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS_S, check=False
    )
    assert result.stderr.splitlines() == ["said inside", "hands 1", "said at the end"]


def _largest_thing(image: RgbImage) -> npt.NDArray[np.bool_]:
    """Return the mask of hand and forearm: all that is not black, without specks."""
    import cv2

    bright = (image.max(axis=2) > 40).astype(np.uint8)
    bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    return np.asarray(labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _is_on(region: HandRegion, mask: npt.NDArray[np.bool_]) -> bool:
    """Return whether 70 % of the landmarks lie on the hand, and 90 % of the hand in the box.

    The hand is what of ``mask`` lies beyond the wrist, towards the knuckles.
    """
    assert region.landmarks is not None
    height, width = mask.shape
    column, row = region.landmarks.round().astype(int).T
    on_hand = mask[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)].mean()
    wrist, middle = region.landmarks[0], region.landmarks[9]
    towards = (middle - wrist) / np.linalg.norm(middle - wrist)
    y, x = np.mgrid[:height, :width]
    hand = mask & ((x - wrist[0]) * towards[0] + (y - wrist[1]) * towards[1] > 0)
    left, top, right, bottom = region.box_xyxy
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    return bool(on_hand >= 0.7 and (hand & inside).sum() >= 0.9 * hand.sum())


def test_opening_spares_matplotlib_and_leaves_it_whole() -> None:
    program = (
        "import sys; from models.hands.finder import MediaPipeHandFinder; "
        "MediaPipeHandFinder().close(); "
        "assert not [name for name in sys.modules if name.startswith('matplotlib')]; "
        "import matplotlib.pyplot; assert callable(matplotlib.pyplot.figure)"
    )
    pytest.importorskip("matplotlib", reason="this mediapipe brings no matplotlib to spare")
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PROCESS_S)
