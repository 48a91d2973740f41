# make run    prepares everything and starts the application
# make test   prepares everything and runs every check
# Others:     test-all (the long forms too), setup, check (a few minutes), fmt, messages, map, permissions, pictures, bench, drill, torture, hosts, mutants, tampering, other-days, journeys, lock, sbom, audit, coverage, and each step of test

SHELL = /bin/sh
.SUFFIXES:
.NOTPARALLEL:
.DEFAULT_GOAL = help
export MAKE PYTHON
# Let Python cache compiled modules, instead of compiling them in every process of every step.
unexport PYTHONDONTWRITEBYTECODE

bin = .venv/bin
# Python's allocator for many objects, on memory pages of 2 MiB, where Python has it (from 3.13): the tests
# take 12 to 20 % less CPU (docs/adr/0044). Servers that tests start don't get it.
allocator = $$(PYTHONMALLOC=mimalloc $(bin)/python -c '' 2>/dev/null && echo PYTHONMALLOC=mimalloc MIMALLOC_ALLOW_LARGE_OS_PAGES=1)
pytest = env $(allocator) $(bin)/pytest -q -n auto
# While one test waits for a database server or for a program it started, another can work.
served = env $(allocator) $(bin)/pytest -q -n $$(($$(getconf _NPROCESSORS_ONLN) + 1))

# With a +: runs beside those that follow (.ci/steps).
steps = +torture-short lint types contracts catalogues mutants-short unit sqlite postgresql-ahead hosts-short browser
# Other days run every test on both databases, two of them in the long form.
long = lint types contracts catalogues unit torture hosts mutants tampering other-days browser
fast = lint types contracts unit

.PHONY: help setup run test test-all check tools system fmt messages map permissions pictures bench drill journeys lock sbom audit coverage postgresql $(steps:+%=%) $(long)

help:
	@sed -n 's/^# //p; /^$$/q' Makefile

# Only installs.
setup:
	@.ci/setup test

# Demonstration data are offered on the first start; TRACKER_DEMO=0 starts empty.
run:
	@.ci/setup run
	@exec $(bin)/python -m config development run

# The time for set-up is printed separately from that of the checks.
test:
	@begun=$$(date +%s); $(MAKE) --no-print-directory tools system && \
	SETUP_SECONDS=$$(($$(date +%s) - begun)) .ci/steps $(steps)

# The same with every test on both databases, and each harness at full length: takes hours.
test-all:
	@begun=$$(date +%s); $(MAKE) --no-print-directory tools system && \
	TRACKER_TEST_LONG=1 SETUP_SECONDS=$$(($$(date +%s) - begun)) .ci/steps $(long)

check: tools
	@.ci/steps $(fast)

tools:
	@.ci/setup test

system:
	@.ci/system

# The steps.

lint: tools
	@failed=0; \
	$(bin)/ruff check --quiet . || failed=1; \
	$(bin)/ruff format --check --output-format concise . || failed=1; \
	$(bin)/djlint --quiet --lint templates || failed=1; \
	$(bin)/codespell || failed=1; \
	exit $$failed

types: tools
	@$(bin)/mypy

contracts: tools
	@$(bin)/lint-imports --no-logo

catalogues: tools
	@.ci/messages check

unit: tools
	@$(pytest) tests/unit tests/guards

sqlite: tools
	@$(served) --database=sqlite tests/integration tests/migrations

# What can differ between the databases, with the system's clock moved 400 days ahead.
postgresql-ahead: tools system
	@env $(allocator) $(bin)/python -m tests.other_days --short

postgresql: tools
	@$(served) --database=postgresql tests/integration tests/migrations

hosts-short: tools system
	@$(bin)/pytest -q -n0 tests/hosts

torture-short: tools system
	@$(bin)/python -m tests.torture --short

browser: tools system
	@$(pytest) --dist=loadfile --no-loadscope-reorder tests/browser

# For those who change the code.

fmt: tools
	@$(bin)/ruff check --fix-only .
	@$(bin)/ruff format .

messages: tools
	@.ci/messages update

# Writes the map of modules in docs/architecture.md from the first lines of their docstrings.
map: tools
	@$(bin)/pytest -q -n0 -p no:randomly --write-map tests/guards/test_map.py

# Takes the pictures on the pages of help, from the demonstration; look at them before you commit them.
pictures: tools system
	@$(bin)/pytest -q -n0 --write-pictures tests/browser/help/test_pictures.py -k shows_its_page

# Writes docs/permissions.md from the application; read the diff before you commit it.
permissions: tools
	@$(bin)/pytest -q -n0 -p no:randomly --write-permissions tests/integration/access/test_permissions.py

# Measures pages on both databases, compared with a bare view that returns as many bytes.
bench: tools
	@$(bin)/python -m tests.bench

# Backs a larger instance up while it is written to, and restores it into the other kind of database.
drill: tools system
	@$(bin)/python -m tests.bench.drill

# How much people fill in, click and read from nothing to a second visit.
journeys: tools system
	@TRACKER_TEST_LONG=1 $(bin)/pytest -q -s -n0 tests/browser/journeys

# Signing by 50 processes at once for a minute, and a server killed 200 times, on both databases.
torture: tools system
	@$(bin)/python -m tests.torture

# Two hosts with a worker each on one PostgreSQL: killed and restarted 20 times while people use both.
hosts: tools system
	@TRACKER_TEST_LONG=1 $(bin)/pytest -q -n0 tests/hosts

# Changes each column and deletes, inserts and truncates rows of each table, one change at a time, on both
# databases, and checks that the audit names it. The tests try some changes to each table.
tampering: tools system
	@$(bin)/python -m tests.tampering

# Runs the tests on days on which software is known to fail. Some tests, on one of them:
# .venv/bin/python -m tests.other_days --day "the last minute of the year" tests/integration/visits
other-days: tools system
	@env $(allocator) $(bin)/python -m tests.other_days

# Changes the policies of visits, signoff, checklists and lifecycle in about 1,600 ways, one at a time,
# and checks that their unit tests notice each change. The short form tries ten changes to each policy.
mutants: tools
	@$(bin)/python -m tests.mutants

mutants-short: tools
	@$(bin)/python -m tests.mutants --short

# Shows which branches the tests take; policies, access and signoff have to be covered completely.
coverage: tools
	@rm -f .coverage .coverage.*
	@$(pytest) --cov --cov-report= tests/unit tests/guards tests/integration
	@$(bin)/coverage report
	@$(bin)/coverage report --include='*/policy.py,tracker/signoff/*,tracker/access/*' --fail-under=100

# To upgrade packages, change requirements/*.in, then lock. Registry addresses aren't stored.
lock: tools
	@cd requirements && for set in build run test audit; do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(bin)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(LOCK) $$set.in -o $$set.txt || exit 1; \
	done

# The packages that running needs, with versions and hashes, as CycloneDX; the same each time.
sbom:
	@.ci/setup audit
	@mkdir -p build
	@PYTHONWARNINGS=ignore $(bin)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file build/sbom.json requirements/run.txt
	@printf 'The list is in build/sbom.json.\n'

# Known vulnerabilities of all locked packages. Error 1: some are known; 3: not all could be looked up.
audit:
	@.ci/setup audit
	@.ci/audit
