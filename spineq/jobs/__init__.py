"""Jobs on any Dask cluster."""
