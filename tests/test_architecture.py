"""The house: calls go down, one vendor one door, pure files stay pure, no cycles, small files, every word defined."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("app.py", "pages", "teaching", "robot_io")
LIMIT = 300
"""Lines of one file."""

FORBIDDEN = {
    "robot_io": {"teaching", "pages", "app", "streamlit"},
    "teaching": {"pages", "app", "streamlit"},
    "pages": {"app"},
}
"""Room → what nothing in it imports."""

PURE = (
    "teaching/types.py", "teaching/task.py", "teaching/tasks/", "teaching/uncertainty.py", "teaching/gating.py",
    "teaching/sag.py", "teaching/logistic.py", "teaching/feedback.py", "teaching/priority.py", "teaching/segments.py",
    "teaching/selection.py", "teaching/familiarity.py", "teaching/recoveries.py", "teaching/rollout_phases.py",
    "teaching/rollout_metrics.py", "teaching/rollout_task.py", "teaching/rollout_oracle.py",
    "teaching/metrics.py", "teaching/oracle.py", "teaching/skills.py",
)  # fmt: skip
PURE_VENDORS = {"numpy"}

DOORS = {
    "streamlit": ("app.py", "pages/"),
    "torch": (
        "teaching/policies/", "teaching/learner.py", "teaching/training.py", "teaching/trainer.py", "teaching/host.py",
        "teaching/rollout_headless.py",
        "teaching/novice_command.py", "teaching/experiments/",
    ),
    "h5py": ("teaching/replay/", "teaching/export/"),
    "pybullet": ("robot_io/sim/", "robot_io/motion.py"),
    "pybullet_data": ("robot_io/sim/", "robot_io/motion.py"),
    "serial": ("robot_io/serial_arm.py", "robot_io/port.py"),
    "cv2": ("robot_io/opencv_camera.py",),
    "sklearn": ("teaching/experiments/",),
    "wandb": ("teaching/wandb_run.py",),
    "scservo_sdk": ("robot_io/feetech_bus.py",),
    "dynamixel_sdk": ("robot_io/dynamixel_bus.py",),
    "lerobot": ("robot_io/lerobot_door.py", "teaching/export/", "teaching/policies/"),
    "pyarrow": ("teaching/export/",),
}  # fmt: skip
"""Vendor → the only files that may import it."""

BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "managers",
    "misc",
    "lib",
    "core",
    "base_utils",
}
SHADOWS = {"serial", "lerobot", "h5py", "torch", "streamlit", "pybullet", "datasets"}


@cache
def files() -> tuple[Path, ...]:
    found = [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
    for room in ROOMS[1:]:
        found += sorted((ROOT / room).rglob("*.py"))
    return tuple(path for path in found if "__pycache__" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path, *, running: bool = False) -> frozenset[str]:
    """Dotted names that a file imports; running: only those that happen when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if running:
        for node in ast.walk(tree):
            lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            if lazy or typing_only:
                skipped.update(ast.walk(node))
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: expected an absolute import"
            found.add(str(node.module))
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def tops(path: Path) -> set[str]:
    return {dotted.split(".")[0] for dotted in imports(path)}


def test_there_is_a_house() -> None:
    assert len(files()) > 20


@pytest.mark.parametrize("room", FORBIDDEN)
def test_calls_go_down(room: str) -> None:
    wrong = {name(p): sorted(tops(p) & FORBIDDEN[room]) for p in files() if name(p).startswith(f"{room}/")}
    assert not {k: v for k, v in wrong.items() if v}


def test_experiments_are_called_by_commands_only() -> None:
    for path in files():
        if name(path).startswith("teaching/experiments/") or path.stem in ("__main__", "commands", "reproduce"):
            continue
        assert not any(dotted.startswith("teaching.experiments") for dotted in imports(path)), name(path)


@pytest.mark.parametrize("vendor", DOORS)
def test_one_vendor_one_door(vendor: str) -> None:
    doors = DOORS[vendor]
    wrong = [name(p) for p in files() if vendor in tops(p) and not name(p).startswith(doors)]
    assert not wrong, f"expected {vendor} only in {', '.join(doors)}"


