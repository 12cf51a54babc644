from __future__ import annotations

import itertools
import json
import tomllib
from dataclasses import replace

import pytest

from harness import RequestError
from harness.cli import main
from harness.contract.registry import registry
from harness.study import read_study, shipped_studies
from harness.study.catalogue import installed
from tests.study.told import spec

NAMES = ("cpu", "gate", "gil", "gpu", "neurons", "quick", "speed")


def test_these_studies_are_shipped() -> None:
    assert tuple(shipped_studies()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_study_is_sound_where_everything_it_names_is_installed(name: str) -> None:
    """What is not installed stands in by a spec with the options that the study gives."""
    raw = tomllib.loads(shipped_studies()[name].read_text())
    given = {entry["name"]: entry.get("options", {}) for entry in raw["backend"]}
    stand_ins = {
        backend: spec(backend, options={key: tuple(_values(value)) for key, value in options.items()})
        for backend, options in given.items()
    }
    catalogue = replace(installed(), backends={**stand_ins, **registry().backends})
    study = read_study(name, catalogue=catalogue)
    assert study.left_out == ()
    assert study.title != name
    assert study.about


def _values(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"gil"}))
def test_a_shipped_study_can_do_without_any_one_backend(name: str) -> None:
    catalogue = installed()
    present = [entry.name for entry in read_study(name, catalogue=catalogue).backends]
    for absent in itertools.islice(dict.fromkeys(present), 3):
        kept = {known: one for known, one in catalogue.backends.items() if known != absent}
        try:
            assert absent in read_study(name, catalogue=replace(catalogue, backends=kept)).left_out
        except RequestError as error:
            assert "none of its backends is installed" in str(error)  # noqa: PT017  it was the only one


def test_speed_covers_every_power_of_two_to_4096_on_both_nets() -> None:
    catalogue = replace(installed(), backends={"fused": spec("fused")})
    study = read_study("speed", catalogue=catalogue)
    assert study.batch == tuple(2**power for power in range(13))
    assert [len(net.hidden) for net in study.networks] == [1, 2]
    assert study.backends[0].workers == (1, "all")


def test_studies_are_listed_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studies"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()] == ["STUDY", *NAMES]
    assert main(["studies", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in entries] == list(NAMES)
    for entry in entries:
        assert (entry["cells"] > 0) == (not entry["reason"])
        assert set(entry) >= {"schema_version", "title", "about", "backends", "not_installed"}
