"""One name, two claims; one distribution, two copies; and metadata that no tool would write."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.site import HEADER, Site, offering, spec

ASK = """
import harness
for name in ("twin", "broken"):
    try:
        harness.get_backend(name)
    except harness.RequestError as error:
        print(error)
"""
NO_CODE = {"backend.py": ""}


def test_two_distributions_with_one_backend_name_are_both_refused_and_both_named(site: Site) -> None:
    site.install("mine", offering(spec("twin"), spec("mine")), files=NO_CODE)
    site.install("yours", offering(spec("twin"), spec("yours")), files=NO_CODE, version="2.5")
    listed, ran = site.listed()
    assert {"mine", "yours", "healthy"} <= listed.keys()
    assert "twin" not in listed
    for plugin in ("mine", "yours"):
        (line,) = ran.about(plugin)
        assert "backend 'twin' is claimed by fake-mine 1.0 and fake-yours 2.5, so none is used" in line
        assert line.endswith(f"keep one: pip uninstall fake-{plugin}")


def test_a_refused_name_that_is_asked_for_says_why(site: Site) -> None:
    site.install("mine", offering(spec("twin")))
    site.install("yours", offering(spec("twin")))
    site.install("broken", "import nowhere_to_be_found\n")
    ran = site.python("-c", ASK)
    twin, broken = ran.out.splitlines()
    assert twin.startswith("unknown backend 'twin': plugin 'mine' (fake-mine 1.0): backend 'twin' is claimed by")
    assert "plugin 'broken' (fake-broken 1.0): ModuleNotFoundError" in broken


def test_a_plugin_that_yields_one_name_twice_is_told_so(site: Site) -> None:
    site.install("mine", offering(spec("twin"), spec("twin")), files=NO_CODE)
    _, ran = site.listed()
    (line,) = ran.about("mine")
    assert "backend 'twin' is yielded 2 times; give each a name of its own" in line


def test_nobody_can_take_an_activation_of_the_contract_away(site: Site) -> None:
    site.install(
        "mine", f"{HEADER}@hookimpl\ndef harness_activations(): yield Activation('sigmoid', abs, abs, (0, 1))\n"
    )
    ran = site.python("-c", "import harness; print(harness.activation('sigmoid').value.__module__)")
    assert ran.out == "harness.contract.activations\n", ran.err
    (line,) = site.harness("backends").about("mine")
    assert "activation 'sigmoid' is the harness's own; give it another name" in line


def test_a_second_distribution_of_one_name_is_hidden_and_named(site: Site, tmp_path: Path) -> None:
    behind = Site(tmp_path / "behind")
    site.install("dual", offering(spec("first")), files=NO_CODE, version="2.0")
    behind.install("dual", offering(spec("second")), files=NO_CODE, distribution="Fake_Dual", version="1.0")
    listed, ran = site.listed(PYTHONPATH=str(behind.folder))
    assert "first" in listed
    assert "second" not in listed
    (line,) = ran.about("dual")
    assert "plugin 'dual' (Fake_Dual 1.0): installed twice" in line
    assert f"{behind.folder} is hidden by version 2.0 in {site.folder}" in line


def test_one_folder_twice_on_the_path_is_no_second_distribution(site: Site) -> None:
    listed, ran = site.listed(PYTHONPATH=f"{site.folder}/../{site.folder.name}")
    assert "healthy" in listed
    assert not ran.about("healthy")


def test_two_versions_left_in_one_folder_are_named(site: Site) -> None:
    for version in ("1.0", "1.1"):
        site.install("left", offering(spec("left")), files=NO_CODE, version=version)
    listed, ran = site.listed()
    assert "left" in listed
    (line,) = ran.about("left")
    assert "installed twice" in line


def test_metadata_in_any_state_hides_no_other_plugin(site: Site) -> None:
    site.install("nameless", offering(spec("nameless")), files=NO_CODE, metadata="")
    site.install("garbled", "", entry_points="[harness]\nno equals sign here\n")
    site.install("odd", "", entry_points="[harness]\nodd = not a module!\n")
    site.install("thing", "thing = 3\n", entry_points="[harness]\nthing = harness_thing:thing\n")
    listed, ran = site.listed()
    assert {"nameless", "healthy"} <= listed.keys()
    assert listed["nameless"]["distribution"] == "distribution without a name"
    assert "should be the name of a module" in ran.about("odd")[0]
    assert "its entry point names a int, should name a module" in ran.about("thing")[0]
    assert "fake-garbled 1.0" in ran.err
    assert "Traceback" not in ran.err


def test_entry_points_that_cannot_be_decoded_are_named(site: Site) -> None:
    site.install("binary", "")
    (site.folder / "fake_binary-1.0.dist-info" / "entry_points.txt").write_bytes(b"[harness]\n\xff\xfe = x\n")
    listed, ran = site.listed()
    assert "healthy" in listed
    assert "fake-binary 1.0): UnicodeDecodeError" in ran.err


def test_entry_points_of_other_groups_are_left_alone(site: Site) -> None:
    site.install("other", "raise SystemExit\n", entry_points="[console_scripts]\nno equals sign\n")
    listed, ran = site.listed()
    assert "healthy" in listed
    assert "fake-other" not in ran.err
