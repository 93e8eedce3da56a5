"""The numbers of a training run, in one value that travels with its checkpoints and weights."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any

from models.vit import VitConfig

__all__ = ["Recipe"]


_MAX_VIEW_PX = 1024
"""Far more than a machine trains on, and less than what no memory holds."""


def _number(default: float, about: str) -> Any:  # noqa: ANN401 - dataclasses.field is untyped, too
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is made and trained; the defaults are those of ``dino_hands8``.

    Raises:
        ValueError: On construction: a number is out of range; the message names it.
    """

    steps: int = _number(13000, "optimiser steps in all")
    batch: int = _number(64, "pictures in a step; each gives two views and the local ones")
    seed: int = _number(0, "where all random numbers start")

    patch_px: int = _number(8, "side of a patch")
    dim: int = _number(192, "width of a token")
    depth: int = _number(5, "transformer blocks")
    num_heads: int = _number(6, "attention heads of each block")
    cls_block: int = _number(4, "block at which the CLS token joins; 0 is a standard ViT")

    view_px: int = _number(48, "side of the two global views, a multiple of the patch")
    local_views: int = _number(0, "small views that only the student sees (multi-crop)")
    local_px: int = _number(24, "side of the local views, a multiple of the patch")
    zoom_max: float = _number(1.3, "widest view of a hand, in sides of its box; the closest is 1")
    turn: float = _number(0.5, "largest turn of a view, radians")
    jitter: float = _number(0.4, "strength of the colour jitter; 1 is DINO's own")
    grey: float = _number(0.2, "share of views without colour")
    solarise: float = _number(0.0, "share of second views that are solarised; DINO has 0.2")
    keep: float = _number(0.1, "share of pictures that keep their own background in both views")
    plain: float = _number(0.3, "share of exchanged backgrounds that are one grey, mostly dark")
    clutter: float = _number(0.1, "share of exchanged backgrounds dyed with the hand's own colour")
    mask: float = _number(0.25, "share of the patches that the student does not see (MSN)")
    ramp: float = _number(0.9, "part of the steps in which views grow from easy to those strengths")

    teacher_temp: float = _number(0.03, "temperature of the teacher's distribution")
    student_temp: float = _number(0.1, "temperature of the student's distribution")
    centre_momentum: float = _number(0.9, "how slowly the centre of the teacher's outputs moves")
    contrast: float = _number(0.5, "weight of an InfoNCE term; 0 leaves it out")
    contrast_fade: float = _number(0.3, "part of the steps, the last, in which that term fades")
    contrast_temp: float = _number(0.15, "temperature of the InfoNCE term")
    cover: float = _number(0.3, "weight of the term on how much a head covers; 0 leaves it out")
    cover_min: float = _number(0.11, "part of a view that a head covers evenly at least")
    cover_max: float = _number(0.24, "part of a view that a head looks at in all at most")
    first_min: float = _number(0.55, "cover_min of the first head, which is to show a whole hand")
    first_max: float = _number(0.64, "cover_max of the first head")
    wide: float = _number(1.5, "factor on cover_min and cover_max until heads narrow")
    narrow: float = _number(0.3, "part of the steps, the last, without that factor")
    differ: float = _number(0.5, "weight of the term on heads that look alike; 0 leaves it out")
    alike_max: float = _number(0.8, "correlation of two heads, on average, that costs nothing")
    num_prototypes: int = _number(256, "outputs of the projection head")
    head_hidden: int = _number(512, "width of the projection head")
    bottleneck: int = _number(128, "width of the projection head before its last layer")

    lr: float = _number(1e-3, "highest learning rate")
    muon: int = _number(1, "1: Muon for the matrices of the blocks; 0: AdamW, as for the rest")
    warm_up: float = _number(0.08, "part of the steps in which the learning rate rises")
    weight_decay: float = _number(0.04, "weight decay of the matrices")
    clip: float = _number(3.0, "largest norm of the gradient")
    momentum: float = _number(0.98, "of the teacher's moving average at the start; 1 at the end")

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "num_prototypes", "head_hidden", "bottleneck", "view_px"):
            self._check(name, lowest=2 if name in ("batch", "num_prototypes") else 1)
        for name in ("teacher_temp", "student_temp", "contrast_temp", "lr", "clip"):
            self._check(name, lowest=1e-9)
        for name in (
            "jitter", "contrast", "weight_decay", "local_views", "seed", "cover", "differ",
        ):  # fmt: skip
            self._check(name)
        self._check("turn", highest=math.pi)
        for name in (
            "grey", "solarise", "keep", "plain", "clutter", "ramp", "centre_momentum", "momentum",
            "warm_up", "contrast_fade", "muon", "narrow",
        ):  # fmt: skip
            self._check(name, highest=1.0)
        self._check("mask", highest=0.9)
        self._check("alike_max", highest=1.0)
        for name in ("cover_min", "cover_max", "first_min", "first_max"):
            self._check(name, lowest=1e-3, highest=1.0)
        for name in ("cover", "first"):
            least, most = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if least > most:
                raise ValueError(f"{name}_min = {least} must not be above {name}_max = {most}")
        for name in ("zoom_max", "wide"):
            self._check(name, lowest=1.0)
        self._check("patch_px", lowest=1)
        for name in ("view_px", "local_px") if self.local_views else ("view_px",):
            size = getattr(self, name)
            # A single patch has all attention, whatever it shows.
            if not 2 * self.patch_px <= size <= _MAX_VIEW_PX or size % self.patch_px:
                raise ValueError(
                    f"{name} must be a multiple of patch_px = {self.patch_px}, two patches at "
                    f"least and {_MAX_VIEW_PX} at most, got {size}"
                )
        _ = self.network  # its own checks

    @property
    def network(self) -> VitConfig:
        """The vision transformer that is trained."""
        return VitConfig(
            patch_px=self.patch_px,
            dim=self.dim,
            depth=self.depth,
            num_heads=self.num_heads,
            pretrain_px=self.view_px,
            cls_block=self.cls_block,
        )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of a step: a linear rise, then a cosine to 2 % of the top."""
        done = step / self.steps
        if done < self.warm_up:
            return self.lr * (step + 1) / (self.warm_up * self.steps + 1)
        share = min((done - self.warm_up) / max(1.0 - self.warm_up, 1e-9), 1.0)
        return self.lr * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * share)))

    def contrast_at(self, step: int) -> float:
        """Return the weight of the InfoNCE term at a step: steady, then a line to 0.

        It tells pictures apart sooner than DINO's loss, which has the last word as it fades.
        """
        left = 1.0 - step / self.steps
        return self.contrast * min(left / max(self.contrast_fade, 1e-9), 1.0)

    def cover_bounds_at(self, step: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the least and the most that each head should cover at a step.

        Heads but the first narrow late: a run that held them to little from the start, and turned
        views less, knew fewer letters.
        """
        factor = 1.0 if step >= (1.0 - self.narrow) * self.steps else self.wide
        others = self.num_heads - 1
        return (
            (self.first_min, *[min(self.cover_min * factor, 1.0)] * others),
            (self.first_max, *[min(self.cover_max * factor, 1.0)] * others),
        )

    def momentum_at(self, step: int) -> float:
        """Return the teacher's momentum at a step: a cosine from ``momentum`` to 1."""
        done = min(step / self.steps, 1.0)
        return 1.0 - (1.0 - self.momentum) * 0.5 * (1.0 + math.cos(math.pi * done))

    def strength_at(self, step: int) -> float:
        """Return how strong the views of a step are, from a quarter of the recipe's numbers to 1.

        Hard views from the start leave a small run at ln(prototypes), saying nothing.
        """
        if not self.ramp:
            return 1.0
        return min(0.25 + 0.75 * step / (self.ramp * self.steps), 1.0)

    def as_dict(self) -> dict[str, int | float]:
        """Return all numbers by name."""
        return dataclasses.asdict(self)

    def _check(self, name: str, *, lowest: float = 0.0, highest: float = math.inf) -> None:
        value = getattr(self, name)
        if not lowest <= value <= highest:
            limits = f"in [{lowest:g}, {highest:g}]" if highest < math.inf else f">= {lowest:g}"
            raise ValueError(f"{name} must be {limits}, got {value}")
