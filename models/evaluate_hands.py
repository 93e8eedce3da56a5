"""Measure the hand finder on labelled clips: ``python -m models.evaluate_hands FOLDER``.

Every video of the folder is walked from its first frame to its last, as an export does. Hands are
compared at the frames that ``truth.json`` labels (docs/labelling.md says how). A clip without
labels is walked too: it counts for the cost, and says how often a hand was seen.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from stream.command_line.one_line_parser import OneLineParser
from stream.errors import SourceFormatError, SourceNotFoundError
from stream.folders import make_folder
from stream.geometry import Handedness, HandRegion
from stream.jobs.progress import ResultConsole, say
from stream.json_files import write_json
from stream.program import run_program
from stream.protocols import HandFinder, Source

__all__ = ["ClipScore", "HandLabel", "main", "read_labels", "score_clip"]

LABELS_NAME: Final = "truth.json"
"""Name of the labels in a folder of clips."""
NEAR: Final = 0.65
"""A box belongs to a labelled hand when its centre is within this, in the label's hand sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandLabel:
    """A hand as a person marked it in one frame."""

    x: float
    """x of the palm's middle in frame pixels."""
    y: float
    """y of the palm's middle in frame pixels."""
    size: float
    """Length of the hand in frame pixels, > 0."""
    side: Handedness
    """The signer's own hand."""
    clear: bool
    """False where it is blurred, or cut by the picture's edge."""


Labels = Mapping[int, Sequence[HandLabel]]
"""Hands by the number of the frame; an empty list says that there is no hand in it."""


@dataclass(slots=True, kw_only=True)
class ClipScore:
    """What the finder made of a clip, or of several. Only seen hands count as found."""

    num_frames: int = 0
    num_seen: int = 0
    """Hands seen in all frames together."""
    num_held: int = 0
    """Boxes shown though the hand was not seen, in all frames together."""
    num_clear: int = 0
    """Clear hands labelled."""
    clear_found: int = 0
    num_blurred: int = 0
    """Other hands labelled."""
    blurred_found: int = 0
    wrong_side: int = 0
    """Found hands that were called by the other side."""
    false_hands: int = 0
    """Seen hands in labelled frames where no hand is labelled."""
    held_on: int = 0
    """Held boxes in labelled frames that are on a labelled hand."""
    held_off: int = 0
    """Held boxes in labelled frames that are beside the hands."""
    cpu_s: float = 0.0
    """Processor time of the finder, all threads."""

    def __add__(self, other: ClipScore) -> ClipScore:
        mine, theirs = asdict(self), asdict(other)
        return ClipScore(**{name: value + theirs[name] for name, value in mine.items()})


def read_labels(path: Path) -> dict[str, Labels]:
    """Return the labels of each clip, by the clip's name.

    Raises:
        SourceFormatError: The file is no table of labels; the message says where.
    """
    try:
        table: Any = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(clip): {
                int(number): [_label(hand) for hand in hands] for number, hands in frames.items()
            }
            for clip, frames in table.items()
        }
    except (OSError, AttributeError, TypeError, ValueError) as error:
        raise SourceFormatError(
            f"{path} holds no hand labels ({error}); docs/labelling.md shows what they look like"
        ) from error


def score_clip(source: Source, finder: HandFinder, labels: Labels) -> ClipScore:
    """Walk a clip and return what was found in it."""
    score = ClipScore()
    while (frame := source.read()) is not None:
        began_s = time.process_time()
        regions = finder.find(frame)
        score.cpu_s += time.process_time() - began_s
        score.num_seen += sum(region.unseen_s == 0 for region in regions)
        score.num_held += sum(region.unseen_s > 0 for region in regions)
        hands = labels.get(score.num_frames)
        if hands is not None:
            _compare(regions, hands, score)
        score.num_frames += 1
    return score


def main(
    arguments: Sequence[str] | None = None, *, prog: str = "python -m models.evaluate_hands"
) -> int:
    """Run the command line and return its exit code, as ``stream.program`` explains."""
    return run_program(_parser(prog), _evaluate, arguments)


def _label(hand: Mapping[str, Any]) -> HandLabel:
    missing = [field.name for field in fields(HandLabel) if field.name not in hand]
    if missing:
        raise ValueError(f"a hand has no {' and no '.join(missing)}, only {dict(hand)}")
    label = HandLabel(**{field.name: hand[field.name] for field in fields(HandLabel)})
    if label.side not in ("left", "right") or not label.size > 0:
        raise ValueError(f"a hand has a side (left or right) and a size > 0, got {dict(hand)}")
    return label


