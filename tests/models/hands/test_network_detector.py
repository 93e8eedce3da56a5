"""MediaPipe's networks one by one: places, sides and hands that palms alone do not show."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.hands.bundle import HandBundle, find_hand_bundle, find_pose_bundle
from models.hands.finder import HandDetector, MediaPipeHandFinder
from models.hands.graph_detector import GraphDetector
from models.hands.landmark_network import LandmarkNetwork, square_of_hand
from models.hands.mediapipe_graph import HandGraph
from models.hands.pose_network import Arm, Person, PoseNetwork
from models.hands.squares import TurnedSquare, turn_between
from models.hands.tracking import HandTracker
from samples.hand import render_hand
from stream.errors import HandModelError
from stream.geometry import CropTransform
from tests.models.hands.test_finder import frame_of, frames_of

if TYPE_CHECKING:
    from models.hands.network_detector import NetworkDetector

pytest.importorskip("openvino", reason="without OpenVINO MediaPipe's graph is all there is")


@pytest.fixture(scope="module")
def bundle() -> HandBundle:
    return find_hand_bundle()


@pytest.fixture(scope="module")
def landmark_network(bundle: HandBundle) -> LandmarkNetwork:
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as networks:
        return LandmarkNetwork(networks.read("hand_landmarks_detector.tflite"))


def network_detector(bundle: HandBundle, *, max_hands: int) -> NetworkDetector:
    from models.hands.network_detector import NetworkDetector

    return NetworkDetector(bundle, find_pose_bundle(), max_hands=max_hands)


@pytest.fixture(params=[network_detector, GraphDetector], ids=["networks", "graph"])
def detector(request: pytest.FixtureRequest, bundle: HandBundle) -> Iterator[HandDetector]:
    detector: HandDetector = request.param(bundle, max_hands=2)
    yield detector
    detector.close()


class TestDetector:
    """What holds of every detector, whatever runs the networks."""

    def test_the_hand_of_a_clip_is_seen_in_every_frame(
        self, detector: HandDetector, sample_clip: Path
    ) -> None:
        tracker = HandTracker(max_hands=2)
        for frame in frames_of(sample_clip, stop=12):
            (hand,) = found = detector.detect(frame, tracker.expect(frame.time_s))
            tracker.update(found, frame.time_s)
            assert hand.landmarks.shape == (21, 2)
            assert hand.landmarks.dtype == np.float64
            assert hand.handedness == "right"
            assert 0.5 <= hand.score <= 1

    def test_nothing_is_seen_in_an_empty_picture(self, detector: HandDetector) -> None:
        for pts in range(4):
            frame = frame_of(np.full((120, 160, 3), 90, np.uint8), pts)
            assert detector.detect(frame, ()) == []

    def test_a_hand_that_is_gone_is_not_seen(
        self, detector: HandDetector, sample_clip: Path
    ) -> None:
        tracker = HandTracker(max_hands=2)
        (first,) = frames_of(sample_clip, stop=1)
        tracker.update(detector.detect(first, ()), first.time_s)
        assert tracker.num_followed == 1
        gone = frame_of(np.zeros_like(first.image), 1)
        assert detector.detect(gone, tracker.expect(gone.time_s)) == []

    def test_closing_twice_is_harmless(self, detector: HandDetector) -> None:
        detector.close()
        detector.close()


def test_followed_landmarks_are_those_of_mediapipe(
    bundle: HandBundle, landmark_network: LandmarkNetwork, sample_clip: Path
) -> None:
    """Median difference below 0.03 palm widths, each frame from the one before."""
    away = []
    with HandGraph(bundle, 1, 0.5, follows=True) as graph:
        square: TurnedSquare | None = None
        for frame in frames_of(sample_clip, stop=40):
            whole = CropTransform.identity(frame.size_wh)
            (theirs,) = graph.look(np.ascontiguousarray(frame.image), whole)
            square = square or square_of_hand(theirs.landmarks)
            hand = landmark_network.place(square.cut(frame.image, landmark_network.size_px), square)
            assert hand.presence > 0.9
            assert hand.right > 0.5
            square = square_of_hand(hand.landmarks)
            palm_px = np.linalg.norm(theirs.landmarks[5] - theirs.landmarks[17])
            away.append(np.linalg.norm(hand.landmarks - theirs.landmarks, axis=1) / palm_px)
    assert np.median(away) < 0.03


@pytest.mark.parametrize("turn_rad", [0.0, 0.7, -2.5])
def test_a_square_is_cut_where_its_points_are(turn_rad: float) -> None:
    """A white spot in the frame lies in the crop where the square says that it does."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[90:93, 140:143] = 255
    square = TurnedSquare(centre_xy=(150.0, 100.0), side_px=80.0, turn_rad=turn_rad)
    crop = square.cut(image, 160)
    rows, columns = np.nonzero(crop[..., 0] > 128)
    spot = np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / 160
    assert square.to_frame(spot) == pytest.approx((141.5, 91.5), abs=0.3)


