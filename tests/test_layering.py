"""The layers and the homes of foreign libraries, read from the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waits import PROCESS_S

LAYERS = {
    "stream": {"stream"},
    "models": {"stream", "models"},
    "overlays": {"stream", "overlays"},
    "samples": {"stream", "samples"},
    "run_live": {"stream", "models", "overlays", "run_live"},
}
"""What each layer may import of our own."""

HOMES = {
    "aiohttp": ("stream/screens/page_server.py", "stream/screens/connections.py"),
    "av": ("stream/sources/", "stream/sinks/", "samples/encode.py"),
    "cv2": (
        "stream/sources/camera.py",
        "stream/screens/window.py",
        "stream/sinks/jpeg.py",
        "models/crops.py",
        "models/hands/",
        "models/training/corpus.py",
        "models/evaluate.py",
        "models/evaluation/",
        "models/bench/official.py",
        "overlays/",
        "samples/",
    ),
    "numba": ("samples/",),
    "torch": ("models/",),
    "torchvision": ("models/",),
    "mediapipe": ("models/hands/mediapipe_graph.py",),
    "pyarrow": ("stream/tables/parquet.py",),
    "lxml": (
        "stream/tables/elan/document.py",
        "stream/tables/elan/view.py",
        "stream/tables/elan/xml_files.py",
    ),
    "matplotlib": ("overlays/figure.py", "overlays/paper.py"),
    "fontTools": ("overlays/paper.py",),
    "openvino": ("models/runtimes/openvino_import.py",),
    "rich": (
        "run_live.py",
        "stream/jobs/progress.py",
        "stream/jobs/batch.py",
        "stream/jobs/figure_table.py",
        "models/train.py",
        "models/training/display.py",
        "models/evaluate.py",
        "models/evaluation/report.py",
        "models/evaluate_hands.py",
        "models/listing.py",
        "models/bench/table.py",
        "samples/render.py",
    ),
    # Ours, but not in the wheel: what is behind hands is drawn with it where it is there.
    "samples": ("models/training/backdrops.py", "models/evaluation/drawn.py", "samples/"),
}
"""Where each foreign library may be imported."""

LIGHT = {"models/registry.py", "models/__init__.py", "models/cache.py", "models/option_checks.py"}
"""Modules of models/ that are read before anyone knows whether torch is needed."""

MODULES = [
    path
    for folder in ("stream", "models", "overlays")
    for path in sorted((ROOT / folder).rglob("*.py"))
] + [ROOT / "run_live.py"]
"""What is installed."""

SAMPLES = sorted((ROOT / "samples").glob("*.py"))
"""The renderer, which is not, and has no public names."""


def _imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def _may_import(name: str, module: str) -> bool:
    """Return whether the file of that name, from the root on, may import a module."""
    layer, top = name.partition("/")[0].removesuffix(".py"), module.partition(".")[0]
    if top in LAYERS and top not in LAYERS[layer] | HOMES.keys():
        return False
    return top not in HOMES or (name.startswith(HOMES[top]) and name not in LIGHT)


@pytest.mark.parametrize("path", MODULES + SAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stay_in_their_layer(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    assert not [module for module in _imports(path) if not _may_import(name, module)]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("samples/render.py", "run_live"),
        ("samples/render.py", "mediapipe.tasks.python"),
        ("samples/hand.py", "models.crops"),
        ("samples/hand.py", "overlays"),
        ("stream/frames.py", "samples.hand"),
        ("stream/frames.py", "overlays"),
        ("models/crops.py", "overlays.style"),
        ("models/registry.py", "torch"),
    ],
)
def test_an_arrow_that_runs_back_up_is_seen(name: str, module: str) -> None:
    assert not _may_import(name, module)


def test_pictures_are_read_and_written_in_one_way_each() -> None:
    """Not by OpenCV, which reads formats that nobody asked for, whatever their size."""
    theirs = {"imdecode", "imread", "imreadmulti", "imencode", "imwrite"}
    allowed = {
        "models/bench/official.py": theirs,  # shows what DINO's own scripts cost
        "stream/sinks/jpeg.py": {"imencode"},  # thrice as quick as PyAV, for every frame of a page
    }
    for path in MODULES + SAMPLES:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        ours = allowed.get(path.relative_to(ROOT).as_posix(), set())
        assert not names & theirs - ours, f"{path}: {names & theirs - ours}"


def test_samples_are_imported_only_when_needed() -> None:
    for path in MODULES:  # an import under "if TYPE_CHECKING" is not one
        tops = {module.split(".")[0] for module in _imports(path, top_level_only=True)}
        assert "samples" not in tops, f"{path} imports samples when it is loaded"


def test_modules_do_not_import_in_circles() -> None:
    names = {
        path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES + SAMPLES
    }
    by_name = {name.removesuffix(".__init__"): path for path, name in names.items()}
    visiting: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        assert name not in visiting, f"circle: {' -> '.join([*visiting, name])}"
        if name in done:
            return
        visiting.append(name)
        for module in _imports(by_name[name], top_level_only=True):
            if module in by_name:
                visit(module)
        visiting.pop()
        done.add(name)

    for name in by_name:
        visit(name)


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import stream, models, overlays"], ["run_live.py", "--help"]],
    ids=["packages", "help"],
)
def test_starting_up_loads_nothing_heavy(arguments: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        check=True,
    )
    loaded = {line.split("|")[-1].strip() for line in result.stderr.splitlines() if "|" in line}
    heavy = {
        "aiohttp",
        "torch",
        "torchvision",
        "mediapipe",
        "cv2",
        "av",
        "lxml",
        "openvino",
        "pyarrow",
        "matplotlib",
    }
    assert not loaded & heavy


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "helpers", "common", "core", "base_utils", "types"}
    assert not [path for path in MODULES + SAMPLES if path.stem in nothing]


def test_no_two_modules_have_one_name() -> None:
    """Unless each is its room's own part of one thing, or is named after what it serves."""
    parts = {"options", "keys", "opening"}
    named_after = {"live", "resnet", "figure"}  # a job after its loop or drawing, a family
    tables = ROOT / "stream/tables"  # and the tables after what they tell of
    counts = Counter(path.stem for path in MODULES if tables not in path.parents)
    twice = {stem for stem, count in counts.items() if count > 1}
    assert twice - parts - named_after == {"__init__"}


def test_every_public_name_is_listed_once_in_order() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lists = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(
                isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
            )
        ]
        if not lists:
            assert path.name == "__init__.py", f"{path.relative_to(ROOT)} has no __all__"
            continue
        names = ast.literal_eval(lists[0])
        assert len(names) == len(set(names)), path
        assert all(isinstance(name, str) for name in names), path
