# The one door. Every target makes .venv if it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test thorough check e2e rig-tools fuzz bench long notebooks clean

$(VENV)/.runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

# Audit the fixtures, write the manifest, drill the recovery of every recoverable account.
demo: $(VENV)/.runtime
	@rm -rf demo && mkdir -p demo
	$(BIN)/laeforensics audit fixtures/evidence --output demo/manifest.parquet --key-file demo/key/manifest.key --case demo/case
	$(BIN)/laerecover drill demo/manifest.parquet --key-file demo/key/manifest.key

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m "not e2e and not fuzz and not thorough and not long"

# Hostile and damaged evidence, properties, a kill at every crash point, the packages.
thorough: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m "thorough and not long"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck $$(find src -name '*.sh')
	$(BIN)/mypy
	$(BIN)/lint-imports

# What needs root, namespaces or services. Says out loud what it skips, and why; E2E="--allowed-skips=FILE" makes that a failure.
e2e: $(VENV)/.dev
	@$(BIN)/python -m pytest -m "e2e and not long" -rs $(E2E) || [ $$? -eq 5 ]

# What the rig, the tests with a real sshd and those in a browser need of Debian (laerecover.rehearsal.rig.tools says what is missing). Needs root.
rig-tools:
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
	  debootstrap dpkg-dev iproute2 nftables util-linux openssh-client openssh-server fuse3 curl busybox rust-coreutils \
	  chromium fonts-dejavu-core

fuzz: $(VENV)/.dev
	LAE_FUZZ_SECONDS=$${LAE_FUZZ_SECONDS:-60} LAE_FUZZ_ROUNDS=$${LAE_FUZZ_ROUNDS:-400} $(BIN)/python -m pytest -m "fuzz and not long"

bench: $(VENV)/.dev
	$(BIN)/python tests/bench/bench_forensics.py
	$(BIN)/python tests/bench/bench_recover.py
	$(BIN)/python tests/bench/bench_joining.py

# What CI has no time for, with its figures: run it before a change is called done. Half an hour of damage beyond the rounds of
# `make fuzz`, walks with many more seeds, corpora of thousands, a recovery of hundreds; and whatever bears the marker `long`.
long: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m long -rP --durations=10
	LAE_FUZZ_SECONDS=$${LAE_FUZZ_SECONDS:-1800} LAE_FUZZ_FIRST=$${LAE_FUZZ_FIRST:-400} $(BIN)/python -m pytest -m "fuzz and not long" -rP
	$(BIN)/python tests/bench/bench_forensics.py --scaling --large
	$(BIN)/python tests/bench/bench_recover.py --accounts 500

notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest --nbmake notebooks

clean:
	rm -rf $(VENV) demo build dist src/*.egg-info
