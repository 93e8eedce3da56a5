"""A command: its name, its options, and what runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stream.command_line.option import Option, OptionGroup, options_of
from stream.command_line.options import CommonOptions, Options

__all__ = ["Command"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A row of the table of commands."""

    name: str
    """The word that comes first; the table's first command needs none."""
    summary: str
    """What it does, in the list of commands."""
    description: str
    """What it does, in its own ``--help``."""
    options: tuple[OptionGroup, ...]
    """What can be asked of it, with its defaults; arguments in their order."""
    run: Callable[[Options], int]
    """Does it; returns the exit code."""
    fixed: tuple[OptionGroup, ...] = ()
    """Options that it needs and nobody is asked for."""
    reads_its_own: bool = False
    """It has a command line of its own: what follows its name is handed on as it is."""
    has_cores_alone: bool = False
    """Nothing beside its model needs the cores, so that threads may wait for each other busily."""

    @property
    def groups(self) -> tuple[OptionGroup, ...]:
        """What can be asked of it, and last what can be asked of every command."""
        return (*self.options, CommonOptions())

    def declared(self) -> Iterator[tuple[OptionGroup, str, Option]]:
        """Yield each option: its group, the field that it sets, and what is said of it."""
        for group in self.groups:
            for name, each in options_of(type(group)).items():
                yield group, name, each

    @property
    def usage(self) -> str:
        """Its arguments: "INPUT [OUTPUT]"."""
        places = [(each, each.metavar or "|".join(each.choices or ())) for each in self._arguments]
        return " ".join(word if each.is_required else f"[{word}]" for each, word in places)

    @property
    def _arguments(self) -> list[Option]:
        return [each for _, _, each in self.declared() if not each.flag]
