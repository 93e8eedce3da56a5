"""How options are declared, and what a table of commands makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from overlays.controls import KEYS
from run_live import COMMANDS
from stream.command_line.command import Command
from stream.command_line.option import OptionGroup, UsageError, argument, option, options_of
from stream.command_line.options import CommonOptions, Options
from stream.command_line.parsing import parse_args, words_of_keys
from stream.command_line.values import Integer, Name, Several


@dataclass(frozen=True, slots=True, kw_only=True)
class TeaOptions(OptionGroup):
    title = "tea"

    leaves: str = argument("", "what is brewed", metavar="LEAVES", is_required=True)
    pot: Path | None = argument(None, "where it goes", metavar="POT", unset="a cup")
    kind: Literal["green", "black"] = option("black", "sort of leaves")
    brewing_s: int = option(180, "how long", flag="--time", metavar="S", values=Integer(1, 600))
    names: tuple[str, ...] = option((), "for whom", metavar="NAME", values=Name(["Ada", "Bo"]))
    spoons: tuple[int, ...] = option((), "sugar", metavar="N,...", values=Several(Integer(0, 9)))
    milk: bool = option(False, "with 10 % of milk")
    lid: bool = option(True, "with a lid", has_opposite=True)
    stirred: bool = option(True, "leave it alone", flag="--no-stirring")
    stock: int = 7

    def check(self, given: Mapping[str, object]) -> None:
        if self.kind == "green" and self.milk:
            raise UsageError("green tea takes no milk")


def _table(tea: TeaOptions) -> list[Command]:
    return [
        Command(name=name, summary=name, description=name, options=(tea,), run=lambda options: 0)
        for name in ("drink", "brew")
    ]


def _tea(*argv: str, default: TeaOptions | None = None) -> TeaOptions:
    _, options = parse_args(argv, _table(default or TeaOptions()))
    return options[TeaOptions]


def test_a_field_is_an_option_of_its_name_and_type() -> None:
    assert _tea("oolong") == TeaOptions(leaves="oolong")
    words = (
        "oolong --kind green --time 90 --names Ada Bo --no-lid --spoons 2,0,2 --no-stirring pot.jpg"
    )
    assert _tea(*words.split()) == TeaOptions(
        leaves="oolong",
        pot=Path("pot.jpg"),
        kind="green",
        brewing_s=90,
        names=("Ada", "Bo"),
        spoons=(2, 0),
        lid=False,
        stirred=False,
    )


def test_the_defaults_are_those_of_the_row_and_help_tells_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = TeaOptions(brewing_s=240, lid=False, kind="green", milk=True)
    assert not _tea("oolong", "--kind", "black", default=row).lid
    for default, told in (
        (row, ["a cup", "green", "240", "on", "off"]),
        (TeaOptions(), ["a cup", "black", "180", "on"]),
    ):
        with pytest.raises(SystemExit):
            _tea("brew", "--help", default=default)
        said = " ".join(capsys.readouterr().out.split())
        assert re.findall(r"\(default: (.*?)\)", said) == told
        assert "with 10 % of milk" in said


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["x", "--time", "0"], "--time: 0 must be from 1 to 600"),
        (["x", "--kind", "white"], "invalid choice: 'white'"),
        (["x", "--spoons", "1,10"], "--spoons: 10 must be from 0 to 9"),
        (["x", "--names", "ada"], "no 'ada': did you mean"),
        (["x", "--kind", "green", "--milk"], "error: green tea takes no milk"),
        (["--stock", "8"], "unrecognized arguments: --stock"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _tea(*argv)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [{"brewing_s": 0}, {"kind": "white"}, {"names": ("Ada", "Cy")}, {"spoons": (1, 10)}]
)
def test_code_is_held_to_the_same_values(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must be"):
        TeaOptions(**wrong)


def test_options_are_found_by_class_or_by_name() -> None:
    options = Options("brew", (TeaOptions(leaves="oolong"), CommonOptions()))
    changed = options.but(brewing_s=60, verbose=True)
    assert (changed[TeaOptions].brewing_s, changed[CommonOptions].verbose) == (60, True)
    assert changed.by_name == options.by_name | {"brewing_s": 60, "verbose": True}
    with pytest.raises(KeyError, match="brew has no sugar"):
        options.but(sugar=1)
    with pytest.raises(KeyError, match="brew has no TeaOptions"):
        _ = Options("brew")[TeaOptions]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_two_options_of_a_command_set_one_field(command: Command) -> None:
    groups = (*command.groups, *command.fixed)
    names = [name for group in groups for name in options_of(type(group))]
    assert len(names) == len(set(names))


def test_help_lists_the_commands_and_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    epilog = words_of_keys(KEYS)
    with pytest.raises(SystemExit):
        parse_args(["--help"], COMMANDS, epilog=epilog)
    said = capsys.readouterr().out
    assert epilog in said
    for command in COMMANDS[1:]:
        assert f"  signlight {command.name} {command.usage}" in said
        assert command.summary in said
    for column in KEYS:
        for key in column:
            assert f"{key}" in epilog
            assert key.words in epilog
