"""Which network a question is about, and numbers in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner
from command_line import run

import spineq as sq
from spineq.cli.question_words import (
    OF_GIVEN,
    OF_PLACED,
    Numbers,
    Subject,
    network_options,
    take_subject,
)
from spineq.progress import TextProgress

CITY = sq.demo_city("synthetic", n_areas=30)


@click.command()
@network_options
@click.pass_context
def ask(context: click.Context, **words: Any) -> None:
    context.obj.append(take_subject(words))


def subject(*options: str) -> Subject:
    """What a command with `network_options` makes of its options."""
    found: list[Subject] = []
    made = CliRunner().invoke(ask, list(options), obj=found, catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return found[0]


def test_every_option_is_for_one_kind_of_network_or_both() -> None:
    """A new option of a problem must be told apart here, or it would be ignored in silence."""
    names = {param.name for param in ask.params} - {"network"}
    assert names == {*OF_GIVEN, *OF_PLACED}
    assert not set(OF_GIVEN) & set(OF_PLACED)


def test_a_network_is_placed_or_measured() -> None:
    """The options are those of optimise and of evaluate."""
    made = subject("-n", "3", "--theta", "400", "--method", "greedy")
    assert made.network == ""
    assert made.words == {
        "n_sensors": 3, "theta": 400.0, "method": "greedy", "decay": "exponential",
    }  # fmt: skip
    ids = ",".join(CITY.sites.index[:2])
    given = subject("--network", ids, "--theta", "400")
    assert given == Subject(ids, {"theta": 400.0, "decay": "exponential"})
    with TextProgress() as bar:
        net, done = made.of(CITY, bar)
        assert net == sq.optimise(CITY, n_sensors=3, theta=400, method="greedy")
        assert 0.0 < done < 1.0
        net, _ = given.of(CITY, bar)
    assert net == sq.evaluate(CITY, list(CITY.sites.index[:2]), theta=400)


def test_a_stop_before_there_is_a_network_ends_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the status of Ctrl-C: half a network is nothing to ask about."""

    class Stopped(TextProgress):
        def hear(self, report: object) -> bool:
            return True

    with Stopped() as bar, pytest.raises(SystemExit) as ended:
        Subject("", {"n_sensors": 3}).of(CITY, bar)
    assert ended.value.code == 130
    assert "before there was a network" in capsys.readouterr().err


READ: dict[str, tuple[Numbers, str, object]] = {
    "one": (Numbers("n", int, 1, 9), "3", (3,)),
    "several": (Numbers("n", int, 1, 9), " 3, 1,9", (3, 1, 9)),
    "shares": (Numbers("n", float, 0, 1), "0,1,.5", (0.0, 1.0, 0.5)),
    "a range": (Numbers("n", float, 0, 999, ":", 2), "400:600", (400.0, 600.0)),
}


@pytest.mark.parametrize(("kind", "text", "numbers"), READ.values(), ids=READ)
def test_numbers_are_read(kind: Numbers, text: str, numbers: object) -> None:
    """With spaces or without, and a second time as they are."""
    assert kind.convert(text, None, None) == numbers
    assert kind.convert(numbers, None, None) == numbers


@pytest.mark.parametrize("text", ["", ",", "1,,2", "x", "1.5", "0", "10", "nan", "1e3", "9" * 5000])
def test_what_are_no_numbers_is_refused(text: str) -> None:
    """In a message that is not too long."""
    with pytest.raises(click.BadParameter) as refused:
        Numbers("a list", int, 1, 9).convert(text, None, None)
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("text", ["1", "1:2:3", "a:b", "nan:2", "1:inf", "-1:2"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """Two numbers it must be."""
    with pytest.raises(click.BadParameter):
        Numbers("a range", float, 0, 9, ":", 2).convert(text, None, None)


@pytest.mark.parametrize(
    "spoil",
    [lambda: subject(), lambda: subject("--network", ""), lambda: subject("--network", ",")],
)
def test_nothing_to_ask_about_is_refused(spoil: Callable[[], Subject]) -> None:
    """Neither sensors nor a number of them."""
    with pytest.raises(AssertionError, match=r"--network|Missing option"):
        spoil()


@pytest.mark.parametrize("command", ["explain", "alternatives", "stability"])
def test_what_cannot_be_solved_again_is_refused_before_it_is_placed(command: str) -> None:
    """With what to do instead, for whoever has only the command line."""
    made = run(command, "synthetic:40", "--reach", "pop_total=0.3")
    assert made.exit_code == 2
    assert "--network ID,ID" in made.stderr
