# Every target sets up what it needs in .venv, with uv where it is installed, else venv and pip.
#
#   make demo    a real PDF becomes documents, without a key
#   make test    the tests (slow ones left out)
#   make slow    the slow ones
#   make coverage  the tests again, with branches counted
#   make check   lint, types, layers
#   make bench   the tables of benchmarks/
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
make_venv = $(UV) venv -q --seed --python $(PYTHON) $(VENV)
install = VIRTUAL_ENV=$(VENV) $(UV) pip install -q
else
# --group (PEP 735) needs pip 25.1.
make_venv = $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q --upgrade "pip>=25.1"
install = $(BIN)/python -m pip install -q
endif

# coverage doubles the time of the tests, so it is a target of its own
.PHONY: demo test coverage slow check format bench clean

demo: $(VENV)/.demo
	$(BIN)/python examples/first_pdf.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" $(PYTEST_ARGS)

coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-report=term $(PYTEST_ARGS)

slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/imports.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/makespan.py
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/grounding.py
	$(BIN)/python benchmarks/peer_doc2x.py

clean:
	rm -rf $(VENV) demo-output

$(BIN)/python:
	$(make_venv)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(install) -e ".[langchain,local]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(install) -e ".[all]" --group dev
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/.dev
	$(install) --group bench
	@touch $@
