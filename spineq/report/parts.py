"""What a report is made of: words, tables and pictures that a notebook and a page show alike.

Each shows itself as HTML without any script or outside file, and as plain text elsewhere.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq import plot

if TYPE_CHECKING:
    from spineq.model.city import City

#: Dots per inch of pictures: sharp in print and on screens of twice the density.
DPI = 150


#: Characters from which a cell's text may be broken.
_LONG = 30

#: A space between a number and its unit, where no line may break.
_UNIT = re.compile(r"(?<=\d) (?=%|k?m\b|points\b)")


def _escaped(text: str) -> str:
    """Write text as HTML; numbers stay with their units."""
    return _UNIT.sub("&nbsp;", html.escape(text))


@dataclass(frozen=True)
class Shown:
    """Something that a cell of a notebook shows.

    Parameters
    ----------
    html
        As HTML.
    text
        As plain text.
    """

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def words(*lines: str) -> Shown:
    """Show sentences, each a paragraph; empty ones are left out."""
    said = [line for line in lines if line]
    return Shown("".join(f"<p>{_escaped(line)}</p>" for line in said), "\n".join(said))


def heading(text: str) -> Shown:
    """Show a heading of the third level."""
    return Shown(f"<h3>{_escaped(text)}</h3>", text)


def listed(*lines: str) -> Shown:
    """Show sentences as a list; empty ones are left out."""
    said = [line for line in lines if line]
    items = "".join(f"<li>{_escaped(line)}</li>" for line in said)
    return Shown(f"<ul>{items}</ul>", "\n".join(f"- {line}" for line in said))


def key_figures(figures: Iterable[tuple[str, str]]) -> Shown:
    """Show a few figures large, as pairs of the figure and what it says."""
    pairs = list(figures)
    cells = "".join(
        f"<div class='figure'><strong>{_escaped(value)}</strong>"
        f"<span>{_escaped(label)}</span></div>"
        for value, label in pairs
    )
    return Shown(
        f"<div class='figures'>{cells}</div>", "\n".join(f"{v} {label}" for v, label in pairs)
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> Shown:
    """Show a table: its first column are names, the others figures to the right.

    Parameters
    ----------
    heads
        One for each column.
    rows
        Texts, one for each column.
    caption
        What the table has, above it.
    """
    body = [[str(cell) for cell in row] for row in rows]
    top = "".join(f"<th scope='col'>{_escaped(head)}</th>" for head in heads)
    lines = "".join(
        f"<tr><th scope='row'>{_escaped(row[0])}</th>" + "".join(map(_cell, row[1:])) + "</tr>"
        for row in body
    )
    said = f"<caption>{_escaped(caption)}</caption>" if caption else ""
    # What is wider than a phone is scrolled, also by keyboard.
    called = _escaped(caption or " ".join(heads))
    made = (
        f"<div class='scroll' role='region' tabindex='0' aria-label=\"{called}\">"
        "<table class='spineq'>"
        f"{said}<thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
    widths = [max(len(row[k]) for row in [list(heads), *body]) for k in range(len(heads))]
    text = [caption] if caption else []
    text += [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [list(heads), *body]
    ]
    return Shown(made, "\n".join(text))


def _cell(text: str) -> str:
    kind = " class='long'" if len(text) > _LONG else ""
    return f"<td{kind}>{_escaped(text)}</td>"


def together(*parts: Shown) -> Shown:
    """Show one part below the other."""
    return Shown("".join(part.html for part in parts), "\n\n".join(part.text for part in parts))


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows in words, for those who cannot see it.

    Parameters
    ----------
    name
        Name of its file, without an ending.
    png
        The picture.
    words
        What it shows.
    caption
        Sentence below it; may be empty.
    """

    name: str
    png: bytes
    words: str
    caption: str = ""

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        below = f"<figcaption>{_escaped(self.caption)}</figcaption>" if self.caption else ""
        width = _width(self.png) * 96 // DPI
        return (
            f"<figure><img alt='{html.escape(self.words, quote=True)}' style='width:{width}px' "
            f"src='data:image/png;base64,{data}'>{below}</figure>"
        )

    @property
    def html(self) -> str:
        """The picture as HTML."""
        return self._repr_html_()

    @property
    def text(self) -> str:
        """The picture in words."""
        return f"[Picture: {self.words}]"

    def __repr__(self) -> str:
        return self.text


def _width(png: bytes) -> int:
    """Width of a PNG, pixels, as its header says."""
    return int.from_bytes(png[16:20], "big")


def picture(name: str, axes: Any, words_: str = "", caption: str = "") -> Picture:
    """Make a picture of some axes' figure, and close the figure.

    Parameters
    ----------
    name
        Name of its file, without an ending.
    axes
        What a function of `spineq.plot` returned.
    words_
        What it shows; by default its title.
    caption
        Sentence below it.
    """
    first: Any = axes.flat[0] if isinstance(axes, np.ndarray) else axes
    title = first.figure.get_suptitle() or first.get_title(loc="left") or first.get_title()
    png = plot.to_png(axes, dpi=DPI)
    return Picture(name, png, words_ or " ".join(title.split()), caption)


def side_by_side(*pictures: Picture) -> Shown:
    """Show pictures beside each other where there is room."""
    if not pictures:
        return words()
    return Shown(
        f"<div class='pair'>{''.join(one.html for one in pictures)}</div>",
        "\n".join(one.text for one in pictures),
    )


def how_far(city: City) -> str:
    """Say how metres are measured, to stand after them; nothing where all are straight lines."""
    if city.travel is None:
        return ""
    if city.travel_unit != "m":
        # The costs are no metres, so that the metres are of straight lines.
        return " in a straight line"
    # So `spineq.travel.from_streets` notes it.
    return " along streets" if "km of streets" in city.label.note else " by the travel table"
