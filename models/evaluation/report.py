"""Measured numbers as a value and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.table import Table

from models.evaluation import hand_measures
from models.evaluation.picture_sets import PictureSet
from models.evaluation.subject import Subject
from stream import measures
from stream.study.numbers import measure_shares

__all__ = ["Scores", "list_of", "measure", "table_of", "worst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a model reaches on one set of pictures."""

    mass_over_area: float
    """Attention on the hand over its share of the area, mean over heads; 1 is chance."""
    mass_over_area_heads: tuple[float, ...]
    """The same of each head."""
    most: float
    """What it would be if all attention were on the hand."""
    on_bare_patches: tuple[float, ...]
    """Attention of each head on patches that the hand does not touch, 0 to 1."""
    peak_on_hand: float
    """Share of pictures whose strongest patch is on the hand."""
    jaccard: float
    """Jaccard index of the 60 % mass mask with the hand, mean over heads."""
    jaccard_head: float
    """The same of the head that is best on the whole set."""
    jaccard_best: float
    """The same of the best head of each picture, as in the DINO paper."""
    divergence: float
    """Mean Jensen-Shannon divergence of pairs of heads, bits."""
    correlation: float
    """Correlation of the two heads that are most alike; NaN for a single head."""
    kept_by_cls: tuple[float, ...]
    """Attention of each head that the CLS token pays to itself and no patch gets; the other
    numbers are of the rest, however little that is."""
    fingers: tuple[float, ...]
    """Density of the mean map on thumb to little finger and palm, over uniform attention."""
    finger_spread: float
    """Standard deviation of the five fingers' densities over their mean; 0 is even."""
    knn: float
    """Accuracy of letters by the 5 nearest CLS features of other persons; NaN for one person."""
    knn_pixels: float
    """The same with grey pictures of 32 x 32 pixels in place of features."""
    num_pictures: int
    """Pictures measured."""

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers by name, NaN as None."""

        def plain(value: Any) -> Any:  # noqa: ANN401
            if isinstance(value, tuple):
                return [plain(each) for each in value]
            return None if isinstance(value, float) and math.isnan(value) else value

        return {name: plain(value) for name, value in asdict(self).items()}


def measure(subject: Subject, pictures: PictureSet) -> Scores:
    """Return what a model reaches on a set of pictures."""
    maps = subject.attend(pictures.images)
    cover = measures.cover_of(pictures.masks, (maps.shape[2], maps.shape[3]))
    all_maps = np.concatenate([maps, maps.mean(1, keepdims=True)], 1)  # as AttentionMaps has them
    numbers = [
        measure_shares(measures.shares_of(each), hand)
        for each, hand in zip(all_maps, cover, strict=True)
    ]
    ratio = np.mean([each["mass_over_area"][:-1] for each in numbers], 0)
    overlap = hand_measures.jaccard(measures.mass_mask(maps, 0.6), pictures.masks)
    correlations = hand_measures.head_correlations(maps)
    parts = hand_measures.finger_densities(maps, pictures.masks, pictures.landmarks)
    shown = np.maximum(np.isfinite(parts).sum(0), 1)
    fingers = np.where(np.isfinite(parts).any(0), np.nansum(parts, axis=0) / shown, np.nan)
    labels = [i for i, letter in enumerate(pictures.letters) if letter]
    letters = [pictures.letters[i] for i in labels]
    persons = [pictures.persons[i] for i in labels]
    knn = knn_pixels = float("nan")
    if len(set(persons)) > 1:
        images = pictures.images[labels]
        knn = hand_measures.knn_accuracy(subject.features(images), letters, persons)
        knn_pixels = hand_measures.knn_accuracy(_thumbnails(images), letters, persons)
    return Scores(
        mass_over_area=float(ratio.mean()),
        mass_over_area_heads=tuple(ratio.tolist()),
        most=float(np.mean([each["most"] for each in numbers])),
        on_bare_patches=tuple(hand_measures.on_bare_patches(maps, cover).mean(0).tolist()),
        peak_on_hand=float(np.mean([each["peak_on_hand"][-1] for each in numbers])),
        jaccard=float(overlap.mean()),
        jaccard_head=float(overlap.mean(0).max()),
        jaccard_best=float(overlap.max(1).mean()),
        divergence=float(measures.head_divergence(maps).mean()),
        correlation=float(correlations.max()) if len(correlations) else float("nan"),
        kept_by_cls=tuple(hand_measures.kept_by_cls(maps).tolist()),
        fingers=tuple(fingers.tolist()),
        finger_spread=float(np.nanstd(fingers[:5]) / np.nanmean(fingers[:5]))
        if np.isfinite(fingers[:5]).any()
        else float("nan"),
        knn=knn,
        knn_pixels=knn_pixels,
        num_pictures=len(pictures),
    )


def table_of(names: Sequence[str], trained: Sequence[Scores], untrained: Sequence[Scores]) -> Table:
    """Return a table with a column for each set; the untrained model's numbers in brackets."""
    table = Table(title_justify="left", caption="in brackets: the same model untrained")
    table.add_column("")
    for name, scores in zip(names, trained, strict=True):
        table.add_column(f"{name}\n{scores.num_pictures} pictures", justify="right")
    rows = [
        ("attention on the hand / its area", "mass_over_area", "{:.2f}"),
        ("peak on the hand", "peak_on_hand", "{:.0%}"),
        ("Jaccard of 60 % mask, mean head", "jaccard", "{:.2f}"),
        ("... best head of the set", "jaccard_head", "{:.2f}"),
        ("... best head of each picture", "jaccard_best", "{:.2f}"),
        ("divergence of heads, bits", "divergence", "{:.3f}"),
        ("most alike two heads, correlation", "correlation", "{:.2f}"),
        ("spread over fingers", "finger_spread", "{:.2f}"),
        ("letters by 5 neighbours, features", "knn", "{:.0%}"),
        ("... raw pixels", "knn_pixels", "{:.0%}"),
    ]
    for title, name, form in rows:
        cells = [
            _cell(getattr(ours, name), getattr(fresh, name), form)
            for ours, fresh in zip(trained, untrained, strict=True)
        ]
        table.add_row(title, *cells)
        if name == "mass_over_area":
            table.add_row("... most there can be", *(f"{scores.most:.2f}" for scores in trained))
            for head in range(len(trained[0].mass_over_area_heads)):
                cells = [
                    _cell(
                        ours.mass_over_area_heads[head], fresh.mass_over_area_heads[head], "{:.2f}"
                    )
                    for ours, fresh in zip(trained, untrained, strict=True)
                ]
                table.add_row(f"... head {head}", *cells)
    extremes = [
        ("on patches without any hand, least of a head", "on_bare_patches", min),
        ("... most of a head", "on_bare_patches", max),
        ("kept by the CLS token, most of a head", "kept_by_cls", max),
    ]
    for title, name, extreme in extremes:
        cells = [
            _cell(extreme(getattr(ours, name)), extreme(getattr(fresh, name)), "{:.1%}")
            for ours, fresh in zip(trained, untrained, strict=True)
        ]
        table.add_row(title, *cells)
    for part, title in enumerate(hand_measures.FINGERS):
        table.add_row(f"density on {title}", *(f"{scores.fingers[part]:.2f}" for scores in trained))
    return table


