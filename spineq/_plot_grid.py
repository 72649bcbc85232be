"""Maps that do not stop at areas: coverage of the ground, on a grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._plot_parts import axes, colour_bar, credit, head, scale_bar
from spineq.errors import ProblemError, shown
from spineq.model._exports import need_same_city
from spineq.model._words import counted, theta_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from spineq.model.city import City
    from spineq.model.network import Network

#: Cells of a grid at most: more would be smaller than what a picture shows.
_MOST_CELLS = 250_000


def difference_grid(
    net: Network,
    other: Network,
    city: City,
    *,
    cell: float = 100.0,
    ax: Axes | None = None,
    labels: tuple[str, str] = ("this network", "the other"),
) -> Axes:
    """Draw where on the ground one network covers better or worse than another.

    Shown is ``decay(d) - decay(d')``, d and d' the straight distances from a cell's middle to the
    nearest sensor of each network, whether or not anybody lives there.

    Parameters
    ----------
    net, other
        The networks, of the same theta and decay; shown is ``net`` minus ``other``.
    city
        The city that both were made for.
    cell
        Side of a cell, metres, above 0; doubled until there are at most 250,000 cells.
    ax
        Where to draw; a figure of its own by default.
    labels
        What the legend calls the two.

    Raises
    ------
    ProblemError
        No network, or no city; networks of different theta or decay; a cell of no size; or the
        city has travel costs, which are not known off its sites and points.
    DataError
        A network was made for another city.
    """
    need_same_city(net, city)
    need_same_city(other, city)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not 0 < cell < math.inf:
        msg = f"a cell's side must be metres above 0, not {shown(cell)}"
        raise ProblemError(msg, field="cell", mend="Say for example cell=100")
    if city.travel is not None:
        msg = "the ground between points has no travel costs"
        raise ProblemError(msg, field="city", mend="Draw the difference by area instead")
    mine, theirs = net.problem, other.problem
    if (mine.theta, mine.decay) != (theirs.theta, theirs.decay):
        msg = "the networks were measured by different theta or decay"
        raise ProblemError(msg, field="other", mend="Measure both alike with evaluate")

    extent, inside, side = _grid(city, float(cell))
    values = np.full(inside.shape, np.nan)
    x, y = _middles(extent, inside.shape)
    xy = np.column_stack([part[inside] for part in np.meshgrid(x, y)])
    values[inside] = _covered(net, xy) - _covered(other, xy)
    top = max(float(np.nanmax(np.abs(values), initial=0.0)), 0.01)

    ax = axes(ax, (7.0, 6.2), "compressed")
    ax.imshow(
        values, extent=extent, origin="lower", cmap="PuOr", vmin=-top, vmax=top,
        interpolation="nearest",
    )  # fmt: skip
    ax.set_axis_off()
    south, north = ax.get_ylim()
    ax.set_ylim(south - 0.06 * (north - south), north)
    scale_bar(ax)
    colour_bar([ax], label="Change of coverage (percentage points)", top=top, diverging=True)
    styles: list[tuple[Network, str, dict[str, Any]]] = [
        (net, labels[0], {"marker": "o", "facecolor": "white", "edgecolor": "#c1121f", "s": 26}),
        (other, labels[1], {"marker": "x", "color": "#111111", "linewidth": 0.9, "s": 16}),
    ]
    for network, name, style in styles:
        at = network.sensors[["x", "y"]].to_numpy()
        if len(at):
            ax.scatter(*at.T, label=f"{counted(len(at), 'sensor')}: {name}", zorder=5, **style)
    head(
        ax,
        f"{city.name or 'City'}: coverage of the ground, {labels[0]} against {labels[1]} "
        f"(theta {theta_words(net)})",
    )
    side_words = f"Cells of {side:,.0f} m, whether or not anybody lives there"
    credit(ax, [side_words, city.attribution], below=6)
    return ax


def _grid(
    city: City, side: float
) -> tuple[tuple[float, float, float, float], NDArray[np.bool_], float]:
    """Lay cells over the city.

    Returns
    -------
    tuple
        West, east, south and north, metres; whether each cell's middle is in the city, (y, x);
        and the side of a cell, metres.
    """
    import shapely

    polygons = city.polygons
    if polygons is not None:
        shape: Any = shapely.union_all(shapely.make_valid(polygons.geometry.to_numpy()))
    else:
        # The ground is what lies around the points.
        shape = shapely.MultiPoint(city.point_xy).convex_hull.buffer(5 * side)
    west, south, east, north = shapely.bounds(shape)
    while (east - west) / side * (north - south) / side > _MOST_CELLS:
        side *= 2
    columns = max(math.ceil((east - west) / side), 1)
    rows = max(math.ceil((north - south) / side), 1)
    extent = (west, west + columns * side, south, south + rows * side)
    x, y = _middles(extent, (rows, columns))
    shapely.prepare(shape)
    inside: NDArray[np.bool_] = shapely.contains_xy(shape, *np.meshgrid(x, y))
    return extent, inside, side


def _middles(
    extent: tuple[float, float, float, float], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of the cells' middles, (x,) and (y,)."""
    west, east, south, north = extent
    rows, columns = shape
    x = west + (np.arange(columns) + 0.5) * (east - west) / columns
    y = south + (np.arange(rows) + 0.5) * (north - south) / rows
    return x, y


def _covered(net: Network, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coverage of places, (place,), by straight distance to the nearest sensor of each theta."""
    from scipy.spatial import cKDTree

    from spineq.solvers.decays import DECAYS

    sensors, decay = net.sensors, DECAYS[net.problem.decay]
    if "theta" not in sensors:
        sensors["theta"] = net.problem.theta
    made = np.zeros(len(xy))
    for theta, alike in sensors.groupby("theta"):
        far = cKDTree(alike[["x", "y"]].to_numpy()).query(xy)[0]
        np.maximum(made, decay(far, float(theta)), out=made)  # type: ignore[arg-type]
    return made
