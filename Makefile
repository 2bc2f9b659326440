# The two that matter: 'make demo' and 'make test'.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL := examples/assistant/models/SmolLM2-135M-Instruct.Q4_1.gguf
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
TRAIN := .venv-train
MINUTES ?= 200

.PHONY: demo test install lint docs bench allowlists train-guard clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.runtime $(MODEL)  ## take the example assistant through its gates
	@$(BIN)/lockgate run examples/assistant

test: install  ## everything that CI runs
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered -q
	@$(BIN)/python tools/check_coverage.py

install: $(VENV)/.dev $(MODEL)  ## prepare .venv for demo, test and development

lint: $(VENV)/.dev  ## style, types, layers, generated docs
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/basedpyright && $(BIN)/lint-imports && $(BIN)/python tools/make_docs.py --check

docs: $(VENV)/.dev  ## write what is generated under docs/
	@$(BIN)/python tools/make_docs.py

bench: $(VENV)/.dev  ## print the figures that the README quotes
	@for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

allowlists: $(VENV)/.runtime  ## make the pickle allow-lists again from the frameworks' wheels: WHEELS=folder [KEY=private-key.pem]
	@test -n "$(WHEELS)" || { echo "Usage: make allowlists WHEELS=folder [KEY=private-key.pem]; missing wheels are downloaded into it (several GB)."; exit 2; }
	-@$(BIN)/python tools/fetch_wheels.py "$(WHEELS)"
	@$(BIN)/python tools/make_allowlists.py "$(WHEELS)"
	@$(if $(KEY),$(BIN)/lockgate sign src/lockgate/detect/allow --key "$(KEY)",echo "Not signed: name a KEY.")

train-guard:  ## train the guard's weights again: DATA=folder MINUTES=200, HALF=1 for bfloat16, RESUME=1 after a kill; see training/README.md
	@test -n "$(DATA)" || { echo "Usage: make train-guard DATA=folder [MINUTES=200] [HALF=1] [RESUME=1]; training/README.md says what the folder holds."; exit 2; }
	@$(MAKE) --no-print-directory $(TRAIN)/.ready
	@$(TRAIN)/bin/python -m training all --data "$(DATA)" --minutes $(MINUTES) $(if $(HALF),--half) $(if $(RESUME),--resume)

clean:  ## remove the environments and everything that runs left behind
	rm -rf $(VENV) $(TRAIN) .coverage* .hypothesis .pytest_cache .ruff_cache .import_linter_cache dist examples/*/.lockgate examples/*/build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lockgate needs Python 3.11 or newer; try 'make PYTHON=python3.11 $(MAKECMDGOALS)'."; exit 2; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 2; }

$(VENV)/.runtime: requirements/build.txt requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing pinned dependencies (about 130 MB, once) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable packages/guard-model --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/.runtime
	@echo "Installing test and lint tools ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(TRAIN)/.ready: PIP := $(TRAIN)/bin/python -m pip --disable-pip-version-check --quiet
$(TRAIN)/.ready: requirements/build.txt requirements/runtime.txt training/requirements.txt pyproject.toml
	@echo "Installing torch and the rest for training into $(TRAIN) (several GB, once) ..."
	@$(PYTHON) -m venv $(TRAIN)
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --require-hashes -r training/requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(MODEL): | $(VENV)/.runtime
	@$(BIN)/python tools/fetch_model.py
