# What people type. `make run` and `make test` need nothing but a Debian machine with Rust; they fetch the rest.
# Everything that is made lies under target/; nothing is written elsewhere but the Debian packages that are named here.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# rustup's directory counts before the login shell has learnt of it.
export PATH := $(PATH):$(HOME)/.cargo/bin

# Debian's own interpreter; tests and benches must not depend on what else is first on PATH.
PYTHON := /usr/bin/python3
CARGO_DEB := target/tools/cargo-deb-3.8.0
CARGO_DENY := target/tools/cargo-deny-0.20.2
CARGO_GENERATE_RPM := target/tools/cargo-generate-rpm-0.21.1
MDBOOK := target/tools/mdbook-0.5.4
BUILD_PACKAGES := ca-certificates gcc libc6-dev
BENCH_PACKAGES := $(BUILD_PACKAGES) apache2-bin apache2-dev libev-dev nginx python3-dev python3-venv wrk
MAN_PACKAGES := python3 scdoc
PACKAGE_PACKAGES := $(BUILD_PACKAGES) $(MAN_PACKAGES) binutils dpkg-dev rpm
RUN_PACKAGES := $(BUILD_PACKAGES) python3 python3-venv
TEST_PACKAGES := $(PACKAGE_PACKAGES) apache2-bin apparmor chromium chromium-driver curl fish git haproxy lighttpd lintian litmus lua5.4 man-db mandoc nginx \
    openssl python3-dev python3-venv rpmlint systemd tmux util-linux zsh
TREE_PACKAGES := debootstrap
BENCH_FLAGS ?=

.PHONY: help
help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand --tabs=19

.PHONY: run
run: need-run target/release/hostler target/venv/example/done ## serve the Django example with a release build
	[[ -d examples/django/.venv ]] || ln -sfn ../../target/venv/example examples/django/.venv
	examples/django/.venv/bin/python examples/django/manage.py migrate --verbosity 0
	@echo "The guestbook of examples/django will be at http://127.0.0.1:8000/; Ctrl-C ends it."
	exec target/release/hostler serve examples/django/site.toml

# Most of the time a test waits for processes, or for a time that is over; so there are two for each processor.
.PHONY: test
test: need-test lint build venvs wheel-of-tests $(CARGO_DEB) $(CARGO_GENERATE_RPM) $(if $(CI),try-tree) ## everything: lint, unit tests, and the real server behind nginx
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(nproc)))} cargo test --workspace --locked

# Its own target directory and version, so that nothing is mistaken for the other one.
OTHER := target/upgrade/$(FROM)
.PHONY: upgrade
upgrade: need-test build target/venv/test/done ## upgrade from the commit FROM to this tree and back, under load
	[[ -n "$(FROM)" ]] || { echo "which version? make upgrade FROM=v0.1.0" >&2; exit 64; }
	rm -rf $(OTHER)/tree
	mkdir -p $(OTHER)/tree
	git archive "$(FROM)" | tar -x -C $(OTHER)/tree
	sed -i '/^\[workspace.package\]/,/^\[/s/^version = ".*"/version = "0.0.1"/' $(OTHER)/tree/Cargo.toml
	CARGO_TARGET_DIR=$(CURDIR)/$(OTHER)/target cargo build --manifest-path $(OTHER)/tree/Cargo.toml --workspace
	HOSTLER_OTHER_VERSION=$(CURDIR)/$(OTHER)/target/debug cargo test --test tests --locked upgrade::versions

.PHONY: lint
lint: need-build $(CARGO_DENY) ## formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	target/tools/bin/cargo-deny --workspace --locked check --hide-inclusion-graph bans licenses sources
	@if timeout 60 target/tools/bin/cargo-deny fetch db &>/dev/null; then \
	    target/tools/bin/cargo-deny --workspace --locked check advisories; \
	else \
	    echo "The database of security advisories cannot be reached: advisories are not checked."; \
	fi

.PHONY: bench
bench: need-bench release ## compare CPU time per request, memory and start with the peers; BENCH_FLAGS=--help shows the choices
	$(PYTHON) benches/bench.py $(BENCH_FLAGS)

.PHONY: build
build: need-build ## program and extension, as the tests want them
	cargo build --workspace --locked

# No path of the machine that builds is in what is shipped, so that it is the same wherever it is built.
CARGO_HOME ?= $(HOME)/.cargo
.PHONY: release
release wheel: export RUSTFLAGS += --remap-path-prefix=$(CURDIR)=/hostler --remap-path-prefix=$(CARGO_HOME)=/cargo
release wheel: export CFLAGS += -ffile-prefix-map=$(CURDIR)=/hostler -ffile-prefix-map=$(CARGO_HOME)=/cargo
release: need-build ## program and extension as they are shipped
	cargo build --workspace --locked --release

.PHONY: deb
deb: need-package release $(CARGO_DEB) ## the package for Debian 12 and newer, under target/package
	packaging/package deb target/release target/package

.PHONY: rpm
rpm: need-package release $(CARGO_GENERATE_RPM) ## the package for distributions with rpm, under target/package
	packaging/package rpm target/release target/package

