"""The command line."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import click

from spineq.errors import SpineqError, SpineqWarning


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spineq")
def cli() -> None:
    """Decide where sensors go in a city, so that the people who matter are covered.

    Example: spineq demo
    """


def main() -> None:
    """Run the command line: bad input ends in one plain sentence and exit status 2."""
    from spineq.cli import commands, data, demo

    for command in (demo.demo, commands.optimise, commands.evaluate, data.data, commands.bench):
        cli.add_command(command)
    warnings.showwarning = _note  # type: ignore[assignment]
    try:
        cli(standalone_mode=False)
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
        _sentence(f"{error.strerror or error}: {error.filename or 'the output'} cannot be used.")
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _sentence("stopped; nothing was left half-written.")
        sys.exit(130)


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
