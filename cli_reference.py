"""Writes the command reference: `python -m orbat.cli_reference > CLI.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.main import get_command

from .cli import app

HEADER = """# Command reference

Written by `python -m orbat.cli_reference > CLI.md`; do not edit it by hand.
`orbat COMMAND --help` prints the same for one command. All commands exit with 0 on success, with 2
if something must be corrected, and with 1 if a check that was asked for fails. Wrong input or a
wrong environment is reported in one line that begins with `error:`, a wrong option with the usage.
"""

_TYPE_NAMES = {Path: "PATH", str: "TEXT", int: "INTEGER", float: "NUMBER"}


def render_reference() -> str:
    """Return the reference of all commands as Markdown."""
    return "\n".join([HEADER, *_render("orbat", get_command(app))])


def walk_commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield a command and all commands below it, each with its full name."""
    yield name, command
    for child in getattr(command, "commands", {}) and command.list_commands(None):
        if not command.commands[child].hidden:
            yield from walk_commands(f"{name} {child}", command.commands[child])


def _render(name: str, command: Any) -> Iterator[str]:
    for full_name, part in walk_commands(name, command):
        yield f"{'##' if hasattr(part, 'commands') else '###'} {full_name}\n"
        yield f"{inspect.cleandoc(part.help or '')}\n"
        if hasattr(part, "commands"):
            continue
        shown = [parameter for parameter in part.params if not getattr(parameter, "hidden", False)]
        arguments = [p for p in shown if p.param_type_name == "argument"]
        options = [p for p in shown if p.param_type_name == "option"]
        words = [full_name, *(_usage(part, argument) for argument in arguments)]
        yield f"    {' '.join(words)}{' [OPTIONS]' if options else ''}\n"
        for title, parameters in (("Argument", arguments), ("Option", options)):
            if parameters:
                yield f"| {title} | Default | Description |\n|---|---|---|"
                yield "\n".join(_row(part, parameter) for parameter in parameters)
                yield ""


def _value_name(command: Any, parameter: Any) -> str:
    """Return the placeholder of a parameter's value: its metavar, its choices or its type."""
    if parameter.metavar:
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    hint = get_type_hints(inspect.unwrap(command.callback))[parameter.name]
    while get_args(hint) and get_origin(hint) is not Literal:
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return "|".join(get_args(hint))
    if issubclass(hint, Enum):
        return "|".join(str(member.value) for member in hint)
    return _TYPE_NAMES[hint]


def _usage(command: Any, argument: Any) -> str:
    name = _value_name(command, argument)
    if argument.nargs != 1 and "..." not in name:
        name += "..."
    return name if argument.required else f"[{name}]"


def _row(command: Any, parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{_usage(command, parameter)}`"
    else:
        flags = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else f" {_value_name(command, parameter)}"
        name = ", ".join(f"`{flag}{value}`" for flag in flags)
    help_text = " ".join((parameter.help or "").split())
    if parameter.envvar:
        help_text = f"{help_text} Environment variable: `{parameter.envvar}`."
    if parameter.param_type_name == "option" and parameter.multiple:
        help_text = f"{help_text} Repeatable." if "epeatable" not in help_text else help_text
    cells = (name, _default(parameter), help_text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default == [] or default is False or callable(default):
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"


if __name__ == "__main__":
    print(render_reference(), end="")
