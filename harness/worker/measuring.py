"""Measure one cell in one round: from the request to the fields of a row."""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from statistics import median
from typing import Any

import numpy as np

from harness.contract.arrays import Parameters, copied
from harness.contract.backend import Backend
from harness.contract.loading import get_backend
from harness.contract.registry import backends, spec
from harness.machine.facts.span import Span
from harness.plan.cell import Cell
from harness.worker.clock import epoch, repeats, samples, seconds_of, settled
from harness.worker.failure import outcome
from harness.worker.observation import Observed, after_one_epoch, checked, history, observe
from harness.worker.parity.plan import plan
from harness.worker.parity.replay import Recorder, Replay, Sample, allowance, deferred, head_only, idle, replay
from harness.worker.parity.retrace import retrace
from harness.worker.parity.verdict import CHECKERS, Checker, Evidence
from harness.worker.problem import problem_of
from harness.worker.receipt.collect import collect
from harness.worker.receipt.mismatches import mismatches

Fields = dict[str, Any]
"""The fields of ``Row`` that a worker can know, as plain data."""


def measure(request: Mapping[str, Any]) -> Fields | None:
    """Return the fields of the row, or ``None`` on a rank that is not the first and came to its end well."""
    fields: Fields = {"state": "ok", "reason": "", "epoch_seconds": [], "history": [], "warnings": [], "receipt": {}}
    cell = Cell.from_json(request["cell"])
    try:
        rank = Measurement(cell, fields).run()
    except BaseException as error:  # noqa: BLE001  whatever a backend raises is the state of its row
        with suppress(OSError, ValueError):  # a backend may have closed standard error; its row matters more
            traceback.print_exc(file=sys.stderr)
        fields["state"], fields["reason"] = outcome(error)
        fields["receipt"] = fields["receipt"] or collect(cell, {})
        return fields
    return fields if rank == 0 else None


def leave_abruptly(request: Mapping[str, Any], fields: Fields) -> bool:
    """Return whether other ranks may now wait for this one for ever: an abrupt end makes their launcher end them."""
    wanted = backends().get(request["cell"]["backend"])
    return fields["state"] in ("error", "out-of-memory") and wanted is not None and wanted.launcher is not None


