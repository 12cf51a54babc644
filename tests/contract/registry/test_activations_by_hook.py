"""An activation of a stranger's plugin, used by its name; and backends that cannot take it."""

from __future__ import annotations

from tests.fakes.site import HEADER, Site

ARRAYS_ONLY = f"""{HEADER}
@hookimpl
def harness_activations():
    yield Activation("softsign", lambda xp, z: z / (1 + xp.abs(z)), lambda xp, z, a: (1 - xp.abs(a)) ** 2, (-1, 1))
"""
TRAIN = """
import numpy as np, harness
from harness.contract import reference
net = harness.Network.dense([3, 4, 2], activation=["softsign", "linear"], dtype="float64")
start = harness.initial_parameters(net)
rng = np.random.default_rng(1)
x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
expected = reference.train_epoch(net, start, x, y, 4, 0.1)
for name in ("blas", "python", "linalg"):
    try:
        with harness.get_backend(name)(net, start) as backend:
            backend.load(x, y)
            backend.train_epoch(4, 0.1)
            print(name, np.allclose(backend.parameters()[0][0], expected[0][0], rtol=1e-12))
    except harness.Unsupported as error:
        print(name, "Unsupported", error)
"""


def test_a_strangers_activation_works_by_name_where_its_form_is_known_and_is_unsupported_elsewhere(site: Site) -> None:
    site.install("softsign", ARRAYS_ONLY)
    ran = site.python("-c", TRAIN)
    assert ran.code == 0, ran.err
    blas, *scalar = ran.out.splitlines()
    assert blas == "blas True"
    assert len(scalar) == 2
    for line in scalar:
        assert "Unsupported" in line
        assert "softsign" in line
        assert "scalar" in line


def test_two_plugins_with_one_activation_take_it_from_both_and_say_so(site: Site) -> None:
    site.install("one", ARRAYS_ONLY)
    site.install("two", ARRAYS_ONLY)
    ran = site.python("-c", "import harness\nharness.activation('softsign')")
    assert ran.code != 0
    last = ran.err.splitlines()[-1]
    assert "unknown activation 'softsign': plugin 'one' (fake-one 1.0): activation 'softsign' is claimed by" in last