def _compare(regions: Sequence[HandRegion], hands: Sequence[HandLabel], score: ClipScore) -> None:
    """Count one labelled frame: each box goes to one hand at most, the nearest pairs first."""
    pairs = sorted(
        (distance, row, column)
        for row, region in enumerate(regions)
        for column, hand in enumerate(hands)
        if (distance := math.dist(region.centre_xy, (hand.x, hand.y)) / hand.size) <= NEAR
    )
    owner: dict[int, int] = {}
    # Seen boxes choose first: a held one beside them takes no hand away.
    for _, row, column in sorted(pairs, key=lambda pair: regions[pair[1]].unseen_s > 0):
        if row not in owner and column not in owner.values():
            owner[row] = column
    found = {column for row, column in owner.items() if regions[row].unseen_s == 0}
    score.num_clear += sum(hand.clear for hand in hands)
    score.num_blurred += sum(not hand.clear for hand in hands)
    score.clear_found += sum(hands[column].clear for column in found)
    score.blurred_found += sum(not hands[column].clear for column in found)
    for row, region in enumerate(regions):
        if region.unseen_s > 0:
            score.held_on += row in owner
            score.held_off += row not in owner
        elif row not in owner:
            score.false_hands += 1
        else:
            score.wrong_side += region.handedness != hands[owner[row]].side


def _evaluate(options: argparse.Namespace) -> None:
    from models.hands.finder import MediaPipeHandFinder

    if not options.folder.is_dir():
        raise SourceNotFoundError(f"there is no folder {options.folder}; check the path")
    if options.out:
        make_folder(options.out.parent)
    labels_path = options.labels or options.folder / LABELS_NAME
    labels = read_labels(labels_path) if options.labels or labels_path.is_file() else {}
    scores: dict[str, ClipScore] = {}
    for clip, source in _clips(options.folder, labels_path):
        with source, MediaPipeHandFinder(max_hands=options.max_hands) as finder:
            scores[clip] = score_clip(source, finder, labels.get(clip, {}))
    if not scores:
        raise SourceFormatError(f"{options.folder} holds no video; give a folder of clips")
    missing = sorted(set(labels) - set(scores))
    if missing:
        say(f"note: labels without a video: {', '.join(missing)}")
    ResultConsole().print(_table_of(scores))
    if options.out:
        table = {clip: asdict(score) for clip, score in scores.items()}
        write_json(options.out, table)


def _clips(folder: Path, labels_path: Path) -> Iterator[tuple[str, Source]]:
    """Yield the videos of a folder, by name; what is none is named on stderr."""
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        source = None if path == labels_path else _open(path)
        if source is not None:
            yield path.name, source


def _open(path: Path) -> Source | None:
    from stream.sources.file import FileSource

    try:
        return FileSource(path)
    except SourceFormatError as error:
        say(f"note: left out: {error}")
        return None


def _table_of(scores: Mapping[str, ClipScore]) -> Table:
    table = Table(title="Hands found", title_justify="left")
    table.add_column("clip")
    names = ("frames", "clear", "blurred", "wrong side", "false", "held on/off", "seen", "held")
    for name in (*names, "cpu ms/frame"):
        table.add_column(name, justify="right")
    for clip, score in {**scores, "all": sum(scores.values(), ClipScore())}.items():
        table.add_row(
            clip,
            f"{score.num_frames}",
            f"{score.clear_found} of {score.num_clear}",
            f"{score.blurred_found} of {score.num_blurred}",
            f"{score.wrong_side}",
            f"{score.false_hands}",
            f"{score.held_on}/{score.held_off}",
            f"{score.num_seen}",
            f"{score.num_held}",
            f"{1000 * score.cpu_s / max(1, score.num_frames):.1f}",
        )
    return table


def _parser(prog: str) -> OneLineParser:
    parser = OneLineParser(prog=prog, description=__doc__)
    parser.add_argument("folder", type=Path, help="videos, and their labels if there are any")
    parser.add_argument(
        "--labels", type=Path, metavar="PATH", help=f"labels (default: {LABELS_NAME} of the folder)"
    )
    parser.add_argument("--max-hands", type=int, default=2, metavar="N", help="hands at once (2)")
    parser.add_argument("--out", type=Path, metavar="PATH", help="write the numbers as JSON, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
