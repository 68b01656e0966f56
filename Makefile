# SCIM for Insomnia. `make help` lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
DATA ?= data
LISTEN ?= 127.0.0.1:8080
TARGET := wasm32-wasip2
PYTHON ?= python3
VENV := target/venv
NPM := target/npm

.PHONY: help setup toolchain venv browser axe run test pictures check bench

help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: toolchain venv browser axe ## Get what run and test need: the component's Rust target, crates, Python packages, Chromium, axe-core.
	@echo "setup: fetching the crates of Cargo.lock"
	@cargo fetch --locked || { echo "setup: cargo can't reach its registry; check the network or ~/.cargo/config.toml"; exit 1; }

# What cargo can't say well itself. rustup reads rust-toolchain.toml and installs the channel, but a target only on a
# fresh install of it.
toolchain:
	@command -v cargo >/dev/null || { echo "setup: cargo is missing; install Rust from https://rustup.rs"; exit 1; }
	@command -v cc >/dev/null || { echo "setup: a C compiler is missing (SQLite is built from source); on Debian: apt-get install gcc libc6-dev"; exit 1; }
	@test -e "$$(rustc --print target-libdir --target $(TARGET))" || { \
		echo "setup: installing the Rust target $(TARGET)"; \
		rustup target add $(TARGET) || { echo "setup: run 'rustup target add $(TARGET)' where there is a network"; exit 1; }; }

# The Python tools that tests run, pinned in tests/requirements.txt; made again only when that file changes.
venv:
	@want=$$(cksum <tests/requirements.txt); \
	if [ "$$want" != "$$(cat $(VENV)/requirements.cksum 2>/dev/null)" ]; then \
		echo "setup: installing the Python packages of tests/requirements.txt into $(VENV)"; \
		$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
			echo "setup: the tests need Python 3.11 or later with venv; on Debian: apt-get install python3-venv (or set PYTHON)"; exit 1; }; \
		$(PYTHON) -m venv --clear $(VENV) && \
		$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt || { \
			echo "setup: pip can't install tests/requirements.txt; check the network or pip's configuration"; exit 1; }; \
		echo "$$want" >$(VENV)/requirements.cksum; \
	fi

# The browser that the tests of the page drive, and npm for axe-core. Installing them takes root or sudo, and happens only
# where something is missing. CHROMEDRIVER names another chromedriver than the one in PATH.
browser:
	@missing=; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		missing="chromium fonts-liberation"; \
	command -v "$${CHROMEDRIVER:-chromedriver}" >/dev/null || missing="$$missing chromium-driver"; \
	test -e $(NPM)/package.cksum || command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then \
		command -v apt-get >/dev/null || { \
			echo "setup: the tests of the page need Chromium, chromedriver and npm; install what this system calls:$$missing"; exit 1; }; \
		if [ "$$(id -u)" = 0 ]; then as=; \
		elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as=sudo; \
		else echo "setup: the tests of the page need packages that only root can install: run 'apt-get install $$missing' as root"; exit 1; fi; \
		echo "setup: installing with apt-get: $$missing"; \
		$$as apt-get -qq update && \
		$$as env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $$missing >/dev/null || { \
			echo "setup: apt-get can't install $$missing; check the network and /etc/apt, then run 'make setup' again"; exit 1; }; \
	fi

# What the tests run inside the browser, pinned in tests/package-lock.json; fetched again only when that file changes.
axe: browser
	@want=$$(cat tests/package.json tests/package-lock.json | cksum); \
	if [ "$$want" != "$$(cat $(NPM)/package.cksum 2>/dev/null)" ]; then \
		echo "setup: installing axe-core of tests/package-lock.json into $(NPM)"; \
		mkdir -p $(NPM) && cp tests/package.json tests/package-lock.json $(NPM) && \
		npm ci --prefix $(NPM) --ignore-scripts --no-audit --no-fund --loglevel=error || { \
			echo "setup: npm can't install tests/package-lock.json; check the network or npm's registry ('npm config get registry')"; exit 1; }; \
		echo "$$want" >$(NPM)/package.cksum; \
	fi

run: toolchain ## Serve a demo organization on LISTEN (127.0.0.1:8080) with its data in DATA (./data).
	@echo "run: building; the first time takes some minutes"
	cargo run --release --locked --package insomnia-scim -- demo --data $(DATA) --listen $(LISTEN)

test: toolchain venv browser axe ## Build, and run all tests.
	@echo "test: building the tests, and the server that they start"
	@# In one graph: built by itself, the server would get other features of its crates, and wasmtime be built twice.
	cargo build --locked --workspace --bins --tests
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo "test: running with cargo-nextest"; \
		cargo nextest run --locked --workspace --no-fail-fast && cargo test --locked --workspace --doc; \
	else \
		echo "test: running with cargo test (cargo-nextest would be faster)"; \
		cargo test --locked --workspace --no-fail-fast; \
	fi

pictures: toolchain browser axe ## Take the pictures of the README into tests/pictures.
	cargo build --locked --workspace --bins --test page
	INSOMNIA_SCIM_PICTURES=tests/pictures cargo test --locked --workspace --test page pictures

check: toolchain ## Check format, lints and documentation; warnings are errors.
	cargo fmt --all --check || { echo "check: run 'cargo fmt --all'"; exit 1; }
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else echo "check: cargo-deny is not installed, so licences are not checked"; fi

bench: toolchain ## Measure CPU time per request, requests/s, latencies and memory.
	cargo build --release --locked --package insomnia-scim
	cargo bench --locked --package insomnia-scim-tests
