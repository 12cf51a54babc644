"""All that the page says, before it is HTML: sentences, figures, lines and receipts made of rows alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.report.cells import CellTable, cell_table
from harness.report.charts import accuracy, bars, heat, roofline, workers
from harness.report.charts.palette import Looks, looks
from harness.report.charts.panel import Figure, Panel
from harness.report.headline import Duel, duels, headline
from harness.report.problem import Specs, heading
from harness.report.receipts import MachineReceipts, receipts
from harness.report.remarks import reasons, warnings
from harness.report.statistics import STUDENT
from harness.report.summary import Section, Summary, sections
from harness.runner.row import FINE, Row
from harness.text import clean

HARDWARE = "hardware / "
LEAST_ROUNDS = min(STUDENT)


@dataclass(frozen=True)
class Part:
    """One problem on one machine: its sentences and its figures."""

    heading: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Machine:
    """One machine; times of different machines never share a figure."""

    name: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Content:
    """All that the page says."""

    title: str
    headline: str
    context: str
    """The problem and the machine of the headline, where there are several."""
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    reasons: tuple[str, ...]
    machines: tuple[Machine, ...]
    cells: CellTable
    receipts: tuple[MachineReceipts, ...]

    def panels(self) -> Iterator[tuple[Machine, Part, Figure, Panel]]:
        """Yield every chart in the order of the page, with where it stands."""
        for machine in self.machines:
            for part in machine.parts:
                for figure in part.figures:
                    for panel in figure.panels:
                        yield machine, part, figure, panel


def content(rows: Sequence[Row], specs: Specs, *, title: str) -> Content:
    """Return what there is to say about these rows."""
    found = sections(rows, specs)
    summaries = [one for section in found for one in section.summaries]
    told, fought = receipts(found), duels(found)
    return Content(
        title=clean(title),
        headline=headline(fought),
        context=_context(fought, found),
        notices=tuple(_notices(found, summaries)),
        warnings=tuple(warnings(summaries)),
        reasons=tuple(reasons(summaries)),
        machines=tuple(_machines(found, told, fought)),
        cells=cell_table(rows, specs),
        receipts=tuple(told),
    )


def _context(fought: Sequence[Duel], found: Sequence[Section]) -> str:
    if len(found) < 2 or not fought:
        return ""
    return heading(fought[0].section.problem, [section.problem for section in found])


def _notices(found: Sequence[Section], summaries: Sequence[Summary]) -> Iterator[str]:
    """Yield what a reader must know before any figure."""
    counts = Counter(one.state.split()[0] for one in summaries)
    short = [f"{count} {state}" for state, count in counts.most_common() if state not in FINE]
    if short:
        yield (
            f"{sum(counts[state] for state in counts if state not in FINE)} of {len(summaries)} cells fell short: "
            + (", ".join(short))
        )
    absent = [f"{counts[state]} {state}" for state in ("unsupported", "unavailable") if counts[state]]
    if absent:
        yield f"not here: {', '.join(absent)} of {len(summaries)} cells"
    machines = len({section.problem.machine for section in found})
    if machines > 1:
        yield f"rows of {machines} machines: each has its own part, and no figure compares times between them"
    few = sum(one.epoch is not None and one.epoch.low is None for one in summaries)
    if few:
        yield f"{few} of {len(summaries)} cells have fewer than {LEAST_ROUNDS} rounds: times, but no interval, no claim"


def _machines(found: Sequence[Section], told: Sequence[MachineReceipts], fought: Sequence[Duel]) -> Iterator[Machine]:
    palette = looks(one for section in found for one in section.summaries)
    for receipt in told:
        own = [section for section in found if section.problem.machine == receipt.machine]
        problems = [section.problem for section in own]
        facts = tuple((name.removeprefix(HARDWARE), value) for name, value in receipt.common if HARDWARE in name)
        parts = tuple(
            Part(heading(section.problem, problems), _sentences(section, fought), _figures(section, palette))
            for section in own
        )
        yield Machine(clean(receipt.machine), facts, parts)


def _sentences(section: Section, fought: Sequence[Duel]) -> tuple[str, ...]:
    own = [duel for duel in fought if duel.section is section]
    return tuple(f"{duel.sentence}." for duel in sorted(own, key=_place))


def _place(duel: Duel) -> tuple[int, int]:
    return duel.winner.cell.workers, duel.winner.cell.batch


def _figures(section: Section, palette: Looks) -> tuple[Figure, ...]:
    plain = bars.figures(section, palette)
    kinds = (workers, accuracy, roofline, heat)
    return (*plain, *(figure for kind in kinds for figure in kind.figure(section, palette)))
