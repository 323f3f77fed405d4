# All that is done to this project, by name; `make help` lists it. Needs Python 3.11 or later, a C compiler and Rust.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
OUT := build

# The native module is built against the project's interpreter; maturin and its helpers are found in the environment.
export PATH := $(BIN):$(PATH):$(HOME)/.cargo/bin
export VIRTUAL_ENV := $(abspath $(VENV))
export PYO3_PYTHON := $(BIN)/python

UV := $(BIN)/uv
PIP_COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate
CRATES := Cargo.toml Cargo.lock pyproject.toml \
	$(shell find core_rs strategies -type f -not -name '*.py' -not -name '*.pyc' 2>/dev/null)

ifeq ($(shell uname -s),Linux)
# zig links against the C library of this tag, whatever the machine has.
PORTABLE := --zig --compatibility manylinux_2_28
endif

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' \
		| awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: venv
venv: $(VENV)/.locked ## the virtual environment, exactly as locked

$(VENV)/.locked: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "environment: $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements-dev.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.lock
	@touch $@

.PHONY: build
build: $(VENV)/.built ## the native module, installed for development

$(VENV)/.built: $(VENV)/.locked $(CRATES)
	@command -v cargo > /dev/null || { echo "cargo is not on the path: install Rust first" >&2; exit 2; }
	@echo "build: sweep._core"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --reinstall --editable .
	@touch $@

.PHONY: demo
demo: build ## the main job: a study of 2,000 trials on a synthetic market, in build/demo
	@rm -rf $(OUT)/demo
	@mkdir -p $(OUT)/demo
	SWEEP_HOME=$(OUT)/demo $(BIN)/sweep run configs/quickstart.yaml
	@echo "in a shell: source $(VENV)/bin/activate; export SWEEP_HOME=$(OUT)/demo"

.PHONY: test
test: build ## every test: the crates, then the package
	@mkdir -p $(OUT)
	cargo test --locked 2>&1 | tee $(OUT)/cargo-test.log
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=25 --junitxml=$(OUT)/pytest.xml
	@$(BIN)/python scripts/skipped_tests.py $(OUT)/cargo-test.log $(OUT)/pytest.xml | tee $(OUT)/skipped-tests.txt

.PHONY: test-gp
test-gp: build ## the sampler gp, in an environment with its extra (PyTorch: some gigabytes)
	@test -x $(OUT)/gp/bin/python || $(UV) venv --quiet --python $(BIN)/python $(OUT)/gp
	@$(UV) pip sync --quiet --python $(OUT)/gp/bin/python --require-hashes requirements-gp.lock
	$(OUT)/gp/bin/python -m pytest tests/search/test_gp.py

.PHONY: agree
agree: build ## both engines on 10,000 random cases, and every strategy with 200 sets on the first 2,500 bars of every market: an hour
	SWEEP_CASES=10000 SWEEP_SETS=200 $(BIN)/python -m pytest -q tests/engine/test_campaign.py tests/engine/test_native_strategies.py

.PHONY: coverage coverage-engine coverage-reference
coverage: coverage-engine coverage-reference ## line coverage, at least 95 %: of the engine crate by the crates' tests, of the reference engine

coverage-engine: venv
	@command -v cargo-tarpaulin > /dev/null || cargo install --locked cargo-tarpaulin@0.37.5 --root $(OUT)/tools
	PATH=$(PATH):$(abspath $(OUT))/tools/bin cargo tarpaulin --locked -p sweep-engine -p sweep-indicators -p sweep-strategies \
		--engine llvm --skip-clean --target-dir $(OUT)/coverage --timeout 300 --out Stdout \
		--include-files 'core_rs/engine/*' --fail-under 95

coverage-reference: build
	COVERAGE_FILE=$(OUT)/coverage.reference $(BIN)/python -m pytest -q -p no:cacheprovider --numprocesses=2 --dist=loadfile \
		--cov=sweep/reference --cov-report=term --cov-fail-under=95 tests/reference tests/portfolio tests/engine/test_gates.py \
		tests/engine/test_native_vectors.py tests/engine/test_costs.py tests/engine/test_rates.py tests/indicators/test_agreement.py \
		tests/replay/test_golden_scenarios.py

.PHONY: fuzz
fuzz: build ## a million inputs with changed bytes at the native boundary
	$(BIN)/python -m tests.fuzz.harness --inputs 1200000 --first 1000000 --processes 2

.PHONY: kill-campaign
kill-campaign: build ## drivers and workers killed at random moments; every study must resume to the same ledger: three minutes
	$(BIN)/python -m tests.campaigns.kill --seed $(or $(SEED),1)

.PHONY: soak
soak: build ## 20,000 trials on two workers, whose memory must not grow with them: a minute
	$(BIN)/python -m tests.campaigns.soak

.PHONY: golden
golden: build ## record the golden results of tests anew: only when results are meant to change
	$(BIN)/python scripts/golden_cases.py
	$(BIN)/python -m tests.replay.golden_scripts

.PHONY: lint lint-format lint-rust lint-python lint-types lint-layers
lint: lint-format lint-rust lint-python lint-types lint-layers ## formatting, lints, types, the native stub, import layers

lint-format: venv
	cargo fmt --all --check
	$(BIN)/ruff format --check

