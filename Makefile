# Two commands do everything: `make book` builds and serves the book, `make test` runs all tests.
# Works with GNU make 3.81 and later and a POSIX shell.

JOBS ?= 2
PORT ?= 8000
ALL ?= 0
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
SPARK := $(VENV)/.spark

.DEFAULT_GOAL := help
.PHONY: help env book site course assignments pdf speed lab test test-lab test-engines notebooks runs bench bank measure lint lock audit clean

help:  ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

env: $(READY)  ## Make the environment in .venv (the other targets do it by themselves).

$(READY): requirements.lock pyproject.toml book/tools/env.sh
	@sh book/tools/env.sh $(VENV)
	@touch $@

book: site  ## Build the book and serve it on 127.0.0.1 (PORT=8000, or the next free port).
	@$(PY) book/tools/serve.py --port $(PORT)

site: $(READY)  ## Build the book into book/_build/html.
	@$(PY) book/tools/site.py

course: $(READY)  ## Make the slides, the students' and the instructor's notebooks (part of site).
	@$(PY) book/tools/handouts.py

assignments: $(READY)  ## Write the assignments without their solutions.
	@$(PY) book/tools/assignments.py release

pdf: export BOOK_PDF = 1
pdf: site  ## Build the book, and print all of it into one PDF (needs Chromium).
	@$(PY) book/tools/pdf.py

speed: site  ## Print what each page costs a reader: bytes, time to draw, jumps (needs Chromium).
	@$(PY) book/tools/speed.py

lab: $(READY)  ## Open JupyterLab on the notebooks.
	@$(PY) -m jupyter lab --notebook-dir notebooks --LabApp.news_url= \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

test: $(READY)  ## Run every test: package, notebooks, site, browser.
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env \
	  --nbval-sanitize-with tests/nbval.cfg tests companion notebooks

test-lab: $(READY)  ## Run every chapter in the lab, under Node and in a browser (20 minutes or so).
	@$(PY) -m pytest -n $(JOBS) --lab tests/test_lab_runs.py

test-engines: $(SPARK)  ## Run the tests on Apache Spark (installs PySpark; needs Java 17).
	@$(PY) -m pytest -o addopts="-p no:cacheprovider" tests/engines

$(SPARK): $(READY) requirements-spark.lock
	@echo "Installing PySpark into $(VENV) (first time: a few minutes, about 500 MB) ..."
	@$(PY) -m pip install --disable-pip-version-check -q -r requirements-spark.lock
	@touch $@

notebooks: $(READY)  ## Execute notebooks whose code has changed and store their outputs (ALL=1: all).
	@$(PY) book/tools/notebooks.py --all $(ALL)

runs: export OMP_NUM_THREADS = 1
runs: export OPENBLAS_NUM_THREADS = 1
runs: $(READY)  ## Run every strategy on every stream and write the record (about 10 minutes).
	@$(PY) book/tools/runs.py

bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: $(READY)  ## Measure the package against bare loops and print a table.
	@for script in tests/benchmarks/bench_*.py; do $(PY) $$script || exit 1; done

bank: $(READY)  ## Write the question bank for Moodle and others into build/bank.
	@$(PY) book/tools/bank.py

measure: $(READY)  ## Record seconds and peak memory of each notebook for the page on hubs.
	@$(PY) book/tools/measure.py

lint: $(READY)  ## Check style and notebooks.
	@$(PY) -m ruff check . && $(PY) -m ruff format --check companion tests book \
	  && $(PY) book/tools/check_notebooks.py notebooks/*.ipynb

# Three files at the same versions: what all targets need, what Spark needs (a third of the size of
# all the rest, and only `make test-engines` needs it), and what a JupyterHub adds.
COMPILE = $(VENV)/bin/uv pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

lock: $(READY)  ## Resolve the dependencies and write the lock files (UPGRADE=1: to the newest).
	@$(PY) -m pip install -q uv
	@$(COMPILE) --extra cli --extra book --extra lab --extra lite --extra safe --extra serve --extra dask --extra test \
	  pyproject.toml -o requirements.lock
	@$(COMPILE) --constraint requirements.lock --extra spark pyproject.toml \
	  -o requirements-spark.lock
	@$(COMPILE) --constraint requirements.lock book/hub/hub.in -o book/hub/hub.lock

audit: $(READY)  ## Look up known faults of the locked packages; list them in build/sbom.json.
	@sh book/tools/audit.sh $(VENV)

clean:  ## Remove the environment and everything that was built.
	rm -rf $(VENV) book/_build build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find companion tests book -name __pycache__ -type d -prune -exec rm -rf {} +
