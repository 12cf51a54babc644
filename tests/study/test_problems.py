from __future__ import annotations

from pathlib import Path

import pytest

from tests.study.told import ONE, problems

CASES = [
    ("bach = 3", "unknown key 'bach'; did you mean 'batch'?"),
    ('title = ""', "title = '': give some text on one line"),
    ('dataset = "mnits"', "dataset = 'mnits': unknown dataset; did you mean 'mnist'?"),
    ("dataset = 3", "dataset = 3: give a table"),
    ("dataset = {rows = 3}", "give the dataset's name"),
    ('dataset = {name = "synthetic", row = 3}', "unknown option 'row'; did you mean 'rows'?"),
    ('dataset = {name = "synthetic", rows = "3"}', "option rows='3' should be int, not str"),
    ('dataset = {name = "synthetic", rows = 0}', "rows=0: give 1 or more"),
    ('dataset = {name = "synthetic", rows = true}', "option rows=True should be int, not bool"),
    ('dataset = {name = "kddcup99", subset = 10}', 'option subset=10 should be str, not int; write "10" in quotes'),
    ('dataset = {name = "digits", part = "al"}', "option part='al' is unknown"),
    ('networks = "net-3h"', "networks = 'net-3h': unknown network; did you mean"),
    ("networks = {hiden = 3}", "unknown key of a network; did you mean 'hidden'?"),
    ("networks = {hidden = [32, 0]}", "hidden = [32, 0]: give a whole number from 1"),
    ("networks = {hidden = 10000000000}", "give a whole number from 1 to 1000000"),
    ('networks = {hidden = 3, activation = "tan"}', "unknown activation; did you mean 'tanh'?"),
    ('networks = {hidden = 3, activation = ["tanh", "relu"]}', "2 activations for 1 hidden layers"),
    ('networks = {activation = "tanh"}', "give the sizes of the hidden layers"),
    ('loss = "cee"', "loss = 'cee': unknown loss; did you mean 'ce'?"),
    ('loss = "bce"\nnetworks = {hidden = 3, output = "tanh"}', "loss 'bce' needs a last layer with range (0, 1)"),
    ('loss = "ce"\nnetworks = {hidden = 3, output = "sigmoid"}', "the last layer must be 'linear'"),
    ("batch = 0", 'batch = 0: give a whole number from 1 to 2147483647, or "all"'),
    ("batch = 1.5", "batch = 1.5: give a whole number"),
    ("batch = true", "batch = True: give a whole number"),
    ("batch = []", "batch = []: an empty list leaves nothing to run"),
    ("batch = [1, 2, 1]", "batch[2] = 1: stands here twice"),
    ("batch = 99999999999999999999999", "give a whole number from 1 to 2147483647"),
    ("epochs = 0", "epochs = 0: give a whole number from 1"),
    ("epochs = [1, 2]", "epochs = [1, 2]: give a whole number from 1"),
    ("rounds = -1", "rounds = -1: give a whole number from 1"),
    ("rate = nan", "rate = nan: give a finite number above 0"),
    ("rate = -inf", "rate = -inf: give a finite number above 0"),
    ("rate = 0", "rate = 0: give a finite number above 0"),
    ("seed = -1", "seed = -1: give a whole number from 0"),
    ('init = "glorot"', "unknown init; did you mean 'glorot_uniform'?"),
    ('shuffle = "no"', "shuffle = 'no': give true or false"),
    ('dtype = "float16"', "unknown dtype; did you mean"),
    ("time_limit = 0", "time_limit = 0: give a finite number above 0"),
    ('time_limit = "2 parsecs"', "'2 parsecs' is no duration; write 90s"),
    ('time_limit = "30m1h"', "is no duration"),
    ("memory_limit = 4", "memory_limit = 4: give a size from 1 MiB"),
    ('memory_limit = "4 GiBs"', "'4 GiBs' is no size"),
    ("time_limit = 1979-05-27", "give a finite number above 0"),
    ("exclude = [{}]", "a rule names at least one axis"),
    ("exclude = [3]", "exclude[0] = 3: give a table"),
    ("exclude = [{batches = 3}]", "unknown key 'exclude[0].batches'; did you mean 'batch'?"),
    ('exclude = [{backend = "pyton"}]', "exclude[0].backend = 'pyton': unknown backend; did you mean 'python'?"),
    ('include = [{backend = "blas", options = {kernel = "x"}}]', "unknown option 'kernel'; did you mean 'kernels'?"),
    ("include = [{batch = 0}]", "include[0].batch = 0: give a whole number"),
]


@pytest.mark.parametrize(("line", "cause"), CASES)
def test_a_wrong_key_or_value_is_named_with_its_line_and_what_to_give(tmp_path: Path, line: str, cause: str) -> None:
    found = problems(tmp_path, f"\n{line}\n{ONE}")
    assert any(cause in problem for problem in found), found
    assert all(problem.startswith(("mine.toml:2: ", "mine.toml:3: ")) for problem in found), found


@pytest.mark.parametrize(
    "text",
    ["exclude = [3]\n" + ONE, "exclude = [{batches = 3}]\n" + ONE, "include = 3\n" + ONE, 'backend = ["blas"]'],
)
def test_one_mistake_is_one_line(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, text)) == 1


ENTRIES = [
    ('name = "blass"', 2, "unknown backend; did you mean 'blas'?"),
    ("name = 3", 2, "give some text"),
    ("workers = 2", 1, "a [[backend]] needs a name"),
    ('name = "blas"\nworker = 2', 3, "unknown key 'backend[0].worker'; did you mean 'workers'?"),
    ('name = "blas"\nworkers = [1, 0]', 3, "backend[0].workers[1] = 0: give a whole number from 1 to 4096"),
    ('name = "blas"\n[backend.options]\nkernels = 1', 4, "option kernels=1 should be str, not int"),
    (
        'name = "threads"\noptions = {team = ["pool", "spoon"]}',
        3,
        "option team='spoon' is unknown; did you mean 'pool'?",
    ),
    ('name = "blas"\npython = "./none"', 3, "there is no interpreter"),
    ('name = "blas"\noptional = 1', 3, "give true or false"),
]


@pytest.mark.parametrize(("entry", "line", "cause"), ENTRIES)
def test_a_wrong_backend_entry_is_named_with_its_line(tmp_path: Path, entry: str, line: int, cause: str) -> None:
    (found,) = problems(tmp_path, f"[[backend]]\n{entry}")
    assert found.startswith(f"mine.toml:{line}: ")
    assert cause in found


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = 'bach = 3\nepochs = 0\n[[backend]]\nname = "blass"\n[[backend]]\nname = "blas"\nworkers = 0'
    assert [problem.split(": ")[0] for problem in problems(tmp_path, text)] == [f"mine.toml:{n}" for n in (1, 2, 4, 7)]


def test_the_line_is_right_inside_values_of_several_lines_and_after_strings_that_look_like_tables(
    tmp_path: Path,
) -> None:
    text = 'about = """\n[[backend]]\nbatch = 0\n"""\nbatch = [\n  1, # [\n  0,\n]\n' + ONE + "workers = 0"
    assert [problem.split(": ")[0] for problem in problems(tmp_path, text)] == ["mine.toml:7", "mine.toml:11"]


def test_a_long_wrong_value_is_cut_and_control_characters_do_not_reach_the_message(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f'loss = "\\u001b[31m{"x" * 500}"\n{ONE}')
    assert len(found) < 250
    assert "\x1b" not in found
