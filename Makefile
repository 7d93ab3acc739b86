# The one door. Every target makes .venv if it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test thorough check e2e rig-tools fuzz bench long notebooks commands pictures lock wheelhouse clean

# Installed is what `requirements` pins, by digest, and this checkout beside it: the same today and in a year.
PINNED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement
$(VENV)/.runtime: pyproject.toml requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; call make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PINNED) requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(PINNED) requirements/dev.txt
	@touch $@

# Audit the fixtures, write the manifest, drill the recovery of every recoverable account.
demo: $(VENV)/.runtime
	@rm -rf demo && mkdir -p demo
	$(BIN)/laeforensics audit fixtures/evidence --output demo/manifest.parquet --key-file demo/key/manifest.key \
	  --case demo/case
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

# What needs root, namespaces or services. Says out loud what it skips, and why; E2E="--allowed-skips=FILE" makes that
# a failure.
e2e: $(VENV)/.dev
	@$(BIN)/python -m pytest -m "e2e and not long" -rs $(E2E) || [ $$? -eq 5 ]

# What the rig, the tests with a real sshd and those in a browser need of Debian (laerecover.rehearsal.rig.tools says
# what is missing). Needs root.
rig-tools:
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install \
	  debootstrap dpkg-dev iproute2 nftables util-linux openssh-client openssh-server fuse3 curl busybox rust-coreutils \
	  chromium fonts-dejavu-core

fuzz: $(VENV)/.dev
	LAE_FUZZ_SECONDS=$${LAE_FUZZ_SECONDS:-60} LAE_FUZZ_ROUNDS=$${LAE_FUZZ_ROUNDS:-400} $(BIN)/python -m pytest \
	  -m "fuzz and not long"

bench: $(VENV)/.dev
	$(BIN)/python tests/bench/bench_forensics.py
	$(BIN)/python tests/bench/bench_recover.py
	$(BIN)/python tests/bench/bench_joining.py
	$(BIN)/python tests/bench/bench_page.py

# What CI has no time for, with its figures: run it before a change is called done. Half an hour of damage beyond the
# rounds of `make fuzz`, walks with many more seeds, corpora of thousands, a recovery of hundreds; and whatever bears
# the marker `long`.
long: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -m long -rP --durations=10
	LAE_FUZZ_SECONDS=$${LAE_FUZZ_SECONDS:-1800} LAE_FUZZ_FIRST=$${LAE_FUZZ_FIRST:-400} $(BIN)/python -m pytest \
	  -m "fuzz and not long" -rP
	$(BIN)/python tests/bench/bench_forensics.py --scaling --large
	$(BIN)/python tests/bench/bench_recover.py --accounts 500
	$(BIN)/python tests/bench/bench_recover.py --pace 0.1
	$(BIN)/python tests/bench/bench_page.py --accounts 3000

# What in docs is made: the reference of all commands; the README's pictures, which need chromium (`make rig-tools`).
commands: $(VENV)/.dev
	$(BIN)/python docs/make.py commands

pictures: $(VENV)/.dev
	$(BIN)/python docs/make.py pictures

notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest --nbmake notebooks

# Renews what is installed: the newest versions that fit together, each known by its digests. For ourselves
# (`requirements`), for the hosts' joining and Tahoe-LAFS on Python 3.9 and newer. The tests of the rig must pass before
# it is kept: hosts get what it writes.
LOCK := $(VENV)/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate
HOSTS := src/laerecover/hosts/programs
lock:
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv==0.13.*'
	$(LOCK) --python-version 3.11 --extra dev pyproject.toml --output-file requirements/dev.txt
	echo 'setuptools>=77' | $(LOCK) --python-version 3.11 --constraint requirements/dev.txt pyproject.toml - \
	  --output-file requirements/run.txt
	echo setuptools | $(LOCK) --python-version 3.9 - --output-file $(HOSTS)/builders.txt
	echo 'tahoe-lafs==1.20.*' | $(LOCK) --python-version 3.9 --constraint $(HOSTS)/builders.txt - \
	  --output-file $(HOSTS)/tahoe.txt
	echo boto3 | $(LOCK) --python-version 3.9 - --output-file $(HOSTS)/joining.txt

# All that a runner without internet is installed from, for machines like this one, Python and all; the hosts that it
# installs need theirs.
WHEELHOUSE ?= wheelhouse
wheelhouse: $(VENV)/.runtime
	rm -rf $(WHEELHOUSE)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements/run.txt --dest $(WHEELHOUSE)
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --wheel-dir $(WHEELHOUSE) .
	cp requirements/run.txt $(WHEELHOUSE)/run.txt
	@echo "there: python3 -m venv lae"
	@echo "       lae/bin/pip install --no-index --find-links $(WHEELHOUSE) --require-hashes" \
	  "--requirement $(WHEELHOUSE)/run.txt"
	@echo "       lae/bin/pip install --no-index --no-deps $(WHEELHOUSE)/lae_recovery-*.whl"

clean:
	rm -rf $(VENV) demo build dist wheelhouse src/*.egg-info
