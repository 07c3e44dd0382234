# `make` lists the targets. A virtual environment is made when it is first needed, and renewed when requirements change.

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# .venv is the environment of python3; another Python, as in `make test PYTHON=python3.12`, has its own beside it.
VENV := $(if $(filter python3,$(PYTHON)),.venv,.venv/for-$(VERSION))
BIN := $(VENV)/bin
# Nothing is installed whose hash is not in requirements*.txt.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --require-hashes
PINS := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make requirements"

# Stamps named by what was installed: while requirements are the same, nothing is asked of the network.
INSTALLED := $(VENV)/installed-$(VERSION)-$(shell cksum < requirements.txt | tr ' ' '-')
INSTALLED_DEV := $(VENV)/installed-dev-$(VERSION)-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' '-')

.DEFAULT_GOAL := help
.PHONY: bench help install run test check check-all fuzz fuzz-all fuzz-api soak
.SILENT:

help: ## List the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the virtual environment and install what running needs

run: $(INSTALLED) ## Make what is missing and serve on http://127.0.0.1:8000 (PORT, KB_DATA_DIR and others change it)
	exec $(BIN)/python -m kb run

test: $(INSTALLED_DEV) ## Run every test that this machine allows (ARGS="-k word" for some; PYTHON=python3.12 for another)
	$(BIN)/python -m pytest -p tests.requiring -n 2 --dist worksteal --durations=25 $(ARGS)

check: $(INSTALLED_DEV) ## Lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check-all: $(INSTALLED_DEV) ## Look at every page in every state, width, colours and three languages, and validate its HTML; some 20 minutes
	rm -rf build/html
	KB_CHECK_ALL=1 KB_KEEP_HTML=build/html $(BIN)/python -m pytest -p tests.requiring -n 2 tests/browser/matrix $(ARGS)
	$(BIN)/python scripts/validate_html.py build/html

bench: $(INSTALLED_DEV) ## Time searches and search pages of 10,000 practices beside other software; some 15 minutes, on a quiet machine
	$(BIN)/python -m bench speed --docs 10000 $(ARGS)
	$(BIN)/python -m bench site --docs 10000 $(ARGS)

soak: $(INSTALLED_DEV) ## Kill servers 500 times under eight writers, fill disks, hold locks; some 40 minutes (KB_SOAK_KILLS=50 for fewer)
	KB_SOAK=1 $(BIN)/python -m pytest -p tests.requiring -m soak -s $(ARGS)

fuzz-api: $(INSTALLED_DEV) ## Ask of the API all that its OpenAPI document allows and forbids; some 10 minutes (KB_TEST_RUNS=200 for more)
	KB_TEST_RUNS=$${KB_TEST_RUNS:-60} $(BIN)/python -m pytest -p tests.requiring tests/web/test_api_fuzz.py $(ARGS)

fuzz-all: $(INSTALLED_DEV) ## Ask every parser, form, header, token, upload and backup random questions, new each time; some 30 minutes (KB_TEST_RUNS=2000 for more)
	KB_TEST_RUNS=$${KB_TEST_RUNS:-500} $(BIN)/python -m pytest -p tests.requiring -n 2 tests/fuzz $(ARGS)

fuzz: $(INSTALLED_DEV) ## Ask 20,000 questions of every kind of the records in KB_TEST_DATA; some 30 minutes (ARGS="--count 500")
	test -n "$$KB_TEST_DATA" || { echo "Set KB_TEST_DATA to the folder of the test data: the questions are asked of real texts." >&2; exit 1; }
	$(BIN)/python -m bench fuzz $(ARGS)

requirements: $(INSTALLED_DEV) ## Renew versions and hashes from requirements*.in (ARGS="--upgrade" for newer versions), then the licences
	$(PINS) $(ARGS) requirements.in -o requirements.txt
	$(PINS) $(ARGS) requirements-scale.in -o requirements-scale.txt
	$(PINS) $(ARGS) requirements-dev.in -o requirements-dev.txt
	$(MAKE) --no-print-directory licences

licences: $(INSTALLED_DEV) ## Write docs/licences.md from what is installed
	$(BIN)/python -m scripts.licences

$(INSTALLED):
	command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and there is no $(PYTHON)." >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $(VERSION)." >&2; exit 1; }
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install it (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	$(BIN)/python -c 'import pip, sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(VERSION)")' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	echo "Installing what running needs ..."
	$(PIP) -r requirements.txt
	rm -f $(VENV)/installed-*
	touch $@

$(INSTALLED_DEV): $(INSTALLED)
	echo "Installing what tests and checks need ..."
	$(PIP) -r requirements-dev.txt
	rm -f $(VENV)/installed-dev-*
	touch $@
