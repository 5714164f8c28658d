# The commands of polyscape; `make` alone lists them.  Each sets up what it needs first (quick when nothing changed).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

CONFIG ?= config/config.yaml
CORES ?= all
PROFILE ?= workflow/profiles/local
PYTEST ?= .venv/bin/pytest
WORKERS ?= 3 # one may wait for SLURM
SNAKEMAKE := .venv/bin/snakemake
PYTHON_FILES := workflow/polyscape scripts tests envs
SNAKEFILES := Snakefile workflow/rules

# The ranks of a job share its cores: no threads besides.
export OMP_NUM_THREADS := 1
ifeq ($(shell id -u),0)
# Open MPI refuses to run as root, which is who one is in a container.
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif

.PHONY: help setup campaign test test-quick test-slurm check format docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'
	@echo "  CONFIG=config/my-molecule.yaml, CORES=2, PROFILE=workflow/profiles/slurm change what \`make campaign\` runs."

setup: ## system packages when allowed, .venv, GPAW
	@scripts/setup.sh

campaign: ## set-up, then the campaign of CONFIG (the default: oxalic acid)
	@scripts/setup.sh
	.venv/bin/python scripts/check_config.py '$(CONFIG)' >/dev/null
	$(SNAKEMAKE) --cores $(CORES) --configfile '$(CONFIG)' --workflow-profile '$(PROFILE)'

test: ## set-up, then every test: real GPAW, a real SLURM, a real browser
	@scripts/setup.sh --with-tests
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-quick: ## the tests that need neither GPAW nor SLURM nor a browser, and take seconds
	@scripts/setup.sh
	$(PYTEST) -m "not slow and not dft and not slurm and not browser"

test-slurm: ## set-up, then the tests on a real one-machine SLURM
	@scripts/setup.sh --with-tests
	$(PYTEST) -m slurm

check: ## formats, lint, types, Snakefiles, generated documents
	@scripts/setup.sh
	.venv/bin/ruff format --check $(PYTHON_FILES)
	.venv/bin/ruff check $(PYTHON_FILES)
	.venv/bin/mypy
	.venv/bin/snakefmt --check --diff $(SNAKEFILES)
	.venv/bin/python scripts/lint.py
	.venv/bin/python scripts/docs.py --check

format: ## write the formats that `make check` wants
	@scripts/setup.sh
	.venv/bin/ruff format $(PYTHON_FILES)
	.venv/bin/ruff check --fix-only $(PYTHON_FILES)
	.venv/bin/snakefmt $(SNAKEFILES)

docs: ## config/README.md and docs/tables.md from the types
	@scripts/setup.sh
	.venv/bin/python scripts/docs.py

lock: ## envs/*.lock from envs/*.in: the newest versions that fit, with hashes
	@scripts/setup.sh
	compile=(.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --no-header --no-emit-index-url
	         --python-version 3.11)
	"$${compile[@]}" envs/requirements.in --output-file envs/requirements.lock
	"$${compile[@]}" --no-deps envs/gpaw.in --output-file envs/gpaw.lock

clean: ## caches; never results, never .venv
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find workflow scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
