# make demo and make test are all there is to set up; both need python3 with venv, git and make.
# Another interpreter: make test PYTHON=python3.12 (after make clean).

PYTHON ?= python3
JOBS ?= 2
PYTHONS ?= 3.10 3.11 3.12 3.13

BIN := .venv/bin
READY := .venv/.ready
FLAGSHIP := examples/house-prices
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: help demo test test-all test-pythons lint format bench wheel setup java browser clean

help:
	@echo "make demo          set up, generate both servers' files for $(FLAGSHIP) and run it here"
	@echo "make test          set up, check style and types, run the tests"
	@echo "make test-all      the same with the slow tests, on Python $(PYTHONS)"
	@echo "make lint, format  check or mend style; bench: measure; wheel: build into dist/; clean"

demo: $(READY) wheel
	@tools/demo $(FLAGSHIP)

test: lint java browser
	$(PYTEST) -m "not slow"

test-all: lint java browser
	$(PYTEST)
	tools/test-pythons $(PYTHONS)

test-pythons: $(READY)
	tools/test-pythons $(PYTHONS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/large.py
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/run_vs_dvc.py
	$(BIN)/python benchmarks/exec_overhead.py
	$(BIN)/python benchmarks/exec_overhead.py --s3
	$(BIN)/python benchmarks/dispatch.py
	$(BIN)/python benchmarks/deploy.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/runs.py

wheel: $(READY)
	@$(BIN)/python -m hatchling build -t wheel >/dev/null 2>&1 && ls dist/*.whl

setup: $(READY)

# What is installed follows pyproject.toml; the second time this is done at once.
$(READY): pyproject.toml
	tools/setup $(PYTHON)
	@touch $@

# The tests that compile what is generated need a JDK and Maven; without them they are skipped, or fail where CI=true.
java:
	@tools/wants 'JDK with Maven' 'java mvn' 'default-jdk-headless maven'

# The tests of pages need Chromium and its driver; the same holds.
browser:
	@tools/wants Chromium 'chromium chromedriver' 'chromium chromium-driver'

clean:
	rm -rf .venv .cache build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	git clean -qfdX examples
