"""What the panel is about: traits that views look at and change, no widgets."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import traitlets

from spineq.errors import SpineqError
from spineq.panel.ticker import Ticker

if TYPE_CHECKING:
    from spineq.jobs.queue import JobQueue
    from spineq.model.city import City
    from spineq.model.network import Network

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Networks that are remembered by name, for comparing; the oldest go first.
MOST_NETWORKS = 30


class PanelState(traitlets.HasTraits):
    """What is looked at: a city, a network, another one, a front; and what went wrong.

    Traits may be set on any thread; `lock` is held by whoever changes several that belong
    together. Views never speak to each other, only to the state.

    Parameters
    ----------
    city
        The city.
    queue
        The queue that jobs go to; None without one.
    """

    #: The city.
    city: Any = traitlets.Any(None, allow_none=True)  # City | None
    #: The network that the map and the figures show; None before there is one.
    network: Any = traitlets.Any(None, allow_none=True)  # Network | None
    #: What that network is, a few words: "preview", "20 sensors, job 8qhsm1", "edited".
    network_name = traitlets.Unicode("")
    #: A sentence about the shown network that takes the place of its certificate.
    remark = traitlets.Unicode("")
    #: The network that the shown one is compared with, and what it is.
    other: Any = traitlets.Any(None, allow_none=True)  # Network | None
    other_name = traitlets.Unicode("")
    #: The front whose networks are to choose from.
    front: Any = traitlets.Any(None, allow_none=True)
    #: What the form asks at the moment; None where something in it is wrong.
    draft: Any = traitlets.Any(None, allow_none=True)  # Problem | None
    #: A problem that somebody wants to change: its settings go into the form.
    asked: Any = traitlets.Any(None, allow_none=True)  # Problem | None
    #: Id of the job whose answer is shown when it comes; empty without one.
    job = traitlets.Unicode("")
    #: What went wrong, in a sentence, and the details for whoever has to mend it.
    error = traitlets.Unicode("")
    error_details = traitlets.Unicode("")
    #: A piece of news that is no error: "saved as ...".
    news = traitlets.Unicode("")
    #: Why store or cluster cannot be used at the moment; empty if they can.
    trouble = traitlets.Unicode("")
    #: What is marked on the map beside sensors: a tuple of `spineq.panel.marks.Mark`.
    marks: Any = traitlets.Tuple()
    #: Figures of areas that the map can be coloured by; a `spineq.panel.marks.Overlay` or None.
    overlay: Any = traitlets.Any(None, allow_none=True)
    #: Whether the page is dark.
    dark = traitlets.Bool(False)

    def __init__(self, city: City | None = None, queue: JobQueue | None = None) -> None:
        super().__init__()
        self.queue = queue
        self.ticker = Ticker()
        self.lock = threading.RLock()
        #: Networks by name, for comparing: results that were shown, saved and edited ones.
        self.networks: dict[str, Network] = {}
        self.city = city
        self._closers: list[Callable[[], object]] = []

    def show(self, network: Network | None, name: str = "", *, remember: bool = True) -> None:
        """Show a network, and remember it under its name for comparing."""
        with self.lock:
            if network is not None and name and remember:
                self.remember(network, name)
            self.remark = ""
            if remember:
                # What was news of the network before is none of this one.
                self.news = ""
            # The name first: whoever hears of a network finds its own name. (Holding notifications
            # back is not for several threads.)
            self.network_name = name
            self.network = network

    def show_over(
        self,
        before: Sequence[Network | None],
        city: City | None,
        network: Network,
        name: str,
        *,
        remember: bool = True,
    ) -> bool:
        """Show an answer, unless the person has turned to something else since it was asked for.

        Parameters
        ----------
        before
            Networks of which one must still be the shown one, itself and not its equal.
        city
            The city that was asked about, and must still be looked at.
        network, name, remember
            As `show` takes them.

        Returns
        -------
        bool
            Whether it is shown.
        """
        with self.lock:
            if self.city is not city or all(self.network is not each for each in before):
                return False
            self.show(network, name, remember=remember)
            return True

    def remember(self, network: Network, name: str) -> None:
        """Keep a network under its name for comparing, without showing it."""
        with self.lock:
            self.networks.pop(name, None)
            self.networks[name] = network
            while len(self.networks) > MOST_NETWORKS:
                del self.networks[next(iter(self.networks))]

    def open_city(self, city: City) -> None:
        """Turn to another city; what belongs to the one before goes."""
        with self.lock:
            self.networks.clear()
            self.job = ""
            self.other, self.other_name = None, ""
            self.front = self.asked = self.draft = self.overlay = None
            self.marks = ()
            self.show(None)
            self.city = city

    def ours(self, network: Network | None) -> Network | None:
        """Return a network of this city; None for one of another: between two, there may be one."""
        city = self.city
        if network is None or city is None:
            return None
        return network if network.dataset.attrs["city_digest"] == city.digest else None

    def follow(self, job_id: str) -> None:
        """Have the answer of a job shown when it comes."""
        with self.lock:
            self.job = job_id

    def unfollow(self, job_id: str) -> None:
        """Follow this job no more; another one that somebody turned to meanwhile stays."""
        with self.lock:
            if self.job == job_id:
                self.job = ""

    def fail(self, error: BaseException) -> None:
        """Tell what went wrong, in words."""
        if isinstance(error, SpineqError):
            words, details = str(error), ""
        else:
            words = f"Something went wrong that should not: {type(error).__name__}."
            details = "".join(traceback.format_exception(error))
        self.error_details = details
        self.error = words

    def forgive(self) -> None:
        """Take the last error away."""
        self.error = ""
        self.error_details = ""

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn whatever is raised inside into the panel's line of errors."""
        try:
            yield
        except Exception as error:  # whatever it is, a person has to see it
            self.fail(error)

    def guarded(self, function: _Function) -> _Function:
        """Wrap a callback: what it raises goes to the panel's line of errors."""

        def wrapped(*arguments: Any, **words: Any) -> Any:
            with self.guard():
                return function(*arguments, **words)

        wrapped.__name__ = getattr(function, "__name__", "callback")
        return wrapped  # type: ignore[return-value]

    def beside(self, work: Callable[[], object]) -> None:
        """Do something that takes a while on a thread of its own."""
        threading.Thread(target=self.guarded(work), name="spineq-beside", daemon=True).start()

    def unobserve(self, handler: Any, names: Any = traitlets.All, type: Any = "change") -> None:
        """Call a handler no more, if it still was."""
        for name in names if isinstance(names, list) else [names]:
            with suppress(ValueError):
                super().unobserve(handler, name, type)

    def at_close(self, closer: Callable[[], object]) -> None:
        """Have something done when the panel closes."""
        self._closers.append(closer)

    def close(self) -> None:
        """Stop everything that runs for the panel."""
        closers, self._closers = self._closers, []
        for closer in reversed(closers):
            with self.guard():
                closer()
        self.ticker.close()
        self.unobserve_all()
