# Every target makes the virtual environment it needs on first use; a second run starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
DOCS_READY := $(VENV)/.docs-ready
TRAIN_READY := $(VENV)/.train-ready
PIP_INSTALL := pip install --quiet --disable-pip-version-check
# A process for each core and one more: tests of nodes wait a third of their time.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Node tests must run, not be skipped. xdist would wait for ever for a process that has crashed.
PYTEST := SSD_ROS_REQUIRE_RCLPY=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --max-worker-restart 0

.PHONY: help venv demo docs announce test test-run test-training test-oldest test-newest test-peers test-install check bench soak fmt clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

venv: $(RUN_READY)  ## the virtual environment alone; then .venv/bin/python -m ssd_ros --help

demo: $(RUN_READY)  ## simulate two drives, build the map, localise over real ROS 2; table and picture in demo/
	$(BIN)/python -m ssd_ros demo --output demo

docs: $(DOCS_READY)  ## the documentation as pages in build/docs; warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q -b html resource/docs build/docs

test: announce test-run test-training  ## every test: those of the vehicle first, then those of training

announce:
	@test -f $(TRAIN_READY) || echo 'First use: tests download up to 456 MB, then PyTorch for training 3.0 GB: make test-run does without it'

test-run: $(DEV_READY)  ## what needs no PyTorch: library, commands, node tests over real DDS
	$(PYTEST) -m 'not training' --ignore test/training $(TESTS)

test-training: $(TRAIN_READY)  ## what needs PyTorch: training, export
	$(PYTEST) -m training

test-oldest:  ## test-run with the lowest versions that setup.py allows; PYTHON=python3.10
	$(MAKE) test-run VENV=.venv-oldest REQUIREMENTS=requirements-oldest.txt

test-newest:  ## test-run with the newest release of everything
	$(MAKE) test-run VENV=.venv-newest REQUIREMENTS=requirements-newest.txt

test-peers:  ## the method of `compare` whose package wants an older NumPy: MapClosures
	$(MAKE) test-run VENV=.venv-peers REQUIREMENTS=requirements-peers.txt TESTS=test/baselines/test_map_closures.py

test-install: $(DEV_READY)  ## the recipe for vehicles beside what Ubuntu 22.04, 24.04 and 26.04 have (from PyPI)
	SSD_ROS_TEST_INSTALL=1 $(BIN)/python -m pytest -q -ra test/install/test_constraints.py

check: $(TRAIN_READY)  ## style, types, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell ssd_ros test launch config resource/docs README.md BENCHMARK.md CHANGELOG.rst CONTRIBUTING.md QUALITY_DECLARATION.md SECURITY.md models/README.md

bench: $(TRAIN_READY)  ## time every stage against a plain peer in the same run; AGAINST=REVISION: an earlier build beside this one
	$(BIN)/python -m ssd_ros bench $(if $(AGAINST),--against $(AGAINST))

MINUTES ?= 60
soak: $(DEV_READY)  ## 10,000 fuzzed clouds, then an hour of 100 Hz into the node (MINUTES=10: less); figures in soak/
	SSD_ROS_FUZZ=10000 $(BIN)/python -m pytest -q test/radar/test_fuzz_point_cloud2.py
	$(BIN)/python -m ssd_ros soak --minutes $(MINUTES) --output soak

fmt: $(DEV_READY)  ## format and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the virtual environments and everything built
	rm -rf $(VENV) .venv-oldest .venv-newest .venv-peers build install log demo soak

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' || \
	  { echo 'ssd_ros needs Python 3.10 to 3.14; name one: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'Making a virtual environment in $(VENV) (first use only)'
	$(PYTHON) -m venv $(VENV)
	@touch $(VENV)/COLCON_IGNORE

$(RUN_READY): requirements.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing what the demo needs (312 MB, about a minute, first use only)'
	$(BIN)/$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DOCS_READY): requirements-docs.txt requirements.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing Sphinx (20 MB with what it needs, beside what the demo needs, first use only)'
	$(BIN)/$(PIP_INSTALL) -r requirements-docs.txt
	@touch $@

# Of the default environment, or of the legs with other versions, which need no demo first.
REQUIREMENTS ?= requirements-dev.txt
$(DEV_READY): $(REQUIREMENTS) requirements.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing what tests need (456 MB with what the demo needs, first use only)'
	$(BIN)/$(PIP_INSTALL) -r $(REQUIREMENTS)
	@touch $@

$(TRAIN_READY): requirements-train.txt $(DEV_READY)
	@echo 'Installing PyTorch for the tests of training (first use only): 3.0 GB, as on Linux its wheel brings CUDA.'
	@echo 'To do without: make test-run. For the small CPU build, stop here and run'
	@echo '  $(BIN)/pip install $(shell grep ^torch requirements-train.txt) --index-url https://download.pytorch.org/whl/cpu'
	$(BIN)/$(PIP_INSTALL) -r requirements-train.txt
	@touch $@
