# Everything a newcomer needs: `make run`. Only Python 3.11 or newer and make must be there.
# ARGS reaches the program, as in: make test ARGS="tests/pools -x"

.DEFAULT_GOAL := help
.PHONY: help run test check bench prove openapi lock clean install

FIND_PYTHON := for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(shell $(FIND_PYTHON))

# Scripts in a virtual environment hold its path, so a moved checkout makes a new one.
BIN := .venv/bin
PLACE := .venv/.place-$(shell pwd | cksum | cut -d ' ' -f 1)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Spark is larger than all the rest, so it lies beside the other packages and only the proofs see it.
SPARK := $(CURDIR)/.venv/spark
JAVA := $(or $(JAVA_HOME),$(shell command -v java 2>/dev/null))

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: install ## Start everything on this machine; Ctrl-C stops it
	@$(BIN)/talentpool dev

test: install ## Run every test
	$(BIN)/pytest -n 2 $(ARGS)

check: install ## Run every check, then every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	@mkdir -p .cache
	$(BIN)/alembic upgrade head --sql > .cache/migrations.sql
	$(BIN)/squawk .cache/migrations.sql
	$(BIN)/talentpool openapi --check
	$(BIN)/yamllint --strict .
	$(BIN)/hadolint Dockerfile
	$(BIN)/pytest -n 2 $(ARGS)

bench: install ## Measure against the targets
	$(BIN)/python -m benchmarks $(ARGS)

prove: install $(if $(JAVA),.venv/.spark) ## Run the proofs that need more time, or more than this machine has by itself
	@test -n "$(JAVA)" || echo "There is no Java here: the proofs on Spark are skipped. They need Java 17 or later." >&2
	TALENTPOOL_PROVE=1 PYTHONPATH="$(SPARK)" $(BIN)/pytest -rs -m "prove or more" $(ARGS)

openapi: install ## Write openapi/openapi.json anew
	$(BIN)/talentpool openapi

COMPILE := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11
lock: ## Bring the lock files up to date (needs uv)
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --extra embedded --extra bulk --output-file requirements-dev.lock
	sed -n 's/^spark = \["\(.*\)"\]$$/\1/p' pyproject.toml | \
	  $(COMPILE) - --constraint requirements-dev.lock --output-file requirements-spark.lock

clean: ## Remove what can be made again; the data folder stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: .venv/.self

$(PLACE):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@echo "Installing into .venv: about a minute, only this once."
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.requirements: $(PLACE) requirements-dev.lock
	@$(PIP) install --no-deps --no-compile --require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

.venv/.spark: requirements-spark.lock | .venv/.requirements
	@echo "Installing Spark for the proofs: 480 MB, only this once."
	@rm -rf "$(SPARK)"
	@$(PIP) install --no-deps --no-compile --no-build-isolation --require-hashes \
	  --target "$(SPARK)" --requirement requirements-spark.lock
	@touch $@

.venv/.self: .venv/.requirements pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
