# Two commands do everything: `make book` builds and serves the book, `make test` runs all tests.
# Works with GNU make 3.81 and later and a POSIX shell.

JOBS ?= 2
PORT ?= 8000
ALL ?= 0
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help env book site assignments pdf speed lab test notebooks runs bench lint lock audit clean

help:  ## List what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

env: $(READY)  ## Make the environment in .venv (the other targets do it by themselves).

$(READY): requirements.lock pyproject.toml book/tools/env.sh
	@sh book/tools/env.sh $(VENV)
	@touch $@

book: site  ## Build the book and serve it on 127.0.0.1 (PORT=8000, or the next free port).
	@$(PY) book/tools/serve.py --port $(PORT)

site: $(READY)  ## Build the book into book/_build/html.
	@$(PY) book/tools/site.py

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
	@$(PY) -m pytest -n $(JOBS) --dist loadfile --nbval --nbval-current-env \
	  --nbval-sanitize-with tests/nbval.cfg tests companion notebooks

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

lint: $(READY)  ## Check style and notebooks.
	@$(PY) -m ruff check . && $(PY) -m ruff format --check companion tests book \
	  && $(PY) book/tools/check_notebooks.py notebooks/*.ipynb

lock: $(READY)  ## Resolve the dependencies and write requirements.lock (UPGRADE=1: to the newest).
	@$(PY) -m pip install -q uv
	@$(VENV)/bin/uv pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 --fork-strategy fewest \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  --extra cli --extra book --extra lab --extra safe --extra serve --extra test pyproject.toml -o requirements.lock

audit: $(READY)  ## Look up known faults of the locked packages; list them in build/sbom.json.
	@sh book/tools/audit.sh $(VENV)

clean:  ## Remove the environment and everything that was built.
	rm -rf $(VENV) book/_build build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find companion tests book -name __pycache__ -type d -prune -exec rm -rf {} +
