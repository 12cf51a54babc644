"""Two backends, as the user names them, on the problems of a study: pairs of cells that differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.contract.registry import spec
from harness.errors import RequestError, Unavailable, Unsupported
from harness.machine import cores as machine
from harness.plan.cell import Cell
from harness.plan.model import Plan
from harness.plan.planning import make_plan
from harness.plan.site import this_site
from harness.report.compare.pairing import setting
from harness.report.compare.sides import AXES, spelled
from harness.session.gate.sampling import IGNORED, Cells
from harness.study.model import BackendEntry, Count, Study


@dataclass(frozen=True)
class Contender:
    """A backend with the options and axes that the user fixed in the word."""

    word: str
    name: str
    options: Mapping[str, str]
    axes: Mapping[str, str]

    @classmethod
    def of(cls, word: str) -> Contender:
        """Read ``name[option=value,workers=2]``."""
        name, pins = spelled(word)
        spec(name)  # refuses an unknown name and suggests the nearest one
        options = {pin: value for pin, value in pins.items() if pin not in AXES}
        return cls(word, name, options, {pin: value for pin, value in pins.items() if pin in AXES})

    def plan(self, study: Study) -> Plan:
        """Return the plan of the study for this backend alone; refuse a backend that cannot run here."""
        options = {name: (value,) for name, value in spec(self.name).parse(self.options).items()}
        entry = BackendEntry(name=self.name, workers=self._workers(study), options=options)
        plan = make_plan(replace(study, backends=(entry,), include=()), this_site(machine.cores()))
        if not plan.cells:
            refusal = plan.refused[0]
            raise (Unavailable if refusal.state == "unavailable" else Unsupported)(refusal.reason)
        return plan

    def _workers(self, study: Study) -> tuple[Count, ...]:
        pinned = self.axes.get("workers")
        if pinned is None:
            asked = [entry.workers for entry in study.backends if entry.name == self.name]
            return asked[0] if asked else (1,)
        if pinned != "all" and not pinned.isdecimal():
            raise RequestError(f"{self.word!r}: workers is a number or all")
        return ("all",) if pinned == "all" else (int(pinned),)

    def cells(self, study: Study) -> list[Cell]:
        """Return the cells of this backend in the study."""
        batch = self.axes.get("batch")
        return [cell for cell in self.plan(study).cells if batch in (None, str(cell.batch))]


def pairs(a: Contender, b: Contender, study: Study) -> list[Cells]:
    """Return the cells of both that agree in everything but the backend, its options, and what their words fix."""
    ignored = IGNORED | a.axes.keys() | b.axes.keys()

    def problem(cell: Cell) -> tuple[tuple[str, str | int], ...]:
        return tuple((name, value) for name, value in setting(cell, "").items() if name not in ignored)

    others = {problem(cell): cell for cell in b.cells(study)}
    both = [(cell, others[problem(cell)]) for cell in a.cells(study) if problem(cell) in others]
    if not both:
        raise RequestError(f"{a.word} and {b.word} have no cell of study {study.name!r} in common")
    if any(cell.key == other.key for cell, other in both):
        raise RequestError(f"{a.word} and {b.word} are the same configuration: there is nothing to decide")
    return both
