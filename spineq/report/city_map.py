"""An interactive map for a page that opens offline: Bokeh, with everything inline."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from spineq._outlines import MOST_CORNERS, outlines
from spineq.model._exports import area_columns, nearest_sensor, need_same_city
from spineq.model._words import counted, metres, percent
from spineq.report.parts import Shown, words

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network

#: Areas up to which the map is drawn: beyond, the page takes seconds to open.
MOST_AREAS = 30_000

#: Areas up to which there are lines between them, as on the panel's map.
_MOST_LINED = 2_000

#: Height of the map and of the frame around it, pixels.
_HEIGHT, _FRAME = 560, 580


def interactive_map(net: Network, city: City) -> Shown:
    """Draw the areas and the sensors, to zoom and to point at.

    Parameters
    ----------
    net, city
        The network and the city that it was made for.

    Returns
    -------
    Shown
        A frame with a page of its own, about 2 MB for a thousand areas, which asks for nothing
        outside; a sentence for more than 30,000 areas.

    Raises
    ------
    ProblemError
        No network, or no city.
    DataError
        The network was made for another city.
    """
    need_same_city(net, city)
    if city.n_areas > MOST_AREAS:
        return words(f"{counted(city.n_areas, 'area')} are too many for a map to point at.")
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    title = f"Map of {counted(net.n_sensors, 'sensor')} in {city.name or 'the city'}"
    page = file_html(_figure(net, city), resources=INLINE, title=title)
    frame = (
        f"<iframe class='map' title='{html.escape(title, quote=True)}' "
        f"style='width:100%;height:{_FRAME}px;border:0' loading='lazy' "
        f"srcdoc='{html.escape(page, quote=True)}'></iframe>"
    )
    return Shown(frame, f"[{title}, to zoom and to point at]")


def _figure(net: Network, city: City) -> Any:
    from bokeh.models import ColorBar, HoverTool, LinearColorMapper, NumeralTickFormatter
    from bokeh.plotting import figure

    plot = figure(
        match_aspect=True,
        height=_HEIGHT,
        sizing_mode="stretch_width",
        # The wheel scrolls the page until somebody presses its button.
        tools="pan,wheel_zoom,box_zoom,zoom_in,zoom_out,reset,save",
        toolbar_location="above",
        x_axis_location=None,
        y_axis_location=None,
    )
    plot.grid.grid_line_color = None
    plot.toolbar.logo = None
    colours = LinearColorMapper(palette="Viridis256", low=0.0, high=1.0)
    fill: Any = {"field": "coverage", "transform": colours}
    data, people = _area_data(net, city)
    # A group that stands at points of its own is covered there.
    whose = "Coverage of its people" if city.point_groups else "Coverage"
    tips = [("Area", "@area"), (whose, "@covered"), ("Nearest sensor", "@nearest")]
    tips += [(title, f"@{column}{{0,0}}") for column, title in people.items()]
    if city.polygons is not None:
        # Lines between very many areas would be all that one sees.
        line: Any = "#ffffff" if city.n_areas <= _MOST_LINED else fill
        areas = plot.multi_polygons(
            "xs", "ys", source=data, fill_color=fill, line_color=line, line_width=0.3
        )
    else:
        areas = plot.scatter("x", "y", source=data, size=7, fill_color=fill, line_color=None)
    plot.add_tools(HoverTool(renderers=[areas], tooltips=tips))
    _existing(plot, net, city)
    _sensors(plot, net)
    plot.add_layout(
        ColorBar(
            color_mapper=colours, title="Coverage", formatter=NumeralTickFormatter(format="0 %")
        ),
        "right",
    )
    return plot


def _existing(plot: Any, net: Network, city: City) -> None:
    """Mark existing sensors that are not of the network."""
    now = city.existing
    if now is None or now.empty or net.n_kept:
        return
    plot.scatter(
        "x", "y", source={"x": now["x"].to_numpy(), "y": now["y"].to_numpy()}, marker="x", size=7,
        line_color="#111111", legend_label=f"{len(now):,} existing",
    )  # fmt: skip


def _sensors(plot: Any, net: Network) -> None:
    from bokeh.models import HoverTool

    table = net.sensors
    for rows, first, called, style in (
        (table.iloc[: net.n_kept], None, "stay", {"fill_color": "#c1121f", "marker": "square"}),
        (table.iloc[net.n_kept :], 1, "placed", {"fill_color": "#ffffff", "marker": "circle"}),
    ):
        if not len(rows):
            continue
        source = {
            "x": rows["x"].to_numpy(),
            "y": rows["y"].to_numpy(),
            "place": [str(row["site"] or row["area"]) for row in rows.to_dict("records")],
            "number": [called if first is None else str(k + 1) for k in range(len(rows))],
            "adds": [f"{100 * gain:.2f} points" for gain in rows["gain"]],
        }
        dots = plot.scatter(
            "x", "y", source=source, size=10 if first is None else 17, line_color="#c1121f",
            line_width=2, legend_label=f"{counted(len(rows), 'sensor')} {called}", **style,
        )  # fmt: skip
        if first is not None:
            plot.text(
                "x", "y", "number", source=source, text_align="center", text_baseline="middle",
                text_font_size="9px",
            )  # fmt: skip
        tips = [("Sensor", "@number"), ("At", "@place"), ("Adds", "@adds")]
        plot.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    if plot.legend:
        plot.legend.location = "top_left"


def _area_data(net: Network, city: City) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns of the areas, and the titles of those that count people."""
    coverage = net.area_coverage.to_numpy()
    data: dict[str, Any] = {
        "area": [str(name) for name in net.dataset["area"].to_numpy()],
        "coverage": coverage,
        "covered": [percent(float(value)) for value in coverage],
        "nearest": [metres(float(value)) for value in nearest_sensor(net)],
    }
    people = {}
    # By numbers: a group may have any name.
    for number, (title, values) in enumerate(area_columns(net, city).items()):
        people[f"people_{number}"] = title
        data[f"people_{number}"] = values
    # What is smaller than a pixel of the whole map is not seen; half of that may be zoomed into.
    drawn = outlines(city, 4000, most_corners=MOST_CORNERS)
    if drawn is None:
        data |= {"x": net.dataset["x"].to_numpy(), "y": net.dataset["y"].to_numpy()}
        return data, people
    data["xs"], data["ys"] = _rings(drawn)
    return data, people


def _rings(shapes: Any) -> tuple[list[Any], list[Any]]:
    """Coordinates as Bokeh wants them: area, polygon, ring (holes after the outline), point."""
    xs, ys = [], []
    for shape in shapes:
        parts = [part for part in getattr(shape, "geoms", [shape]) if hasattr(part, "exterior")]
        rings = [
            [np.asarray(ring.coords) for ring in (part.exterior, *part.interiors)]
            for part in parts
            if not part.is_empty
        ]
        xs.append([[np.round(ring[:, 0], 1).tolist() for ring in part] for part in rings])
        ys.append([[np.round(ring[:, 1], 1).tolist() for ring in part] for part in rings])
    return xs, ys
