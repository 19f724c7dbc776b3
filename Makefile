# Two commands do all the set-up on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCADA := .scada
SCENARIO ?= scenarios/european-lv-day.yaml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run setup test test-all lint types imports bench demo-scada clean

run: setup
	$(BIN)/twin serve $(SCENARIO)

setup: $(VENV)/.run-ready

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	$(BIN)/python -m compileall -q twin dashboards
	touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready
	$(PIP) install -c constraints.txt -e '.[dev,simbench,bench,postgresql]'
	touch $@

test: $(VENV)/.test-ready lint types imports
	$(BIN)/pytest -n 2 --dist loadfile --ignore tests/sweeps
	$(BIN)/pytest tests/sweeps

test-all: test $(SCADA)/.ready
	TELL_FIGURES=1 $(BIN)/pytest -m exhaustive

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test-ready
	$(BIN)/mypy

imports: $(VENV)/.test-ready
	$(BIN)/lint-imports

bench: $(VENV)/.test-ready
	$(BIN)/python -m benchmarks

# A SCADA system of others' making watches a feeder and is graded; about four minutes.
demo-scada: setup $(SCADA)/.ready
	$(BIN)/python -m examples.scada_demo --fuxa $(SCADA)

$(SCADA)/.ready:
	npm install --prefix $(SCADA) --no-audit --no-fund --loglevel=error @frangoteam/fuxa@1.3.4 modbus-serial@8.0.25
	touch $@

clean:
	rm -rf $(VENV) $(SCADA) build *.egg-info
