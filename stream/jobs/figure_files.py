"""What is written of a study: the figure, its numbers as CSV and JSON, and a caption in words."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stream.command_line.options import Options
from stream.errors import OutputError
from stream.jobs.factories import Factories
from stream.jobs.options import FigureOptions
from stream.jobs.sidecar import versions
from stream.json_files import is_free, write_json
from stream.naming import last_name
from stream.study.blocks import Block
from stream.study.numbers import LEAST_PICTURES, MEASURES, VARIATION, Numbered
from stream.study.roles import Role
from stream.study.signs import Sign
from stream.whole_files import told_of, written_whole

__all__ = ["Study", "check_outputs", "write_study"]

_MARK = "signlight_figure"
"""Key by which the JSON beside a figure is known as ours; its value is the file's version."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
    """All that was seen."""

    blocks: tuple[Block, ...]
    """Of each model and region."""
    numbers: tuple[tuple[Numbered, ...], ...]
    """Of each block, those of each of its layers."""
    baselines: tuple[tuple[Numbered, ...], ...]
    """The same of the same models with random weights; empty where nobody asked."""
    signs: tuple[Sign, ...]
    """The pictures."""
    left_out: tuple[str, ...]
    """Why a picture is not among them, a line each."""
    notes: tuple[str, ...]
    """What a person should know, a line each."""


def check_outputs(figure: Path) -> None:
    """Make sure that there is a folder, and nobody else's JSON where the numbers go.

    Raises:
        OutputError: There is none, or one.
    """
    if not figure.absolute().parent.is_dir():
        raise OutputError(f"{figure}: there is no folder {figure.parent}; make it first")
    path = figure.with_suffix(".json")
    if not is_free(path, lambda content: _MARK in content):
        raise OutputError(
            f"{path} is there already and Signlight did not make it; it would hold the numbers of "
            "the figure: choose another name with -o"
        )


def write_study(study: Study, options: Options, factories: Factories) -> list[Path]:
    """Write everything; return the paths, the figure's first.

    Raises:
        OutputError: Something cannot be written; each file is whole or not there.
    """
    asked = options[FigureOptions]
    path, paths = asked.output, []
    shown = [
        replace(block, head_names=tuple(numbers.head_names for numbers in layers))
        if asked.stable
        else block
        for block, layers in zip(study.blocks, study.numbers, strict=True)
    ]
    pages: list[tuple[Path, Sequence[Block]]] = [(path, shown)]
    if asked.each:
        models = dict.fromkeys(block.model for block in study.blocks)
        pages = [
            (
                path.with_name(f"{path.stem}.{model}{path.suffix}"),
                [block for block in shown if block.model == model],
            )
            for model in models
        ]
    for name, blocks in pages:
        factories.save_figure(options, blocks, name)
        paths.append(name)
    if asked.matrix:
        paths.append(path.with_name(f"{path.stem}.matrix{path.suffix}"))
        matrices = {
            _title_of(block, layer): numbers.matrix for block, layer, numbers in _each_layer(study)
        }
        factories.save_matrix(options, matrices, paths[-1])
    _write_text(path.with_suffix(".csv"), _csv_of(study))
    write_json(path.with_suffix(".json"), _json_of(study, options))
    _write_text(path.with_suffix(".txt"), caption_of(study, names_heads=asked.stable))
    return [*paths, *(path.with_suffix(suffix) for suffix in (".csv", ".json", ".txt"))]


