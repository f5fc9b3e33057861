# Two commands do everything: `make book` builds and serves the book, `make test` runs all tests.
# Works with GNU make 3.81 and later and a POSIX shell.

JOBS ?= 2
PORT ?= 8000
ALL ?= 0
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# What the book needs, and what JupyterLab needs: both are there when everything is.
FOR_BOOK := $(or $(wildcard $(READY)),$(VENV)/.book)
FOR_LAB := $(or $(wildcard $(READY)),$(VENV)/.lab)
SPARK := $(VENV)/.spark
MUTMUT := $(VENV)/.mutmut

# Python keeps what it has compiled: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env book site course assignments pdf speed lab test test-quick test-lab test-engines nightly soak notebooks runs robustness bench bank measure words lint lock audit mutants clean

help:  ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

env: $(READY)  ## Make the whole environment in .venv (the other targets install what they need).

$(READY): requirements.lock pyproject.toml book/press/upkeep/env.sh
	@sh book/press/upkeep/env.sh $(VENV) requirements.lock
	@touch $@

$(VENV)/.book $(VENV)/.lab: $(VENV)/.%: requirements-%.lock pyproject.toml book/press/upkeep/env.sh
	@sh book/press/upkeep/env.sh $(VENV) requirements-$*.lock
	@touch $@

book: $(FOR_BOOK)  ## Build the book and serve it on 127.0.0.1 (PORT=8000, or the next free port).
	@$(PY) -m book.press.site.serve --build --port $(PORT)

site: $(FOR_BOOK)  ## Build the book into book/_build/html.
	@$(PY) -m book.press.site.build

course: $(FOR_BOOK)  ## Make the slides, the students' and the instructor's notebooks (part of site).
	@$(PY) -m book.press.course.handouts

assignments: $(READY)  ## Write the assignments without their solutions.
	@$(PY) -m book.press.course.assignments release

pdf: export BOOK_PDF = 1
pdf: $(READY) site  ## Build the book, and print all of it into one PDF (needs Chromium).
	@$(PY) -m book.press.site.pdf

speed: $(READY) site  ## Print what each page costs a reader: bytes, time to draw, jumps (needs Chromium).
	@$(PY) -m book.press.checks.speed

lab: $(FOR_LAB)  ## Open JupyterLab on the notebooks.
	@$(PY) -m jupyter lab --notebook-dir notebooks --LabApp.news_url= \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

test: $(READY)  ## Run every test: package, notebooks, site, browser.
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env \
	  --nbval-sanitize-with tests/nbval.cfg tests companion notebooks

# What a change of the package's ideas can break, in a minute: without the chapters, the site and the
# lab, and without what runs whole line-ups, commands and processes.
QUICK = $(filter-out $(SLOW),$(wildcard tests/test_*.py))
SLOW = $(addprefix tests/test_,$(addsuffix .py,assignments changes checkpoint chunks cli course dask \
  exercises foretold fuzz gradebook grader_attacks handouts inventory keyed lab lab_runs later ledger \
  lines live live_runs long_haul looks_desktop looks_phone measures other_worlds pages phone_figures \
  planted_truth predict questions quiz_page rare_classes reading record rewrites rivals runs safe script \
  serving site slides terms valid web wheels why_drifted words worlds your_parquet your_stream))

test-quick: $(READY)  ## Run the package's tests alone, a contributor's loop.
	@$(PY) -m pytest -q -n $(JOBS) -m "not slow" --dist worksteal $(QUICK) companion

test-lab: $(READY)  ## Run every chapter in the lab and turn its knobs in its page (25 minutes or so).
	@$(PY) -m pytest -n $(JOBS) --lab tests/test_lab_runs.py tests/test_live_runs.py tests/test_your_stream.py \
	  tests/test_changes.py

test-engines: $(SPARK)  ## Run the tests on Apache Spark (installs PySpark; needs Java 17).
	@$(PY) -m pytest -o addopts="-p no:cacheprovider" tests/engines

