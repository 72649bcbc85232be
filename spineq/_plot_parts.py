"""What pictures are made of: a map, its scale bar, its words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._outlines import MOST_CORNERS, n_corners
from spineq.errors import ProblemError, shown
from spineq.model._exports import AT_A_PLACE
from spineq.model._words import counted, objective_table, objective_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network


# Okabe and Ito (2008): eight colours that colour-blind people tell apart; yellow left out.
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
STYLES = ("-", "--", "-.", ":")

#: Areas beneath dots.
_PALE = "#e9e9e9"

#: A dot weighs as much in a drawing as so many corners.
_CORNERS_OF_A_DOT = 10


def of_whom(net: Network) -> str:
    """Name the objective's group, or say how many there are: titles have little room."""
    several = len(objective_table(net))
    return objective_words(net) if several == 1 else f"{several} weighted groups"


def kept_words(city: City, network: Network) -> str:
    """Say what stays, and where several existing sensors are the one that is counted."""
    n = network.n_kept
    if network.problem.keep != "existing" or city.existing is None:
        return f"{n:,} that stay"
    if len(city.existing) == n:
        return f"{n:,} existing, which stay"
    return f"{len(city.existing):,} existing at {counted(n, 'place')}, which stay"


def existing_elsewhere(city: City, network: Network | None) -> pd.DataFrame | None:
    """Existing sensors at whose places no sensor of the network stands; None without a table."""
    from scipy.spatial import cKDTree

    now = city.existing
    if now is None or now.empty or network is None or not network.n_sensors:
        return now
    mine = cKDTree(network.sensors[["x", "y"]].to_numpy())
    elsewhere: pd.DataFrame = now[mine.query(now[["x", "y"]].to_numpy())[0] > AT_A_PLACE]
    return elsewhere


def axes(ax: Axes | None, size: tuple[float, float], layout: str = "constrained") -> Axes:
    """Return the axes to draw into, those of a new figure where none were given."""
    if ax is not None:
        from matplotlib.axes import Axes

        if not isinstance(ax, Axes):
            msg = f"axes are needed, not {shown(ax)}"
            mend = "Write ax=plt.subplots()[1], or leave ax out for a figure of its own"
            raise ProblemError(msg, field="ax", mend=mend)
        return ax
    import matplotlib.pyplot as plt

    made: Axes = plt.subplots(figsize=size, layout=layout)[1]
    return made


def draw_map(
    city: City,
    values: NDArray[np.float64],
    ax: Axes | None,
    *,
    label: str,
    top: float,
    notes: Sequence[str],
    diverging: bool = False,
    decimals: int = 0,
    shares: bool = True,
    unknown: str = "not known",
) -> Axes:
    """Draw values of areas, (area,), with colour bar, scale bar and source.

    ``unknown`` is what the legend says of areas without a value.
    """
    ax = axes(ax, (7.0, 6.2), "compressed")
    bare_map(city, values, ax, top=top, diverging=diverging, unknown=unknown)
    more = bool(np.nanmax(values, initial=0.0) > top * (1 + 1e-9))
    colour_bar(
        [ax], label=label, top=top, diverging=diverging, decimals=decimals, shares=shares, more=more
    )
    credit(ax, notes, below=6)
    return ax


def bare_map(
    city: City,
    values: NDArray[np.float64],
    ax: Axes,
    *,
    top: float,
    diverging: bool = False,
    unknown: str = "not known",
) -> None:
    """Draw values of areas, (area,), with a scale bar alone."""
    colours, scale = colours_to(top, diverging=diverging).values()
    polygons = city.polygons
    x, y = city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()
    # Drawings of lines, as SVG and PDF are, have a picture of very many areas.
    as_picture = max(n_corners(city), _CORNERS_OF_A_DOT * len(x)) > MOST_CORNERS
    if polygons is not None:
        polygons.assign(value=values).plot(
            "value",
            ax=ax,
            cmap=colours,
            norm=scale,
            edgecolor="face",
            linewidth=0.2,
            rasterized=as_picture,
            missing_kwds={"color": "#d9d9d9", "label": unknown, "rasterized": as_picture},
        )
    else:
        size = float(np.clip(8000 / max(len(x), 1), 2, 60))
        ax.scatter(
            x,
            y,
            c=values,
            s=size,
            cmap=colours,
            norm=scale,
            linewidth=0,
            label="area",
            rasterized=as_picture,
        )
    _as_map(ax)


def _as_map(ax: Axes) -> None:
    ax.set_aspect("equal")
    ax.set_axis_off()
    south, north = ax.get_ylim()
    # Room for the scale bar below the city.
    ax.set_ylim(south - 0.06 * (north - south), north)
    scale_bar(ax)


def draw_dots(
    city: City,
    xy: NDArray[np.float64],
    ax: Axes | None,
    *,
    notes: Sequence[str],
    **how: Any,
) -> tuple[Axes, Any]:
    """Draw dots at places, (place, 2), on pale areas, with scale bar and source.

    ``how`` is what matplotlib's scatter takes. Returns what was drawn on, and the dots.
    """
    ax = axes(ax, (7.0, 6.2), "compressed")
    polygons = city.polygons
    if polygons is not None:
        many = n_corners(city) > MOST_CORNERS
        polygons.plot(ax=ax, color=_PALE, edgecolor="white", linewidth=0.2, rasterized=many)
    else:
        at = city.dataset
        ax.scatter(at["x"], at["y"], color=_PALE, s=6, label="area")
    many = _CORNERS_OF_A_DOT * len(xy) > MOST_CORNERS
    dots = ax.scatter(xy[:, 0], xy[:, 1], linewidth=0, rasterized=many, **how)
    _as_map(ax)
    credit(ax, notes, below=6)
    return ax, dots


