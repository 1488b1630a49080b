# The course's commands. Each sets up .venv by itself; a second call finds it ready.
#
#   make lab          open JupyterLab on the first lesson          LAB_ARGS="--no-browser --port 8890"
#   make test         everything that CI runs                      STAGES="style units" for some stages only
#   make build        notebooks from their sources                 BUILD_ARGS="lessons --stem 01_perceptron"
#   make site         the web site of all lessons, in site/        SITE_ARGS="--out /var/www/course"
#   make slides       slides of all lessons, in slides/            SLIDES_ARGS="--stem 04_mlp --check"
#   make lecture LESSON=04_mlp    a lesson as slides in JupyterLab, explorers live    LAB_ARGS as above
#   make new-lesson STEM=03_broadcasting
#   make grade SUBMISSIONS=submitted OUT=marks      mark a class's notebooks   GRADE_ARGS="--withhold-inputs"
#   make hub          JupyterHub for a class, as deploy/jupyterhub/ sets it up         HUB_ARGS="--debug"
#   make doctor       is this environment right?
#   make bench        how fast things are here
#   make clean        remove what tests and tools leave behind (not .venv, not your answers)
#
# PYTHON=python3.12 chooses the Python for a new environment, VENV=path where it lies.

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
LAB_ARGS ?=
BUILD_ARGS ?= all
SITE_ARGS ?=
SLIDES_ARGS ?=
LESSON ?=
STAGES ?=
SUBMISSIONS ?=
OUT ?= marks
GRADE_ARGS ?=
HUB_ARGS ?=
LISTS := pyproject.toml requirements.txt

# Tests and builds compute in several processes at once. There PyTorch's waiting threads must sleep: spinning, they slow
# one another down a hundredfold. In JupyterLab one notebook computes at a time, and spinning is twice as fast.
test build grade: export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help lab test build site slides lecture new-lesson grade hub doctor bench clean

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

lab: $(VENV)/.ready-lab
	$(PY) -m jupyterlab notebooks/00_start_here.ipynb $(LAB_ARGS)

test: $(VENV)/.ready-test
	$(PY) tests/run_all.py $(STAGES)

build: $(VENV)/.ready-lab
	$(PY) -m utils.build $(BUILD_ARGS)

site: $(VENV)/.ready-site
	$(PY) -m utils.site $(SITE_ARGS)

slides: $(VENV)/.ready-slides
	$(PY) -m utils.slides $(SLIDES_ARGS)

lecture: $(VENV)/.ready-slides
	@test -f "notebooks/$(LESSON).ipynb" || { echo "Which lesson? make lecture LESSON=04_mlp" >&2; exit 2; }
	$(PY) -m jupyterlab "notebooks/$(LESSON).ipynb" $(LAB_ARGS)

new-lesson: $(VENV)/.ready-lab
	@test -n "$(STEM)" || { echo "Which lesson? make new-lesson STEM=03_broadcasting" >&2; exit 2; }
	$(PY) -m utils.build new-lesson "$(STEM)"

grade: $(VENV)/.ready-grade
	@test -n "$(SUBMISSIONS)" || { echo "Which submissions? make grade SUBMISSIONS=submitted OUT=marks" >&2; exit 2; }
	$(PY) -m utils.grading "$(SUBMISSIONS)" --out "$(OUT)" $(GRADE_ARGS)

hub: $(VENV)/.ready-hub
	$(PY) -m jupyterhub --config deploy/jupyterhub/jupyterhub_config.py $(HUB_ARGS)

doctor: $(VENV)/.ready-lab
	$(PY) -m utils.doctor

bench: $(VENV)/.ready-test
	@for script in benchmarks/*.py; do echo "===== $$script"; $(PY) "$$script" || exit 1; done

clean:
	rm -rf build dist site slides .pytest_cache .ruff_cache .hypothesis
	find . -path "./$(VENV)" -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -print0 | xargs -0 rm -rf

# An environment is made once and brought up to date when the lists of packages change. The exact versions come
# from requirements.txt; the last line lets matplotlib look for fonts now and not in the middle of a lesson.
$(VENV)/.ready-lab: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e .
	$(PY) -c "import matplotlib.font_manager"
	touch $@

$(VENV)/.ready-grade: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e ".[grade]"
	$(PY) -c "import matplotlib.font_manager"
	touch $@ $(VENV)/.ready-lab

$(VENV)/.ready-site: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e ".[site]"
	touch $@

$(VENV)/.ready-hub: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e ".[grade,hub]"
	$(PY) -c "import matplotlib.font_manager"
	touch $@ $(VENV)/.ready-grade $(VENV)/.ready-lab

$(VENV)/.ready-slides: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e ".[slides]"
	$(PY) -c "import matplotlib.font_manager"
	touch $@ $(VENV)/.ready-lab

$(VENV)/.ready-test: $(LISTS) | $(PY)
	$(PY) -m pip install --disable-pip-version-check -c requirements.txt -e ".[test,grade,site,hub,slides]"
	$(PY) -c "import matplotlib.font_manager"
	touch $@ $(VENV)/.ready-grade $(VENV)/.ready-hub $(VENV)/.ready-lab $(VENV)/.ready-site $(VENV)/.ready-slides

$(PY):
	@command -v $(PYTHON) > /dev/null || { echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The course needs Python 3.11 or newer, and $$($(PYTHON) --version) is older. If a newer one is installed, name it: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install -y python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
