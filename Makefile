# Each target sets up what it needs; nothing has to be installed but Python 3.11 (or later), git and make.
VENV   ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.ready
PYTEST_OPTIONS ?= -n auto

.PHONY: help setup demo test check lint types cover bench build lock clean
.DEFAULT_GOAL := help

help:  ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP)  ## Make .venv with the versions of the lock file

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'configurator needs Python 3.11 or later; name one with make PYTHON=…' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(STAMP)  ## The whole story on the embedded servers
	$(BIN)/python -m configurator demo

test: $(STAMP)  ## All tests
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

check: lint types test  ## All that CI checks

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy --strict

cover: $(STAMP)  ## Tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term $(PYTEST_OPTIONS)

bench: $(STAMP)  ## Requests, times and memory, on the embedded servers
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.webhooks

build: $(STAMP)  ## Wheel and source archive in dist/
	$(BIN)/python -m build --no-isolation --outdir dist .

# Where packages come from is not written into the lock files; their hashes say what they are.
COMPILE = CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/lock/bin/pip-compile --quiet --upgrade --allow-unsafe \
	--generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: $(STAMP)  ## Renew both lock files from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean:  ## Remove everything that the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
