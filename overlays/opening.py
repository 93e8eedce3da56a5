"""The look and the keys as the command line asks for them; OpenCV loads when called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from overlays.figure_look import FigureLook
from overlays.style import Style
from stream.command_line.options import Options
from stream.sources.options import PictureOptions

if TYPE_CHECKING:
    from overlays.controls import KeyControls, LayeredModel
    from overlays.live_view import LiveView
    from stream.measures import Floats
    from stream.study.blocks import Block

__all__ = ["make_controls", "make_view", "save_figure", "save_matrix", "save_sheet"]


def make_view(options: Options) -> LiveView:
    """Return what draws scenes in the look asked for."""
    from overlays.live_view import LiveView

    is_mirrored = options[PictureOptions].input_mirrored
    return LiveView(replace(options[Style], input_mirrored=is_mirrored))


def make_controls(view: LiveView, model: LayeredModel) -> KeyControls:
    """Return the keys that change look, layer and model."""
    from overlays.controls import KeyControls

    return KeyControls(view, model)


def save_figure(options: Options, blocks: Sequence[Block], path: Path) -> None:
    """Draw signs and their maps into a file; see ``overlays.figure.draw_figure``.

    Raises:
        OutputError: It cannot be written.
    """
    from overlays.figure import draw_figure
    from overlays.paper import save

    save(draw_figure(blocks, options[FigureLook]), path)


def save_sheet(block: Block, path: Path) -> None:
    """Draw every row of a block into a file, for a look at many pictures.

    Raises:
        OutputError: It cannot be written.
    """
    from overlays.figure import draw_figure
    from overlays.paper import save

    save(draw_figure([block], FigureLook(theme="dark", signs=len(block.rows))), path)


def save_matrix(options: Options, matrices: Mapping[str, Floats], path: Path) -> None:
    """Draw how heads differ into a file; see ``overlays.figure.draw_matrices``.

    Raises:
        OutputError: It cannot be written.
    """
    from overlays.figure import draw_matrices
    from overlays.paper import save

    save(draw_matrices(matrices, options[FigureLook]), path)