.PHONY: reproducible
reproducible: deb rpm ## build both packages again elsewhere, and compare every byte
	packaging/reproducible target/package

target/release/hostler: release

MAN_SOURCES := $(wildcard man/*.scd)
.PHONY: man
man: $(MAN_SOURCES:man/%.scd=target/man/%) ## the manual pages, under target/man
target/man/%: man/%.scd tools/manual $(wildcard docs/*.md) | need-man
	@mkdir -p $(@D)
	tools/manual $< >$@

.PHONY: book
book: $(MDBOOK) ## the documentation as a site, under target/book
	target/tools/bin/mdbook build packaging/book
	packaging/book/check target/book

# The oldest glibc that a wheel runs with: RHEL 8, Debian 10 and Ubuntu 20.04 have it or a newer one.
wheel wheel-of-tests: export HOSTLER_WHEEL_GLIBC := 2.28
.PHONY: wheel
wheel: need-build target/venv/wheel/done ## wheel and source distribution for pip, under target/wheel
	packaging/wheel/make target/wheel
	target/venv/wheel/bin/twine check --strict target/wheel/*.whl target/wheel/*.tar.gz
	target/venv/wheel/bin/check-wheel-contents target/wheel/*.whl
	target/venv/wheel/bin/auditwheel show target/wheel/*.whl

.PHONY: wheel-of-tests
wheel-of-tests: need-build target/venv/wheel/done
	CARGO_PROFILE_DEV_DEBUG=0 HOSTLER_WHEEL_PROFILE=dev packaging/wheel/make target/wheel/dev

.PHONY: wheel-everywhere
wheel-everywhere: wheel ## install both and serve, in bare trees of Debian 11 to sid (root; fetches them, and takes a while)
	@tools/need-packages $(TREE_PACKAGES)
	packaging/wheel/everywhere target/wheel

.PHONY: venvs
venvs: target/venv/test/done target/venv/gevent/done target/venv/libraries/done ## the frameworks and uWSGI that the tests want, under target/

# A stamp says that the installation came to its end. The environment for the example takes the project's own list.
target/venv/test/done: tests/requirements.txt | need-test
target/venv/gevent/done: tests/gevent/requirements.txt | need-test
target/venv/example/done: examples/django/requirements.txt | need-run
target/venv/wheel/done: packaging/wheel/requirements.txt | need-run
target/venv/%/done:
	$(PYTHON) -m venv target/venv/$*
	target/venv/$*/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# For the Python of the tree of Debian 13 too, which has no pip of its own.
target/venv/libraries/done: tests/systemd/requirements.txt | target/venv/test/done
	rm -rf target/venv/libraries
	for version in "$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')" 3.13; do \
	    [[ -d target/venv/libraries/$$version ]] || target/venv/test/bin/pip install --quiet --disable-pip-version-check \
	        --only-binary=:all: --python-version "$$version" --target "target/venv/libraries/$$version" --requirement $<; \
	done
	touch $@

.PHONY: tree
tree: target/trees/trixie ## a root of Debian 13, for the tests with its systemd (root, a minute or two, 300 MB)
target/trees/trixie:
	@tools/need-packages $(TREE_PACKAGES)
	tools/debian-tree trixie $@

# Where the archive cannot be reached the tests with it are left out, loudly.
.PHONY: try-tree
try-tree:
	@$(MAKE) --no-print-directory tree || echo "There is no tree of Debian 13." >&2

.PHONY: install
install: ## install what `make release` and `make man` have built, under PREFIX (/usr/local); then tell systemd
	packaging/install target/release
	[[ -n "$${DESTDIR:-}" || ! -d /run/systemd/system ]] || { systemd-sysusers; systemd-tmpfiles --create hostler.conf; systemctl daemon-reload; }

.PHONY: need-bench need-build need-man need-package need-run need-test
need-build:
	@tools/need-packages $(BUILD_PACKAGES)
	@tools/need-rust
need-bench:
	@tools/need-packages $(BENCH_PACKAGES)
need-man:
	@tools/need-packages $(MAN_PACKAGES)
need-package:
	@tools/need-packages $(PACKAGE_PACKAGES)
	@tools/need-rust
need-run:
	@tools/need-packages $(RUN_PACKAGES)
need-test:
	@tools/need-packages $(TEST_PACKAGES)

# Tools for cargo, by name and version. Debug builds: they are made in half of the time, and run for a second. Only the
# checksums of a package would take many then.
FAST_IN_TOOLS := $(foreach crate,keccak sha2 sha3,--config profile.dev.package.$(crate).opt-level=3)
$(CARGO_DEB) $(CARGO_DENY) $(CARGO_GENERATE_RPM) $(MDBOOK): | need-build
	tool=$(@F); CARGO_PROFILE_DEV_DEBUG=0 cargo $(FAST_IN_TOOLS) install "$${tool%-*}" --version "$${tool##*-}" --locked --debug --quiet --root target/tools --force
	touch $@
