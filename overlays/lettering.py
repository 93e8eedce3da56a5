"""A typeface of strokes: drawn for this program, sharp at any size, nothing to install.

Letters are monoline (one stroke width, round ends), so a glyph is a handful of lines and arcs. The
fonts that come with OpenCV are plotter fonts without sub-pixel placement, and look it.

Units: capitals and digits are 10 high, small letters 7, tails reach to -3; y points up from the
baseline. Digits share one width, so that running numbers stand still.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["ASCENT_EM", "CAP_EM", "DESCENT_EM", "STROKE_EM", "text_mask", "text_width"]

CAP_EM = 0.70
"""Height of a capital as a fraction of the size."""
ASCENT_EM = 0.82
"""Room above the baseline as a fraction of the size; strokes and dots fit inside."""
DESCENT_EM = 0.30
"""Room below the baseline as a fraction of the size."""

_UNIT_EM = CAP_EM / 10
STROKE_EM = 0.088
"""Width of a stroke as a fraction of the size, unless another weight is asked for."""
_MAX_SUPERSAMPLING = 8
_PHASES = 4  # glyphs are placed on quarters of a pixel: even spacing at small sizes
_BEARING = {"|": 1.3, "(": 0.95, "/": 0.6}  # room beside a straight, a round, an open side
_SPACES = {" ": 3.4, "\N{HAIR SPACE}": 1.2}  # hair spaces set a word wider

# Character: shape of its left and right side, width, strokes. A stroke is M (move), L (line),
# Q and C (Bezier curves), A (arc: centre, radii, from and to in degrees), O (ellipse).
_GLYPHS: dict[str, tuple[str, float, str]] = {
    "a": ("(|", 5.4, "O2.7,3.5,2.7,3.5 M5.4,7 L5.4,0"),
    "b": ("|(", 5.4, "M0,10 L0,0 O2.7,3.5,2.7,3.5"),
    "c": ("(/", 4.9, "A2.8,3.5,2.8,3.5,48,312"),
    "d": ("(|", 5.4, "O2.7,3.5,2.7,3.5 M5.4,10 L5.4,0"),
    "e": ("((", 5.6, "M0,3.6 L5.6,3.6 A2.8,3.5,2.8,3.5,2,316"),
    "f": ("//", 3.6, "M1.3,0 L1.3,7.8 Q1.3,10 3.4,10 L3.7,10 M0,7 L3.3,7"),
    "g": ("(|", 5.4, "O2.7,3.5,2.7,3.5 M5.4,7 L5.4,-0.4 A2.8,-0.4,2.6,2.6,0,-145"),
    "h": ("||", 5.1, "M0,10 L0,0 M0,4.4 A2.55,4.4,2.55,2.6,180,0 L5.1,0"),
    "i": ("||", 0.0, "M0,7 L0,0 M0,9.6 L0,9.6"),
    "j": ("/|", 1.4, "M1.4,7 L1.4,-1.2 Q1.4,-3 -0.2,-3 M1.4,9.6 L1.4,9.6"),
    "k": ("|/", 4.8, "M0,10 L0,0 M4.5,7 L0,2.8 M1.7,4.4 L4.8,0"),
    "l": ("|/", 1.5, "M0,10 L0,1.6 Q0,0 1.6,0"),
    "m": (
        "||",
        8.6,
        "M0,7 L0,0 M0,4.7 A2.15,4.7,2.15,2.3,180,0 L4.3,0 M4.3,4.7 A6.45,4.7,2.15,2.3,180,0 L8.6,0",
    ),
    "n": ("||", 5.1, "M0,7 L0,0 M0,4.4 A2.55,4.4,2.55,2.6,180,0 L5.1,0"),
    "o": ("((", 5.7, "O2.85,3.5,2.85,3.5"),
    "p": ("|(", 5.4, "M0,7 L0,-3 O2.7,3.5,2.7,3.5"),
    "q": ("(|", 5.4, "M5.4,7 L5.4,-3 O2.7,3.5,2.7,3.5"),
    "r": ("|/", 3.2, "M0,7 L0,0 M0,4.2 A2.7,4.2,2.7,2.8,180,78"),
    "s": (
        "((",
        4.5,
        "M4.3,5.8 C3.9,6.6 3.2,7 2.3,7 C1,7 0.2,6.3 0.2,5.2 C0.2,4.1 1.2,3.8 2.3,3.55"
        " C3.5,3.3 4.5,2.9 4.5,1.75 C4.5,0.6 3.5,0 2.3,0 C1.2,0 0.4,0.4 0,1.3",
    ),
    "t": ("//", 3.6, "M1.3,9.2 L1.3,2 Q1.3,0 3.2,0 L3.6,0 M0,7 L3.4,7"),
    "u": ("||", 5.1, "M0,7 L0,2.6 A2.55,2.6,2.55,2.6,180,360 M5.1,7 L5.1,0"),
    "v": ("//", 5.4, "M0,7 L2.7,0 L5.4,7"),
    "w": ("//", 8.0, "M0,7 L2,0 L4,6.7 L6,0 L8,7"),
    "x": ("//", 5.0, "M0,7 L5,0 M5,7 L0,0"),
    "y": ("//", 5.5, "M0,7 L2.75,0 M5.5,7 L1.57,-3"),
    "z": ("//", 4.8, "M0.2,7 L4.6,7 L0,0 L4.8,0"),
    "A": ("//", 7.2, "M0,0 L3.6,10 L7.2,0 M1.2,3.3 L6,3.3"),
    "B": (
        "|(",
        6.1,
        "M0,5.2 L3.2,5.2 A3.2,7.6,2.5,2.4,-90,90 L0,10 L0,0 L3.2,0 A3.2,2.6,2.9,2.6,-90,90",
    ),
    "C": ("(/", 7.2, "A4.3,5,4.3,5,47,313"),
    "D": ("|(", 7.0, "M0,0 L0,10 L2.8,10 A2.8,5,4.2,5,90,-90 L0,0"),
    "E": ("|/", 5.2, "M5.2,10 L0,10 L0,0 L5.2,0 M0,5.1 L4.6,5.1"),
    "F": ("|/", 5.0, "M5,10 L0,10 L0,0 M0,5 L4.4,5"),
    "G": ("(|", 8.2, "A4.2,5,4.2,5,48,357 L4.8,4.8"),
    "H": ("||", 6.6, "M0,0 L0,10 M6.6,0 L6.6,10 M0,5.1 L6.6,5.1"),
    "I": ("||", 0.0, "M0,0 L0,10"),
    "J": ("/|", 4.0, "M4,10 L4,2.6 A1.9,2.6,2.1,2.6,0,-165"),
    "K": ("|/", 6.1, "M0,0 L0,10 M5.8,10 L0,4 M2.1,6.2 L6.1,0"),
    "L": ("|/", 4.8, "M0,10 L0,0 L4.8,0"),
    "M": ("||", 8.0, "M0,0 L0,10 L4,3 L8,10 L8,0"),
    "N": ("||", 6.6, "M0,0 L0,10 L6.6,0 L6.6,10"),
    "O": ("((", 8.8, "O4.4,5,4.4,5"),
    "P": ("|(", 6.0, "M0,0 L0,10 L3.2,10 A3.2,7.2,2.8,2.8,90,-90 L0,4.4"),
    "Q": ("((", 8.8, "O4.4,5,4.4,5 M5.4,2.6 L8.2,-0.4"),
    "R": ("|/", 6.2, "M0,0 L0,10 L3.2,10 A3.2,7.3,2.8,2.7,90,-90 L0,4.6 M3.2,4.6 L6.2,0"),
    "S": (
        "((",
        5.9,
        "M5.6,8.2 C5.1,9.4 4.2,10 2.9,10 C1.3,10 0.3,9 0.3,7.55 C0.3,5.9 1.6,5.45 2.95,5.1"
        " C4.5,4.7 5.9,4.2 5.9,2.5 C5.9,0.9 4.6,0 3,0 C1.6,0 0.5,0.6 0,1.9",
    ),
    "T": ("//", 6.4, "M0,10 L6.4,10 M3.2,10 L3.2,0"),
    "U": ("||", 6.4, "M0,10 L0,3.2 A3.2,3.2,3.2,3.2,180,360 L6.4,10"),
    "V": ("//", 7.2, "M0,10 L3.6,0 L7.2,10"),
    "W": ("//", 10.4, "M0,10 L2.6,0 L5.2,9.6 L7.8,0 L10.4,10"),
    "X": ("//", 6.6, "M0,10 L6.6,0 M6.6,10 L0,0"),
    "Y": ("//", 6.6, "M0,10 L3.3,4.8 L6.6,10 M3.3,4.8 L3.3,0"),
    "Z": ("//", 6.2, "M0.2,10 L6,10 L0,0 L6.2,0"),
    "0": ("((", 5.8, "O2.9,5,2.7,5"),
    "1": ("((", 5.8, "M0.9,7.9 L3.3,10 L3.3,0"),
    "2": ("((", 5.8, "A2.9,7.2,2.7,2.8,165,-32 L0.3,0 L5.6,0"),
    "3": ("((", 5.8, "A2.8,7.6,2.4,2.4,150,-90 M2.2,5.2 L2.8,5.2 A2.8,2.6,2.8,2.6,90,-152"),
    "4": ("((", 5.8, "M4.3,0 L4.3,10 L0.1,2.8 L5.8,2.8"),
    "5": ("((", 5.8, "M5.2,10 L1.1,10 L0.8,5.4 A2.8,3.25,2.9,3.25,134,-150"),
    "6": ("((", 5.8, "O2.9,3.2,2.75,3.2 M4.2,10 C1.8,8.2 0.15,6 0.15,3.2"),
    "7": ("((", 5.8, "M0.3,10 L5.6,10 L2,0"),
    "8": ("((", 5.8, "O2.9,7.6,2.35,2.4 O2.9,2.6,2.75,2.6"),
    "9": ("((", 5.8, "O2.9,6.8,2.75,3.2 M1.6,0 C4,1.8 5.65,4 5.65,6.8"),
    ".": ("||", 0.0, "M0,0.2 L0,0.2"),
    ",": ("||", 0.4, "M0.4,0.4 L0,-1.6"),
    ":": ("||", 0.0, "M0,0.2 L0,0.2 M0,6 L0,6"),
    ";": ("||", 0.4, "M0.4,0.4 L0,-1.6 M0.4,6 L0.4,6"),
    "-": ("||", 2.6, "M0,3.8 L2.6,3.8"),
    "\N{EN DASH}": ("//", 5.0, "M0,3.8 L5,3.8"),
    "_": ("//", 5.0, "M0,-1 L5,-1"),
    "/": ("//", 4.4, "M0,-1.2 L4.4,11"),
    "\\": ("//", 4.4, "M0,11 L4.4,-1.2"),
    "|": ("||", 0.0, "M0,-2 L0,11"),
    "%": ("((", 8.6, "O1.9,7.9,1.9,2.1 O6.7,2.1,1.9,2.1 M7.1,10 L1.5,0"),
    "+": ("((", 5.6, "M2.8,1.2 L2.8,6.8 M0,4 L5.6,4"),
    "=": ("((", 5.4, "M0,2.7 L5.4,2.7 M0,5.5 L5.4,5.5"),
    "\N{MULTIPLICATION SIGN}": ("((", 4.4, "M0,1.5 L4.4,5.9 M4.4,1.5 L0,5.9"),
    "\N{MIDDLE DOT}": ("||", 0.0, "M0,3.8 L0,3.8"),
    "\N{HORIZONTAL ELLIPSIS}": ("||", 6.0, "M0,0.2 L0,0.2 M3,0.2 L3,0.2 M6,0.2 L6,0.2"),
    "(": ("(/", 2.2, "M2.2,11 C-0.7,8 -0.7,1.4 2.2,-1.6"),
    ")": ("/(", 2.2, "M0,11 C2.9,8 2.9,1.4 0,-1.6"),
    "[": ("|/", 2.2, "M2.2,11 L0,11 L0,-1.6 L2.2,-1.6"),
    "]": ("/|", 2.2, "M0,11 L2.2,11 L2.2,-1.6 L0,-1.6"),
    "<": ("((", 4.6, "M4.6,7 L0,4 L4.6,1"),
    "\N{LEFTWARDS ARROW}": ("((", 6.4, "M6.4,4 L0,4 M2.6,6.6 L0,4 L2.6,1.4"),
    "\N{RIGHTWARDS ARROW}": ("((", 6.4, "M0,4 L6.4,4 M3.8,6.6 L6.4,4 L3.8,1.4"),
    ">": ("((", 4.6, "M0,7 L4.6,4 L0,1"),
    "'": ("||", 0.0, "M0,10 L0,7.6"),
    '"': ("||", 2.0, "M0,10 L0,7.6 M2,10 L2,7.6"),
    "!": ("||", 0.0, "M0,10 L0,3 M0,0.2 L0,0.2"),
    "?": ("//", 4.6, "A2.3,7.6,2.3,2.4,165,-50 Q2.3,4.6 2.3,3 M2.3,0.2 L2.3,0.2"),
    "#": ("((", 6.4, "M2.2,0 L3,10 M4.6,0 L5.4,10 M0.4,3.2 L6,3.2 M0.8,6.8 L6.4,6.8"),
    "*": ("((", 4.0, "M2,9.8 L2,5.8 M0.2,8.8 L3.8,6.8 M3.8,8.8 L0.2,6.8"),
    "~": ("((", 5.6, "M0,3.4 C1,5.2 2,5 2.8,4 C3.6,3 4.6,2.8 5.6,4.6"),
    "@": ("((", 9.0, "O4.4,3.8,1.9,2.2 M6.3,6 L6.3,2.8 Q6.6,1.4 7.8,1.8 A4.5,3.9,4.5,4.7,-28,300"),
    "&": (
        "(/",
        6.6,
        "M6.6,0 L1.4,6.6 C0.2,8.4 1.2,10 2.8,10 C4.5,10 5.2,8.2 4,6.9"
        " C2.6,5.5 0,5 0,2.6 C0,0.9 1.3,0 2.9,0 C4.9,0 6.2,1.8 6.4,4.4",
    ),
    "\N{REPLACEMENT CHARACTER}": ("||", 4.6, "M0,0 L0,8 L4.6,8 L4.6,0 L0,0"),
}


@lru_cache(maxsize=1024)
def text_width(text: str, size_px: float) -> int:
    """Return the width in pixels of what ``text_mask`` draws."""
    return _right_edge_px(text, size_px)


@lru_cache(maxsize=512)
def text_mask(text: str, size_px: float, stroke_em: float = STROKE_EM) -> npt.NDArray[np.uint8]:
    """Return a line of text as coverage: uint8 ``(H, W)``, 255 = ink, read-only.

    The baseline lies ``round(ASCENT_EM * size_px)`` pixels below the top edge.

    Args:
        text: One line; a character without a glyph is drawn as an empty box.
        size_px: Height of the typeface (capitals are ``CAP_EM`` of it), > 0.
        stroke_em: Width of a stroke as a fraction of the size: the weight.
    """
    height = _ascent_px(size_px) + math.ceil(DESCENT_EM * size_px)
    mask = np.zeros((height, _right_edge_px(text, size_px)), np.uint8)
    for char, pen_px in _pens(text, size_px):
        whole, phase = divmod(round(pen_px * _PHASES), _PHASES)
        glyph, shift = _glyph_mask(char, size_px, stroke_em, phase)
        left = whole + shift
        part = mask[:, max(left, 0) : left + glyph.shape[1]]
        np.maximum(part, glyph[:, max(-left, 0) :][:, : part.shape[1]], out=part)
    mask.flags.writeable = False
    return mask


def _ascent_px(size_px: float) -> int:
    return round(ASCENT_EM * size_px)


def _glyph(char: str) -> tuple[str, float, str]:
    return _GLYPHS.get(char) or _GLYPHS["\N{REPLACEMENT CHARACTER}"]


def _pens(text: str, size_px: float) -> Iterator[tuple[str, float]]:
    """Yield each visible character and the x of its own zero, in pixels."""
    x = 0.0
    for char in text:
        if char in _SPACES:
            x += _SPACES[char]
            continue
        sides, width, _ = _glyph(char)
        x += _BEARING[sides[0]]
        yield char, x * _UNIT_EM * size_px
        x += width + _BEARING[sides[1]]


def _right_edge_px(text: str, size_px: float) -> int:
    width = sum(
        _SPACES[char]
        if char in _SPACES
        else _glyph(char)[1] + _BEARING[_glyph(char)[0][0]] + _BEARING[_glyph(char)[0][1]]
        for char in text
    )
    return max(1, math.ceil(width * _UNIT_EM * size_px))


@lru_cache(maxsize=2048)
def _glyph_mask(
    char: str, size_px: float, stroke_em: float, phase: int
) -> tuple[npt.NDArray[np.uint8], int]:
    """Return a glyph's coverage and the x of its left column relative to the pen's whole pixel."""
    _, width, path = _glyph(char)
    fineness = min(_MAX_SUPERSAMPLING, max(2, round(128 / size_px)))
    unit_px = _UNIT_EM * size_px
    margin = math.ceil(stroke_em * size_px) + 1
    columns = math.ceil(width * unit_px) + 2 * margin + 1
    rows = _ascent_px(size_px) + math.ceil(DESCENT_EM * size_px)
    fine = np.zeros((rows * fineness, columns * fineness), np.uint8)
    thickness = max(1, round(stroke_em * size_px * fineness))
    origin = np.array([margin + phase / _PHASES, _ascent_px(size_px)])
    for stroke in _strokes(path):
        points = (origin + stroke * (unit_px, -unit_px)) * fineness
        is_dot = len(stroke) == 2 and bool((stroke[0] == stroke[1]).all())
        if is_dot:  # a dot as wide as the stroke looks smaller than the stroke
            centre = np.round(points[0] * 16).astype(int).tolist()
            cv2.circle(fine, centre, round(thickness * 0.66 * 16), 255, -1, cv2.LINE_AA, 4)
        else:
            fixed = np.round(points * 16).astype(np.int32)
            cv2.polylines(fine, [fixed], False, 255, thickness, cv2.LINE_AA, 4)
    mask = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
    return mask, -margin


@lru_cache(maxsize=256)
def _strokes(path: str) -> tuple[npt.NDArray[np.float64], ...]:
    """Return a path's strokes as polylines (N, 2) in units."""
    strokes: list[list[tuple[float, float]]] = []
    numbers: list[tuple[str, list[float]]] = []
    for token in path.split():
        if token[0].isalpha():
            numbers.append((token[0], [float(n) for n in token[1:].split(",")]))
        else:  # a further point of a curve
            numbers[-1][1].extend(float(n) for n in token.split(","))
    for command, args in numbers:
        if command == "M":
            strokes.append([(args[0], args[1])])
        elif command == "L":
            strokes[-1].append((args[0], args[1]))
        elif command in "QC":
            strokes[-1].extend(_bezier([strokes[-1][-1], *zip(args[::2], args[1::2], strict=True)]))
        elif command == "O":
            strokes.append(_arc(args[0], args[1], args[2], args[3], 0, 360))
        else:
            arc = _arc(args[0], args[1], args[2], args[3], args[4], args[5])
            starts_here = strokes and math.dist(strokes[-1][-1], arc[0]) < 0.5
            if starts_here:
                strokes[-1].extend(arc)
            else:
                strokes.append(arc)
    return tuple(np.array(stroke) for stroke in strokes)


def _bezier(control: list[tuple[float, float]]) -> list[tuple[float, float]]:
    degree = len(control) - 1
    points = []
    for t in np.linspace(0, 1, 13)[1:]:
        weights = [math.comb(degree, i) * t**i * (1 - t) ** (degree - i) for i in range(degree + 1)]
        points.append(
            (
                sum(w * x for w, (x, _) in zip(weights, control, strict=True)),
                sum(w * y for w, (_, y) in zip(weights, control, strict=True)),
            )
        )
    return points


def _arc(
    x: float, y: float, radius_x: float, radius_y: float, start: float, stop: float
) -> list[tuple[float, float]]:
    angles = np.radians(np.linspace(start, stop, 2 + int(abs(stop - start) / 7)))
    return [(x + radius_x * math.cos(a), y + radius_y * math.sin(a)) for a in angles]