def caption_of(study: Study, *, names_heads: bool) -> str:
    """Return a caption that can be pasted below the figure."""
    lines = []
    kinds = dict.fromkeys(block.kind for block in study.blocks)
    shown = {"hands": "crops around hands", "frame": "whole pictures"}
    regions = " and ".join(shown[region] for region in dict.fromkeys(
        block.region for block in study.blocks))  # fmt: skip
    count = len(study.signs)
    lines.append(
        f"{count} {'sign' if count == 1 else 'signs'} as {regions}: each row is a sign, each "
        "column the picture or a map of one model."
    )
    if "attention" in kinds:
        lines.append(
            "Attention is the softmax row of the CLS query over the patches, a map a head, and "
            "their mean (M. Caron et al., Emerging Properties in Self-Supervised Vision "
            "Transformers, ICCV 2021)."
        )
    if "activation" in kinds:
        lines.append(
            "A ResNet has no attention: its maps are the activation of its last stage, the norm "
            "over all channels and the leading components."
        )
    told = set()
    for block, layer, numbers in _each_layer(study):
        if block.model not in told:
            told.add(block.model)
            hashed = f"SHA-256 of the weights {block.weights_sha256}"
            lines.append(
                f"{block.model}: "
                f"{'random weights, so its maps mean nothing' if block.is_random else hashed}."
            )
        on_hand = numbers.means["mass_over_area"][:-1]
        if on_hand.size and math.isfinite(on_hand.mean()):
            most = numbers.means["most"][-1]
            different = numbers.variation["effective_heads"][0]
            lines.append(
                f"{_title_of(block, layer)}: the hand gets {on_hand.mean():.2f} times its share "
                f"of the area, mean of the {block.unit}s (1 is chance, {most:.2f} the most there "
                f"could be); the {len(on_hand)} {block.unit}s differ as {different:.2f} without a "
                "patch in common would."
            )
        lines += _macro_and_micro(block, numbers)
    if names_heads:
        lines.append(
            "Heads with the same Greek letter look at the same parts of the hand; the word beside "
            "it is the part, or elsewhere, that they favour for its area in most signs."
        )
    lines.append("Attention is not an explanation: a map shows where a model looks, not why it "
                 "decides.")  # fmt: skip
    return "\n".join(lines) + "\n"


def _macro_and_micro(block: Block, numbers: Numbered) -> Iterator[str]:
    """Yield what the mean map says of faces, and of what a crop changes, where that is known."""
    values = {name: each[:, -1] for name, each in numbers.values.items()}
    has_face = np.isfinite(values["mass_on_face"])
    if block.region == "frame" and has_face.any():
        parts = ("mass_on_hand", "mass_on_face", "mass_elsewhere")
        hand, face, rest = (values[name][has_face].mean() for name in parts)
        yield (
            f"Of its {block.mean_name} map {hand:.0%} is on hands, {face:.0%} on the face "
            f"({numbers.means['face_over_area'][-1]:.2f} times its share of the area), {rest:.0%} "
            f"elsewhere, in the {has_face.sum()} of {len(has_face)} pictures with a face."
        )
    change = float(numbers.means["crop_divergence"][-1])
    if math.isfinite(change):
        yield (
            f"The crop changes the {block.mean_name} map by {change:.3f} bits (0 not at all, 1 "
            f"wholly): {numbers.means['mass_on_hand'][-1]:.0%} of the crop's is on the hand, "
            f"{numbers.means['macro_on_hand'][-1]:.0%} of what that of the whole picture has "
            "within the crop."
        )


def _each_layer(study: Study) -> Iterator[tuple[Block, int, Numbered]]:
    for block, layers in zip(study.blocks, study.numbers, strict=True):
        for layer, numbers in zip(block.layers, layers, strict=True):
            yield block, layer, numbers


def _title_of(block: Block, layer: int) -> str:
    random = ", random weights" if block.is_random else ""
    return f"{block.model}, layer {layer}, {block.shown}{random}"


