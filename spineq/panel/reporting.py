"""The button for a report: the shown network's question answered at length, as a page to send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from spineq.errors import DataError, JobCancelledError, StoreError
from spineq.exports import file_name
from spineq.panel.elements import Download, Form
from spineq.panel.errand import Errand
from spineq.panel.state import PanelState
from spineq.panel.view import View
from spineq.progress import Progress

if TYPE_CHECKING:
    from spineq.model.city import City
    from spineq.model.network import Network
    from spineq.report.bundle import Bundle

#: Folder for reports, in the one that the notebook is in.
FOLDER = "spineq-reports"

#: Seconds from one look at the job to the next.
_PERIOD = 0.2

_GIVEN = (
    "A report is about a question and its answer, and this network was edited or given: show the "
    "answer of a run first."
)

_KINDS = "A report is about sensors of one kind, and this network has several."


class Reporting(View):
    """A button that has a report written, and hands its page to the browser.

    With a queue that has workers the report is a job, which others see too; without one it is
    made by this notebook.

    Parameters
    ----------
    state
        Whose network is reported on.
    """

    shows: ClassVar[tuple[str, ...]] = ("city", "network")

    def __init__(self, state: PanelState) -> None:
        super().__init__(state)
        self.form = Form(_fields(busy=False, able=False), {})
        self.download = Download()
        self.errand = Errand(state, self._tell)
        self.at_end(self.errand.close)
        self.form.hear(state.guarded(self._pressed))
        #: What became of the last report, in a sentence.
        self.said = ""
        self.children = (self.form, self.download)
        self.ask()

    def draw(self) -> None:
        """Offer the button for a network that answers a question."""
        self._tell()

    def write(self) -> None:
        """Have a report written on the question of the shown network.

        Raises
        ------
        DataError
            No network is shown, or one that was given, or that has several kinds of sensors.
        """
        city, network = self.state.city, self.state.network
        if city is None or network is None:
            msg = "there is no network to report on"
            raise DataError(msg, mend="Set one up and press Run")
        if network.problem.kinds:
            raise DataError(_KINDS.rstrip("."), mend="Show a network with one kind of sensor")
        if network.method == "given":
            raise DataError(_GIVEN.split(":")[0], mend="Show the answer of a run first")
        self.said = ""

        def work(progress: Progress) -> Bundle:
            return _made(self.state, city, network, progress)

        def done(bundle: Bundle) -> None:
            self.said = self._kept(bundle, network) if bundle.files else "No report was written."

        self.errand.start(work, done, "writing a report")

    def _kept(self, bundle: Bundle, network: Network) -> str:
        """Write the files beside the notebook, and hand the page to the browser."""
        from spineq.report.making import PAGE

        stem = file_name(network, "png").removesuffix(".png")
        self.download.offer(f"{stem}.html", bundle.files[PAGE], "text/html")
        folder = _free(Path(FOLDER), stem)
        try:
            bundle.write(folder)
        except StoreError as error:
            return f"The page was handed to the browser; its other files were not kept: {error}"
        return f"The page was handed to the browser; all files are in the folder {folder}."

    def _pressed(self, message: Mapping[str, Any]) -> None:
        if message.get("press") == "write":
            self.write()
        elif message.get("press") == "stop":
            self.errand.stop()

    def _tell(self) -> None:
        network = self.state.network
        fields = _fields(busy=self.errand.busy, able=_can(network))
        if self.form.fields != fields:
            self.form.fields = fields
        idle = self.said
        if network is not None and not _can(network):
            idle = _KINDS if network.problem.kinds else _GIVEN
        self.form.note(report=self.errand.words or idle)


def _can(network: Network | None) -> bool:
    return network is not None and network.method != "given" and not network.problem.kinds


def _free(folder: Path, stem: str) -> Path:
    """Name a folder that is not there yet."""
    made, number = folder / stem, 1
    while made.exists():
        number += 1
        made = folder / f"{stem}-{number}"
    return made


def _made(state: PanelState, city: City, network: Network, progress: Progress) -> Bundle:
    """Have the report made, by a worker where there is one."""
    from spineq.jobs.tasks import check_asked, task_named

    queue, problem = state.queue, network.problem
    if queue is None or queue.keeper.carrier is None:
        task = task_named("report")
        asked = check_asked(task, city, {"problem": problem})
        made: Bundle = task.function(city, progress, **asked.parameters)
        return made
    job = queue.submit(city, problem, task="report", store=queue.store, tags=["panel"])
    watch = job.watch()
    try:
        while True:
            snapshot = watch.next(_PERIOD) or job.snapshot()
            if snapshot.has_ended:
                break
            if progress.report(snapshot.progress.fraction, snapshot.progress.message):
                job.cancel()
    finally:
        watch.stop()
    try:
        bundle: Bundle = job.result()
    except JobCancelledError:
        from spineq.report.bundle import Bundle as Empty

        return Empty({})
    return bundle


def _fields(*, busy: bool, able: bool) -> list[dict[str, Any]]:
    said = (
        "A page that opens without internet, for whoever decides: the network and its proof, who "
        "gains and who loses, who is left behind, and how far to trust it. Takes about a minute "
        "for a city of a thousand areas."
    )
    return [
        {"kind": "heading", "label": "Report"},
        {
            "kind": "buttons",
            "buttons": [
                {
                    "name": "write",
                    "label": "Write a report",
                    "title": said,
                    "disabled": busy or not able,
                },
                {"name": "stop", "label": "Stop", "title": None, "disabled": not busy},
            ],
        },
        {"kind": "say", "name": "report"},
    ]