def list_of(names: Sequence[str], scores: Sequence[Scores]) -> Table:
    """Return a table with a row for each set: the numbers that say whether maps are on the hand.

    Jaccard is that of the best head of the set, what lies on bare patches the mean of the heads.
    """
    table = Table(
        title="where signing happens",
        title_justify="left",
        caption="mass: attention on the hand / its area; bare: share on patches without any hand",
        box=SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("", no_wrap=True)
    for title in ("n", "mass", "most", "peak", "Jaccard", "bare"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, each in zip(names, scores, strict=True):
        table.add_row(
            name,
            str(each.num_pictures),
            f"{each.mass_over_area:.2f}",
            f"{each.most:.2f}",
            f"{each.peak_on_hand:.0%}",
            f"{each.jaccard_head:.2f}",
            f"{np.mean(each.on_bare_patches):.0%}",
        )
    return table


def worst(subject: Subject, pictures: PictureSet, count: int) -> list[int]:
    """Return the pictures with the least attention on the hand, the worst first.

    Relative to what each picture allows, so that small hands do not hide large ones' failures.
    """
    maps = subject.attend(pictures.images)
    cover = measures.cover_of(pictures.masks, (maps.shape[2], maps.shape[3]))
    on_hand = measures.mass_on(maps, cover[:, None]).mean(1)
    order = np.argsort(on_hand, kind="stable")
    return [int(index) for index in order[:count]]


def _thumbnails(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return small grey pictures with their mean taken off, (N, 1024)."""
    small = [cv2.resize(image.mean(2), (32, 32), interpolation=cv2.INTER_AREA) for image in images]
    flat = np.stack(small).reshape(len(images), -1).astype(np.float32)
    return np.asarray(flat - flat.mean(1, keepdims=True), np.float32)


def _cell(ours: float, fresh: float, form: str) -> str:
    if math.isnan(ours):
        return "-"
    return f"{form.format(ours)} ({form.format(fresh)})"
