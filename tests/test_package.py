from __future__ import annotations

import pytest

import harness


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(harness, name)
    assert value is not None
    if callable(value) and not isinstance(value, type(list[int])):
        assert value.__doc__


def test_dir_lists_the_public_names() -> None:
    assert dir(harness) == sorted(harness.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'nothing'"):
        harness.nothing  # noqa: B018  the access is the test


def test_all_errors_have_one_root() -> None:
    for error in (harness.RequestError, harness.PluginError, harness.Unsupported, harness.Unavailable):
        assert issubclass(error, harness.HarnessError)
