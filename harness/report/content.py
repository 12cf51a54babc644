"""Everything that the page says before it becomes HTML: sentences, figures, lines and receipts, from rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.errors import clean
from harness.report.cells import CellTable, cell_table
from harness.report.charts import accuracy, bars, heat, roofline, scaling
from harness.report.charts.palette import Looks, looks
from harness.report.charts.panel import Figure, Panel
from harness.report.headline import Duel, duels, headline
from harness.report.problem import Specs, heading
from harness.report.receipts import MachineReceipts, receipts
from harness.report.remarks import reasons, warnings
from harness.report.statistics import STUDENT
from harness.report.summary import Section, Summary, sections
from harness.runner.row import FINE, Row
from harness.store import Stored

HARDWARE = "hardware / "
LEAST_ROUNDS = min(STUDENT)


@dataclass(frozen=True)
class Part:
    """One problem on one machine: its sentences and its figures."""

    heading: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class MachinePart:
    """The part of the page about one machine; times of different machines never share a figure."""

    name: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Content:
    """Everything that the page says."""

    title: str
    headline: str
    context: str
    """The problem and the machine of the headline, if there are several."""
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    machines: tuple[MachinePart, ...]
    cells: CellTable
    receipts: tuple[MachineReceipts, ...]

    def panels(self) -> Iterator[tuple[MachinePart, Part, Figure, Panel]]:
        """Yield every chart in the order of the page, with its machine, part and figure."""
        for machine in self.machines:
            for part in machine.parts:
                for figure in part.figures:
                    for panel in figure.panels:
                        yield machine, part, figure, panel


def content(rows: Sequence[Row | Stored], specs: Specs, *, title: str) -> Content:
    """Return everything that the page says about these rows."""
    every = sections(rows, specs)
    summaries = [summary for section in every for summary in section.summaries]
    all_receipts, all_duels = receipts(every), duels(every)
    return Content(
        title=clean(title),
        headline=headline(all_duels),
        context=_context(all_duels, every),
        notices=tuple(_notices(every, summaries)),
        warnings=tuple(warnings(summaries)),
        reasons=tuple(reasons(summaries)),
        machines=tuple(_machines(every, all_receipts, all_duels)),
        cells=cell_table(rows, specs),
        receipts=tuple(all_receipts),
    )


def _context(all_duels: Sequence[Duel], every: Sequence[Section]) -> str:
    if len(every) < 2 or not all_duels:
        return ""
    return heading(all_duels[0].section.problem, [section.problem for section in every])


def _notices(every: Sequence[Section], summaries: Sequence[Summary]) -> Iterator[str]:
    """Yield what a reader must know before any figure."""
    counts = Counter(summary.state.split()[0] for summary in summaries)
    short = [f"{count} {state}" for state, count in counts.most_common() if state not in FINE]
    if short:
        yield (
            f"{sum(counts[state] for state in counts if state not in FINE)} of {len(summaries)} cells fell short: "
            + (", ".join(short))
        )
    absent = [f"{counts[state]} {state}" for state in ("unsupported", "unavailable") if counts[state]]
    if absent:
        yield f"not here: {', '.join(absent)} of {len(summaries)} cells"
    machines = len({section.problem.machine for section in every})
    if machines > 1:
        yield f"rows of {machines} machines: each has its own part, and no figure compares times between them"
    few = sum(summary.epoch is not None and summary.epoch.low is None for summary in summaries)
    if few:
        yield f"{few} of {len(summaries)} cells have fewer than {LEAST_ROUNDS} rounds: times, but no interval, no claim"


def _machines(
    every: Sequence[Section], all_receipts: Sequence[MachineReceipts], all_duels: Sequence[Duel]
) -> Iterator[MachinePart]:
    palette = looks(summary for section in every for summary in section.summaries)
    for receipt in all_receipts:
        own = [section for section in every if section.problem.machine == receipt.machine]
        problems = [section.problem for section in own]
        facts = tuple((name.removeprefix(HARDWARE), value) for name, value in receipt.common if HARDWARE in name)
        parts = tuple(
            Part(heading(section.problem, problems), _sentences(section, all_duels), _figures(section, palette))
            for section in own
        )
        yield MachinePart(clean(receipt.machine), facts, parts)


def _sentences(section: Section, all_duels: Sequence[Duel]) -> tuple[str, ...]:
    own = [duel for duel in all_duels if duel.section is section]
    return tuple(f"{duel.sentence}." for duel in sorted(own, key=_place))


def _place(duel: Duel) -> tuple[int, int]:
    return duel.winner.cell.workers, duel.winner.cell.batch


def _figures(section: Section, palette: Looks) -> tuple[Figure, ...]:
    plain = bars.figures(section, palette)
    kinds = (scaling, accuracy, roofline, heat)
    return (*plain, *(figure for kind in kinds for figure in kind.figure(section, palette)))
