# Signalbox: one command each. Needs Python 3.11 or later and make, nothing else. `make` alone lists the targets.
# Values: PORT=8001 HOST=0.0.0.0 DEMO=0 OPEN=0 for `up`;  T="tests/unit -k word", PROCESSES=1 for `test`;  B=ingest for
# `bench`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY     := .venv/bin/python
INSTALL := -m pip --disable-pip-version-check --quiet --quiet install --require-hashes --no-deps
PIP    := $(PY) $(INSTALL)
T      ?= tests
PROCESSES ?= 3
B      ?=

# HOST is the machine's name in some shells' environments, so it counts on make's command line only.
ifeq ($(origin HOST),command line)
export SIGNALBOX_HOST := $(HOST)
endif
ifneq ($(PORT),)
export SIGNALBOX_PORT := $(PORT)
endif
ifneq ($(DEMO),)
export DEMO
endif

.DEFAULT_GOAL := help
.PHONY: help up dev test lint types floors bench peers chaos screenshots lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

up: .venv/runtime.stamp ## start everything on this machine; Ctrl-C stops it, again goes on where it was
	@exec $(PY) manage.py up $(if $(filter 0 no false,$(OPEN)),--no-open)

dev: .venv/dev.stamp ## install what development needs beside what runs

test: dev ## all tests but the benchmarks, in three processes; T= chooses, in one
	@exec $(PY) -m pytest $(if $(filter-out tests,$(T)),,$(PARALLEL)) $(T)

# Most of a run is waiting. tests/parallel.py says which tests stay together and which come first.
PARALLEL = --numprocesses $(PROCESSES) --dist loadscope --no-loadscope-reorder

lint: dev ## style and formatting
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: dev ## static types
	$(PY) -m mypy

floors: dev ## who may import whom
	.venv/bin/lint-imports

bench: dev ## one JSON line per figure, with the reference measured in the same run
	@exec $(PY) -m tests.benchmarks $(B)

peers: .venv-peers/stamp ## install what `bench` measures beside ours and cannot live in one environment with it

chaos: dev ## 108 rounds of kills and other faults under load: what was lost, overtaken, repeated; ROUNDS="--seed 1" chooses
	@exec $(PY) -m tests.chaos.rounds $(ROUNDS)

screenshots: dev ## a picture of every page, light and dark, in three widths; OUT= says where, PAGES="rules journey" which
	@exec $(PY) -m tests.screenshots $(if $(OUT),--out $(OUT)) $(PAGES)

lock: dev ## write the lock files from pyproject.toml; UPGRADE=1 takes the newest of what fits
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --output-file requirements-dev.lock --extra dev --constraint requirements.lock pyproject.toml
	$(LOCK) --output-file requirements-peers.lock tests/benchmarks/reference/peers.txt

LOCK = .venv/bin/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --python-version 3.11 --universal --generate-hashes \
       --no-header --no-annotate

clean: ## remove the environment and caches; var/ with your data stays
	rm -rf .venv .venv-peers .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps hold the environment to the lock files: nothing is installed while they are unchanged.
# The development lock holds every package of the runtime lock at the same version, so it serves for both.
.venv/runtime.stamp: requirements.lock | $(PY)
	@echo "Installing the packages of requirements.lock into .venv …"
	@$(PIP) --requirement requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock | $(PY)
	@echo "Installing the packages of requirements-dev.lock into .venv …"
	@$(PIP) --requirement requirements-dev.lock
	@touch $@ .venv/runtime.stamp

.venv-peers/stamp: requirements-peers.lock | $(PY)
	@echo "Installing the packages of requirements-peers.lock into .venv-peers …"
	@test -x .venv-peers/bin/python || $(PY) -m venv .venv-peers
	@.venv-peers/bin/python $(INSTALL) --requirement requirements-peers.lock
	@touch $@

$(PY):
	@test -n "$(PYTHON)" || { echo "Signalbox needs Python 3.11 or later, and there is no python3 here. Install it, then try again."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Signalbox needs Python 3.11 or later; $(PYTHON) is older. Install one, or name it: make up PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' || { echo "This Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv .venv