def test_pure_files_import_numpy_only() -> None:
    import sys

    for path in files():
        if name(path).startswith(PURE):
            vendors = tops(path) - set(sys.stdlib_module_names) - {"teaching"}
            assert vendors <= PURE_VENDORS, name(path)
            own = {d for d in imports(path) if d.startswith("teaching.") and len(d.split(".")) > 1}
            homes = {"/".join(d.split(".")[:2]) for d in own}
            assert all(any(pure.startswith(home) for pure in PURE) for home in homes), f"{name(path)} imports {homes}"


def test_pages_read_no_arm_and_train_nothing() -> None:
    for path in files():
        if name(path).startswith("pages/"):
            assert not tops(path) & {"torch", "pybullet", "h5py", "serial", "lerobot"}, name(path)


def graph() -> dict[str, set[str]]:
    modules = {module_of(path): path for path in files()}
    edges: dict[str, set[str]] = {}
    for module, path in modules.items():
        found = set()
        for dotted in imports(path, running=True):
            target = dotted if dotted in modules else dotted.rpartition(".")[0]
            if target in modules and target != module and modules[target].name != "__init__.py":
                found.add(target)
        edges[module] = found
    return edges


def test_no_import_cycles() -> None:
    edges, state = graph(), {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert state.get(module) != "open", f"a cycle: {' → '.join([*trail[trail.index(module) :], module])}"
        if module in state:
            return
        state[module] = "open"
        for following in sorted(edges[module]):
            visit(following, (*trail, module))
        state[module] = "done"

    for module in edges:
        visit(module, ())


def test_datasets_holds_no_python() -> None:
    assert not list((ROOT / "datasets").rglob("*.py"))


def test_names_say_what_is_inside() -> None:
    assert not [name(path) for path in files() if path.stem in BANNED_NAMES]
    assert not [p.name for p in ROOT.iterdir() if p.suffix == ".py" and p.stem in SHADOWS]


def test_files_are_short() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert not {path: n for path, n in lengths.items() if n > LIMIT}


def test_functions_are_short() -> None:
    long = []
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if len(node.body) > 1 and ast.get_docstring(node) else node.body[0]
                if int(node.end_lineno or 0) - first.lineno + 1 > 50:
                    long.append(f"{name(path)}:{node.lineno} {node.name}")
    assert not long


def calls(path: Path) -> set[str]:
    return {
        ast.unparse(n.func) for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)
    }


@pytest.mark.parametrize("path", files(), ids=name)
def test_nothing_that_runs_what_it_reads(path: Path) -> None:
    assert not tops(path) & {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
    assert not calls(path) & {"torch.load", "eval", "exec", "os.system", "np.random.seed", "numpy.random.seed"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{name(path)}:{node.lineno}: expected the exceptions that are meant"
        if isinstance(node, ast.keyword) and node.arg in ("shell", "allow_pickle"):
            assert ast.unparse(node.value) == "False", f"{name(path)}:{node.value.lineno}: {node.arg}"


@pytest.mark.parametrize("path", files(), ids=name)
def test_no_global_generator(path: Path) -> None:
    allowed = ("default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator")
    modules = ("np.random.", "numpy.random.", *(("random.",) if "random" in tops(path) else ()))
    drawn = {c for c in calls(path) if c.startswith(modules)}
    assert not {c for c in drawn if not c.endswith(allowed)}


WORDS = (
    "Task", "Goal", "Observation", "Action", "Policy", "Learner", "Novice", "Teacher", "Plan", "Gate", "Decision",
    "Query", "Feedback", "Answer", "Outcome", "Demonstration", "Storing episode", "Episode", "Event", "ReplayBuffer",
    "Lesson", "Scene", "Arm",
)  # fmt: skip
LATER = {"teaching/segments.py": ("Segment", "Intervention", "Familiarity")}
"""Words that come into the house with a file."""


def test_every_word_of_the_house_is_documented() -> None:
    lines = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs").rglob("*.md")).splitlines()
    defined = {word.strip() for line in lines if line.startswith("|") for word in line.split("|")[1].split(",")}
    words = [*WORDS, *(word for file, more in LATER.items() if (ROOT / file).exists() for word in more)]
    assert not [word for word in words if word not in defined]


def test_every_noun_explains_itself() -> None:
    for path in files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.name != "__init__.py":
            assert ast.get_docstring(tree), f"{name(path)}: expected a docstring that says what is inside"
