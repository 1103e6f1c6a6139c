# make train: install into .venv and run the main job.  make bench: the speed table.  make docs: the site, into site/.
# make check: linters, types and the tests of what changed.  make test: the suite.  make test-all: with what takes long, too.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 2 --dist worksteal
TOOK = @echo "make $@ took $$(( $$(date +%s) - $(STARTED) )) s"

.PHONY: train check test test-all test-optimized test-torch lint bench docs clean

train: .venv/installed
	$(BIN)/jaxcurriculum train

check: lint
	$(PYTEST) -m "not slow" $$($(BIN)/python tests/changed.py)
	$(TOOK)

test: lint
	$(PYTEST) -m "not slow"
	$(TOOK)

test-all: lint
	$(PYTEST)
	$(MAKE) test-optimized
	$(TOOK)

# What compiled programs must do, as users compile them: other tests compile in haste.
test-optimized: .venv/installed
	$(PYTEST) --optimized tests/device tests/cli/test_train.py tests/envs/walker/test_box2d.py

# Trainers in PyTorch, in an environment of their own: the examples of docs/, killed and resumed.
test-torch: .venv-torch/installed
	.venv-torch/bin/pytest tests/torch_trainers

lint: .venv/installed
	$(eval STARTED := $(shell date +%s))
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: .venv/installed
	$(BIN)/python -m bench

docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "jaxcurriculum needs Python 3.11, 3.12 or 3.13, this is " + sys.version.split()[0] + "; name one as in PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

.venv-torch/installed: pyproject.toml
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/pip install --quiet --disable-pip-version-check -e ".[torch]"
	touch $@

clean:
	rm -rf .venv .venv-torch build dist site *.egg-info .jax_cache .pytest_cache .ruff_cache
