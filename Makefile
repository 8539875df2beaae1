# make train    a network from a text file, trained on real handwritten digits
# make test     the whole test suite: both engines are the same network
# make help     everything else

SHELL := /bin/sh
BIN   := .venv/bin
RUN   := runs/digits-$(shell date +%Y%m%d-%H%M%S)
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help train install dev test test-slow test-nojit lint format types wheel-test ci gallery clean

help:
	@echo "make train       create .venv, install, train the bundled digits network, verify both engines"
	@echo "make test        run the tests (five to ten minutes)"
	@echo "make test-slow   real MNIST, thousands of drawn networks (about an hour)"
	@echo "make test-nojit  the tests with Numba's compiler switched off"
	@echo "make lint        ruff: lint and format        make types       mypy --strict"
	@echo "make wheel-test  build the wheel, use it from another folder"
	@echo "make ci          all of it, with time budgets"
	@echo "make gallery     draw every bundled network in every view: docs/gallery"
	@echo "make clean       remove .venv, caches and builds (never runs/)"

train: install
	@echo "Training (the first time on a machine, the kernels are compiled too: some seconds without a sign) ..."
	@$(BIN)/neurograph train digits --data digits --out $(RUN)
	@echo
	@echo "Now the proof: the compiled network and the neuron-by-neuron network agree."
	@$(BIN)/neurograph verify digits --samples 2
	@echo
	@echo "Where to go next (after: source $(BIN)/activate):"
	@echo "    neurograph list                                   the bundled networks"
	@echo "    neurograph summary lenet5                         neurons, edges, tied weights, receptive fields"
	@echo "    neurograph explain four 'conv.weight[0,0,0,0]'    where the update of one shared weight comes from"
	@echo "    neurograph explain four 'conv[0,3,1]'             what one neuron saw, its z, its a, its delta"
	@echo "    neurograph draw four -o four.svg                  the network, neuron by neuron"
	@echo "    neurograph new mynet.toml                         a spec of your own"

# -- installing: again only when pyproject.toml changed ----------------------------------------------------------------
install: .venv/installed
dev: .venv/installed-dev

.venv/installed: pyproject.toml
	@.ci/venv
	@echo "Installing neurograph into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: pyproject.toml
	@.ci/venv
	@echo "Installing neurograph and its development tools into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/installed

# -- checking ----------------------------------------------------------------------------------------------------------
test: dev
	$(BIN)/python -m pytest -q -n auto --dist worksteal

test-slow: dev
	$(BIN)/python -m pytest -q -m slow

test-nojit: dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n auto --dist worksteal

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: dev
	$(BIN)/mypy

wheel-test: dev
	.ci/wheel-test

ci:
	.ci/run

gallery: dev
	$(BIN)/python docs/gallery/make.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage
	find neurograph viz tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
