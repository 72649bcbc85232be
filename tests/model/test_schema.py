"""Networks of earlier schemas: read as if what came later had not been asked."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from solvers.instances import city_of

import spineq as sq
from spineq.errors import NetworkFileError
from spineq.model._exports import content_digest
from spineq.model._netcdf import encoded
from spineq.model._schema import MEANINGS_2, SCHEMA, upgraded
from spineq.model.network import Network, network_from_bytes

#: Attributes that came with schema 2.
NEW = ("objective_value", "gini_people", "worst_tenth", "spent")


@pytest.fixture(params=["of sites", "of places", "of none"])
def net(request: pytest.FixtureRequest) -> Network:
    city = city_of([[0, 0], [1000, 0], [3000, 50]])
    if request.param == "of sites":
        return sq.optimise(city, n_sensors=2, method="greedy")
    xy = [[400_500.0, 500_300.0]] if request.param == "of places" else []
    return sq.evaluate(city, xy)


def as_schema_1(net: Network) -> bytes:
    """The file that an early version wrote of a network."""
    data = net.dataset.drop_vars(list(MEANINGS_2))
    data.attrs = {key: value for key, value in data.attrs.items() if key not in NEW}
    data.attrs["spineq_schema"] = 1
    return encoded(data.assign_attrs(spineq_digest=content_digest(data)))


def test_an_early_file_is_read(net: Network) -> None:
    """All that it has is as it was; what it maximised is the mean; the rest is not known."""
    old = network_from_bytes(as_schema_1(net))
    assert old.dataset.attrs["spineq_schema"] == SCHEMA
    assert old.objective_value == old.total_coverage == net.total_coverage
    assert (old.gap, old.proven, old.upper_bound) == (net.gap, net.proven, net.upper_bound)
    assert old.n_kept == 0
    assert old.gini_people is None
    assert old.worst_tenth is None
    assert old.spent is None
    # From what is in the file, these are known all the same.
    assert old.gini_areas == net.gini_areas
    assert old.worst_group == net.worst_group == "pop_total"
    for name in net.dataset.variables:
        assert old.dataset[name].identical(net.dataset[name])
    assert old.certificate() == net.certificate()
    assert "nan" not in old.summary()
    assert "nan" not in old._repr_html_()


def test_an_early_file_can_be_written_and_described(net: Network, tmp_path: Path) -> None:
    """What was read is written with today's schema, and JSON has null for what is not known."""
    old = network_from_bytes(as_schema_1(net))
    assert sq.read_network(old.to_netcdf(tmp_path / "net.nc")) == old
    made = old.to_dict()
    assert (made["gini_people"], made["worst_tenth"], made["spent"]) == (None, None, None)
    assert made["objective_value"] == made["total_coverage"]
    old.to_json(tmp_path / "net.json")


def test_todays_is_left_alone(net: Network) -> None:
    """A dataset of today's schema is not touched."""
    assert upgraded(net.dataset) is net.dataset
    assert not math.isnan(net.dataset.attrs["worst_tenth"])


def test_an_early_file_that_was_changed(net: Network) -> None:
    """Its digest is that of what it held, not of what was added on reading."""
    data = net.dataset.drop_vars(list(MEANINGS_2)).assign_attrs(spineq_schema=1)
    content = encoded(data.assign_attrs(spineq_digest=content_digest(net.dataset)))
    with pytest.raises(NetworkFileError, match="damaged or changed"):
        network_from_bytes(content)
