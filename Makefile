# make demo          run an end-to-end walkthrough, then serve the demo site
# make test          run the tests that need nothing but Python; ALL=1 adds those that start servers,
#                    browsers and sites of their own, and tries each property with five times as many
#                    examples; COVERAGE=1 measures which lines they run, and takes longer
# make gates         run the gates that need no tests: style, types, floors, migrations
# make check         run every gate: these, and the tests with coverage
# make screenshots   take the pictures of the admin anew (docs/images, and all of them in var)
# make bench         measure links, batches and downloads beside their controls (docs/benchmarks.md);
#                    ARGS=--gate measures for some minutes, and fails far from a goal
#
# Each sets up what it needs in .venv on its first run. PYTHON names another interpreter.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN = $(BIN)/$(if $(COVERAGE),coverage run,python)

# What make test leaves out without ALL=1.
REAL := tests/real

# Playwright runs its callbacks in greenlets.
GREENLETS := --concurrency=greenlet,thread
BROWSER := $(addprefix tests/real/test_,admin_morning.py admin_pages.py admin_themes.py asking_browser.py browser.py filer.py \
	inline_types.py screenshots.py swagger.py wagtail.py)

.PHONY: demo test gates check screenshots bench format clean

demo: $(VENV)/demo.installed
	@$(BIN)/python manage.py demo $(ARGS)

# Each module of the real tests sets up what all of its tests share.
test: $(VENV)/check.installed
	$(if $(COVERAGE),$(BIN)/coverage erase)
	$(RUN) -m pytest -n auto --ignore=$(REAL) $(if $(ALL),--hypothesis-profile=thorough) $(ARGS)
ifdef ALL
	$(RUN) -m pytest -n auto --dist loadfile $(REAL) $(BROWSER:%=--ignore=%) $(ARGS)
	$(RUN) $(if $(COVERAGE),$(GREENLETS)) -m pytest -n auto --dist loadfile $(BROWSER) $(ARGS)
endif

gates: $(VENV)/check.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell directlinks example_project scripts tests benchmarks README.md CHANGELOG.md docs
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

check: gates
	$(MAKE) test ALL=1 COVERAGE=1
	$(BIN)/coverage combine --quiet
	# What only another database server reaches is missing here: .ci/run asks for every line.
	$(BIN)/coverage report --fail-under=99

screenshots: $(VENV)/check.installed
	$(BIN)/python -m tests.real.screenshots $(ARGS)

bench: $(VENV)/check.installed
	$(BIN)/python -m pip install --quiet --group databases
	$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/check.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .nox var dist .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "directlinks needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python could not make a virtual environment; on Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/%.installed: pyproject.toml | $(BIN)/python
	@echo "Installing what '$*' needs into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --group $* --editable .
	@touch $@
