"""The command line."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any

import click

from spineq.errors import SpineqError, SpineqWarning

#: Module of each command: none is imported before somebody asks for it.
_HOMES = {
    "demo": "demo",
    "optimise": "commands",
    "evaluate": "commands",
    "trade-off": "fronts",
    "explain": "questions",
    "robustness": "questions",
    "stability": "questions",
    "alternatives": "questions",
    "curve": "questions",
    "report": "report",
    "sweep": "sweep",
    "jobs": "jobs",
    "data": "data",
    "bench": "bench",
    "panel": "panel",
    "serve": "serve",
}


class _Front(click.Group):
    """All commands: bad input ends in one plain sentence and exit status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return list(_HOMES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in _HOMES:
            return None
        home = importlib.import_module(f"spineq.cli.{_HOMES[name]}")
        found: click.Command = getattr(home, name.replace("-", "_"))
        return found

    def main(self, *arguments: Any, **words: Any) -> Any:
        """Run a command."""
        before = warnings.showwarning
        warnings.showwarning = _note  # type: ignore[assignment]
        try:
            return super().main(*arguments, **words | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(2)
        except click.ClickException as error:
            _sentence(error.format_message())
            sys.exit(2)
        except SpineqError as error:
            _sentence(str(error))
            sys.exit(2)
        except BrokenPipeError:
            # Whoever read the output has left; Python must not complain of it while it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            _sentence(
                f"{error.strerror or error}: {error.filename or 'the output'} cannot be used."
            )
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            _sentence("stopped; nothing was left half-written.")
            sys.exit(130)
        finally:
            warnings.showwarning = before


@click.group(cls=_Front, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spineq")
def cli() -> None:
    """Decide where sensors go in a city, so that the people who matter are covered.

    Example: spineq demo
    """


def main() -> None:
    """Run the command line."""
    cli()


def _sentence(text: str) -> None:
    click.echo(f"spineq: {text}", err=True)


def _note(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any
) -> None:
    # Warnings of ours are for people; those of libraries stay as they are, on standard error.
    if issubclass(category, SpineqWarning):
        click.echo(f"spineq: note: {message}", err=True)
    else:
        text = warnings.formatwarning(message, category, filename, lineno)
        click.echo(text, err=True, nl=False)
