"""A hand-made OpenStreetMap extract: two lamps in the town and one far away, a school, houses, ways.

The lines of the XML are as long as its elements.
"""

# ruff: noqa: E501

from __future__ import annotations

import base64
from pathlib import Path

XML = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6" generator="hand-made">
 <node id="1" version="1" lat="54.9700" lon="-1.6100"/>
 <node id="2" version="1" lat="54.9710" lon="-1.6100"><tag k="highway" v="street_lamp"/><tag k="ref" v="A &quot;7&quot;"/></node>
 <node id="3" version="1" lat="54.9720" lon="-1.6100"/>
 <node id="4" version="1" lat="54.9710" lon="-1.6080"><tag k="amenity" v="school"/><tag k="name" v="Ouse School"/></node>
 <node id="5" version="1" lat="54.9720" lon="-1.6060"/>
 <node id="6" version="1" lat="54.9730" lon="-1.6100"/>
 <node id="7" version="1" lat="54.9730" lon="-1.6080"/>
 <node id="8" version="1" lat="54.9704" lon="-1.6096"><tag k="highway" v="street_lamp"/></node>
 <node id="9" version="1" lat="55.2000" lon="-1.6096"><tag k="highway" v="street_lamp"/></node>
 <node id="31" version="1" lat="54.9704" lon="-1.6090"/>
 <node id="32" version="1" lat="54.9704" lon="-1.6086"/>
 <node id="33" version="1" lat="54.9707" lon="-1.6086"/>
 <node id="34" version="1" lat="54.9707" lon="-1.6090"/>
 <node id="41" version="1" lat="54.9714" lon="-1.6090"/>
 <node id="42" version="1" lat="54.9714" lon="-1.6086"/>
 <node id="43" version="1" lat="54.9717" lon="-1.6086"/>
 <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="oneway" v="yes"/></way>
 <way id="11" version="1"><nd ref="2"/><nd ref="4"/><tag k="highway" v="footway"/></way>
 <way id="12" version="1"><nd ref="31"/><nd ref="32"/><nd ref="33"/><nd ref="34"/><nd ref="31"/><tag k="amenity" v="hospital"/><tag k="building" v="yes"/><tag k="building:levels" v="3"/></way>
 <way id="13" version="1"><nd ref="4"/><nd ref="5"/><tag k="highway" v="motorway"/></way>
 <way id="14" version="1"><nd ref="3"/><nd ref="5"/><tag k="highway" v="cycleway"/></way>
 <way id="15" version="1"><nd ref="3"/><nd ref="6"/><tag k="highway" v="cycleway"/><tag k="foot" v="designated"/></way>
 <way id="16" version="1"><nd ref="6"/><nd ref="7"/><tag k="highway" v="service"/><tag k="access" v="private"/></way>
 <way id="17" version="1"><nd ref="41"/><nd ref="42"/><nd ref="43"/><nd ref="41"/></way>
 <relation id="20" version="1"><member type="way" ref="17" role="outer"/><tag k="type" v="multipolygon"/><tag k="amenity" v="clinic"/></relation>
</osm>
"""

#: The same as Protobuf, written by osmium 4.3.
PBF = """
AAAADQoJT1NNSGVhZGVyGDsQLxo3eJxT4vMvzg1OzkjNTdQNM9AzU+JySc0rTvXLT0ktbmIUyMlMyi/OzSzN1TfSMzLWMwQA
X2cOkwAAAAwKB09TTURhdGEY0wEQrAIazQF4nOPy4mIAQvaMzPSM8sRKLu7ikqLU1JL4nMTcAi7motQ0LlZHBSVzJS72xNzU
vMySSi624uSM/PwcLpY8oAgXt39pcapCMFhI6C6j0C1GLgEmGNABYj4mJq0oLgFGNCAkwIAGpDBElDBEtASY0EScNA+0zeth
WTCHEYjmg0kgYpg/jblh8Qym/4tmMDF80GPYkAskvRT3r1rLz8BwYAcTEP3/wAIifzIyPIg9YMew344BSAbJMDAxs7AyMLCx
c3CCjGdiBiEoAAAJ6jruAAAADAoHT1NNRGF0YRj8ARCBAxr2AXicXc5BToQwFIBh+lrg+YCBIS4mdaFx5d6dCxceYW6AUKEJ
Qye0YjiO1/I0tiQucNWmX/++0jejiNJB98NXs1JiJhXWbFZWd2pyuhmJr8qGSx/GuIBpc1GTdivh+6ceOz31VP7tXka1qNES
DsZetfM1eya8GGfmkGK7tuM2QYTXiDo/p58apzpKmrZV1lJq1bzoVlF6nfXiqf5h8g6pBgYSuHgkZFV0ih6ip/iNA4A8YVYz
JlmyIxBC3mNe8xRvJCeR7TR+9WXs02JL832K4dHDJsVeEiEllv4vBwlF+c8Sb5W3SsKx3lsO8haPuzNxBuC/tC1C5wAAAAsK
B09TTURhdGEYYBBVGlx4nOMy4GLgYimpLEjlYk/MTc3LLKnk4sktzSnJLMjPqUzPz+NiS87JzMtMBipjzS8tSS0SUlSS5xAR
YmJkkmJiZlHi4mAUYJBgUGDQYHViZPNiVApiZAQApHoRrg==
"""


def extracts(folder: Path) -> dict[str, Path]:
    """Write the extract in both of OpenStreetMap's formats."""
    made = {".osm": folder / "town.osm", ".osm.pbf": folder / "town.osm.pbf"}
    made[".osm"].write_text(XML, encoding="utf-8")
    made[".osm.pbf"].write_bytes(base64.b64decode(PBF))
    return made
