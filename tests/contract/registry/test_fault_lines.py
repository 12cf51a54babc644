from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness import PluginError
from harness.contract.registry.faults import Fault, Source, raised

SOURCE = Source("mine", "harness_mine", "fake-mine", "1.0")
HOME = Path(harness.__file__).parent


def error_in(file: str, code: str = "\n\n1 / 0") -> BaseException:
    with pytest.raises((ZeroDivisionError, PluginError)) as caught:
        exec(compile(code, file, "exec"), {"PluginError": PluginError})
    return caught.value


@pytest.mark.parametrize("folder", [f"{HOME}_mine", "/somewhere/harness_mine"])
def test_a_plugin_beside_the_harness_is_not_the_harness(folder: str) -> None:
    said = str(raised(SOURCE, error_in(f"{folder}/spec.py")))
    assert "ZeroDivisionError: division by zero (" in said
    assert f"({Path(folder).name}/spec.py, line 3); mend it, or remove it: pip uninstall fake-mine" in said


def test_lines_of_the_harness_itself_are_of_no_use_to_the_author() -> None:
    error = error_in(f"{HOME}/spec.py")
    error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
    assert "line" not in str(raised(SOURCE, error))


def test_a_special_step_takes_the_place_of_the_usual_one() -> None:
    error = error_in("/a/b.py", "raise PluginError('wrong', step='do this')")
    assert str(raised(SOURCE, error)) == "plugin 'mine' (fake-mine 1.0): wrong (a/b.py, line 1); do this"


def test_a_problem_is_one_clean_line() -> None:
    line = str(Fault(SOURCE, "two\nlines \x1b[2J", "step", warning=True))
    assert line == r"warning: plugin 'mine' (fake-mine 1.0): two lines \x1b[2J; step"
