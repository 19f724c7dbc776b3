"""The ``twin`` command. Everything heavy is imported by the subcommand that needs it.

Nothing at all is imported with the package: the program begins anew on pinned instructions, and what was
imported before that would be imported twice.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.cli.command import main

__all__ = ["main"]


def __getattr__(name: str) -> Any:
    if name != "main":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from twin.cli.command import main  # noqa: PLC0415

    return main
