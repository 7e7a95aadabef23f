# One command each. `make` alone explains them. ARGS is handed on: make test ARGS="tests/llum -k settings"
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup run test check docs bench

PYTHON := .venv/bin/python
READY := .venv/.made-from-lock
SCRIPTS := docs/generate.py examples/asker/asker.py

help: ## Explain these commands.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## Make .venv with everything, from uv.lock. The other commands do it when it is needed.
	@:

$(READY): pyproject.toml uv.lock deploy/bootstrap.sh
	@deploy/bootstrap.sh
	@touch $@

run: setup ## Run llum in the foreground: nats-server, worker, HTTP edge. ARGS="--http-port 0" and so on.
	@exec .venv/bin/llum up $(ARGS)

test: setup ## Run the tests. ARGS="tests/llum -k settings" runs some.
	@exec $(PYTHON) -m pytest -n 2 --dist loadfile $(ARGS)

check: setup ## Check style, types, import contracts and that the generated docs are up to date.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check --quiet .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy $(SCRIPTS)
	.venv/bin/lint-imports --no-logo
	$(PYTHON) docs/generate.py --check

docs: setup ## Write the generated pages of docs/reference anew.
	$(PYTHON) docs/generate.py

bench: setup ## Measure llum against the limits of this machine. ARGS="--json" and so on.
	@exec .venv/bin/llum bench $(ARGS)