def colour_bar(
    beside: Sequence[Axes],
    *,
    label: str,
    top: float,
    diverging: bool = False,
    decimals: int = 0,
    shares: bool = True,
    more: bool = False,
) -> None:
    """Draw one colour bar for all of these maps, to the right of them.

    ``shares`` are written as percent, other values as they are; ``more`` says by an arrow that
    some values lie beyond the top.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import FuncFormatter

    def percent(share: float, _: object) -> str:
        text = f"{100 * share:.{decimals}f}{'' if diverging else ' %'}"
        return text.replace("-", "\N{MINUS SIGN}")

    colours, scale = colours_to(top, diverging=diverging).values()
    bar = beside[0].figure.colorbar(
        ScalarMappable(scale, colours),
        ax=list(beside),
        shrink=0.6,
        pad=0.02,
        extend="max" if more else "neither",
        format=FuncFormatter(percent if shares else lambda value, _: f"{value:,g}"),
    )
    bar.set_label(label)


def colours_to(top: float, *, diverging: bool = False) -> dict[str, Any]:
    """``cmap`` and ``norm`` of values up to this one, as matplotlib takes them."""
    from matplotlib.colors import Normalize

    cmap = "PuOr" if diverging else "viridis"
    return {"cmap": cmap, "norm": Normalize(-top if diverging else 0.0, top)}


def estimates(table: pd.DataFrame) -> str:
    """Name the estimated groups of a network's table."""
    return split_bands([str(title) for title in table["title"][table["estimated"]]])


def split_bands(titles: Sequence[str]) -> str:
    return f"Estimated from split age bands: {', '.join(titles)}" if titles else ""


def scale_bar(ax: Axes) -> None:
    """Draw a bar of a round length, a quarter of the map at most."""
    from matplotlib.font_manager import FontProperties
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    width = abs(ax.get_xlim()[1] - ax.get_xlim()[0])
    power = 10.0 ** np.floor(np.log10(max(width / 4, 1e-9)))
    length = max(step * power for step in (1, 2, 5) if step * power <= max(width / 4, power))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    ax.add_artist(
        AnchoredSizeBar(
            ax.transData,
            length,
            text,
            "lower right",
            pad=0.3,
            sep=3,
            frameon=False,
            size_vertical=width / 300,
            fontproperties=FontProperties(size=8),
        )
    )


def width_of(ax: Axes) -> float:
    """Width of the room for the axes before they are fitted to what they show, points."""
    figure: Any = ax.figure
    return float(ax.get_position(original=True).width * figure.get_size_inches()[0] * 72)


def head(ax: Axes, title: str) -> None:
    """Put the legend above the axes, where it covers nothing, and the title above that."""
    names, width = ax.get_legend_handles_labels()[1], width_of(ax)
    columns = 2 if len(names) > 3 and width > 330 else 1
    if names:
        legend = ax.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            borderaxespad=0.2,
            ncols=columns,
            markerscale=0.7,
            frameon=False,
            fontsize=8,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    rows = -(-len(names) // columns)
    # A character is about half as wide as it is high.
    wrapped = _wrapped(title, int(np.clip(width / 5.0, 24, 60)))
    ax.set_title(wrapped, fontsize=10, pad=6 + 13 * rows, x=0.0, ha="left", parse_math=False)


def _wrapped(title: str, width: int) -> str:
    """Break a title into lines; a number stays with its unit, and theta with both."""
    glued = re.sub(r"(?<=theta) (?=\d)|(?<=\d) (?=%|\w+\)$)", "\N{NO-BREAK SPACE}", title)
    return textwrap.fill(glued, width).replace("\N{NO-BREAK SPACE}", " ")


def head_of_all(figure: Figure, title: str) -> None:
    """Put a title over the whole figure, which makes room for all of its lines."""
    width = figure.get_size_inches()[0] * 72
    wrapped = _wrapped(title, int(width / 5.6))
    figure.suptitle(wrapped, fontsize=10, x=0.01, ha="left", parse_math=False)


def credit_of_all(figure: Figure, notes: Sequence[str]) -> None:
    """Write sentences below the whole figure, which makes room for all of their lines."""
    width = figure.get_size_inches()[0] * 72
    # A layout keeps room for a label of the figure, and none for plain text on it.
    figure.supxlabel(
        textwrap.fill(_sentences(notes), int(width / 3.3)),
        fontsize=6,
        color="#555555",
        x=0.01,
        ha="left",
        parse_math=False,
    )


def _sentences(notes: Sequence[str]) -> str:
    return " ".join(f"{note.rstrip('.')}." for note in notes if note)


def credit(ax: Axes, notes: Sequence[str], *, below: float) -> None:
    """Write sentences so many points below the axes."""
    ax.annotate(
        textwrap.fill(_sentences(notes), int(np.clip(width_of(ax) / 3.0, 40, 110))),
        (0.0, 0.0),
        xycoords="axes fraction",
        xytext=(0.0, -below),
        textcoords="offset points",
        annotation_clip=False,
        fontsize=6,
        color="#555555",
        va="top",
        parse_math=False,
    )