class Measurement:
    """One cell's measurement; ``fields`` fill up as it goes, so that a failure keeps what came before it."""

    def __init__(self, cell: Cell, fields: Fields) -> None:
        self.cell, self.fields = cell, fields
        self.problem = problem_of(cell)
        self.plan = plan(cell, self.problem.rows)
        self.lent = self.problem.lent()
        self.spoilt: set[str] = set()
        self.samples: list[Sample] = []
        self.extra: list[float] = []
        self.repeat = repeats(cell.network, self.problem.rows, cell.batch)

    def run(self) -> int:
        """Do everything in order and return this process's rank."""
        with self._set_up() as backend:
            first = self._timed(backend)
            observed = observe(backend, self.problem, first, self._drawn())
            rank = backend.rank()
        self._look_at_lent()
        self._resolve()
        ground = self.checker.ground(self.problem, self.plan)
        shorter = ground is not None and ground.problem is not self.problem
        head = after_one_epoch(self._build, ground.problem) if ground is not None and shorter else None
        if self._finite(observed) and self.cell.history:
            self.fields["history"] = history(self._build, self.problem, self._all_seconds())
        self._look_at_lent()  # the instances of head and history got the sets too
        if rank == 0:
            self._judge(Evidence(self.problem, self.plan, observed, ground, head))
        return rank

    @property
    def checker(self) -> Checker:
        """Who judges the backend, by its mathematics."""
        return CHECKERS[spec(self.cell.backend).mathematics]

    def _build(self) -> Backend:
        return self._build_at(self.problem.fresh_start())

    def _build_at(self, start: Parameters) -> Backend:
        kind = get_backend(self.cell.backend)
        options: dict[str, Any] = dict(self.cell.options)
        return kind(self.cell.network, copied(start), workers=self.cell.workers, **options)

    def _launched(self) -> bool:
        """Whether several ranks measure together; they cannot draw by chance, since all must do the same."""
        return spec(self.cell.backend).launcher is not None

    def _drawn(self) -> slice:
        """Return the slice of the one step that is compared: the beginning of a batch that chance chooses."""
        rows, batch = self.plan.batch, self.cell.batch
        if self._launched():
            return rows
        begin = batch * secrets.randbelow(max(1, self.problem.rows // batch))
        return slice(begin, begin + rows.stop)

    def _set_up(self) -> Backend:
        built: list[Backend] = []
        self.fields["setup_seconds"] = seconds_of(lambda: built.append(self._build()))
        return built[0]

    def _timed(self, backend: Backend) -> Parameters:
        """Load, train the first epoch, then the steady ones; return the weights after the first."""
        cell, problem, fields = self.cell, self.problem, self.fields

        def load() -> None:
            backend.load(problem.x, problem.y)
            backend.sync()

        fields["load_seconds"] = seconds_of(load)
        with settled():
            fields["first_epoch_seconds"] = seconds_of(lambda: epoch(backend, cell.batch, cell.rate))
            first = checked("parameters", cell.network, backend.parameters())
            self._steady(backend, 1)
        return first

    def _steady(self, backend: Backend, repeat: int) -> None:
        """Time the steady epochs, and write the receipt while everything is as it was under the clock."""
        cell, wanted = self.cell, spec(self.cell.backend)
        recorder = Recorder(backend)
        with Span() as span:
            taken = samples(backend, cell.batch, cell.rate, count=cell.epochs, repeat=repeat, look=recorder.look)
        self.samples, self.extra = recorder.kept, recorder.extra
        receipt = {**collect(cell, backend.facts(), span), "epochs_per_sample": repeat}
        launched = wanted.launcher is not None
        warnings = mismatches(cell, wanted.algebra, receipt, launched=launched)
        self.fields.update(epoch_seconds=taken, receipt=receipt, warnings=warnings)

    def _resolve(self) -> None:
        """Where an epoch is too short for the clock, time again on a second instance, several epochs a sample."""
        cell, problem = self.cell, self.problem
        if self.repeat == 1:
            return
        with self._build() as backend, settled():
            backend.load(problem.x, problem.y)
            epoch(backend, cell.batch, cell.rate)
            self._steady(backend, self.repeat)
        self._look_at_lent()

    def _look_at_lent(self) -> None:
        """Note which of the arrays that an instance was lent are no longer what they were."""
        now = self.problem.lent()
        self.spoilt |= {name for name, digest in self.lent.items() if now[name] != digest}

    def _all_seconds(self) -> list[float]:
        return [self.fields["first_epoch_seconds"], *self.fields["epoch_seconds"]]

    def _finite(self, observed: Observed) -> bool:
        """Write loss and accuracy; where anything is not finite, the row has diverged and has no figures."""
        arrays = {"weight": (*observed.first, *observed.last), "output": ((observed.batch.outputs,),)}
        bad = [what for what, pairs in arrays.items() if not _all_finite(pairs)]
        bad += [] if observed.training.finite and observed.test.finite else ["loss"]
        if bad:
            self.fields.update(state="diverged", reason=f"a {bad[0]} is not finite: lower the rate")
            return False
        self.fields.update(final_loss=observed.training.loss, accuracy=observed.test.accuracy)
        return True

    def _judge(self, evidence: Evidence) -> None:
        """Compare with the truth; only what is right is given a speed."""
        if self.fields["state"] != "ok":
            return
        if self.spoilt:
            self.fields.update(
                state="wrong",
                reason=f"the backend wrote to {' and '.join(sorted(self.spoilt))}, which it was only lent",
            )
            return
        verdict = self.checker.judge(evidence)
        self.fields["receipt"]["parity"] = dict(verdict.facts)
        self.fields["warnings"].extend(verdict.warnings)
        reason, state = verdict.reason, verdict.state
        if not reason:
            reason, state = deferred(self.extra, self.fields["epoch_seconds"], self.repeat), "wrong"
        compared = verdict.facts.get("verdict")
        if not reason and verdict.replayable:
            replayed = self._replayed()
            self.fields["receipt"]["parity"]["replay"] = replayed.facts
            self.fields["warnings"] += head_only(verdict.facts, replayed.facts)
            reason, state, compared = replayed.difference, "wrong", replayed.facts["verdict"]
        if not reason and compared == "not comparable":
            reason, state = idle(self.problem, self.samples, self.repeat), "wrong"
        if reason:
            self.fields.update(state=state, reason=reason)
            return
        if verdict.facts.get("verdict") == "not comparable":
            return  # its times stand in the row; a speed would be a claim
        operations = self.cell.network.flops_per_example * self.problem.rows
        self.fields["gflops"] = operations / median(self.fields["epoch_seconds"]) / 1e9

    def _replayed(self) -> Replay:
        """Hold what was timed to the reference; if that is too slow, to its own training in checked pieces."""
        seconds = allowance(self.problem, self.repeat, sum(self.fields["epoch_seconds"]) * self.repeat)
        result = replay(self.problem, self.samples, self.repeat, seconds)
        if result.facts["verdict"] != "too dear" or self._launched():
            return result
        result = retrace(self._build_at, self.problem, self.samples, self.repeat, seconds)
        self._look_at_lent()
        return result


def _all_finite(pairs: Any) -> bool:
    return all(bool(np.isfinite(array).all()) for pair in pairs for array in pair)
