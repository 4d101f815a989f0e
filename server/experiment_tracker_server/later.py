"""A command line that reads what a command needs when it is called: its help tells all of them and loads none."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import click

from experiment_tracker_tools.core.text import plainly

_LONGEST = 500


class Commands(click.Group):
    """A group whose complaints show what was typed harmlessly."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            shown = [plainly(line, _LONGEST) for line in error.format_message()[: 4 * _LONGEST].split("\n")]
            raise click.UsageError("\n".join(shown), error.ctx) from error


class Later(click.Command):
    """A command that is listed; `itself` is the one that parses and runs."""

    def __init__(self, name: str, *, told: str, load: Callable[[], click.Command]) -> None:
        super().__init__(name, short_help=told)
        self._load = load

    @cached_property
    def itself(self) -> click.Command:
        """The command, loaded at its first use."""
        return self._load()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command itself."""
        return self.itself.make_context(info_name, args, parent, **extra)