def test_a_square_stands_on_the_wrist() -> None:
    points = np.zeros((21, 2))
    points[:, 0] = np.linspace(100, 180, 21)  # a hand that points to the right
    points[:, 1] = 50 + 10 * np.sin(np.arange(21))
    points[0] = (90, 50)
    square = square_of_hand(points)
    assert square.turn_rad == pytest.approx(turn_between(np.zeros(2), np.array([1.0, 0])), abs=0.2)
    x, _ = square.moved_up(10, scale=1).centre_xy
    assert x > square.centre_xy[0] + 9


def test_a_pose_shows_hands_that_palms_do_not(bundle: HandBundle, shared: Path) -> None:
    """Hands of 70 px in a picture of 1920: none by their palms, both by the arms."""
    from models.hands.network_detector import NetworkDetector

    pose = find_pose_bundle()
    if pose is None:
        pytest.skip("the pose bundle is not installed")
    found = {}
    for bundle_of_poses in (None, pose):
        detector = NetworkDetector(bundle, bundle_of_poses, max_hands=2)
        tracker = HandTracker(max_hands=2)
        for frame in frames_of(shared / "footage" / "c_small_hands.mp4", stop=14):
            hands = detector.detect(frame, tracker.expect(frame.time_s))
            found[bundle_of_poses] = tracker.update(hands, frame.time_s)
    assert found[None] == ()
    right, left = sorted(found[pose], key=lambda hand: hand.centre_xy[0])
    assert (right.handedness, left.handedness) == ("right", "left")
    # By eye: the middles of the palms in frame 13.
    assert right.centre_xy == pytest.approx((710, 463), abs=45)
    assert left.centre_xy == pytest.approx((844, 434), abs=45)


def test_an_arm_on_a_far_larger_hand_has_no_hand(
    bundle: HandBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fingers pass for small people at times, whose hands would be found on a finger."""
    if find_pose_bundle() is None:
        pytest.skip("the pose bundle is not installed")
    square = TurnedSquare(centre_xy=(300.0, 300.0), side_px=90.0, turn_rad=0.0)
    arm = Arm(side="left", wrist=np.array([300.0, 330.0]), hand=square, presence=1.0)
    person = Person(arms=(arm, arm), face_xyxy=(290.0, 190.0, 310.0, 220.0))
    small = render_hand("B", size_px=72, seed=4, handedness="left", background=(0, 0, 0)).image
    large = render_hand("L", size_px=512, seed=4, handedness="right").image
    sizes_px = []
    for picture in (np.zeros_like(large), large.copy()):
        with network_detector(bundle, max_hands=2) as detector:
            tracker = HandTracker(max_hands=2)
            monkeypatch.setattr(PoseNetwork, "find", lambda pose, image: None)
            tracker.update(detector.detect(frame_of(picture, 0), ()), 0.0)
            monkeypatch.setattr(PoseNetwork, "find", lambda pose, image: person)
            picture[264:336, 264:336] = small
            frame = frame_of(picture, 5)
            hands = detector.detect(frame, tracker.expect(frame.time_s))
            sizes_px.append([hand.size_px for hand in hands])
    (alone,), (around,) = sizes_px
    assert alone < 80 < 200 < around


def test_locked_fists_are_two_hands_to_the_end(shared: Path) -> None:
    if find_pose_bundle() is None:
        pytest.skip("the pose bundle is not installed")
    with MediaPipeHandFinder() as finder:
        clip = frames_of(shared / "footage" / "f_locked_fists.mp4")
        regions = [finder.find(frame) for frame in clip][-25:]
    sides = [
        sorted(str(hand.handedness) for hand in hands if hand.unseen_s == 0) for hands in regions
    ]
    assert sides == [["left", "right"]] * 25
    # By eye in the last frame, forehead to chin.
    assert regions[-1][0].face_xyxy == pytest.approx((560, 10, 715, 257), abs=40)


def test_networks_of_another_kind_are_told_in_one_line(bundle: HandBundle) -> None:
    """Both files are good networks, but in each other's place."""
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as networks:
        names = networks.namelist()
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as swapped:
            for name, other in zip(names, reversed(names), strict=True):
                swapped.writestr(name, networks.read(other))
    with pytest.raises(HandModelError, match="--hand-model") as caught:
        network_detector(HandBundle(content.getvalue(), "hand.task"), max_hands=1)
    assert "\n" not in str(caught.value)
