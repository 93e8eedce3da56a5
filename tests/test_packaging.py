"""The wheel: what is in it, and that it runs without the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waits import PROCESS_S


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, so that neither build/ nor *.egg-info appear in the checkout.
    source = folder / "source"
    source.mkdir()
    for name in ("stream", "models", "overlays"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "run_live.py", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)],
        cwd=source,
        capture_output=True,
        check=True,
        timeout=PROCESS_S,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata_name,) = (name for name in names if name.endswith("METADATA"))
        metadata = archive.read(metadata_name).decode()
    tops = {name.split("/")[0] for name in names}
    info = metadata_name.split("/")[0]
    assert tops == {"stream", "models", "overlays", "run_live.py", info}
    modules = {name for name in names if name.endswith(".py")}
    for folder in ("stream", "models", "overlays"):
        for path in (ROOT / folder).rglob("*.py"):
            assert path.relative_to(ROOT).as_posix() in modules
        assert f"{folder}/py.typed" in names
    bundled = {"dino_hands8.safetensors", "dino_hands16.safetensors", "MODEL_CARD.md"}
    assert {f"models/bundled/{name}" for name in bundled} <= set(names)
    page = {"report.html", "report.css", "report.js"}
    assert {f"stream/tables/{name}" for name in page} <= set(names)
    assert "License-Expression: Apache-2.0" in metadata
    assert any(name.endswith("LICENSE") for name in names)


def test_installed_program_runs_in_another_folder(
    wheel: Path, tmp_path: Path, sample_clip: Path
) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=PROCESS_S)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [scripts / "python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)],
        check=True,
        timeout=PROCESS_S,
    )
    # The libraries come from the environment the tests run in; only ours is installed afresh.
    site = Path(
        _python(scripts, tmp_path, "import sysconfig as s; print(s.get_paths()['purelib'])")
    )
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    where = _python(scripts, tmp_path, "import stream; print(stream.__file__)")
    assert Path(where).is_relative_to(environment)
    output = tmp_path / "out.mp4"
    result = subprocess.run(
        [
            scripts / "signlight", "export", str(sample_clip), str(output),
            "--max-frames", "3",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(output)
    assert output.stat().st_size > 0


def _python(scripts: Path, folder: Path, code: str) -> str:
    """Return what a piece of Python prints in an environment."""
    return subprocess.run(
        [scripts / "python", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=PROCESS_S,
    ).stdout.strip()


def test_lock_holds_the_tested_versions_and_only_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    # A line for each version, then its hashes, each line ending with a backslash but the last.
    entries = re.findall(r"^[a-z0-9-]+==(?:.*\\\n)*.*", lock, re.MULTILINE)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    locked = {tuple(entry.split()[0].split("==")) for entry in entries}
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    tested = {
        tuple(line.split(";")[0].strip().split("=="))
        for line in constraints.splitlines()
        if "==" in line and not line.startswith("#")
    }
    assert tested - locked == set(), "make lock writes it anew"
