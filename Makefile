# Two commands: `make bench` and `make test`. Both share .venv, are safe to repeat and quick the second time.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
MANIFESTS := pyproject.toml $(filter-out plugins/cuda/%,$(wildcard plugins/*/pyproject.toml)) $(CONSTRAINTS) Makefile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint $(CONSTRAINTS)

# The plugins that need at most NumPy, SciPy, threadpoolctl and Numba; make test takes all.
LIGHT := python blas threads shm numba
LIGHT_FOLDERS := $(foreach name,$(LIGHT),$(wildcard plugins/$(name)))
# The plugin cuda brings 470 MB of compilers for a GPU, so it has a target and an environment of its own.
ALL_FOLDERS := $(filter-out plugins/cuda,$(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))

# A shell that forbids bytecode makes every start of an editable install slow.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help bench check fix test test-all test-cuda pythons setup setup-light lint types imports clean asv asv-compare asv-publish

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup-light: $(VENV)/light.stamp  ## the core and the light backends in .venv

setup: $(VENV)/all.stamp  ## the core, every backend and the development tools in .venv

bench: setup-light  ## run the quick study on every light backend, print the table, write the report
	code=0; $(BIN)/harness run quick --store results.db || code=$$?; \
	[ $$code -gt 1 ] || $(BIN)/harness report --store results.db -o report.html; exit $$code

# What a core's developer changes every minute: no framework, no conformance of whole plugins, no asv, no browser.
CORE := tests/cli tests/contract tests/datasets tests/machine tests/plan tests/report tests/runner tests/session \
	tests/store tests/study tests/worker tests/test_errors.py tests/test_package.py tests/test_plugin.py
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal
PYTHONS := 3.11 3.12 3.13 3.14

fix: setup  ## format, and mend what ruff can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup lint types imports  ## lint, types, import contracts and the core's tests, without any framework
	$(PYTEST) $(CORE) -m 'not alone and not long'

test: setup lint types imports  ## lint, types, import contracts, then every test but the long sweeps: what CI runs
	$(BIN)/python -m pytest -m 'alone and not long'
	$(PYTEST) -m 'not alone and not long'

test-all: setup lint types imports pythons  ## every test with the long sweeps, the coverage of the core, and other Pythons
	$(BIN)/python -m pytest -m alone
	$(PYTEST) -m 'not alone' --cov=harness --cov-report=term:skip-covered

test-cuda:  ## the tests of the plugin cuda, without a GPU: kernels on a simulator, and compiled, in .venv-cuda
	[ -x .venv-cuda/bin/python ] || $(PYTHON) -m venv .venv-cuda
	.venv-cuda/bin/python -m pip --disable-pip-version-check --quiet install --constraint $(CONSTRAINTS) \
		--constraint .ci/constraints-cuda.txt --editable '.[check]' $(foreach name,blas numba cuda,--editable plugins/$(name)) pytest-timeout pytest-xdist
	.venv-cuda/bin/python -m pytest --numprocesses 2 plugins/cuda

pythons:  ## the core's tests on every other Python from 3.11 that is on the path, each in .venv-VERSION
	@own=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	for version in $(PYTHONS); do \
		[ $$version != $$own ] && python$$version -c 'import venv' 2>/dev/null || continue; \
		echo "the core's tests on Python $$version"; \
		[ -x .venv-$$version/bin/python ] || python$$version -m venv .venv-$$version; \
		.venv-$$version/bin/python -m pip --disable-pip-version-check --quiet install \
			--editable '.[check]' $(LIGHT_FOLDERS) hypothesis pytest-timeout scipy; \
		.venv-$$version/bin/python -m pytest tests/contract tests/study tests/plan tests/store -m 'not alone and not long'; \
	done

lint: setup  ## ruff only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup  ## mypy only, for every Python that the package declares
	@for version in $(PYTHONS); do echo "mypy, Python $$version"; $(BIN)/mypy --python-version $$version || exit 1; done

imports: setup  ## import contracts only
	$(BIN)/lint-imports

# The quick look of `make asv`: one epoch of every backend, what it learns, and what the harness itself costs.
QUICK := track_epoch\(.*'784-1024-10', 128, 2\)|error_rate\(.*, 1\)|costs
BENCH ?=
FACTOR ?= 1.1
STORE ?= results.db
ASV := $(BIN)/python -m asv
# asv prints a line for every combination, also for those that were not chosen.
CHOSEN := sed -u '/ n\/a  *n\/a *$$/d'
MACHINE = $$($(BIN)/python benchmarks/scripts/this_machine.py)

asv: setup  ## a quick look at the current commit with asv, in .venv; BENCH=regex chooses
	@at=$$(git rev-parse HEAD); \
	git diff --quiet HEAD -- harness plugins benchmarks || { at=; echo "not kept: there are changes since the commit"; }; \
	$(ASV) run --environment existing:$(BIN)/python --quick --show-stderr --machine $(MACHINE) \
		--bench "$(or $(BENCH),$(QUICK))" $${at:+--set-commit-hash $$at} | $(CHOSEN)

asv-compare: setup  ## BASE=commit: build it and HEAD, fail where HEAD is slower; BENCH=regex, FACTOR=1.1
	@test -n "$(BASE)" || { echo "say what to compare HEAD with: make asv-compare BASE=main~5"; exit 2; }
	$(ASV) continuous --show-stderr --machine $(MACHINE) --factor $(FACTOR) --bench "$(or $(BENCH),.)" $(BASE) HEAD \
		| $(CHOSEN)

asv-publish: setup  ## asv's static site of all results, with the rows of STORE, in .asv/html
	test ! -f $(STORE) || $(BIN)/harness export --store $(STORE) --format asv --output .asv/results
	$(ASV) publish

clean:  ## remove .venv and caches; results stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "harness needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/tools.stamp: $(CONSTRAINTS) | $(BIN)/python
	$(PIP) --upgrade pip
	$(PIP) hatchling editables
	touch $@

$(VENV)/light.stamp: $(MANIFESTS) $(VENV)/tools.stamp
	$(PIP) --no-build-isolation $(foreach folder,. $(LIGHT_FOLDERS),--editable $(folder))
	touch $@

$(VENV)/all.stamp: $(MANIFESTS) $(VENV)/tools.stamp
	$(PIP) torch==2.13.0
	$(PIP) --no-build-isolation $(foreach folder,'.[check]' $(ALL_FOLDERS),--editable $(folder)) --group dev
	touch $@ $(VENV)/light.stamp