lint-rust: venv
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

lint-python: venv
	$(BIN)/ruff check

lint-types: build
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest sweep._core

lint-layers: build
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: venv ## rewrite the sources as `make lint` wants them
	cargo fmt --all
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

.PHONY: release
release: build ## the native module with every optimisation, in the place of the one for development
	@rm -f $(VENV)/.built
	cargo build --release --locked --package sweep-module
	cp target/release/lib_core.so sweep/_core.abi3.so

.PHONY: bench
bench: release ## benchmarks on a release build: ns per bar, trials per second, memory per worker
	$(BIN)/python -m benchmarks

.PHONY: bench-gate
bench-gate: release ## fails if the engine or the driver costs more than recorded, against a fixed loop; RECORD=1 records
	$(BIN)/python -m benchmarks.gate $(if $(RECORD),--record)

PEERS := $(OUT)/peers
PEERS_PYTHON ?= python3.12

$(PEERS)/.locked: benchmarks/peers/requirements.lock | $(VENV)/.locked
	@echo "environment: $(PEERS)"
	@test -x $(PEERS)/bin/python || $(UV) venv --quiet --no-python-downloads --python $(PEERS_PYTHON) $(PEERS) \
		|| { echo "Python 3.12 is needed for the peers; name one: make PEERS_PYTHON=... bench-peers" >&2; exit 2; }
	@$(UV) pip sync --quiet --python $(PEERS)/bin/python --require-hashes benchmarks/peers/requirements.lock
	@touch $@

.PHONY: bench-peers
bench-peers: release $(PEERS)/.locked ## equal work on other engines, in an environment of theirs (Python 3.12); ROUNDS=5
	$(BIN)/python -m benchmarks.peers --python $(PEERS)/bin/python --rounds $(or $(ROUNDS),5) --record $(OUT)/peers.json

.PHONY: tpe-quality
tpe-quality: build ## how well tpe searches against Optuna's estimator: hours; SEEDS=10 for a part, SIDES="bid ask" for a real market
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.tpe_quality --seeds $(or $(SEEDS),30) --record $(OUT)/tpe_quality.json \
		$(if $(SIDES),--sides $(SIDES))

$(VENV)/.linker: $(VENV)/.locked requirements-wheel.lock
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-wheel.lock
	@touch $@

.PHONY: wheel
wheel: $(VENV)/.linker ## the source distribution and, built from it, the wheel, in dist/
	@rm -rf dist
	$(BIN)/maturin build --sdist --release $(PORTABLE) --out dist

.PHONY: wheel-test
wheel-test: ## the wheel of dist/ in an empty environment, away from the sources
	@rm -rf $(OUT)/wheel-test
	@mkdir -p $(OUT)/wheel-test/elsewhere
	@$(UV) venv --quiet --python $(BIN)/python $(OUT)/wheel-test/venv
	@$(UV) pip install --quiet --python $(OUT)/wheel-test/venv --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(OUT)/wheel-test/venv --no-deps dist/*.whl
	@$(UV) pip check --quiet --python $(OUT)/wheel-test/venv
	@awk '/^maturin==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements-dev.lock > $(OUT)/wheel-test/maturin.lock
	@$(UV) pip install --quiet --python $(OUT)/wheel-test/venv --no-deps --require-hashes -r $(OUT)/wheel-test/maturin.lock
	cd $(OUT)/wheel-test/elsewhere && ../venv/bin/python -P $(CURDIR)/tests/packaging/check_wheel.py $(CURDIR)/dist

.PHONY: pictures
pictures: build ## docs/images: what the demo prints, and one trade of every strategy
	@rm -rf $(OUT)/demo
	@mkdir -p $(OUT)/demo
	$(BIN)/python scripts/picture.py $(OUT)/demo docs/images/quickstart.svg run configs/quickstart.yaml
	$(BIN)/python scripts/strategy_pictures.py

.PHONY: docs
docs: build ## the pages that are made from declarations
	$(BIN)/python scripts/indicator_pages.py
	$(BIN)/python scripts/metric_pages.py
	$(BIN)/python scripts/strategy_pages.py

.PHONY: locks
locks: $(VENV)/.locked ## resolve the requirements anew (UPGRADE=1 takes the newest)
	UV_CUSTOM_COMPILE_COMMAND="make locks" $(PIP_COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" $(PIP_COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev \
		--constraint requirements.lock -o requirements-dev.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" $(PIP_COMPILE) $(if $(UPGRADE),--upgrade) --group wheel -o requirements-wheel.lock
	UV_CUSTOM_COMPILE_COMMAND="make locks" $(PIP_COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra gp --group dev \
		--constraint requirements-dev.lock -o requirements-gp.lock

.PHONY: locks-peers
locks-peers: $(VENV)/.locked ## resolve the requirements of the peers anew (UPGRADE=1 takes the newest)
	UV_CUSTOM_COMPILE_COMMAND="make locks-peers" $(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-annotate $(if $(UPGRADE),--upgrade) benchmarks/peers/requirements.in \
		-o benchmarks/peers/requirements.lock

.PHONY: clean
clean: ## remove all that was built, the environment too
	rm -rf $(VENV) target dist $(OUT) sweep/_core*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
