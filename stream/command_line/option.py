"""Options, declared as fields of a group beside what they set.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class EncoderOptions(OptionGroup):
        title = "encoding"

        crf: int = option(20, "quality: 0 lossless, 51 worst", metavar="N", values=Integer(0, 51))

gives ``--crf N`` with its help, default and limits. The field's type decides the rest: of a
``bool`` comes a switch, of a ``Literal`` a choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from stream.command_line.values import Choice, Name, Values

__all__ = ["Option", "OptionGroup", "UsageError", "argument", "option", "options_of"]

Value = TypeVar("Value")


class UsageError(Exception):
    """Wrong usage; the message says all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What the command line says of a field."""

    words: str
    """What it means, without its default and without names that ``values`` lists."""
    flag: str | None = None
    """"--save"; None for the field's own name, empty for an argument, which has a place instead."""
    metavar: str | None = None
    """What stands for the value."""
    values: Values | None = None
    """What the value may be, where the field's type does not say it."""
    unset: str = ""
    """What happens where the value is None or empty, for "(default: ...)"."""
    has_opposite: bool = False
    """Of a switch: it can be switched off too, by ``--no-...``."""
    is_required: bool = False
    """Of an argument: it must be given."""
    bare: str | None = None
    """Value of an option that is named without one; None: it needs one."""
    kind: type = str
    """Type of the value; ``tuple`` for one or more words, or a word of ``Several``."""

    @property
    def help(self) -> str:
        """What it means, and the names that the usage does not list."""
        is_name = isinstance(self.values, Name) and not isinstance(self.values, Choice)
        names = f": {', '.join(cast(Name, self.values).names)}" if is_name else ""
        return f"{self.words}{names}"

    @property
    def choices(self) -> tuple[str, ...] | None:
        """The values, where the usage lists them."""
        return self.values.names if isinstance(self.values, Choice) else None

    @property
    def switches_to(self) -> bool:
        """What a switch sets: --no-window does not open one."""
        return not (self.flag or "").startswith("--no-")

    def default_words(self, default: object) -> str:
        """Return what is said of a default; nothing of a switch that is off unless given."""
        if self.kind is bool:
            is_on = default == self.switches_to
            return "on" if is_on else "off" if self.has_opposite else ""
        if isinstance(default, tuple) and default:
            return ",".join(map(str, default))
        return self.unset if default in (None, "", ()) else str(default)


class OptionGroup:
    """Options that belong together: a frozen dataclass, each field made by ``option``.

    A field that is not made so is no option; code sets it.

    Raises:
        ValueError: A value is not allowed; the message says which are.
    """

    __slots__ = ()
    title: ClassVar[str] = ""
    """Heading in ``--help``; empty for none."""

    def __post_init__(self) -> None:
        for name, each in options_of(type(self)).items():
            value = getattr(self, name)
            if each.values is None or value is None:
                continue
            for one in value if isinstance(value, tuple) else (value,):
                if fault := each.values.fault_of(one):
                    raise ValueError(f"{name} {fault}, got {one!r}")

    def check(self, given: Mapping[str, object]) -> None:
        """Refuse options that contradict each other.

        Args:
            given: Fields that were named on the command line, and their values.

        Raises:
            UsageError: They do.
        """


def option(
    default: Value,
    words: str,
    *,
    flag: str | None = None,
    metavar: str | None = None,
    values: Values | None = None,
    unset: str = "",
    has_opposite: bool = False,
    bare: str | None = None,
) -> Value:
    """Return a field of an ``OptionGroup`` that the command line sets; see ``Option``.

    Args:
        default: Value where it is not named.
        words: What it means.
        flag: What it is called, where that is not the field's name: ``--max-hands`` sets
            ``max_hands``.
        metavar: What stands for the value in the usage.
        values: What the value may be.
        unset: What None or nothing as the value comes to.
        has_opposite: Whether there is a ``--no-...`` too.
        bare: What it comes to without a value.
    """
    declared = Option(
        words=words,
        flag=flag,
        metavar=metavar,
        values=values,
        unset=unset,
        has_opposite=has_opposite,
        bare=bare,
    )
    return field(default=default, metadata={"option": declared})


def argument(
    default: Value,
    words: str,
    *,
    metavar: str | None = None,
    values: Values | None = None,
    unset: str = "",
    is_required: bool = False,
) -> Value:
    """Return a field that the command line sets by its place; see ``option``."""
    declared = Option(
        words=words,
        flag="",
        metavar=metavar,
        values=values,
        unset=unset,
        is_required=is_required,
    )
    return field(default=default, metadata={"option": declared})


def options_of(group: type[OptionGroup]) -> Mapping[str, Option]:
    """Return the options of a group by the names of their fields."""
    hints = get_type_hints(group)
    return {
        each.name: _complete(each.metadata["option"], each.name, hints[each.name])
        for each in fields(cast(Any, group))
        if "option" in each.metadata
    }


def _complete(declared: Option, name: str, hint: object) -> Option:
    """Return an option with what its field's name and type say."""
    kinds = list(_kinds_of(hint))
    names = [kind for kind in kinds if isinstance(kind, str)]
    return replace(
        declared,
        flag=f"--{name.replace('_', '-')}" if declared.flag is None else declared.flag,
        values=declared.values or (Choice(names) if names else None),
        kind=next((kind for kind in kinds if isinstance(kind, type)), str),
    )


def _kinds_of(hint: object) -> Iterator[object]:
    """Yield the types and, of a ``Literal``, the values that a type is made of, without None."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for part in get_args(hint):
            yield from _kinds_of(part)
    elif origin is Literal:
        yield from get_args(hint)
    elif origin is tuple:
        yield tuple
    elif hint is not type(None):
        yield hint
