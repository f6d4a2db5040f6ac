# Every target makes the virtual environment it needs on first use; a second run starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.PHONY: help demo test check bench soak fmt clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

demo: $(RUN_READY)  ## simulate two drives, build the map, localise over real ROS 2; table and picture in demo/
	$(BIN)/python -m ssd_ros.cli.demo --output demo

test: $(DEV_READY)  ## every test, node tests over real DDS included
	SSD_ROS_REQUIRE_RCLPY=1 $(BIN)/python -m pytest

check: $(DEV_READY)  ## style, types, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell ssd_ros test launch config README.md BENCHMARK.md CHANGELOG.rst CONTRIBUTING.md QUALITY_DECLARATION.md models/README.md

bench: $(DEV_READY)  ## time every stage against a plain peer in the same run
	$(BIN)/python -m ssd_ros.cli.bench

MINUTES ?= 60
soak: $(DEV_READY)  ## 10,000 fuzzed clouds, then an hour of 100 Hz into the node (MINUTES=10: less); figures in soak/
	SSD_ROS_FUZZ=10000 $(BIN)/python -m pytest -q test/radar/test_fuzz_point_cloud2.py
	$(BIN)/python -m ssd_ros.cli.soak --minutes $(MINUTES) --output soak

fmt: $(DEV_READY)  ## format and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove the virtual environment and everything built
	rm -rf $(VENV) build install log demo soak

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'ssd_ros needs Python 3.10 to 3.13; name one: make PYTHON=python3.11 ...' >&2; exit 1; }
	@echo 'Making a virtual environment in $(VENV) (first use only)'
	$(PYTHON) -m venv $(VENV)
	@touch $(VENV)/COLCON_IGNORE

$(RUN_READY): requirements.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing what the demo needs (about a minute, first use only)'
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt $(RUN_READY)
	@echo 'Installing what tests and training need (first use only)'
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
