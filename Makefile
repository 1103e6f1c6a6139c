# make train: install into .venv and run the main job.  make test: the whole suite.  make bench: the speed table.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: train test lint bench clean

train: .venv/installed
	$(BIN)/jaxcurriculum train

test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest -n 2 --dist worksteal

bench: .venv/installed
	$(BIN)/python -m bench

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "jaxcurriculum needs Python 3.11, 3.12 or 3.13, this is " + sys.version.split()[0] + "; name one as in PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .jax_cache .pytest_cache .ruff_cache
