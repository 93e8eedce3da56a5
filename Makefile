# make demo   set up, then draw attention on the sample clip
# make test   set up, then format check, lint, types and every test
# make check  the same without the tests
# make quick  set up, then the tests that depend most on what is installed
# make lock   write requirements.lock anew: every package that is installed, with its hashes
# make audit  ask whether a locked version has known weaknesses
# make clean  forget the environment and what was made

PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
QUICK := tests/overlays tests/models/hands/test_bundle.py tests/models/hands/test_finder.py \
	tests/models/test_openvino.py tests/models/test_resnet.py tests/models/test_runtime_choice.py \
	tests/models/test_runtimes.py tests/models/test_vit.py \
	tests/stream/test_camera.py tests/stream/test_file_pictures.py tests/stream/test_file_source.py \
	tests/stream/test_mp4_sink.py tests/stream/test_mp4_sound.py tests/stream/test_window.py \
	tests/stream/test_image_folder.py tests/stream/test_page.py tests/test_packaging.py tests/test_run_live.py
DEMO := samples/fingerspelling.overlay.mp4
CODE := run_live.py $(wildcard stream/*.py stream/*/*.py models/*.py models/*/*.py overlays/*.py overlays/*/*.py models/bundled/*)

.PHONY: demo test check quick lock audit clean
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

quick: .venv/.installed-dev
	$(BIN)/python -m pytest -q $(QUICK)

.venv/.made:
	$(PYTHON) -m venv .venv
	touch $@

ifdef LOCKED
# Everything by its hash; torch is then the build of the package index, on Linux with CUDA's libraries.
.venv/.installed: .venv/.made pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@ .venv/.installed-dev

.venv/.installed-dev: .venv/.installed
else
.venv/.installed: .venv/.made pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e ".[openvino]"
	touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e ".[openvino,dev]"
	touch $@
endif

lock: .venv/.made
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" \
		--extra openvino --extra dev -c constraints.txt pyproject.toml -o requirements.lock

audit: .venv/.made
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

clean:
	rm -rf .venv build *.egg-info $(DEMO) $(DEMO:.mp4=.json)
