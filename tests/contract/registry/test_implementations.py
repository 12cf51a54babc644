"""From a name to a class: what is missing, what points nowhere, what is incomplete."""

from __future__ import annotations

import pytest

from tests.fakes.site import Site, offering, spec

ASK = """
import sys, harness
try:
    print(harness.get_backend(sys.argv[1]).__name__)
except harness.HarnessError as error:
    print(type(error).__name__, error)
"""
METHODS = ("parameters", "outputs", "gradients", "close", "forward", "backprop", "step")
COMPLETE = "import harness\nclass Fake(harness.Backend):\n" + "".join(
    f"    def {name}(self, *args): raise NotImplementedError\n" for name in METHODS
)

WRONG = {
    "points at no class": (
        "class Fakes: pass\n",
        "points nowhere: harness_mine.backend has no Fake; did you mean 'Fak",
    ),
    "is no class": ("Fake = 3\n", "is not a subclass of harness.Backend; derive it from that class"),
    "is another class": ("class Fake: pass\n", "is not a subclass of harness.Backend"),
    "lacks methods": (COMPLETE.replace("def step", "def stop"), "lacks step; write what docs/contract.md says of each"),
    "raises ImportError": ("import nowhere_to_be_found\n", "cannot be imported: ModuleNotFoundError: No module named"),
    "exits": ("raise SystemExit(0)\n", "cannot be imported: SystemExit: 0; try: python -c 'import harness_mine.backe"),
    "has a syntax error": ("class\n", "cannot be imported: SyntaxError"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_implementation_is_refused_in_one_line_that_names_the_plugin_where_it(site: Site, case: str) -> None:
    code, cause = WRONG[case]
    site.install("mine", offering(spec("mine")), files={"backend.py": code})
    ran = site.python("-c", ASK, "mine")
    assert ran.out.startswith("PluginError plugin 'mine' (fake-mine 1.0): backend 'mine': 'harness_mine.backend:Fake'")
    assert cause in ran.out
    assert ran.out.count("\n") == 1


def test_a_complete_class_is_returned(site: Site) -> None:
    site.install("mine", offering(spec("mine")), files={"backend.py": COMPLETE})
    assert site.python("-c", ASK, "mine").out == "Fake\n"


def test_what_a_backend_says_of_itself_while_it_is_imported_passes(site: Site) -> None:
    code = "import harness\nraise harness.Unavailable('no GPU here')\n"
    site.install("mine", offering(spec("mine")), files={"backend.py": code})
    assert site.python("-c", ASK, "mine").out == "Unavailable no GPU here\n"


def test_an_implementation_whose_module_does_not_exist_is_listed_as_not_available(site: Site) -> None:
    site.install("mine", offering(spec("mine", implementation="harness_mine.nowhere:Fake")))
    listed, _ = site.listed()
    assert not listed["mine"]["available"]
    reason = "its implementation 'harness_mine.nowhere:Fake' points nowhere: there is no module 'harness_mine.nowhere'"
    assert listed["mine"]["reason"] == reason
    assert site.python("-c", ASK, "mine").out == f"Unavailable mine {reason}\n"


def test_a_missing_package_makes_a_backend_unavailable_with_the_hint(site: Site) -> None:
    fields = {"requires": ("json", "nowhere_to_be_found.sub"), "install": "pip install nowhere"}
    site.install("mine", offering(spec("mine", **fields)), files={"backend.py": COMPLETE})
    listed, ran = site.listed()
    reason = "needs nowhere_to_be_found.sub, which cannot be imported; install with: pip install nowhere"
    assert (listed["mine"]["available"], listed["mine"]["reason"]) == (False, reason)
    assert not ran.about("mine")
    assert site.python("-c", ASK, "mine").out == f"Unavailable mine {reason}\n"


def test_an_unknown_name_gets_the_nearest_right_one(site: Site) -> None:
    assert site.python("-c", ASK, "helthy").out == "RequestError unknown backend 'helthy'; did you mean 'healthy'?\n"


def test_listing_imports_no_implementation(site: Site) -> None:
    site.install("mine", offering(spec("mine")), files={"backend.py": "raise SystemExit('imported')\n"})
    listed, ran = site.listed()
    assert listed["mine"]["available"]
    assert "imported" not in ran.err
