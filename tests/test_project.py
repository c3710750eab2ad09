"""The project around the code: documents that exist, requirements that are complete, vendors that stay lazy."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app.py", "pages", "teaching", "robot_io")
DEV_ROOMS = ("tests", "benchmarks")
TEXT = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".js", ".css", ".html", ".json", ""}


def tracked() -> list[Path]:
    """Every file that the project ships."""
    command = ["git", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def sources(*rooms: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms]


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def vendors(*rooms: str) -> set[str]:
    own = {path.name.removesuffix(".py") for path in ROOT.iterdir()}
    return set().union(*(imported(path) for path in sources(*rooms))) - own - set(sys.stdlib_module_names)


def required(name: str) -> set[str]:
    """Distribution names in a requirements file, those it includes among them."""
    found: set[str] = set()
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("-r "):
            found |= required(line.removeprefix("-r ").strip())
        elif line:
            found.add(canonical(re.split(r"[<>=!~\[; ]", line, maxsplit=1)[0]))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("rooms", "file"), [(ROOMS, "requirements.txt"), (DEV_ROOMS, "requirements-dev.txt")])
def test_requirements_name_everything_imported(rooms: tuple[str, ...], file: str) -> None:
    distributions = packages_distributions()
    missing = {
        name
        for name in vendors(*rooms)
        if not {canonical(distribution) for distribution in distributions.get(name, [])} & required(file)
    }
    assert not missing, f"expected {file} to name the distributions of {sorted(missing)}"


def loaded_by(module: str) -> set[str]:
    """Top-level modules in memory after importing one, in a fresh interpreter."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {"torch", "torchvision", "pybullet", "lerobot", "streamlit", "h5py"}
LAZY = {
    "app": HEAVY - {"streamlit", "h5py"},
    "robot_io.process": HEAVY,
    "robot_io.remote": HEAVY,
    "robot_io.sim": HEAVY,
    "teaching.__main__": HEAVY,
    "teaching.host": {"lerobot", "pybullet", "streamlit"},
    "teaching.plan_lesson": HEAVY - {"h5py"},
    "teaching.supervisor": HEAVY - {"h5py"},
}
"""Module → vendors that importing it must not load."""


@pytest.mark.process
@pytest.mark.parametrize("module", LAZY)
def test_vendors_stay_lazy(module: str) -> None:
    loaded = loaded_by(module)
    assert module.partition(".")[0] in loaded
    assert not loaded & LAZY[module], f"expected {module} to leave {sorted(loaded & LAZY[module])} for later"


def test_newest_version_of_the_changelog_is_ours() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    headings = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings and headings[0] == version


DOCUMENTS = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "benchmarks/README.md",
    "docs/guide.md",
    "docs/hardware.md",
    "docs/protocols/line.md",
    "docs/remote.md",
    "docs/settings.md",
    "docs/protocols/askdagger.md",
    "docs/design/0001-house.md",
    "docs/design/0002-wires.md",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_exists(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").split()) > 50


def anchors(path: Path) -> set[str]:
    """The fragments that a page's headings answer to."""
    headings = re.findall(r"^#+ +(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [p for p in tracked() if p.suffix == ".md"], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (fragment and file.suffix == ".md" and fragment not in anchors(file)):
            broken.append(target)
    assert not broken, f"expected files or headings, got {broken}"


def test_every_benchmark_is_told_and_exists() -> None:
    told = set(re.findall(r"-m benchmarks\.(\w+)", text(ROOT / "benchmarks/README.md")))
    assert told == {path.stem for path in sources("benchmarks") if path.stem != "__init__"}


def test_every_environment_variable_is_documented() -> None:
    pattern = re.compile(r"\bASKBACK_[A-Z_]*[A-Z]\b")
    used = {
        name for path in tracked() if path.suffix != ".md" and readable(path) for name in pattern.findall(text(path))
    }
    told = set(pattern.findall((ROOT / "docs/settings.md").read_text(encoding="utf-8")))
    assert used == told


def readable(path: Path) -> bool:
    return path.suffix in TEXT and path.stat().st_size < 1_000_000


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


FORBIDDEN = {
    "a machine's path": re.compile(r"/(?:root|home|Users|work|opt|mnt|vol)/[A-Za-z0-9_.]"),
    "an issue's number": re.compile(r"\b[Ii]ssue #?\d"),
    "a note to oneself": re.compile(r"\b(?:TODO|FIXME|XXX)\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if readable(path) and path != Path(__file__).resolve()
        for number, line in enumerate(text(path).splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"expected no file to hold {what}, got {found}"


def test_no_file_is_large() -> None:
    large = [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 3 * 2**20]
    assert not large, f"expected files of at most 3 MiB, got {large}"


SCRIPTS = ["scripts/app", "scripts/test", "scripts/check", ".ci/run"]


@pytest.mark.parametrize("name", [*SCRIPTS, "scripts/environment"])
def test_script_parses(name: str) -> None:
    subprocess.run(["bash", "-n", ROOT / name], check=True, capture_output=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_executable_and_strict(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111
    assert "set -euo pipefail" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["scripts/app", "scripts/test", "scripts/check"])
def test_script_refuses_what_it_does_not_know(name: str) -> None:
    done = subprocess.run([ROOT / name, "--bogus"], capture_output=True, text=True, cwd="/")
    assert done.returncode == 2
    assert "usage" in done.stderr and not done.stdout


@pytest.mark.parametrize("name", ["scripts/app", "scripts/test", "scripts/check"])
def test_script_helps_without_setting_up(name: str, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ASKBACK_VENV": str(tmp_path / "venv")}
    done = subprocess.run([ROOT / name, "--help"], capture_output=True, text=True, cwd="/", env=environment)
    assert done.returncode == 0
    assert "usage" in done.stdout + done.stderr
    assert not (tmp_path / "venv").exists()


def test_app_refuses_a_wrong_interpreter(tmp_path: Path) -> None:
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "ASKBACK_VENV": str(tmp_path / "venv"), "ASKBACK_PYTHON": str(old)}
    done = subprocess.run([ROOT / "scripts/app"], capture_output=True, text=True, cwd="/", env=environment)
    assert done.returncode == 1
    assert "expected ASKBACK_PYTHON to name a Python 3.11 or 3.12" in done.stderr and "3.9" in done.stderr