def _csv_of(study: Study) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measured = [measure.name for measure in MEASURES]
    writer.writerow(["model", "kind", "weights", "region", "layer", "sign", "head", *measured])
    for block, layer, numbers in _each_layer(study):
        for index, row in enumerate(block.rows):
            for head, name in enumerate(_heads_of(numbers)):
                writer.writerow([
                    block.model, block.kind, block.weights_sha256 or "random", block.region, layer,
                    row.name, name,
                    *(_cell(numbers.values[each][index, head]) for each in measured),
                ])  # fmt: skip
    return text.getvalue()


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _json_of(study: Study, options: Options) -> dict[str, Any]:
    baselines = study.baselines or [()] * len(study.blocks)
    asked = options[FigureOptions]
    told = options.but(
        inputs=tuple(map(last_name, asked.inputs)), output=Path(asked.output.name)
    )  # folders are nobody's business
    return {
        _MARK: 1,
        "caption": caption_of(study, names_heads=asked.stable),
        "pictures": [
            {"name": sign.name, "source": last_name(sign.source), "sha256": sign.sha256}
            for sign in study.signs
        ],
        "left_out": [_without_folders(line, asked.inputs) for line in study.left_out],
        "notes": list(study.notes),
        "definitions": {each.name: each.words for each in (*MEASURES, *VARIATION)}
        | {
            "interval": f"95 of 100 means of signs drawn with replacement lie in it; from "
            f"{LEAST_PICTURES} signs on (B. Efron, Annals of Statistics 7, 1979)",
            "matrix": "Jensen-Shannon divergence of each pair of heads, mean over signs, bits",
            "role": "part of the hand, or elsewhere, with the most of the head's map for its area "
            "in most signs, and in how many",
            "group": "heads that differ less in the same sign than a head does from one sign to "
            "another, by their shares on the parts of the hand and elsewhere, each over its area "
            "(Jensen-Shannon divergence, average linkage); and the role of their mean",
        },
        "models": [
            {
                "model": block.model,
                "kind": block.kind,
                "weights_sha256": block.weights_sha256,
                "region": block.region,
                "crop_px": block.crop_px,
                "layer": layer,
                "signs": len(block.rows),
                "numbers": _numbers_as_json(numbers),
                "random_weights": _numbers_as_json(fresh[number]) if fresh else None,
            }
            for block, layers, fresh in zip(study.blocks, study.numbers, baselines, strict=True)
            for number, (layer, numbers) in enumerate(zip(block.layers, layers, strict=True))
        ],
        "options": told.as_json,
        "versions": versions(),
    }


def _numbers_as_json(numbers: Numbered) -> dict[str, Any]:
    pair = numbers.most_alike
    return {
        "heads": {
            name: {
                measure.name: {"mean": _plain(numbers.means[measure.name][head])}
                | (
                    {
                        "interval": [
                            _plain(bound) for bound in numbers.intervals[measure.name][:, head]
                        ]
                    }
                    if numbers.intervals
                    else {}
                )
                for measure in MEASURES
            }
            for head, name in enumerate(_heads_of(numbers))
        },
        "variation": {
            name: {"mean": _plain(mean)}
            | ({"interval": [_plain(bound) for bound in interval]} if interval else {})
            for name, (mean, interval) in numbers.variation.items()
        },
        "most_alike": list(pair) if pair else None,
        "matrix": [[_plain(value) for value in row] for row in numbers.matrix],
        "roles": [None if role is None else _role_as_json(role) for role in numbers.roles],
        "groups": [
            {"heads": list(group.heads), **_role_as_json(group.role)} for group in numbers.groups
        ],
    }


def _role_as_json(role: Role) -> dict[str, Any]:
    return {"part": role.place, "share": _plain(role.share)}


def _without_folders(line: str, inputs: Sequence[str]) -> str:
    """Return a line in which what lies in the inputs' folders is called by its name alone."""
    for name in inputs:
        for folder in (Path(name), Path(name).parent):
            line = line.replace(f"{folder}{os.sep}", "")
    return line


def _plain(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _heads_of(numbers: Numbered) -> list[str]:
    return [*map(str, range(len(numbers.matrix))), "mean"]


def _write_text(path: Path, text: str) -> None:
    with told_of(path), written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
