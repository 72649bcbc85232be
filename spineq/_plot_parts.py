"""What pictures are made of: a map, its scale bar, its words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq.model._words import objective_table, objective_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network


# Okabe and Ito (2008): eight colours that colour-blind people tell apart; yellow left out.
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
STYLES = ("-", "--", "-.", ":")


def of_whom(net: Network) -> str:
    """Name the objective's group, or say how many there are: titles have little room."""
    several = len(objective_table(net))
    return objective_words(net) if several == 1 else f"{several} weighted groups"


def points(change: float) -> str:
    """Write a change of a share in percentage points, with a proper minus sign."""
    return f"{round(100 * change, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")


def axes(ax: Axes | None, size: tuple[float, float], layout: str = "constrained") -> Axes:
    if ax is not None:
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
) -> Axes:
    """Draw values of areas, (area,), with colour bar, scale bar and source."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import FuncFormatter

    ax = axes(ax, (7.0, 6.2), "compressed")
    colours = "PuOr" if diverging else "viridis"
    scale = Normalize(-top if diverging else 0.0, top)
    polygons = city.polygons
    x, y = city.dataset["x"].to_numpy(), city.dataset["y"].to_numpy()
    if polygons is not None:
        shown = polygons.assign(value=values)
        shown.plot(
            "value",
            ax=ax,
            cmap=colours,
            norm=scale,
            edgecolor="face",
            linewidth=0.2,
            missing_kwds={"color": "#d9d9d9"},
        )
    else:
        size = float(np.clip(8000 / max(len(x), 1), 2, 60))
        ax.scatter(x, y, c=values, s=size, cmap=colours, norm=scale, linewidth=0, label="area")
    ax.set_aspect("equal")
    ax.set_axis_off()
    south, north = ax.get_ylim()
    # Room for the scale bar below the city.
    ax.set_ylim(south - 0.06 * (north - south), north)
    bar = ax.figure.colorbar(
        ScalarMappable(scale, colours),
        ax=ax,
        shrink=0.6,
        pad=0.02,
        format=FuncFormatter(
            lambda share, _: f"{100 * share:.{decimals}f}{'' if diverging else ' %'}".replace(
                "-", "\N{MINUS SIGN}"
            )
        ),
    )
    bar.set_label(label)
    scale_bar(ax)
    credit(ax, notes, below=6)
    return ax


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
    # A number stays with its unit, and theta with both.
    glued = re.sub(r"(?<=theta) (?=\d)|(?<=\d) (?=%|\w+\)$)", "\N{NO-BREAK SPACE}", title)
    # A character is about half as wide as it is high.
    wrapped = textwrap.fill(glued, int(np.clip(width / 5.0, 24, 60)))
    wrapped = wrapped.replace("\N{NO-BREAK SPACE}", " ")
    ax.set_title(wrapped, fontsize=10, pad=6 + 13 * rows, x=0.0, ha="left", parse_math=False)


def credit(ax: Axes, notes: Sequence[str], *, below: float) -> None:
    """Write sentences so many points below the axes."""
    text = " ".join(f"{note.rstrip('.')}." for note in notes if note)
    ax.annotate(
        textwrap.fill(text, int(np.clip(width_of(ax) / 3.0, 40, 110))),
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
