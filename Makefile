# Two commands: `make lab` to learn, `make test` to check. Everything else is for authors.
#   make lab LAB_ARGS=--no-browser     on a server
#   make lab TORCH_INDEX=https://download.pytorch.org/whl/cpu    on Linux: torch without CUDA, 2 GB less

PYTHON ?= python3
LAB_ARGS ?=
TORCH_INDEX ?=
WORKERS ?= 2
BENCH_ARGS ?=
DECK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/set-up
# One command from a fresh clone to a running lesson; each stamp makes the second run take seconds.

.DEFAULT_GOAL := help
.PHONY: help lab setup test unit lint nbtest lesson text fromtext notebooks slides bench lock clean

help:            ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST)

lab: $(SETUP)    ## set up, then open JupyterLab on lesson 00
	$(BIN)/ecomtutor lab $(LAB_ARGS)

setup: $(SETUP)  ## environment, models and data; at once when they are there
	$(BIN)/ecomtutor fetch --all

$(SETUP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.3"
	$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

test: setup lint unit nbtest   ## lint, unit tests, every notebook compared, one lesson without a network

lint: setup      ## style and types, notebooks too
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The workers have a core each: more threads would only wait for one another.
unit: export OMP_NUM_THREADS = 1
unit: setup      ## the package, the exercises, the decks
	$(BIN)/pytest tests -n $(WORKERS) --dist loadfile

nbtest: setup    ## run every notebook and compare every output
	$(BIN)/pytest --nbval --nbval-cell-timeout=120 notebooks

lesson: setup    ## one lesson after an edit: make lesson N=01 (runs, cleans, checks it)
	$(BIN)/python -m ecomtutor.authoring.normalise $(wildcard notebooks/$(N)_*.ipynb)
	$(BIN)/pytest tests/test_notebook_lint.py tests/test_exercises.py -k "$(N)"

text: setup      ## a lesson as text to edit: make text N=01, then make fromtext N=01
	$(BIN)/python -m ecomtutor.authoring.normalise --text $(wildcard notebooks/$(N)_*.ipynb)

fromtext: setup  ## the edited text back into the notebook, executed
	$(BIN)/python -m ecomtutor.authoring.normalise --from $(wildcard notebooks/$(N)_*.py)
	rm -f $(wildcard notebooks/$(N)_*.py)

notebooks: setup ## execute, number and clean the notebooks (what is committed)
	$(BIN)/python -m ecomtutor.authoring.normalise

slides: setup    ## build the decks into build/slides/, a PDF of each where Chromium is
	$(BIN)/python -m ecomtutor.authoring.decks $(if $(shell command -v chromium chromium-browser google-chrome),--pdf) $(DECK_ARGS)

bench: setup     ## the figures that README quotes
	$(BIN)/python benchmarks/footprint.py $(BENCH_ARGS)

lock: setup      ## resolve requirements.lock anew from pyproject.toml, for every platform
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet \
	  | grep -vE '^(nvidia|cuda|triton)' > requirements.lock

clean:           ## remove what was built; models, data and progress stay
	rm -rf build $(VENV)
