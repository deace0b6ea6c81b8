# Tasks for developing. `just` lists them; without just on the machine, `uv run just TASK` works too.

# List the tasks
default:
    @just --list

# Run the app at http://localhost:8501
run:
    uv run streamlit run app.py

# Run every test
test *args:
    uv run pytest {{args}}

# Run the tests that need no browser, no model and no other servers: the loop for developing
fast *args:
    HYPOTHESIS_PROFILE=brief uv run pytest -m "not browser and not model and not peers and not slow" {{args}}

# Lint, format and type-check
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy

# Mend what can be mended by itself
fix:
    uv run ruff check --fix
    uv run ruff format

# Run every test and report the statements that none of them reaches
cover:
    uv run pytest --cov=lib --cov=pages --cov-report=term-missing:skip-covered

# Try faults of real servers and write docs/faults.md from what happens
faults *names:
    uv run python -m tests.faults {{names}}

# Print the benchmarks: ratios against baselines measured in the same run
bench *names:
    uv run --group bench python -m tests.benchmarks {{names}}

# Remake the pictures of the docs
pictures:
    uv run python -m tests.pictures
