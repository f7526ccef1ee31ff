# `make demo` and `make test` do all their own set-up. PYTHON chooses the interpreter (3.11 or newer); PIP_ARGS is passed to pip, for instance
# PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" for torch without CUDA on Linux.
PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(PIP_ARGS)

.PHONY: demo test setup lint types imports check clean

demo: $(VENV)/.core
	$(BIN)/diasum demo

# Threads that wait busily would make tests take several times as long where the machine has more to do.
test: export OMP_WAIT_POLICY ?= passive
test: setup
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

# What `make demo` needs is the package itself; everything else also needs the tools that test it.
setup: $(VENV)/.dev

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("diasum needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(INSTALL) --editable '.[dev]'
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

check: lint types imports test

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
