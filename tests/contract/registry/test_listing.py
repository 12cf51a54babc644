"""``harness backends``, for people and for programs."""

from __future__ import annotations

import re

from tests.fakes.site import Site, offering, spec

FIELDS = {
    "schema_version",
    "name",
    "distribution",
    "version",
    "summary",
    "parallel",
    "algebra",
    "options",
    "available",
    "reason",
}
OPTIONS = {"device": ("cpu", "cuda"), "depth": (1, 2)}


def test_the_json_says_everything_that_a_spec_says(site: Site) -> None:
    source = offering(spec("mine", options=OPTIONS, parallel="examples", summary="what mine does"))
    site.install("mine", source.replace("(1, 2)", "(1, 2, ...)"), files={"backend.py": ""}, version="3.2.1")
    listed, _ = site.listed()
    assert listed["mine"] == {
        "schema_version": 1,
        "name": "mine",
        "distribution": "fake-mine",
        "version": "3.2.1",
        "summary": "what mine does",
        "parallel": "examples",
        "algebra": "handwritten",
        "options": {"device": ["cpu", "cuda"], "depth": [1, 2, "..."]},
        "available": True,
        "reason": "",
    }
    assert set(listed["healthy"]) == FIELDS


def test_names_are_sorted(site: Site) -> None:
    site.install("b", offering(spec("zebra"), spec("ape"), spec("10")))
    listed, _ = site.listed()
    assert list(listed) == sorted(listed)


def test_the_table_is_aligned_says_all_and_fits(site: Site) -> None:
    summary = "a long summary of what this does and how it does it " * 3
    fields = {"requires": ("nowhere_to_be_found",), "install": "pip install nowhere"}
    site.install("long-name", offering(spec("long-name", summary=summary, options=OPTIONS, **fields)))
    lines = site.harness("backends", COLUMNS="80").out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    heading, *_ = lines
    at = next(number for number, line in enumerate(lines) if line.startswith("long-name "))
    for title, value in (("PARALLEL OVER", "none"), ("ALGEBRA", "handwritten"), ("DISTRIBUTION", "fake-long-name 1.0")):
        assert lines[at][heading.index(title) :].startswith(value)
    told = " ".join("".join(lines[at + 1 :]).split())
    assert " ".join(summary.split()[:4]) in told
    assert "options: device=cpu|cuda, depth=1|2" in told
    assert re.search(r"not available: needs nowhere_to_be_found, which cannot be imported; install with: pip", told)


def test_a_terminal_that_lacks_a_letter_gets_its_escape(site: Site) -> None:
    site.install("mine", offering(spec("mine", summary="größer")))
    ran = site.harness("backends", PYTHONIOENCODING="ascii")
    assert (ran.code, "gr\\xf6\\xdfer" in ran.out) == (0, True), ran.err


def test_problems_go_to_standard_error_and_the_list_is_still_printed(site: Site) -> None:
    site.install("broken", "import nowhere_to_be_found\n")
    ran = site.harness("backends")
    assert ran.code == 0
    assert "healthy" in ran.out
    assert "broken" not in ran.out
    assert len(ran.about("broken")) == 1


def test_without_any_backend_it_says_what_to_install(site: Site) -> None:
    hide = "import importlib.metadata as m; m.distributions = lambda: []\n"
    ran = site.python("-c", f"{hide}from harness.cli import main\nimport sys\nsys.exit(main(['backends']))")
    assert (ran.code, ran.out) == (0, "no backend is installed; try: pip install 'backprop-harness[light]'\n")


def test_a_plugin_that_pip_installed_is_listed(site: Site) -> None:
    source = site.folder.parent / "source"
    package = source / "harness_piped"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(offering(spec("piped")))
    (package / "backend.py").write_text("")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "fake-piped"\nversion = "4.0"\n'
        '[project.entry-points.harness]\npiped = "harness_piped"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["harness_piped"]\n'
    )
    words = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    done = site.python("-m", *words, str(site.folder), str(source))
    assert done.code == 0, done.err
    listed, _ = site.listed()
    assert (listed["piped"]["distribution"], listed["piped"]["version"]) == ("fake-piped", "4.0")
