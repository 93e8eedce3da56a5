"""The tables of options and keys in the README; run as a program, writes them anew.

python -m tests.write_readme
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from overlays.controls import KEYS
from run_live import COMMANDS
from stream.command_line.option import Option
from stream.keys import Key
from tests.conftest import ROOT

README = ROOT / "README.md"


def options_table() -> str:
    """Return every option of every command, a row each."""
    meanings: dict[str, str] = {}
    defaults: dict[str, dict[str, str]] = {}
    for command in COMMANDS:
        for group, field, option in command.declared():
            if option.flag:
                name = _name(option)
                meanings[name] = option.words
                default = option.default_words(getattr(group, field)) or "off"
                defaults.setdefault(name, {})[command.name] = default
    rows = [
        (name, f"{_only(by_command)}{meanings[name]}", _defaults(by_command))
        for name, by_command in defaults.items()
    ]
    rows.append(("`--version`", "which Signlight this is", ""))
    return _table(("option", "meaning", "default"), rows)


def keys_table() -> str:
    """Return every key of the live view, in its two columns."""
    rows = [
        tuple(cell for key in row for cell in ((_caps(key), key.words) if key else ("", "")))
        for row in zip_longest(*KEYS)
    ]
    return _table(("key", "does") * len(KEYS), rows)


def with_tables(page: str) -> str:
    """Return the page with both tables as they are to be."""
    for table in (options_table(), keys_table()):
        heading = table.partition("\n")[0]
        before, found, after = page.partition(f"{heading}\n")
        assert found, f"the README has no table that begins with {heading}"
        page = before + table + after[after.index("\n\n") :]
    return page


def _name(option: Option) -> str:
    value = option.metavar or "|".join(option.choices or ())
    name = f"{option.flag} {value}".strip()
    if option.has_opposite:
        return f"`{name}`, `{name.replace('--', '--no-')}`"
    return f"`{name}`"


def _only(by_command: dict[str, str]) -> str:
    return f"{next(iter(by_command))}: " if len(by_command) == 1 else ""


def _defaults(by_command: dict[str, str]) -> str:
    if len(set(by_command.values())) == 1:
        return next(iter(by_command.values()))
    return ", ".join(f"{default} in {command}" for command, default in by_command.items())


def _caps(key: Key[object]) -> str:
    between = "\N{EN DASH}"
    caps = [cap if len(cap) > 1 or cap == between else f"`{cap}`" for cap in key.shown]
    return " ".join(caps).replace(f" {between} ", "-")


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (heading, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|{'---|' * len(heading)}", *lines[1:]])


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
