# make demo   set up, then draw attention on the sample clip
# make test   set up, then format check, lint, types and every test
# make check  the same without the tests
# make clean  forget the environment and what was made

PYTHON ?= python3
BIN := .venv/bin
DEMO := samples/fingerspelling.overlay.mp4
CODE := run_live.py $(wildcard stream/*.py stream/*/*.py models/*.py models/*/*.py overlays/*.py models/bundled/*)

.PHONY: demo test check clean
.DELETE_ON_ERROR:

demo: $(DEMO)
	@echo "The picture with its attention: $(DEMO)"

$(DEMO): .venv/.installed samples/fingerspelling.mp4 $(CODE)
	$(BIN)/signlight export samples/fingerspelling.mp4 $@

check: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest

.venv/.made:
	$(PYTHON) -m venv .venv
	touch $@

.venv/.installed: .venv/.made pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[openvino]"
	touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[openvino,dev]"
	touch $@

clean:
	rm -rf .venv build *.egg-info $(DEMO) $(DEMO:.mp4=.json)
