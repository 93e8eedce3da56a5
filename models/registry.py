"""The table of models; what each is stands with its family.

No torch here, so that ``--help`` and the table of models appear at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from models.families import dino, dinov2, dinov3, resnet
from models.families.family import ModelSpec
from stream.errors import UnknownModelError
from stream.spelling import did_you_mean

__all__ = ["DEFAULT_MODEL", "MODELS", "ModelSpec", "find_spec"]

_FAMILIES = (dino, resnet, dinov2, dinov3)

MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {spec.name: spec for spec in chain.from_iterable(family.MODELS for family in _FAMILIES)}
)
"""Every model, by name, in the order in which they are listed."""

DEFAULT_MODEL = "dino_hands8"
"""What is used where no model is named: of the two that come with Signlight, the finer."""


def find_spec(name: str) -> ModelSpec:
    """Return the model called ``name``.

    Raises:
        UnknownModelError: There is none; the message lists those there are.
    """
    if name in MODELS:
        return MODELS[name]
    raise UnknownModelError(f"no model is called {name!r}: {did_you_mean(name, tuple(MODELS))}")
