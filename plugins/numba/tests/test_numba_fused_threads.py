"""``fused`` with several threads: who reads what, who dies, who is interrupted, who is started at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest
from harness_numba.fused import isa, strategy
from harness_numba.fused.backend import FusedBackend
from harness_numba.fused.engine import Engine

from harness.plugin import reference
from plugins.numba.tests.numba_problems import problem, same, trained


@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_threads_that_run_ahead_do_not_touch_what_others_still_read(hidden: int) -> None:
    """One meeting a chunk going back through two hidden layers is the least there is; many chunks give it a chance."""
    case = problem(32, *[512] * hidden, 8, rows=10 * strategy.CHUNK, dtype="float64")
    passed = reference.forward(case.net, case.start, case.x)
    gradients = reference.backprop(case.net, case.start, passed, case.y)
    with FusedBackend(case.net, case.start, workers=2) as backend:
        backend.load(case.x, case.y)
        for _ in range(100 if hidden == 2 else 10):
            backend.forward(slice(0, len(case.x)))
            backend.backprop(slice(0, len(case.x)))
            same(backend.gradients(), gradients)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_trains_weights_of_its_own() -> None:
    words = (
        "import os, numpy as np, harness\n"
        "from harness_numba.fused.backend import FusedBackend\n"
        "net = harness.Network.dense([5, 4, 3])\n"
        "with FusedBackend(net, harness.initial_parameters(net)) as backend:\n"
        "    backend.load(np.ones((9, 5), np.float32), np.ones((9, 3), np.float32))\n"
        "    before = backend.parameters()[0][0]\n"
        "    child = os.fork()\n"
        "    backend.train_epoch(2, 0.1 if child == 0 else 0.0)\n"
        "    same = np.array_equal(before, backend.parameters()[0][0])\n"
        "    if child == 0: os._exit(3 if same else 0)\n"
        "    assert os.waitpid(child, 0)[1] == 0, 'the child did not train'\n"
        "    assert np.array_equal(before, backend.parameters()[0][0]), 'the child trained the weights of its parent'\n"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_thread_that_dies_frees_the_others_and_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    case = problem(20, 33, 17, 3)
    with FusedBackend(case.net, case.start, workers=3) as backend:
        backend.load(case.x, case.y)
        engine = backend._engine
        assert isinstance(engine, Engine)
        run = engine._team.run

        def dying(task: Any) -> None:
            def work(me: int) -> None:
                if me == 1:
                    raise MemoryError
                task(me)

            run(work)

        monkeypatch.setattr(engine._team, "run", dying)
        with pytest.raises(MemoryError):
            backend.train_epoch(1, 0.1)
        monkeypatch.undo()
        backend.train_epoch(1, 0.1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


INTERRUPTED = """
import os, signal, threading, numpy as np, harness
from harness_numba.fused.backend import FusedBackend
net = harness.Network.dense([64, 64, 64, 8])
x, y = np.ones((100_000, 64), np.float32), np.ones((100_000, 8), np.float32)
with FusedBackend(net, harness.initial_parameters(net), workers=3) as backend:
    backend.load(x, y)
    backend.train_epoch(64, 0.0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background passes it on as ignored
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            backend.train_epoch(1, 1e-3)
    except KeyboardInterrupt:
        print("interrupted")
    memory = getattr(backend._engine, "_memory", None)
    if memory:
        copies = memory._biases(2, 0)
        assert (copies == copies[0]).all(), "the threads' copies of the last bias are apart"
    backend.train_epoch(64, 0.0)
    print("trained on")
"""


def test_an_interrupt_ends_an_epoch_and_leaves_the_backend_usable() -> None:
    words = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
    assert done.stdout.split("\n")[:2] == ["interrupted", "trained on"], done.stderr


@pytest.mark.skipif(isa.ISA is None, reason="without vectors there are no panels to own")
@pytest.mark.parametrize("sizes", [(20, 5, 3), (20, 3)])
def test_a_thread_that_would_own_no_neuron_is_not_started(sizes: tuple[int, ...]) -> None:
    case = problem(*sizes, dtype="float64")
    with FusedBackend(case.net, case.start, workers=4) as backend:
        assert backend.facts()["threads"] == (1 if len(sizes) == 3 else -(-20 * 8 // isa.KERNELS.panel_bytes))
    same(trained(case, 4, 0.3, 4), case.trained(4, 0.3))
