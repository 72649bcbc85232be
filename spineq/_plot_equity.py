"""A picture of how evenly people are covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spineq._plot_parts import LINES, STYLES, axes, credit, estimates, head
from spineq.errors import ProblemError, shown
from spineq.model._words import counted, percent, theta_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spineq.inequality import Equity


def deciles(report: Equity, *, ax: Axes | None = None) -> Axes:
    """Draw coverage by tenths of each group's people, one line a group.

    Parameters
    ----------
    report
        What `spineq.equity` returned for a column.
    ax
        Where to draw; a figure of its own by default.

    Raises
    ------
    ProblemError
        No report, or one that was made without a column.
    """
    from spineq.inequality import Equity

    if not isinstance(report, Equity):
        msg = f"a report on equity is needed, not {shown(report)}"
        mend = 'Write deciles(equity(net, city, by="workers"))'
        raise ProblemError(msg, field="report", mend=mend)
    if report.deciles.empty:
        msg = "the report has no tenths of people, since no column was named"
        raise ProblemError(msg, field="by", mend='Say for example equity(net, city, by="workers")')
    ax = axes(ax, (7.0, 4.5))
    net = report.network
    for k, (name, row) in enumerate(report.groups.iterrows()):
        of_group = report.deciles[report.deciles["group"] == name]
        ax.plot(
            of_group["decile"],
            100 * of_group["coverage"],
            color=LINES[k % len(LINES)],
            linestyle=STYLES[k % len(STYLES)],
            marker="o",
            markersize=4,
            linewidth=2,
            label=f"{row['title']}{' (estimated)' if row['estimated'] else ''}: "
            f"{percent(row['coverage'])} in all",
        )
    ax.set_xticks(range(1, 11))
    ax.set_ylim(0, None)
    ax.set_xlabel(f"Tenth of the group's people, by {report.by} in their area, lowest first")
    ax.set_ylabel("Coverage of the tenth (%)")
    ax.xaxis.label.set_parse_math(False)
    ax.grid(alpha=0.3)
    city = net.dataset.attrs["city_name"] or "City"
    head(
        ax,
        f"{city}: coverage by {report.by}, {counted(net.n_sensors, 'sensor')} "
        f"(theta {theta_words(net)})",
    )
    credit(ax, [net.dataset.attrs["attribution"], estimates(report.groups)], below=36)
    return ax
