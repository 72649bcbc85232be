"""Make a process and its children look as if they ran on another machine, with a wrong clock.

Python imports this at the start, before anything has read the clock, where this folder is on its
path: ``worker(address, environment=clock(3600))`` with `job_faults.clock`. ``CLOCK`` is by how
many seconds the clock is ahead. The processes are not those of this machine either: whether they
live is told by their heartbeats alone.
"""

from __future__ import annotations

import os
import socket
import time

_time, _name = time.time, f"{socket.gethostname()}-{os.getpid()}"
_ahead = float(os.environ["CLOCK"])

time.time = lambda: _time() + _ahead
socket.gethostname = lambda: _name
