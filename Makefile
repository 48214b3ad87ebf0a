# `make demo` and `make test` need Python 3.11 or newer, make and pip; each makes the virtual
# environment it needs. Set PYTHON and VENV to use another interpreter or place.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= out/cyber
# Two workers on two cores leave none to the threads of BLAS, which wait for work in loops.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test slow lint types check site clean

demo: $(VENV)/installed
	$(BIN)/evalfolio recommend examples/cyber/catalogue.toml examples/cyber/cyber_cells.csv \
		examples/cyber/metr_counts.csv --sensitivity --out $(DEMO)

test: $(VENV)/installed-test
	$(PYTEST)

slow: $(VENV)/installed-test
	$(PYTEST) --no-loadscope-reorder -m slow --durations=40

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

check: lint types test

site: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/python -m mkdocs build --strict --quiet

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "evalfolio needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@ $(VENV)/installed

$(VENV)/installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev,inspect]"
	touch $@ $(VENV)/installed $(VENV)/installed-test

$(VENV)/installed-docs: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
