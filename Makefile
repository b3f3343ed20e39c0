# Everything below needs git, make and Python 3.11; the rest is installed into .venv.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: demo test check screenshots clean

# torch comes first and by exact version, so that a CPU build offered locally is taken.
.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	mkdir -p .venv/link && ln -sfn ../.. .venv/link/orbat
	touch $@

demo: .venv/ready
	$(BIN)/orbat demo

test: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The pictures of the README and of the annotators' guide; RUN names a run of the default recipe, whose report is pictured.
screenshots: .venv/ready
	$(BIN)/python -m pytest -m browser --screenshots tests/screenshots $(if $(RUN),--run $(RUN))
	mv tests/screenshots/annotation.png tests/screenshots/conflict.png annotation/guide/

clean:
	rm -rf .venv demo-output
