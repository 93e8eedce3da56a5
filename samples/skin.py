"""Skin: one continuous scale of tones over the whole human range, palms, nails and creases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from samples.tone import to_linear

Colour = tuple[float, float, float]

_TONES: Final = to_linear(
    [
        (244, 214, 194),
        (236, 196, 170),
        (224, 178, 148),
        (206, 156, 122),
        (184, 130, 96),
        (156, 104, 74),
        (124, 80, 57),
        (94, 61, 45),
        (72, 49, 39),
    ]
)
"""Backs of hands from the lightest to the darkest skin, linear light, shape ``(9, 3)``."""
_PALM_TONE: Final = to_linear((228, 180, 156))
"""Palms carry little melanin: those of all people tend to this colour."""
_NAIL_TONE: Final = to_linear((240, 198, 186))


@dataclass(frozen=True)
class Skin:
    """How one person's skin looks. Colours are linear light, red, green, blue in 0..1."""

    back: Colour
    """Back of the hand and forearm."""
    palm: Colour
    """Palm and the front of the fingers."""
    nail: Colour
    """Nail plates."""
    tone: float
    """0 the lightest, 1 the darkest human skin."""
    crease: float = 0.9
    """Depth of creases and wrinkles, 0 a doll, 1 a grown hand, 1.4 an old one."""
    gloss: float = 0.10
    """Shine; dry skin 0.03, moist skin 0.2."""
    blood: float = 0.8
    """Redness of fingertips, knuckles and palm."""
    roughness: float = 1.0
    """Strength of pores and unevenness."""
    seed: float = 0.0
    """Where the blotches and wobbles are; any number in 0..100."""

    @classmethod
    def of_tone(cls, tone: float) -> Skin:
        """Return the typical skin of a tone.

        Args:
            tone: 0 the lightest to 1 the darkest.

        Raises:
            ValueError: ``tone`` is outside 0..1.
        """
        if not 0.0 <= tone <= 1.0:
            raise ValueError(f"tone must be in 0..1, got {tone}")
        place = tone * (len(_TONES) - 1)
        low = min(int(place), len(_TONES) - 2)
        back = _TONES[low] + (_TONES[low + 1] - _TONES[low]) * (place - low)
        share = 0.15 + 0.38 * tone
        palm = (back * (1.0 - share) + _PALM_TONE * share) * np.array([1.03, 0.94, 0.93])
        nail = 0.62 * palm + 0.38 * _NAIL_TONE * (1.0 - 0.45 * tone)
        return cls(
            back=_colour(back),
            palm=_colour(palm),
            nail=_colour(nail),
            tone=tone,
            gloss=0.07 + 0.07 * tone,
        )

    @classmethod
    def random(cls, rng: np.random.Generator) -> Skin:
        """Return a random person's skin, tones spread evenly over the whole range."""
        typical = cls.of_tone(float(rng.uniform()))
        tint = 1.0 + 0.03 * np.clip(rng.standard_normal(3), -2.0, 2.0)
        return cls(
            back=_colour(np.array(typical.back) * tint),
            palm=_colour(np.array(typical.palm) * tint),
            nail=_colour(np.array(typical.nail) * rng.uniform(0.9, 1.08)),
            tone=typical.tone,
            crease=float(rng.uniform(0.6, 1.2)),
            gloss=typical.gloss * float(rng.uniform(0.5, 1.6)),
            blood=float(rng.uniform(0.4, 1.1)),
            roughness=float(rng.uniform(0.5, 1.3)),
            seed=float(rng.uniform(0.0, 100.0)),
        )

    @classmethod
    def glove(cls, rng: np.random.Generator) -> Skin:
        """Return a glove: dark more often than not, or white, latex or loud, without nails."""
        kind = rng.random()
        if kind < 0.5:
            colour = rng.uniform(0.008, 0.05) * rng.uniform(0.7, 1.4, 3)
        elif kind < 0.7:
            colour = rng.uniform(0.3, 0.8) * rng.uniform(0.85, 1.15, 3)
        else:
            colour = rng.uniform(0.01, 0.7, 3)
        cloth = _colour(colour)
        return cls(
            back=cloth,
            palm=cloth,
            nail=cloth,
            tone=0.5,
            crease=float(rng.uniform(0.0, 0.6)),
            gloss=float(rng.uniform(0.0, 0.3)),
            blood=0.0,
            roughness=float(rng.uniform(0.2, 1.3)),
            seed=float(rng.uniform(0.0, 100.0)),
        )


def _colour(values: npt.ArrayLike) -> Colour:
    red, green, blue = np.clip(np.asarray(values, dtype=float), 0.005, 1.0).tolist()
    return red, green, blue
