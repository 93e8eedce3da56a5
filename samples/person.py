"""How one person looks: face, complexion, hair, glasses, clothes.

Colours are linear RGB, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

HairStyle = Literal[
    "short", "bun", "long", "curly", "bald", "cropped", "bob", "ponytail", "fringe", "scarf"
]
HAIR_STYLES: tuple[HairStyle, ...] = get_args(HairStyle)
Vector = tuple[float, float, float]

_STYLE_SHARES: Final = (0.17, 0.09, 0.15, 0.08, 0.07, 0.13, 0.09, 0.09, 0.08, 0.05)
"""How often each is drawn."""
_IRISES: Final = ((0.09, 0.045, 0.02), (0.10, 0.06, 0.03), (0.08, 0.12, 0.16), (0.10, 0.12, 0.06))
"""The first is that of dark skin."""
_HAIR_COLOURS: Final[tuple[tuple[float, Vector], ...]] = (
    (0.36, (0.012, 0.009, 0.008)),
    (0.20, (0.035, 0.020, 0.012)),
    (0.14, (0.085, 0.045, 0.022)),
    (0.12, (0.32, 0.20, 0.09)),
    (0.05, (0.17, 0.045, 0.016)),
    (0.09, (0.22, 0.215, 0.21)),
    (0.04, (0.50, 0.49, 0.47)),
)
"""Shares and colours: black, two browns, blond, red, grey, white."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complexion:
    """What tells real skin from painted skin; all 0 is a doll."""

    pores: float = 0.0
    """Fine unevenness, 0 to 1.5."""
    redness: float = 0.0
    """Blotches on cheeks, nose and chin, 0 to 1.5."""
    freckles: float = 0.0
    """0 none, 1 many."""
    age: float = 0.0
    """Folds and lines, 0 to 1.2."""
    oil: float = 0.0
    """Shine beyond that of dry skin, 0 to 2."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Complexion:
        """Draw a complexion."""
        return cls(
            pores=float(rng.uniform(0.2, 1.3)),
            redness=float(rng.uniform(0.0, 1.3)),
            freckles=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.2 else 0.0,
            age=float(rng.uniform(0.0, 1.2)),
            oil=float(2.0 * rng.random() ** 2),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Glasses:
    """A frame before the eyes; lengths are cm."""

    frame: Vector
    """Albedo of the frame."""
    thickness: float
    """Half the width of the rim."""
    width: float = 2.5
    """Half the width of a lens."""
    height: float = 1.9
    """Half its height."""
    squareness: float = 3.0
    """2 is round, 5 nearly a box."""
    tint: float = 0.0
    """0 clear, 1 black."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Glasses:
        """Draw glasses, black and brown frames most often; one pair in twelve is for the sun."""
        grey = float(rng.choice((0.01, 0.02, 0.05, 0.25, 0.5)))
        tint = np.clip(1 + rng.uniform(-0.5, 0.7, 3) * (1.4, 1.0, 0.8), 0.2, 2.5)
        return cls(
            frame=_vector(np.clip(grey * tint, 0.004, 0.8)),
            thickness=float(rng.uniform(0.08, 0.34)),
            width=float(rng.uniform(2.2, 2.85)),
            height=float(rng.uniform(1.4, 2.5)),
            squareness=float(rng.uniform(2.0, 5.0)),
            tint=float(rng.uniform(0.6, 0.95)) if rng.random() < 1 / 12 else 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Clothes:
    """What a sweater is not."""

    neckline_cm: float = 0.0
    """How far down the chest is bare; 0 is a collar around the neck."""
    pointed: bool = False
    """Whether the neckline is a V."""
    sleeve_cm: float = 1e3
    """From the body's middle to where the sleeve ends; the arm beyond it is bare."""
    stripe_cm: float = 0.0
    """Width of the stripes; 0 is one colour, negative runs them down the body."""
    print: Vector = (0.5, 0.5, 0.5)
    """Albedo of every other stripe."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Clothes:
        """Draw clothes."""
        bare = rng.random() < 0.65
        striped = rng.random() < 0.25
        return cls(
            neckline_cm=float(rng.uniform(2.0, 11.0)) if bare else 0.0,
            pointed=bool(rng.random() < 0.4),
            sleeve_cm=float(rng.uniform(15.0, 22.0)) if rng.random() < 0.3 else 1e3,
            stripe_cm=float(rng.choice((-1, 1)) * rng.uniform(0.5, 3.0)) if striped else 0.0,
            print=_vector(rng.uniform(0.02, 0.7) * rng.uniform(0.3, 1.3, 3)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """How one person looks. Colours are linear RGB, 0 to 1."""

    skin: Vector
    """Albedo of the face."""
    lip: Vector
    """Albedo of the lips."""
    cloth: Vector
    """Albedo of the sweater, and of a scarf."""
    hair: Vector
    """Albedo of hair, brows and beard."""
    iris: Vector = (0.10, 0.055, 0.025)
    """Albedo of the iris."""
    hair_style: HairStyle = "short"
    """Cut of the hair."""
    hairline_cm: float = 0.0
    """How much higher than usual hair begins above the face, -1 to 2."""
    streaks: float = 0.0
    """How much strands differ, 0 to 1."""
    beard: float = 0.0
    """0 shaved, 1 full."""
    brow: float = 1.0
    """Thickness of the brows, 0.6 to 1.4."""
    jaw: float = 1.0
    """Width of the jaw, 0.85 to 1.15."""
    nose: float = 1.0
    """Size of the nose, 0.8 to 1.3."""
    head_whd: Vector = (1.0, 1.0, 1.0)
    """Width, height and depth of the head over those of a standard one, 0.9 to 1.12."""
    shoulders: float = 1.0
    """Width of the shoulders, 0.88 to 1.12."""
    complexion: Complexion = Complexion()
    glasses: Glasses | None = None
    clothes: Clothes = Clothes()

    @classmethod
    def random(cls, rng: np.random.Generator, skin: Vector) -> Signer:
        """Draw a person whose face has the albedo ``skin`` (so that it matches the hands)."""
        style = HAIR_STYLES[int(rng.choice(len(HAIR_STYLES), p=_STYLE_SHARES))]
        masculine = style in ("short", "bald", "cropped") and rng.random() < 0.7
        shares = np.array([share for share, _ in _HAIR_COLOURS])
        dark = float(np.mean(skin)) < 0.2
        if dark:
            shares[1:5] *= 0.15
        hair = _HAIR_COLOURS[int(rng.choice(len(shares), p=shares / shares.sum()))][1]
        lip = np.array(lip_colour(skin)) * rng.uniform(0.75, 1.1)
        if rng.random() < 0.2 and not masculine:
            lip = np.array([0.35, 0.03, 0.05]) * rng.uniform(0.4, 1.3)
        cloth = rng.uniform(0.02, 0.5) * np.clip(1 + rng.uniform(-0.6, 0.6, 3), 0.1, 1.6)
        if rng.random() < 0.4:
            cloth = rng.uniform(0.01, 0.75, 3)
        clothes = Clothes.random(rng)
        if style == "scarf":
            clothes = replace(clothes, neckline_cm=0.0)
        return cls(
            skin=skin,
            lip=_vector(lip),
            cloth=_vector(cloth),
            hair=_vector(np.array(hair) * rng.uniform(0.6, 1.5)),
            iris=_IRISES[int(rng.integers(1 if dark else len(_IRISES)))],
            hair_style=style,
            hairline_cm=float(rng.uniform(-0.6, 1.0) + 1.2 * masculine * rng.random()),
            streaks=float(rng.uniform(0.2, 1.0)),
            beard=float(rng.uniform(0.15, 1.0)) if masculine and rng.random() < 0.55 else 0.0,
            brow=float(rng.uniform(0.95, 1.35) if masculine else rng.uniform(0.7, 1.0)),
            jaw=float(rng.uniform(0.86, 1.14)),
            nose=float(rng.uniform(0.8, 1.3)),
            head_whd=_vector(rng.uniform((0.9, 0.92, 0.94), (1.1, 1.12, 1.06))),
            shoulders=float(rng.uniform(0.98, 1.1) if masculine else rng.uniform(0.88, 1.0)),
            complexion=Complexion.random(rng),
            glasses=Glasses.random(rng) if rng.random() < 0.3 else None,
            clothes=clothes,
        )


def lip_colour(skin: Vector) -> Vector:
    """Return a lip albedo that belongs to a skin albedo."""
    r, g, b = skin
    return (0.92 * r, 0.58 * g, 0.62 * b)


def _vector(values: npt.NDArray[np.float64]) -> Vector:
    r, g, b = (float(v) for v in values)
    return (r, g, b)
