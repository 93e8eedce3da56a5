"""From the words of a command line to what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from stream.command_line.command import Command
from stream.command_line.one_line_parser import OneLineParser
from stream.command_line.option import Option, OptionGroup, UsageError, options_of
from stream.command_line.options import CommonOptions, Options, Words
from stream.command_line.values import Several
from stream.installed_packages import version_of
from stream.keys import Key
from stream.spelling import nearest

__all__ = ["parse_args", "words_of_keys"]

PROGRAM = "signlight"
_NOT_GIVEN = object()
"""Where an argument was left out; options that were are not there at all."""


def parse_args(
    argv: Sequence[str], commands: Sequence[Command], *, epilog: str = ""
) -> tuple[Command, Options]:
    """Return the command that ``argv`` names, and what it asks of it.

    Args:
        argv: Arguments after the program's name.
        commands: What there is; the first needs no name, and its ``--help`` lists the others.
        epilog: What that ``--help`` ends with.

    Raises:
        SystemExit: Code 2 for wrong usage, 0 after ``--help`` and ``--version``.
    """
    arguments = list(argv)
    default, *others = commands
    command = next((each for each in others if each.name in arguments[:1]), default)
    if command.reads_its_own:
        return command, Options(command.name, (Words(words=tuple(arguments[1:])), CommonOptions()))
    parser = _parser_of(command, is_default=command is default)
    if command is default:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = f"{_list_of(commands)}\n\n{epilog}"
        version = version_of(PROGRAM) or "(not installed as a distribution)"
        parser.add_argument("--version", action="version", version=f"{PROGRAM} {version}")
    else:
        arguments = arguments[1:]
    try:
        if command is default and arguments:
            _refuse_misspelt(arguments[0], [each.name for each in others])
        # Intermixed: OUTPUT may stand after options, in every Python.
        found = vars(parser.parse_intermixed_args(_without_double_dash(arguments)))
        given = {name: value for name, value in found.items() if value is not _NOT_GIVEN}
        groups = tuple(_filled(group, given) for group in command.groups)
    except UsageError as error:
        parser.error(f"{error}")
    return command, Options(command.name, (*groups, *command.fixed))


def words_of_keys(columns: Sequence[Sequence[Key[Any]]]) -> str:
    """Return the keys of the live view and what they do, in columns."""
    texts = [[(f"{key}", key.words) for key in column] for column in columns]
    key_w = max(len(shown) for column in texts for shown, _ in column)
    words_w = max(len(words) for column in texts for _, words in column)
    rows = zip_longest(*texts, fillvalue=("", ""))
    lines = (
        "  ".join(f"  {shown:{key_w}}  {words:{words_w}}" for shown, words in row) for row in rows
    )
    return "\n".join(["keys of the live view:", *(line.rstrip() for line in lines)])


def _parser_of(command: Command, *, is_default: bool) -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=PROGRAM if is_default else f"{PROGRAM} {command.name}",
        description=command.description,
        allow_abbrev=False,
    )
    places: dict[str, argparse._ActionsContainer] = {"": parser}
    for group, field, option in command.declared():
        if group.title not in places:
            places[group.title] = parser.add_argument_group(group.title)
        default = getattr(group, field)
        words = option.default_words(default)
        help_text = f"{option.help} (default: {words})" if words else option.help
        given = _given_as(option) | {"help": help_text.replace("%", "%%")}
        if option.flag:
            given |= {"dest": field, "default": argparse.SUPPRESS}
        places[group.title].add_argument(option.flag or field, **given)
    return parser


def _given_as(option: Option) -> dict[str, Any]:
    """Return how argparse is to read an option or argument."""
    if option.kind is bool:
        if option.has_opposite:
            return {"action": argparse.BooleanOptionalAction}
        return {"action": "store_true" if option.switches_to else "store_false"}
    is_many = option.kind is tuple and not isinstance(option.values, Several)
    given: dict[str, Any] = {"metavar": option.metavar, "type": str if is_many else option.kind}
    if option.choices:
        given["choices"] = option.choices
    elif option.values:
        given["type"] = option.values.read
    if is_many:
        given["nargs"] = "+"
    if option.bare is not None:
        given |= {"nargs": "?", "const": option.bare}
    if not (option.flag or option.is_required):
        given |= {"nargs": "*" if is_many else "?", "default": _NOT_GIVEN}
    return given


def _filled(group: OptionGroup, given: Mapping[str, Any]) -> OptionGroup:
    """Return a group with what was given of it; what contradicts itself is refused."""
    names = options_of(type(group)).keys() & given.keys()
    one = {
        name: tuple(dict.fromkeys(given[name])) if isinstance(given[name], list) else given[name]
        for name in names
    }
    filled: OptionGroup = replace(cast(Any, group), **one)
    filled.check(one)
    return filled


def _list_of(commands: Sequence[Command]) -> str:
    default, other, *_ = commands
    lines = {
        " ".join(
            filter(None, (PROGRAM, each.name if each is not default else "", each.usage))
        ): each.summary
        for each in commands
    }
    width = max(map(len, lines))
    listed = "\n".join(f"  {usage:{width}}  {summary}" for usage, summary in lines.items())
    return (
        f"commands:\n{listed}\n"
        f"Each has its own --help. A file that is called like a command is written ./{other.name}."
    )


def _refuse_misspelt(word: str, names: Sequence[str]) -> None:
    """Ask whether a command was meant, where a word looks like one and is no file."""
    name = nearest(word, names, cutoff=0.7)
    if name is not None and word.isalpha() and not Path(word).exists():
        raise UsageError(f"there is no file {word}; did you mean {name}?")


def _without_double_dash(arguments: Sequence[str]) -> list[str]:
    """Return arguments in which a name that begins with a dash, after "--", is a path."""
    if "--" not in arguments:
        return list(arguments)
    at = list(arguments).index("--")
    names = [f"./{name}" if name.startswith("-") else name for name in arguments[at + 1 :]]
    return [*arguments[:at], *names]
