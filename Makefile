# Matmul on Metal. `make` alone lists what there is to make.
# Written for GNU Make 3.81 and up, the one that macOS ships.

PYTHON ?= python3
PORT ?= 8000
# student or instructor: whether the book and the labs hold the solutions.
EDITION ?= student
export EDITION

VENV := .venv
BIN := $(VENV)/bin
BOOK := _build/html/index.html
# The stamp's name holds a checksum of all that set-up depends on: it runs again when that changes, and only then.
STAMP := $(VENV)/set-up-$(shell cat requirements.lock pyproject.toml tools/set_up.py | cksum | cut -d ' ' -f 1)

# Pages and executed cells are cached by their own text alone: drop them when the code that they run has changed.
DROP_STALE_BOOK = code=$$(find anymetal figures kernels grader book/_ext requirements.lock _config.yml -type f ! -name '*.pyc' | \
	LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat | cksum); code="$$code $(EDITION)"; \
	test "$$code" = "$$(cat _build/code 2>/dev/null)" || rm -rf _build/html _build/.doctrees _build/.jupyter_cache _build/jupyter_execute; \
	mkdir -p _build; echo "$$code" > _build/code

# Notebook kernels start debuggers that complain about frozen modules. We do not debug there.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

# Jupyter asks for this where there is no other user, as in most containers.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help set-up book labs lab serve test test-book pdf lint check format bench support lock clean

help:
	@echo "make book      run the labs' solutions and the chapters, build the book, say where to open it"
	@echo "make lab       open JupyterLab on the labs"
	@echo "make serve     serve the built book at http://localhost:$(PORT)"
	@echo "make test      check style and types, run all tests and all notebooks"
	@echo "make test-book open every page of the built book in Chromium, where it is installed"
	@echo "make bench     measure against NumPy, MLX's CPU operations, PoCL and Numba"
	@echo
	@echo "make pdf       print the built book into one PDF, through Chromium"
	@echo "make labs      make the lab notebooks from solutions/*.md"
	@echo "               EDITION=instructor: book and labs with the solutions (labs in _build/instructor)"
	@echo "make format    put the sources into the one style"
	@echo "make support   run the tests behind the table in anymetal/README.md, and write it"
	@echo "make lock      choose the newest versions that fit and write requirements.lock"
	@echo "make clean     remove what was built; make clean-all removes $(VENV) too"
	@echo
	@echo "Each sets up what it needs in $(VENV) the first time. Another Python: make PYTHON=python3.12 ..."

set-up: $(STAMP)

$(STAMP):
	@$(PYTHON) tools/set_up.py --venv $(VENV) --lock requirements.lock --stamp $(STAMP)

book: labs
	@echo "==> Building the book"
	@$(DROP_STALE_BOOK)
	@$(BIN)/jupyter-book build -W -n --keep-going .
	@echo
	@echo "The book is at file://$(CURDIR)/$(BOOK)"
	@echo "or, with its search complete: make serve"

labs: $(STAMP)
	@echo "==> Running the labs' reference solutions"
	@$(BIN)/python -m grader.build_labs --edition $(EDITION)

lab: $(STAMP)
	@$(BIN)/jupyter lab $(AS_ROOT) labs

serve: $(STAMP)
	@test -f $(BOOK) || $(MAKE) book
	@echo "==> http://localhost:$(PORT) (Ctrl-C stops)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

# Not as prerequisites: under make -j the style errors would come in the midst of the tests.
test: $(STAMP)
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory check

lint: $(STAMP)
	@echo "==> Style"
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo "==> Types"
	@$(BIN)/mypy

# Every notebook in solutions/ must print again what it holds.
# A process that dies ends the run: restarted, it would wait for tests that are with no one.
check: $(STAMP)
	@echo "==> Tests and notebooks"
	@$(BIN)/python -m pytest -n logical --max-worker-restart=0 --nbval --nbval-cell-timeout=300 \
		--durations=15 --ignore=tests/site tests solutions

# The student's edition on paper, unless EDITION says otherwise.
pdf: book
	@$(BIN)/python tools/print_book.py

# What `make book` built, opened in Chromium where there is one.
test-book: $(STAMP)
	@test -f $(BOOK) || $(MAKE) book
	@echo "==> The book in a browser"
	@$(BIN)/python -m pytest -q -n logical --max-worker-restart=0 tests/site

format: $(STAMP)
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

# The table of what anymetal supports, in its README, from the tests that it names.
support: $(STAMP)
	@$(BIN)/python -m tests.library.support_table

# uv resolves for every Python and platform at once; pip then installs what it found.
lock: $(STAMP)
	@$(BIN)/python -m venv _build/lock
	@_build/lock/bin/pip install --quiet uv
	@_build/lock/bin/uv pip compile --universal --upgrade --all-extras --group lock --quiet \
		--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--python-version 3.10 pyproject.toml --output-file requirements.lock

clean:
	rm -rf _build build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: clean-all
clean-all: clean
	rm -rf $(VENV)