$(SPARK): $(READY) requirements-spark.lock
	@echo "Installing PySpark into $(VENV) (first time: a few minutes, about 500 MB) ..."
	@$(PY) -m pip install --disable-pip-version-check -q -r requirements-spark.lock
	@touch $@

nightly: export REWRITES = 2500
nightly: export FUZZ = 2000
nightly: $(READY)  ## Write 2,500 drawn tables in other ways, and give each reader 2,000 odd files (minutes).
	@$(PY) -m pytest tests/test_rewrites.py tests/test_fuzz.py

soak: export OMP_NUM_THREADS = 1
soak: $(READY)  ## Kill the service every second for 5 minutes on each store; no label may be lost.
	@$(PY) -m tests.soak

notebooks: $(READY)  ## Execute notebooks whose code has changed; write the answers that check knows (ALL=1: all).
	@$(PY) -m book.press.upkeep.execute --all $(ALL) && $(PY) -m book.press.upkeep.answers

runs: export OMP_NUM_THREADS = 1
runs: export OPENBLAS_NUM_THREADS = 1
runs: $(READY)  ## Run every strategy on every stream and write the record (about 10 minutes).
	@$(PY) -m book.press.upkeep.runs && $(PY) -m book.press.upkeep.stories

robustness: $(READY)  ## Compute each changed chapter's verdicts again in fourteen other worlds (some minutes each).
	@$(PY) -m book.press.upkeep.robustness --jobs $(JOBS)

bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: $(READY)  ## Measure the package against bare loops and print a table.
	@for script in tests/benchmarks/bench_*.py; do $(PY) $$script || exit 1; done

bank: $(FOR_BOOK)  ## Write the question bank for Moodle and others into build/bank.
	@$(PY) -m book.press.course.bank

measure: $(READY) site  ## Record seconds, also in the lab, and peak memory of each notebook.
	@$(PY) -m book.press.checks.measure

words: $(FOR_BOOK)  ## Count the book's words: each page, the chapters, all.
	@$(PY) -m book.press.checks.words

lint: $(READY)  ## Check style and notebooks.
	@$(PY) -m ruff check . && $(PY) -m ruff format --check companion tests book \
	  && $(PY) -m book.press.checks.notebooks notebooks/*.ipynb

# Files at the same versions: everything, of that what the book needs and what JupyterLab needs, what
# Spark needs (a third of the size of all the rest, and only `make test-engines` needs it), and what
# a JupyterHub adds.
COMPILE = $(VENV)/bin/uv pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

lock: $(READY)  ## Resolve the dependencies and write the lock files (UPGRADE=1: to the newest).
	@$(COMPILE) --extra env --extra cli --extra book --extra course --extra lab --extra lite --extra safe \
	  --extra serve --extra dask --extra test pyproject.toml -o requirements.lock
	@$(COMPILE) --constraint requirements.lock --no-annotate --extra env --extra book --extra course --extra lite \
	  pyproject.toml -o requirements-book.lock
	@$(COMPILE) --constraint requirements.lock --no-annotate --extra env --extra cli --extra lab --extra safe --extra serve \
	  pyproject.toml -o requirements-lab.lock
	@$(COMPILE) --constraint requirements.lock --extra spark pyproject.toml \
	  -o requirements-spark.lock
	@$(COMPILE) --constraint requirements.lock book/hub/hub.in -o book/hub/hub.lock

audit: $(READY)  ## Look up known faults of the locked packages; list them in build/sbom.json.
	@sh book/press/checks/audit.sh $(VENV)

mutants: export OMP_NUM_THREADS = 1
mutants: $(MUTMUT)  ## Plant faults in the package's ideas and count those that tests find (an hour).
	@$(PY) -m mutmut run --max-children $(JOBS)
	@$(PY) tests/mutants.py

$(MUTMUT): $(READY)
	@$(PY) -m pip install --disable-pip-version-check -q mutmut==3.8.1
	@touch $@

clean:  ## Remove the environment and everything that was built.
	rm -rf $(VENV) book/_build build mutants *.egg-info .pytest_cache .ruff_cache .hypothesis
	find companion tests book -name __pycache__ -type d -prune -exec rm -rf {} +
