# Every target installs what it needs into .venv (pinned, hashes checked); nothing is installed by hand.
SHELL := /bin/sh
VENV ?= .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
# Our own process must start fast, so byte-code is wanted even where the environment forbids it.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
PIP := $(PY) -m pip --disable-pip-version-check -qq

.PHONY: help demo test check bench bench-deps e2e e2e-smoke e2e-deps lock docs clean
help: ## show the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none found on PATH. Install it, or: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "'$(PYTHON) -m venv' failed: install your system's python3-venv package."; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements.txt pyproject.toml
	@echo "installing the pinned requirements into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PY) -m compileall -q server tools
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing the pinned development requirements into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run ## a real experiment from design to rollback, through our own MCP server
	@$(VENV)/bin/experiment-tracker demo

test: $(VENV)/.dev ## the test suite, a process a core (needs neither node nor root)
	@$(PY) -m pytest -n auto --dist worksteal

check: $(VENV)/.dev ## ruff, mypy, pyright, import contracts, generated docs
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/pyright
	@$(VENV)/bin/lint-imports

BENCHMARKS := flags startup hooks statistics calibration calibration_anytime decisions ledger ledger_faults git_faults runner dashboard search

bench: $(VENV)/.dev ## every benchmark (hours: long fault and calibration campaigns), ratios measured side by side
	@for b in $(BENCHMARKS); do echo "== $$b"; $(PY) -m benchmarks.$$b || exit 1; done

bench-deps: ## install what benchmarks compare with and inject faults by (Debian, as root)
	@for tool in hyperfine strace gcc; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
		test -z "$$missing" || { apt-get update -qq && apt-get install -y -qq $$missing libc6-dev; }

docs: $(VENV)/.run ## write docs/tools.md and docs/plan.md anew from the schemas (a test compares)
	@$(PY) -m experiment_tracker_server.reference

lock: $(VENV)/.dev ## re-pin requirements*.txt (hashes, no registry address)
	@$(PIP) install uv
	@$(VENV)/bin/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -q -o requirements.txt
	@$(VENV)/bin/uv pip compile pyproject.toml --group dev -c requirements.txt --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -q -o requirements-dev.txt

E2E := .cache/e2e
INSPECTOR := @modelcontextprotocol/inspector@0.15.0

$(E2E)/.inspector:
	@command -v npm >/dev/null || { echo "npm is missing: run 'make e2e-deps' (or install Node.js 20 or newer)"; exit 1; }
	@mkdir -p $(E2E)
	@npm install --prefix $(E2E) --no-package-lock --no-save --no-fund --no-audit --silent $(INSPECTOR)
	@touch $@

# The oldest Claude Code that is held to work, and a later one; tests/e2e/client/client.py names them too.
CLIENTS := 2.1.197 2.1.332

$(E2E)/.claude-%:
	@command -v npm >/dev/null || { echo "npm is missing: run 'make e2e-deps' (or install Node.js 20 or newer)"; exit 1; }
	@mkdir -p $(E2E)/claude-$*
	@npm install --prefix $(E2E)/claude-$* --no-package-lock --no-save --no-fund --no-audit --silent @anthropic-ai/claude-code@$*
	@touch $@

UNLEASH := unleash-server@7.5.1
FLAGD := openfeature-sdk==0.10.0 openfeature-provider-flagd==0.6.1

$(E2E)/.unleash:
	@command -v npm >/dev/null || { echo "npm is missing: run 'make e2e-deps' (or install Node.js 20 or newer)"; exit 1; }
	@mkdir -p $(E2E)/unleash
	@npm install --prefix $(E2E)/unleash --no-package-lock --no-save --no-fund --no-audit --silent $(UNLEASH)
	@touch $@

# An environment of its own: flagd's provider and other SDKs bring different packages of one module name.
$(E2E)/.flagd: $(VENV)/.python
	@$(PY) -m venv $(E2E)/flagd
	@$(E2E)/flagd/bin/python -m pip --disable-pip-version-check -qq install $(FLAGD)
	@touch $@

# Chromium comes from Debian (e2e-deps); Playwright's core only speaks to it.
BROWSER := playwright-core@1.65.1 axe-core@4.14.1

$(E2E)/.browser:
	@command -v npm >/dev/null || { echo "npm is missing: run 'make e2e-deps' (or install Node.js 20 or newer)"; exit 1; }
	@command -v chromium >/dev/null || { echo "chromium is missing: run 'make e2e-deps'"; exit 1; }
	@mkdir -p $(E2E)/browser
	@npm install --prefix $(E2E)/browser --no-package-lock --no-save --no-fund --no-audit --silent $(BROWSER)
	@touch $@

e2e-deps: ## install the system packages that e2e needs and this machine lacks (Debian, as root)
	@for tool in node:nodejs npm:npm tmux:tmux chromium:chromium; do \
		command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool##*:}"; done; \
		ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
		test -z "$$missing" || { apt-get update -qq && apt-get install -y -qq $$missing; }

E2E_READY := $(VENV)/.dev $(E2E)/.inspector $(CLIENTS:%=$(E2E)/.claude-%) $(E2E)/.unleash $(E2E)/.flagd \
	$(E2E)/.browser

e2e: $(E2E_READY) ## real clients against the real server and plugin (needs node and tmux)
	@$(PY) -m pytest tests/e2e

e2e-smoke: $(E2E_READY) ## the part of e2e that fits in minutes
	@$(PY) -m pytest -m "not campaign" tests/e2e

clean: ## remove what make made
	@rm -rf $(VENV) .cache dist
