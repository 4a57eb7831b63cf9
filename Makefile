# What one types. `make` alone lists it.

CARGO ?= cargo
PYTHON = .venv/bin/python3
RELEASE = target/release/linkway
# Network namespaces and packet programs take root.
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo -E)
# For cargo, which builds as who calls it.
TESTS_AS_ROOT = $(if $(AS_ROOT),--config 'target."cfg(all())".runner = "sudo -E"')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build demo test lint unit e2e fidelity fuzz differential test-kernels test-faults bench bench-api bench-gateway clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is needed, on Debian: packages, and clients in .venv (quick when all is there)
	@scripts/setup.sh

build: setup ## Build the linkway binary: target/release/linkway
	$(CARGO) build --release --package linkway

demo: build ## See it work: a database behind an endpoint, a web application that reaches nothing else
	$(AS_ROOT) $(PYTHON) demo/demo.py --linkway $(RELEASE)

test: lint unit e2e ## Lints, unit tests, then real clients against a real daemon

lint: setup ## Formatting, clippy, documentation, and whether generated code is what would be generated
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet --document-private-items
	$(CARGO) xtask wire --check
	$(CARGO) xtask actions --check

unit: setup ## Rust's tests (as root: those of the packet path load it into the kernel)
	$(CARGO) test --workspace $(TESTS_AS_ROOT)

e2e: setup ## AWS CLI, boto3, dig, PostgreSQL and others against a real daemon
	$(CARGO) build --package linkway
	$(AS_ROOT) $(PYTHON) -m pytest tests

fidelity: setup ## moto's tests of the same API against a real daemon: docs/fidelity.md says what is expected
	$(CARGO) build --package linkway
	$(AS_ROOT) $(PYTHON) tests/fidelity/run.py --write

differential: setup ## A million random packets in sequences, the packet programs against the model (minutes)
	LINKWAY_DIFFERENTIAL_STEPS=1000000 $(CARGO) test --package linkway-fabric --test differential $(TESTS_AS_ROOT) -- --nocapture

test-kernels: setup ## Linux 6.1, Debian 12's own, in an emulated machine: packet tests, an endpoint, IPv6, a way out
	$(AS_ROOT) tests/kernels/run.sh

test-faults: setup ## What tests/test_faults.py has happen a few times, a hundred times: it takes some ten minutes
	$(CARGO) build --package linkway
	$(CARGO) build --package linkway-fabric --example fill_flows
	$(AS_ROOT) env FAULTS=25 $(PYTHON) -m pytest tests/test_faults.py

fuzz: setup ## Made-up input for all that reads what strangers send, a minute a part (takes Rust's nightly), and frames
	@scripts/fuzz.sh
	LINKWAY_NOISE=1000000 $(CARGO) test --package linkway-fabric --test packets \
		$(TESTS_AS_ROOT) -- --nocapture noise

bench: build ## Measure: an endpoint beside a plain link, kernel NAT and HAProxy; with many rules and flows; the control plane
	$(CARGO) build --release --package linkway-fabric --example fill_flows
	$(AS_ROOT) $(PYTHON) bench/bench.py --linkway $(RELEASE)
	$(AS_ROOT) $(PYTHON) bench/scale.py --linkway $(RELEASE)

bench-api: build ## Measure: describing and creating endpoints, beside moto_server, with up to 100,000 of them
	$(CARGO) build --release --package linkway-wire --example load
	$(AS_ROOT) $(PYTHON) bench/api.py --linkway $(RELEASE)

bench-gateway: setup ## Measure: the gateway beside nginx as a TLS proxy; policies beside other crates; signatures
	$(CARGO) build --release --package linkway-gateway --example loopback
	$(CARGO) build --release --manifest-path bench/policy-peers/Cargo.toml --target-dir target/policy-peers
	$(CARGO) bench --no-run --package linkway-policy --bench evaluate --package linkway-wire --bench verify
	$(AS_ROOT) $(PYTHON) bench/gateway.py
	$(PYTHON) bench/rates.py

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf .venv
