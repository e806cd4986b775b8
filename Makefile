# Everything runs from .venv, which is made on first use and again when pyproject.toml changes.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo screenshots test test-long lint bench clean
install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mgdebug needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 3; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

demo: install
	@sh demos/run.sh $(CURDIR)/$(BIN)/mgdebug

# Draws docs/screens from the recorded session; `$(BIN)/python tests/screens.py --record` records anew.
screenshots: install
	$(BIN)/python tests/screens.py

# Compiled first: tests start hundreds of processes, which may not be allowed to keep bytecode.
test: install
	$(BIN)/python -m compileall -q mgdebug
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not long"

test-long: install
	$(BIN)/python -m compileall -q mgdebug
	$(BIN)/python -m pytest -n auto --dist loadfile -m long

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Long. The real bugs are looked for in $MGDEBUG_DATA, then ../shared/data.
bench: install
	$(BIN)/mgdebug bench startup
	$(BIN)/mgdebug bench hook
	$(BIN)/mgdebug bench tries
	$(BIN)/mgdebug bench rates
	$(BIN)/mgdebug bench evaluating
	$(BIN)/mgdebug bench hostile
	$(BIN)/mgdebug bench flat
	$(BIN)/mgdebug bench kills
	$(BIN)/mgdebug bench quixbugs
	$(BIN)/mgdebug bench hierarchy
	$(BIN)/mgdebug bench edges
	$(BIN)/mgdebug bench outline
	$(BIN)/mgdebug bench broken
	$(BIN)/mgdebug bench tracing
	$(BIN)/mgdebug bench truth
	$(BIN)/mgdebug bench asking
	$(BIN)/mgdebug bench paper
	$(BIN)/mgdebug bench scale

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
