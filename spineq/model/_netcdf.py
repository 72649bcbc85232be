"""A network's dataset as NetCDF in memory, in the form that xarray reads and writes.

By netCDF4 itself: xarray takes half as long again to read so many small variables, and twice as
long to write them.
"""

from __future__ import annotations

import threading
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

# netCDF4 lets go of the GIL, and HDF5 bears one thread at a time.
_LOCK = threading.Lock()

#: What xarray and netCDF4 raise over a file that is none, or a damaged one.
UNREADABLE = (
    OSError, ValueError, TypeError, RuntimeError, AttributeError, LookupError, ArithmeticError,
    MemoryError,
)  # fmt: skip

#: Texts that are still texts where there is no sensor and thus not one of them: files of earlier
#: versions have a list of no numbers.
_TEXTS = ("site", "sensor_area")


def encoded(data: xr.Dataset) -> bytes:
    """Write a dataset of texts, numbers and booleans as a NetCDF-4 file in memory.

    Raises
    ------
    RuntimeError, UnicodeError
        The library cannot write something.
    """
    beside = {
        str(name): set(data.variables[name].dims) for name in data.coords if name not in data.dims
    }
    with _LOCK:
        file = netCDF4.Dataset("network", "w", format="NETCDF4", memory=1)
        try:
            file.setncatts(data.attrs)
            for name, size in data.sizes.items():
                file.createDimension(str(name), size)
            # First all of them, then their values: a value sends the library over all definitions.
            made = [
                _defined(file, str(name), variable, beside)
                for name, variable in data.variables.items()
            ]
            for stored, values in made:
                stored[...] = values
        finally:
            content = file.close()
    # What was set aside for more is cut off: the superblock says where the file ends.
    at = 40 if content[8] < 2 else 28
    return bytes(content[: int.from_bytes(content[at : at + 8], "little")])


def _defined(
    file: Any, name: str, variable: xr.Variable, beside: dict[str, set[Any]]
) -> tuple[Any, Any]:
    """Define a variable as xarray does; returns it, and the values that it is to have."""
    values, attrs = variable.to_numpy(), dict(variable.attrs)
    kind: Any = values.dtype
    if values.dtype.kind in "OUT":
        kind, values = str, values.astype(object)
    elif values.dtype.kind == "b":
        kind, attrs["dtype"] = "i1", "bool"
    along = [other for other, dims in beside.items() if dims <= set(variable.dims)]
    if along and name not in beside:
        attrs["coordinates"] = " ".join(along)
    missing = np.nan if values.dtype.kind == "f" else None
    stored = file.createVariable(name, kind, variable.dims, fill_value=missing)
    stored.setncatts(attrs)
    stored.set_auto_maskandscale(False)
    return stored, values


def decoded(content: bytes) -> xr.Dataset:
    """Read what `encoded` wrote, or xarray.

    Raises
    ------
    Exception
        One of `UNREADABLE`, where it is something else or damaged.
    """
    found, coords = {}, set[str]()
    # From memory: HDF5 does not always close a damaged file, and then goes on to read it
    # for the one that is written in its place.
    with _LOCK, netCDF4.Dataset("network", memory=content) as file:
        file.set_auto_maskandscale(False)
        attrs = {name: file.getncattr(name) for name in file.ncattrs()}
        for name, stored in file.variables.items():
            noted = {key: stored.getncattr(key) for key in stored.ncattrs()}
            noted.pop("_FillValue", None)
            coords.update(noted.pop("coordinates", "").split())
            kind: Any = noted.pop("dtype", None) and bool
            if stored.dtype is str or name in _TEXTS:
                kind = object
            values = np.asarray(stored[...], dtype=kind)
            found[name] = xr.Variable(stored.dimensions, values, noted)
    beside = {name: found.pop(name) for name in coords & found.keys()}
    return xr.Dataset(found, beside, attrs)
