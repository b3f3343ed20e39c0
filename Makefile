# Needs git, make and Python 3.11; everything else is installed into .venv.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test campaign check reference screenshots clean

# torch is installed first and by its exact version, so that pip prefers a local CPU build of it.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	mkdir -p .venv/link && ln -sfn ../.. .venv/link/orbat
	touch $@

demo: .venv/ready
	$(BIN)/orbat demo

test: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Faults and hostile input at random; SEED repeats a campaign. Writes its figures if all succeeds.
campaign: .venv/ready
	$(BIN)/python -m pytest tests/campaign --campaign long --campaign-seed $(or $(SEED),20) \
		--timeout 7200 --figures evaluation/benchmarks/reliability.md

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

reference: .venv/ready
	$(BIN)/python -m orbat.cli_reference > CLI.md

# Screenshots for the README and the annotators' guide. RUN: a run of the default recipe, for its report.
screenshots: .venv/ready
	$(BIN)/python -m pytest -m browser --screenshots tests/screenshots $(if $(RUN),--run $(RUN))
	mv tests/screenshots/annotation.png tests/screenshots/conflict.png annotation/guide/

clean:
	rm -rf .venv build dist demo-output *.egg-info
