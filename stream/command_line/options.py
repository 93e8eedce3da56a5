"""What a person asked for on the command line, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, cast

from stream.command_line.option import OptionGroup, option, options_of

__all__ = ["CommonOptions", "Options", "Words"]

Group = TypeVar("Group", bound=OptionGroup)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions(OptionGroup):
    """What every command takes."""

    verbose: bool = option(False, "tracebacks and debug log", flag="-v")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(OptionGroup):
    """What was given to a command that has a command line of its own."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asked for: each group of options has its value, found by its class.

    ``options[Style]`` is how to draw, ``options[ModelOptions]`` which model looks.
    """

    command: str
    """Name of the command."""
    groups: tuple[OptionGroup, ...] = ()
    """A value of each group; no two have an option of one name."""

    def __getitem__(self, group: type[Group]) -> Group:
        """Return the value of a group, or of one that is made from it.

        Raises:
            KeyError: The command has no such options.
        """
        for each in self.groups:
            if isinstance(each, group):
                return each
        raise KeyError(f"{self.command} has no {group.__name__}")

    @property
    def by_name(self) -> dict[str, Any]:
        """Every value by the name of its field, for whom the group itself is out of reach."""
        return {"command": self.command} | {
            name: getattr(group, name) for group in self.groups for name in options_of(type(group))
        }

    @property
    def as_json(self) -> dict[str, Any]:
        """The same as JSON can hold it: what is no plain value, as text."""
        plain = (bool, int, float, str, type(None))
        return {
            name: list(value)
            if isinstance(value, tuple)
            else value
            if isinstance(value, plain)
            else str(value)
            for name, value in self.by_name.items()
        }

    def but(self, **changes: object) -> Options:
        """Return these options with other values for some fields, whichever groups have them.

        Raises:
            KeyError: There is no such field.
        """
        if unknown := changes.keys() - set().union(*map(_fields_of, self.groups)):
            raise KeyError(f"{self.command} has no {', '.join(sorted(unknown))}")
        return replace(self, groups=tuple(_changed(group, changes) for group in self.groups))


def _fields_of(group: OptionGroup) -> set[str]:
    return {each.name for each in fields(cast(Any, group))}


def _changed(group: OptionGroup, changes: Mapping[str, object]) -> OptionGroup:
    names = _fields_of(group) & changes.keys()
    changed: OptionGroup = replace(cast(Any, group), **{name: changes[name] for name in names})
    return changed
