"""What all charts of plotly share: colours on a light and on a dark page, and text in them."""

from __future__ import annotations

from typing import Any, NamedTuple

#: No ground: the page's own is seen.
NOWHERE = "rgba(0,0,0,0)"

#: How a figure behaves on its page.
CONFIG = {"displayModeBar": False, "responsive": True}


class Ground(NamedTuple):
    """Colours on a page: of text, of a grid's lines, of points greyed out, of a box of words."""

    text: str
    grid: str
    rest: str
    box: str


def ground(dark: bool) -> Ground:
    """Return the colours for a dark or a light page."""
    if dark:
        return Ground("#f0f0f0", "#4a4a4a", "#777777", "#2b2b2b")
    return Ground("#1f1f1f", "#d9d9d9", "#b5b5b5", "#ffffff")


def shade(figure: Any, dark: bool, *, axes: bool = True) -> None:
    """Fit a figure's layout to the page's ground.

    Parameters
    ----------
    figure
        A figure of plotly.
    dark
        Whether the page is dark.
    axes
        Whether the figure has axes across and upwards.
    """
    import plotly.io as pio

    colours = ground(dark)
    figure.layout.update(
        template=pio.templates["plotly_dark" if dark else "plotly_white"],
        # The template has grounds of its own.
        paper_bgcolor=NOWHERE,
        plot_bgcolor=NOWHERE,
        font={"color": colours.text},
        hoverlabel={"bgcolor": colours.box, "font": {"color": colours.text}},
    )
    if axes:
        figure.layout.xaxis.gridcolor = figure.layout.yaxis.gridcolor = colours.grid


def keep(figure: Any) -> None:
    """Have a page that is loaded again begin with what a figure on it is now.

    Plotly leaves that as the figure was made: a chart would come back with the lines of then, and
    with colours that cannot be read where the page was light then and is dark now.
    """
    with figure.hold_sync():
        figure._widget_layout = figure.layout.to_plotly_json()
        figure._widget_data = [trace.to_plotly_json() for trace in figure.data]


def escaped(text: str) -> str:
    """Write text so that plotly takes nothing in it for its few tags, nor for a template's part.

    Quotes stay: plotly would show what stands for them.
    """
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "&#37;{")):
        text = text.replace(sign, written)
    return text
