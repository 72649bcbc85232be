"""Authorities by name and code: what is forgiven, what is asked back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spineq.errors import ProblemError
from spineq.fetch.authorities import Authority, checked_names, plain, resolve, searched

KNOWN = [
    Authority("E08000021", "Newcastle upon Tyne"),
    Authority("E07000195", "Newcastle-under-Lyme"),
    Authority("E08000037", "Gateshead"),
    Authority("E06000023", "Bristol, City of"),
    Authority("E06000010", "Kingston upon Hull, City of"),
    Authority("E07000146", "King's Lynn and West Norfolk"),
    Authority("E08000013", "St. Helens"),
    Authority("E09000001", "City of London"),
    Authority("E09000033", "Westminster"),
    Authority("E06000019", "Herefordshire, County of"),
    Authority("W06000014", "Vale of Glamorgan"),
    Authority("W06000002", "Gwynedd"),
    Authority("E06000058", "Bournemouth, Christchurch and Poole"),
]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Newcastle upon Tyne", "E08000021"),
        ("  NEWCASTLE-UPON-TYNE ", "E08000021"),
        ("e08000021", "E08000021"),
        ("newcastle under lyme", "E07000195"),
        ("Bristol", "E06000023"),
        ("City of Bristol", "E06000023"),
        ("bristol city council", "E06000023"),
        ("kings lynn & west norfolk", "E07000146"),
        ("King\u2019s Lynn and West Norfolk", "E07000146"),
        ("King`s Lynn and West Norfolk", "E07000146"),
        ("King\u00b4s Lynn and West Norfolk", "E07000146"),
        ("St Helens", "E08000013"),
        ("Herefordshire", "E06000019"),
        ("The Vale of Glamorgan", "W06000014"),
        ("Bournemouth Christchurch Poole", "E06000058"),
    ],
)
def test_what_is_forgiven(name: str, code: str) -> None:
    """Capitals, punctuation, and words that only say what kind of authority it is."""
    assert [one.code for one in resolve([name], KNOWN)] == [code]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Newcastle", "Newcastle upon Tyne (E08000021)"),
        ("Newcastle", "Newcastle-under-Lyme (E07000195)"),
        ("Gatshead", "Did you mean Gateshead (E08000037)"),
        ("E08000022", "Newcastle upon Tyne (E08000021)"),
        ("Paris", "data list --search"),
        ("S12000033", "is not in England or Wales"),
        # All of London is 33 authorities, and the City is one of them.
        ("London", "Did you mean City of London (E09000001)"),
        ("?!", "data list --search"),
        ("x" * 5000, "data list --search"),
    ],
)
def test_near_misses_are_named_and_nothing_is_guessed(name: str, said: str) -> None:
    """The sentence holds those that may be meant."""
    with pytest.raises(ProblemError) as caught:
        resolve([name], KNOWN)
    assert said in str(caught.value)


def test_two_of_one_name_need_a_code() -> None:
    """Both codes are in the sentence."""
    known = [Authority("E1", "Twin"), Authority("E2", "TWIN")]
    with pytest.raises(ProblemError, match=r"2 local authorities called 'twin': .*E1.*E2"):
        resolve(["twin"], known)


@given(st.sampled_from(KNOWN), st.text("-.,'& ", max_size=3), st.booleans())
def test_punctuation_never_matters(one: Authority, noise: str, upper: bool) -> None:
    """Noise around and between words changes nothing."""
    name = one.name.replace(" ", f"{noise} ") + noise.replace("&", "")
    if "&" not in noise:
        assert resolve([name.upper() if upper else name], KNOWN) == [one]


@given(st.text(max_size=30))
def test_plain_is_idempotent(name: str) -> None:
    """What is plain stays as it is, and holds nothing but words."""
    once = plain(name)
    assert plain(once) == once
    assert all(char.isascii() and (char.isalnum() or char == " ") for char in once)


@given(st.text(max_size=40))
def test_every_text_is_found_or_refused(name: str) -> None:
    """Whatever somebody writes, there is one answer or one sentence."""
    try:
        (found,) = resolve([name], KNOWN)
    except ProblemError as error:
        assert error.mend  # noqa: PT017 (most texts are refused, and some are names)
    else:
        assert found in KNOWN


def test_several_once_each() -> None:
    """In their order, without repetitions."""
    found = resolve(["gateshead", "Newcastle upon Tyne", "E08000037"], KNOWN)
    assert [one.name for one in found] == ["Gateshead", "Newcastle upon Tyne"]
    assert checked_names(" Gateshead ") == ("Gateshead",)
    assert checked_names(["a", "a", "b"]) == ("a", "b")


def test_search_is_by_name_or_code() -> None:
    """A part is enough; the empty text finds all."""
    assert [one.code for one in searched(KNOWN, "newcastle")] == ["E08000021", "E07000195"]
    assert [one.code for one in searched(KNOWN, "W0600")] == ["W06000014", "W06000002"]
    assert searched(KNOWN, "") == KNOWN
