"""How JupyterLab is set up in the image; binder/start says that it is read."""

import dask

c = get_config()  # noqa: F821 - Jupyter brings it

# Where one lands who asks for no other page.
c.LabApp.default_url = "/lab/tree/notebooks/panel.ipynb"

# Nobody who tries the panel wants to be asked about Jupyter's news first.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

# Dask's pane passes the dashboard on from within this process, where it is on this machine. What
# start says is for notebooks, whose links are followed from outside.
dask.config.set({"distributed.dashboard.link": "{scheme}://{host}:{port}/status"})
