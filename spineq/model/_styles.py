"""QGIS styles that travel inside a GeoPackage."""

from __future__ import annotations

import math

# Viridis in five steps, dark for little coverage: readable for colour-blind people.
_VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


def areas_qml(*, polygons: bool, top: float) -> str:
    """Style of the layer of areas: coverage in five even classes.

    Parameters
    ----------
    polygons
        Whether the areas are polygons, else points.
    top
        Largest coverage of an area, 0 to 1: the classes reach up to it, in round steps.
    """
    step = max(0.05, math.ceil(top * 20 / len(_VIRIDIS)) / 20)
    ranges, symbols = [], []
    for k, colour in enumerate(_VIRIDIS):
        low, high = k * step, (k + 1) * step
        ranges.append(
            f'<range symbol="{k}" render="true" lower="{low:.2f}" upper="{high:.2f}" '
            f'label="{100 * low:.0f} to {100 * high:.0f} %"/>'
        )
        options = {"color": ",".join(map(str, (*colour, 255)))}
        if polygons:
            options |= {"outline_color": "255,255,255,120", "outline_width": "0.1"}
            symbols.append(_symbol(str(k), "fill", "SimpleFill", style="solid", **options))
        else:
            options |= {"name": "circle", "size": "2", "outline_style": "no"}
            symbols.append(_symbol(str(k), "marker", "SimpleMarker", **options))
    return (
        f'{_HEAD}<renderer-v2 type="graduatedSymbol" attr="coverage" '
        'graduatedMethod="GraduatedColor" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<ranges>{''.join(ranges)}</ranges><symbols>{''.join(symbols)}</symbols>"
        "</renderer-v2></qgis>"
    )


def sensors_qml() -> str:
    """Style of the layer of sensors: red squares for those that stay, else numbered rings."""
    new = _symbol(
        "0",
        "marker",
        "SimpleMarker",
        color="255,255,255,255",
        name="circle",
        size="2.6",
        outline_color="193,18,31,255",
        outline_width="0.6",
        outline_style="solid",
    )
    stays = _symbol(
        "1",
        "marker",
        "SimpleMarker",
        color="193,18,31,255",
        name="square",
        size="2",
        outline_color="255,255,255,255",
        outline_width="0.2",
        outline_style="solid",
    )
    return (
        _HEAD + '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" '
        'forceraster="0"><rules key="sensors">'
        '<rule key="stays" symbol="1" filter="&quot;kept&quot;" label="Sensor that stays"/>'
        '<rule key="new" symbol="0" filter="NOT &quot;kept&quot;" label="New sensor"/>'
        f"</rules><symbols>{new}{stays}</symbols></renderer-v2>"
        '<labeling type="simple"><settings>'
        '<text-style fieldName="number" fontSize="8" fontSizeUnit="Point" '
        'textColor="30,30,30,255">'
        '<text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" '
        'bufferColor="255,255,255,255"/></text-style>'
        '<placement placement="6" dist="0.5" distUnits="MM"/>'
        "</settings></labeling></qgis>"
    )


_HEAD = (
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    '<qgis version="3.22.0" styleCategories="Symbology|Labeling" labelsEnabled="1">'
)


def _symbol(symbol: str, kind: str, layer: str, /, **options: str) -> str:
    made = "".join(
        f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in options.items()
    )
    return (
        f'<symbol type="{kind}" name="{symbol}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" pass="0" locked="0"><Option type="Map">{made}'
        "</Option></layer></symbol>"
    )
