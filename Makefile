# `make demo` and `make test` are all that is needed; they make their own environment.
# Kept to what GNU make 3.81 of macOS understands.

VENV := .venv
BIN := $(VENV)/bin
CODE := src tests scripts $(wildcard benchmarks docs example_project)
TEMPLATES := $(wildcard src/livecounters/templates example_project)
WORKFLOWS := $(wildcard .github/workflows)
# The one Node tool needs a client to check.
CLIENT := $(wildcard client/package.json)

# node may have come into the environment from PyPI.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export npm_config_update_notifier := false

.PHONY: help demo test lint format types client servers messages schema docs screenshots bench soak tox build clean

help:
	@echo 'make demo    serve the demo site at http://127.0.0.1:8000'
	@echo 'make test    check everything: style, types, JavaScript, tests on every database'
	@echo 'make format  let the formatters rewrite the sources'
	@echo 'also: lint types client messages schema docs screenshots bench soak tox build clean'

# One stamp per dependency group: installed again only after pyproject.toml has changed.
$(VENV)/.ready-%: pyproject.toml scripts/setup-venv
	sh scripts/setup-venv $(VENV) $*
	@touch $@

$(VENV)/.ready-client: $(CLIENT) $(wildcard client/package-lock.json) scripts/setup-node $(VENV)/.ready-test
	sh scripts/setup-node $(VENV)
	@touch $@

demo: $(VENV)/.ready-demo
	$(BIN)/python example_project/manage.py demo

test: lint types client servers
	PYTHON=$(BIN)/python sh scripts/test

lint: $(VENV)/.ready-lint
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports
	$(if $(WORKFLOWS),$(BIN)/zizmor --quiet --offline $(WORKFLOWS))
	$(if $(TEMPLATES),$(BIN)/djlint --quiet --check --lint $(TEMPLATES))

format: $(VENV)/.ready-lint
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	$(if $(TEMPLATES),$(BIN)/djlint --quiet --reformat $(TEMPLATES))

types: $(VENV)/.ready-test $(VENV)/.ready-lint
	$(BIN)/mypy

client: $(if $(CLIENT),$(VENV)/.ready-client)
	$(if $(CLIENT),cd client && npm run check)

# The database servers, a driver, Redis and the browser, where they can be installed.
servers: $(VENV)/.ready-test
	sh scripts/setup-system $(BIN)/python
	sh scripts/setup-mysqlclient $(BIN)/python

# The catalogues of translations, brought up to date and compiled; what is new in them is empty. By
# GNU gettext.
messages: $(VENV)/.ready-test
	PYTHON=$(CURDIR)/$(BIN)/python sh scripts/messages

# The API as the code says it; a test fails while the file says otherwise.
schema: $(VENV)/.ready-test
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django spectacular --pythonpath . \
		--skip-checks --fail-on-warn --validate --file docs/reference/openapi.yaml

docs: $(VENV)/.ready-docs
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

screenshots: $(VENV)/.ready-test $(VENV)/.ready-screenshots servers
	$(BIN)/python scripts/screenshots.py

bench: $(VENV)/.ready-bench servers
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.plot

soak: $(VENV)/.ready-test servers
	PYTHON=$(BIN)/python sh scripts/test --soak -m soak

tox: $(VENV)/.ready-tox servers
	$(BIN)/tox run

build: $(VENV)/.ready-build
	rm -rf dist
	$(BIN)/python -m build
	sh scripts/check-release $(BIN)/python

clean:
	rm -rf $(VENV) .tox build dist docs/_build client/node_modules htmlcov
	rm -rf .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
