# `make run` and `make test` set everything up by themselves; nothing is redone when nothing changed.
#
#   make run         measure the suite, results/$(SUITE): `make run SUITE=vision`, `make run TRACK=mlflow`
#   make compare     hold that against the published reference: 1 if something is worse (`make compare BASELINE=DIR`)
#   make history     put a night by in nights/, and show all of them
#   make nightly     the three in turn; `make --keep-going nightly` does the others even if one fails. What is in the
#                    folder of the results already is not measured again: move it away before a new night
#   make reference   publish a run of the suite `all` as the reference
#   make test lint smoke   what a push has to pass
#   make simulations       what intervals and verdicts promise, in many draws: minutes
#   make benchmark   what a run costs beside its peers

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PEERS := .venv/.peers

SUITE ?= all
RESULTS := results/$(SUITE)
BASELINE ?= results/reference
NIGHT = nights/$(shell date -u +%F)

.NOTPARALLEL:
.PHONY: run compare history nightly reference test simulations lint install smoke benchmark clean

run: install
	$(BIN)/python -m bench run --suite $(SUITE) $(TRACK:%=--track %)

compare: install
	$(BIN)/python -m bench compare $(BASELINE) $(RESULTS) --format markdown --out $(RESULTS)/comparison.md

history: install
	$(BIN)/python -m bench publish $(RESULTS) $(NIGHT)
	$(BIN)/python -m bench history nights --format markdown --out nights/history.md --chart nights/history.svg

nightly: run compare history

reference: install
	$(BIN)/python -m bench publish results/all results/reference

test: install
	$(BIN)/python -m pytest

simulations: install
	$(BIN)/python -m pytest -m slow

smoke: install
	$(BIN)/python -m bench run --suite smoke

benchmark: $(PEERS)
	$(BIN)/python -m benchmarks --write $(ROWS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bench needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(PEERS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[benchmarks]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
