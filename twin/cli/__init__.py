"""The ``twin`` command. Everything heavy is imported by the subcommand that needs it."""

from twin.cli.main import main

__all__ = ["main"]
