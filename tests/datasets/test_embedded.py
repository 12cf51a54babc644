from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness import Data, PluginError, RequestError, Shape
from harness.contract.registry import registry
from harness.datasets import fetch, load_dataset, shape_of

CASES: list[tuple[str, dict[str, Any]]] = [
    ("digits", {}),
    ("digits", {"part": "train"}),
    ("synthetic", {}),
    ("synthetic", {"rows": 7, "inputs": 3, "outputs": 1, "seed": 4}),
    ("synthetic", {"rows": 1, "inputs": 100, "outputs": 5}),
    ("quadrants", {}),
    ("quadrants", {"rows": 1}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_set_has_the_shape_it_declares_and_the_same_arrays_every_time(name: str, options: dict[str, Any]) -> None:
    first, second = load_dataset(name, options), load_dataset(name, options)
    assert first.shape == shape_of(name, options)
    for left, right in ((first.x_train, second.x_train), (first.y_train, second.y_train)):
        assert left.flags.c_contiguous
        assert left.dtype == np.float32
        np.testing.assert_array_equal(left, right)
    assert set(np.unique(first.y_train)) <= {0.0, 1.0}
    if first.y_train.shape[1] > 1:
        assert (first.y_train.sum(axis=1) == 1).all()


def test_the_digits_are_the_real_ones() -> None:
    data = load_dataset("digits", {"part": "train"})
    assert data.x_train.shape == (1797, 64)
    assert data.x_test is None
    assert data.y_train.sum(axis=0).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    zero = "0 0 5 13 9 1 0 0 0 0 13 15 10 15 5 0"
    assert " ".join(str(int(16 * value)) for value in data.x_train[0, :16]) == zero
    assert data.x_train.max() == 1.0


def test_the_split_keeps_every_sixth_row_for_validation_and_loses_none() -> None:
    whole, parts = load_dataset("digits", {"part": "train"}), load_dataset("digits")
    assert parts.x_test is not None
    assert parts.y_test is not None
    assert (len(parts.x_train), len(parts.x_test)) == (1498, 299)
    np.testing.assert_array_equal(parts.x_test, whole.x_train[5::6])
    assert sorted(map(bytes, [*parts.x_train, *parts.x_test])) == sorted(map(bytes, whole.x_train))
    assert (parts.y_test.sum(axis=0) > 20).all()


def test_quadrants_label_the_second_and_fourth() -> None:
    data = load_dataset("quadrants", {"rows": 500})
    for (x, y), label in zip(data.x_train, data.y_train[:, 0], strict=True):
        assert label == (x * y < 0)
    assert data.x_test is not None
    assert len(data.x_test) == 100


@pytest.mark.parametrize("outputs", [1, 4])
def test_the_labels_of_synthetic_data_can_be_learnt_and_all_occur(outputs: int) -> None:
    data = load_dataset("synthetic", {"rows": 2000, "inputs": 8, "outputs": outputs})
    assert (data.y_train.mean(axis=0) > 0.03).all()
    x = np.c_[data.x_train, np.ones(2000)]
    fitted = x @ np.linalg.lstsq(x, data.y_train, rcond=None)[0]
    guess = (fitted > 0.5) == data.y_train if outputs == 1 else fitted.argmax(axis=1) == data.y_train.argmax(axis=1)
    assert guess.mean() > 0.8


def test_another_seed_or_size_is_another_set() -> None:
    drawn = {
        load_dataset("synthetic", {"seed": seed, "rows": rows}).x_train.tobytes() for seed in (0, 1) for rows in (5, 6)
    }
    assert len(drawn) == 4


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("digts", {}, "unknown dataset 'digts'; did you mean 'digits'"),
    ("digits", {"prt": "train"}, "unknown option 'prt'; did you mean 'part'"),
    ("digits", {"part": "trian"}, "option part='trian' is unknown; did you mean 'train'"),
    ("synthetic", {"rows": "5"}, "option rows='5' should be int, not str"),
    ("synthetic", {"outputs": 0}, "outputs=0: give 1 or more"),
    ("synthetic", {"seed": -1}, "seed=-1: give 0 or more"),
    ("synthetic", {"rows": 10**9, "inputs": 10**9}, "exceed 17179869184 numbers"),
    ("quadrants", {"rows": 0}, "rows=0, seed=0: give 1 to"),
]


@pytest.mark.parametrize(("name", "options", "cause"), WRONG)
def test_a_wrong_name_or_option_is_refused_in_one_line(name: str, options: dict[str, Any], cause: str) -> None:
    for ask in (shape_of, load_dataset):
        with pytest.raises(RequestError, match=cause):
            ask(name, options)


def test_every_shipped_set_says_what_it_is_before_it_is_loaded() -> None:
    for name, dataset in registry().datasets.items():
        if dataset.load.startswith("harness."):
            found = shape_of(name)
            assert (found.inputs, found.outputs) == (dataset.inputs, dataset.outputs)
            assert dataset.licence
            assert dataset.summary


def test_a_set_without_files_needs_no_fetch() -> None:
    assert fetch("digits") == []


def test_casting_shares_what_needs_no_change() -> None:
    data = Data(np.ones((4, 3), np.float32), np.ones((4, 1), np.float32))
    double = data.cast("float64")
    assert double.x_train.dtype == np.float64
    assert data.cast("float32").x_train is data.x_train


def test_arrays_in_another_order_are_made_c_ordered() -> None:
    data = Data(np.asfortranarray(np.ones((4, 3))), np.ones((4, 1)))
    assert data.x_train.flags.c_contiguous
    assert data.shape == Shape(4, 3, 1)


ONES = np.ones((4, 2))
BAD: list[tuple[tuple[Any, ...], str]] = [
    ((np.ones(4), ONES), r"x_train has shape \(4,\)"),
    ((np.ones((4, 2), np.int64), ONES), "dtype int64: give"),
    ((ONES, np.ones((3, 2))), "x has 4 rows and y has 3"),
    ((np.ones((0, 2)), np.ones((0, 2))), "x has 0 rows"),
    ((ONES, ONES, ONES), "x_test and y_test, or neither"),
    ((ONES, ONES, np.ones((4, 3)), ONES), "training rows have 2 columns, test rows 3"),
    ((ONES, ONES, ONES, np.ones((4, 3))), "training rows have 2 columns, test rows 3"),
]


@pytest.mark.parametrize(("arrays", "cause"), BAD)
def test_arrays_that_do_not_fit_are_the_plugins_fault(arrays: tuple[Any, ...], cause: str) -> None:
    with pytest.raises(PluginError, match=cause):
        Data(*arrays)
