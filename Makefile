# Everything that one does with this repository. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help run cluster test test-cluster test-long lint bench bench-check bench-realtime

# Arguments for cargo test (`make test ARGS="--test it faults"`) or for the server (`make run ARGS="--help"`).
ARGS ?=

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: ## Start the server alone, for this machine only; ARGS="--addr :8099" opens it to the network (needs Rust; with Node.js it has pages)
	@if command -v npm >/dev/null; then scripts/web-build || echo 'the server will have no pages'; \
	else echo 'Node.js is not installed: the server will have no pages (see docs/pages.md)'; fi
	cargo build --release --bin liveloom
	cargo run --release --quiet --bin liveloom -- serve $(ARGS)

cluster: ## Start three nodes, replicated stores, nginx and Prometheus on this machine, to cut and kill (see CONTRIBUTING.md)
	@if command -v npm >/dev/null; then scripts/web-build || echo 'the nodes will have no pages'; \
	else echo 'Node.js is not installed: the nodes will have no pages (see docs/pages.md)'; fi
	cargo build --release -p liveloom -p testbed
	@exec $${CARGO_TARGET_DIR:-target}/release/cluster $(ARGS)

test: ## Run every test, over servers of its own (installs and starts what they need)
	@tests/run $(ARGS)

test-cluster: ## Let everything of a cluster fail once under load, and restart its nodes (a quarter of an hour)
	@LIVELOOM_CLUSTER=full tests/run --test it -- cluster:: --nocapture $(ARGS)

# How much `make test-long` does of each part; the environment may say otherwise.
test-long: export LIVELOOM_JAVA ?= 1
test-long: export LIVELOOM_DRILL_KILLS ?= 200
test-long: export LIVELOOM_RESUMES ?= 10000
test-long: export LIVELOOM_JOINS ?= 5000
test-long: export LIVELOOM_EVICTIONS ?= 20000
test-long: export LIVELOOM_FUZZ_SEED ?= random
test-long: export LIVELOOM_FUZZ_SECONDS ?= 90
test-long: export LIVELOOM_ATTACK_SECONDS ?= 60
test-long: export LIVELOOM_GIFTS ?= 3000000

test-long: ## Kill two nodes under load 200 times, reconnect 10,000 times, send random requests, run every crash, race and ledger test, attack a server for a minute (20 minutes)
	@tests/run --test it -- api::api_on drill:: crash races gift:: realtime:: connections:: presence:: --include-ignored --nocapture $(ARGS)
	@# By themselves: they measure how long others wait.
	@tests/run --test it -- attack:: --include-ignored --nocapture --test-threads=1 $(ARGS)

lint: ## Check format, lints, the floors of src/, shell scripts, web/ and dependencies (installs what it needs)
	cargo fmt --all --check
	scripts/floors
	scripts/shell-check
	@command -v npm >/dev/null || scripts/packages nodejs npm
	scripts/web-build
	cargo clippy --workspace --all-targets --features liveloom/crash-points -- -D warnings
	scripts/dependencies

bench: ## Measure the server over MariaDB and Redis (about three minutes)
	cargo build --release -p liveloom -p bench
	$${CARGO_TARGET_DIR:-target}/release/bench run $(ARGS)

bench-check: ## Count statements and round trips per request; fail when one is over its limit
	cargo build --release -p liveloom -p bench
	$${CARGO_TARGET_DIR:-target}/release/bench check $(ARGS)

bench-realtime: ## Measure realtime messages with 20,000 connections (about four minutes)
	cargo build --release -p liveloom -p bench
	$${CARGO_TARGET_DIR:-target}/release/bench realtime $(ARGS)
