# graphenv: `make help` lists what there is. Works on a fresh machine and again in an old checkout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
OUT ?= runs/demo
PYTEST_ARGS ?= -q -n auto --maxprocesses 4 --dist worksteal
BIN := $(VENV)/bin
STAMP := $(VENV)/.graphenv-installed
BENCHES := $(patsubst benchmarks/%/__main__.py,%,$(wildcard benchmarks/*/__main__.py))

.PHONY: help install demo test lint types pytest soak soak-queries bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(STAMP) ## create .venv and install graphenv with every extra

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "graphenv needs Python 3.11 or newer; say which with: make PYTHON=python3.11"; exit 1; }
	@echo "== $(VENV): creating the virtual environment"
	@$(PYTHON) -m venv $(VENV)

# Runs again only when what is to be installed has changed.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "== $(VENV): installing graphenv and its dependencies (minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all]"
	@touch $@

demo: $(STAMP) ## train under several rewards, compare, write an HTML report
	@echo "== demo: training and comparing rewards into $(OUT)"
	@$(BIN)/graphenv demo --out $(OUT)
	@report=$$(find "$(abspath $(OUT))" -name '*.html' | head -n 1); \
	  [ -n "$$report" ] || { echo "demo: no HTML report under $(OUT)"; exit 1; }; \
	  echo "== report: $$report"

test: lint types pytest ## style, types, then the tests

lint: $(STAMP) ## ruff: rules and formatting
	@echo "== ruff check"
	@$(BIN)/ruff check --quiet .
	@echo "== ruff format --check"
	@$(BIN)/ruff format --quiet --check . || { echo "run: $(BIN)/ruff format ."; exit 1; }

types: $(STAMP) ## mypy, strict, over packages and tests
	@echo "== mypy (a minute when its cache is cold)"
	@$(BIN)/mypy

pytest: $(STAMP) ## the tests alone; PYTEST_ARGS="-x -k name" to choose
	@echo "== pytest"
	@$(BIN)/pytest $(PYTEST_ARGS)

soak: $(STAMP) ## the long property and stress tests
	@echo "== pytest -m soak"
	@$(BIN)/pytest -q -m soak

soak-queries: $(STAMP) ## of these, the query engines: 50,000 mutated queries each
	@echo "== pytest -m soak tests/test_query_*.py"
	@$(BIN)/pytest -q -m soak tests/test_query_*.py

bench: $(STAMP) ## measure speed and memory into runs/bench
	@[ -n "$(BENCHES)" ] || { echo "bench: no benchmarks/*/__main__.py to run"; exit 1; }
	@for suite in $(BENCHES); do \
	  echo "== bench: $$suite"; \
	  $(BIN)/python -m graphenv.benchmarks.$$suite --out runs/bench/$$suite || exit 1; \
	done

clean: ## remove build output, caches and runs/ (keeps .venv)
	@echo "== removing build output, caches and runs/"
	@rm -rf build dist *.egg-info runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find graphenv envs rewards agents benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +
