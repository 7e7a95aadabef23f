# One command each. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Without compiled files every process compiles all that it imports: `llum up` would take twice as long to start.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run test test-long chaos soak check docs bench bench-compare setup

PYTHON := .venv/bin/python
READY := .venv/.made-from-lock
# Tests wait half of their time, so two cores can do more than two at once.
TESTERS := 4
SCRIPTS := deploy/container/answers.py docs/generate.py docs/pages examples/asker/asker.py
# Where there is code. Not the clone's own folder: tutorials leave files there.
FOLDERS := actors bench bus deploy docs edge_http examples identity llum model schemas sensors tests

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s  %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS is passed on: make run ARGS="--http-port 0", make test ARGS="tests/llum -x"'

run: setup ## Start llum in the foreground. Ctrl-C stops it.
	@exec .venv/bin/llum up $(ARGS)

test: setup ## Run the tests. Under 15 minutes on two idle cores.
	@exec $(PYTHON) -m pytest -n $(TESTERS) --dist loadfile -m "not long and not storm" $(ARGS)

test-long: setup ## Run long tests, and laws with more chance. 20 minutes.
	@LLUM_TEST_EFFORT=10 exec $(PYTHON) -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder -m "long or storm or hypothesis" $(ARGS)

chaos: setup ## Have all kinds of faults. ARGS="60 SEED REPLICAS KILLS"
	@exec $(PYTHON) -m tests.chaos $(ARGS)

soak: setup ## Work for an hour, and say what grows. ARGS="SECONDS"
	@exec $(PYTHON) -m bench.soak $(ARGS)

check: setup ## Check style, types, imports and the generated pages.
	$(PYTHON) -m ruff check $(FOLDERS)
	$(PYTHON) -m ruff format --check --quiet $(FOLDERS)
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy $(SCRIPTS)
	.venv/bin/lint-imports --no-logo
	$(PYTHON) docs/generate.py --check

docs: setup ## Write the generated pages of docs/reference.
	$(PYTHON) docs/generate.py

bench: setup ## Measure llum against the limits of this machine.
	@exec $(PYTHON) -m bench $(ARGS)

bench-compare: setup ## Compare CPU time with another commit: BASE=<commit>.
	@exec $(PYTHON) -m bench.compare $(BASE) --rounds $(or $(ROUNDS),7)

setup: $(READY) ## Make .venv from uv.lock. The others do it if needed.
	@:

$(READY): pyproject.toml uv.lock deploy/bootstrap.sh
	@deploy/bootstrap.sh
	@touch $@
