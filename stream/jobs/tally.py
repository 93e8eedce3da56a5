"""What a job has seen of a recording so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from stream.geometry import Handedness
from stream.scene import Scene

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts of the scenes that were kept."""

    num_frames: int = 0
    """Frames kept."""
    num_frames_with_hand: int = 0
    """Frames in which at least one hand was seen (a place that is only held does not count)."""
    num_hands: dict[Handedness, int] = field(default_factory=lambda: {"left": 0, "right": 0})
    """Sightings of left and right hands, over all frames."""
    time_s: float = 0.0
    """Presentation time of the last frame kept, in seconds."""

    def count(self, scene: Scene) -> None:
        """Count one scene."""
        seen = [hand.handedness for hand in scene.hands if hand.handedness and not hand.unseen_s]
        self.num_frames += 1
        self.num_frames_with_hand += bool(seen)
        for handedness in seen:
            self.num_hands[handedness] += 1
        self.time_s = scene.frame.time_s
