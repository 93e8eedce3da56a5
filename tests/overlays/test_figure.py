"""Figures as other programs read them, and what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from overlays.figure import draw_figure, draw_matrices
from overlays.figure_look import FigureLook
from overlays.paper import save
from stream.sources.picture_files import PictureReader
from stream.study.blocks import Block, Row
from tests.stream.study.studied import block_of, flat
from tests.waits import PROCESS_S


def _words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def _of_signs(block: Block, signs: Sequence[int]) -> tuple[Row, ...]:
    return tuple(
        replace(
            row,
            name=f"sign {sign}" if signs.count(sign) == 1 else f"sign {sign}, hand {index}",
            crop=replace(row.crop, frame_index=sign),
        )
        for index, (row, sign) in enumerate(zip(block.rows, signs, strict=True))
    )


def test_a_row_for_each_sign_and_a_column_for_each_map() -> None:
    figure = draw_figure([block_of([flat(3)] * 2)], FigureLook(heads=("mean", 2)))
    words = _words(figure)
    assert [word for word in words if word.startswith("sign")] == ["sign 0", "sign 1"]
    assert "fake \N{MIDDLE DOT} attention \N{MIDDLE DOT} hand \N{MIDDLE DOT} layer 11" in words
    assert "mean" in words
    assert "head 2" in words
    assert "head 1" not in words
    assert len(figure.axes[0].images) == 2 * 3 + 1  # and the colour bar


def test_activation_is_never_called_attention() -> None:
    words = " ".join(_words(draw_figure([block_of([flat()], kind="activation")])))
    assert "attention" not in words
    assert "head" not in words
    assert "activation" in words
    assert "component 0" in words


def test_random_weights_are_written_across_their_block_alone() -> None:
    trained, random = block_of([flat()]), block_of([flat()], sha256=None)
    assert "random weights" not in _words(draw_figure([trained]))
    assert _words(draw_figure([trained, random])).count("random weights") == 1


def test_the_bar_of_a_common_range_says_what_uniform_is() -> None:
    weights = flat(1)
    weights[0, :7] *= 5
    weights /= weights.sum()
    words = _words(draw_figure([block_of([weights])], FigureLook(scale="common")))
    assert "attention / that of a patch if all were alike" in words
    assert "2.5" in words  # 5 / (1/4 * 5 + 3/4)
    assert "1" in words


def test_only_so_many_rows_are_drawn_from_the_first_to_the_last() -> None:
    words = _words(draw_figure([block_of([flat()] * 9)], FigureLook(signs=3)))
    shown = [word for word in words if word.startswith("sign")]
    assert shown == ["sign 0", "sign 4", "sign 8"]


def test_a_whole_picture_stands_beside_each_of_its_hands_and_no_other() -> None:
    macro, micro = block_of([flat()] * 3), block_of([flat()] * 3)
    macro = replace(macro, region="frame", rows=_of_signs(macro, (0, 1, 2)))
    micro = replace(micro, rows=_of_signs(micro, (0, 0, 2)))  # two hands, none, one
    figure = draw_figure([macro, micro], FigureLook(heads=("mean",), width="slide"))
    words = _words(figure)
    assert [word for word in words if word.startswith("sign")] == [
        "sign 0, hand 0", "sign 0, hand 1", "sign 1", "sign 2",
    ]  # fmt: skip
    assert words.count("no hand") == 1
    assert len(figure.axes[0].images) == 4 * 2 + 3 * 2 + 1
    stacked = _words(draw_figure([macro, micro], FigureLook(heads=("mean",))))
    assert "no hand" not in stacked  # each below the other has its own rows
    assert len([word for word in stacked if word.startswith("sign")]) == 6


@pytest.mark.parametrize("width", ["column", "page", "slide"])
def test_nothing_leaves_the_paper(width: str) -> None:
    look = FigureLook(width=width, theme="dark")  # type: ignore[arg-type]
    figure = draw_figure([block_of([flat(12)] * 5), block_of([flat()] * 5)] * 3, look)
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    page = figure.bbox
    for artist in [*figure.findobj(Text), *figure.axes[0].images]:
        box = artist.get_window_extent(renderer)
        if box.width:
            assert box.x0 >= page.x0 - 1
            assert box.x1 <= page.x1 + 1
            assert box.y0 >= page.y0 - 1
            assert box.y1 <= page.y1 + 1
    if width == "slide":
        assert page.width / page.height == pytest.approx(16 / 9)


def test_png_is_as_large_as_it_prints(tmp_path: Path) -> None:
    save(draw_figure([block_of([flat()])]), tmp_path / "a.png")
    assert PictureReader().read(tmp_path / "a.png").shape[1] == pytest.approx(
        183 / 25.4 * 300, 0.01
    )


def test_text_of_pdf_and_svg_is_text_and_its_font_is_within(tmp_path: Path) -> None:
    figure = draw_figure([block_of([flat()])])
    save(figure, tmp_path / "a.pdf")
    save(figure, tmp_path / "a.svg")
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType, embedded
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    texts = [node.text for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")]
    assert "sign 0" in texts
    assert len(re.findall(r"@font-face", svg)) == 2
    assert "data:font/woff;base64," in svg


def test_the_same_figure_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for suffix in (".pdf", ".svg", ".png"):
            save(draw_figure([block_of([flat()])]), tmp_path / f"{name}{suffix}")
    for suffix in (".pdf", ".svg", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_matrices_show_every_pair_of_heads() -> None:
    matrix = np.array([[0, 0.25], [0.25, 0]])
    words = _words(draw_matrices({"one": matrix, "two": 2 * matrix}))
    assert words.count("0.25") == 2
    assert words.count("0.50") == 3  # and the end of the bar


def test_matplotlib_is_loaded_when_a_figure_is_drawn_and_no_sooner() -> None:
    code = "import sys, overlays.figure, overlays.paper; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS_S)
