"""A disk that remembers every system call, and the states that a crash could have left after any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from teaching.replay.disk import Disk


@dataclass(frozen=True)
class Op:
    """One call. `kind`: create, write, truncate, sync, rename, remove, sync_directory, or the test's own: ack."""

    kind: str
    path: str = ""
    other: str = ""
    offset: int = 0
    data: bytes = b""


class RecordingDisk(Disk):
    """The real disk, with a memory. Paths are kept relative to `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ops: list[Op] = []
        self._paths: dict[int, Path] = {}

    def _add(self, kind: str, path: Path, **more: object) -> None:
        if path.is_relative_to(self.root):
            self.ops.append(Op(kind, str(path.relative_to(self.root)), **more))  # type: ignore[arg-type]

    def ack(self, what: str) -> None:
        self.ops.append(Op("ack", data=what.encode()))

    def open(self, path: Path, flags: int) -> int:
        if not path.exists():
            self._add("create", path)
        descriptor = super().open(path, flags)
        self._paths[descriptor] = path
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        path = self._paths[descriptor]
        offset = path.stat().st_size  # everything is written at the end
        taken = super().write(descriptor, data)
        self._add("write", path, offset=offset, data=bytes(data[:taken]))
        return taken

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self._add("sync", self._paths[descriptor])

    def sync_data(self, descriptor: int) -> None:
        super().sync_data(descriptor)
        self._add("sync", self._paths[descriptor])

    def truncate(self, descriptor: int, length: int) -> None:
        super().truncate(descriptor, length)
        self._add("truncate", self._paths[descriptor], offset=length)

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self._add("rename", old, other=str(new.relative_to(self.root)))

    def remove(self, path: Path) -> None:
        there = path.exists()
        super().remove(path)
        if there:
            self._add("remove", path)

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        self._add("sync_directory", path)


@dataclass
class Node:
    """A file's bytes: those on the medium and the changes since."""

    durable: bytearray = field(default_factory=bytearray)
    changes: list[Op] = field(default_factory=list)

    def content(self, keep: Iterator[float] | None = None) -> bytes:
        """With all changes (None: a kill), or with those that luck kept (a power loss): whole, half or none."""
        data = bytearray(self.durable)
        for op in self.changes:
            luck = 1.0 if keep is None else next(keep)
            if op.kind == "truncate":
                if luck > 0.5:
                    del data[op.offset :]
                    data.extend(bytes(op.offset - len(data)))
                continue
            part = op.data if luck > 0.6 else op.data[: len(op.data) // 2] if luck > 0.3 else b""
            if len(data) < op.offset + len(op.data) and luck <= 0.15:
                data.extend(bytes(op.offset + len(op.data) - len(data)))  # the size got there, the bytes did not
            if part:
                data.extend(bytes(max(0, op.offset + len(part) - len(data))))
                data[op.offset : op.offset + len(part)] = part
        return bytes(data)


class Medium:
    """What a sequence of calls leaves."""

    def __init__(self, ops: list[Op]) -> None:
        self.names: dict[str, Node] = {}
        self.durable_names: dict[str, Node] = {}
        self.name_ops: list[tuple[Op, Node | None]] = []
        for op in ops:
            self._apply(op)

    def _apply(self, op: Op) -> None:
        if op.kind in ("write", "truncate"):
            self.names[op.path].changes.append(op)
        elif op.kind == "sync":
            node = self.names[op.path]
            node.durable, node.changes = bytearray(node.content()), []
        elif op.kind == "sync_directory":
            self._settle(op.path)
        elif op.kind in ("create", "rename", "remove"):
            node_or_none = Node() if op.kind == "create" else self.names.get(op.path)
            change(self.names, op, node_or_none)
            self.name_ops.append((op, node_or_none))

    def _settle(self, folder: str) -> None:
        rest = []
        for op, node in self.name_ops:
            if str(Path(op.other or op.path).parent) == folder:
                change(self.durable_names, op, node)
            else:
                rest.append((op, node))
        self.name_ops = rest

    def lay(self, target: Path, rng: np.random.Generator | None = None) -> None:
        """Put the state after a kill, or with a generator one state after a power loss, into a directory."""
        names = dict(self.names)
        keep: Iterator[float] | None = None
        if rng is not None:
            names = dict(self.durable_names)
            for op, node in self.name_ops:
                if rng.random() < 0.5:
                    change(names, op, node)
            keep = iter(lambda: float(rng.random()), -1.0)
        for folder in ("episodes", "pending", "checkpoints", "quarantine"):
            (target / folder).mkdir(parents=True, exist_ok=True)
        for name, node in names.items():
            (target / name).write_bytes(node.content(keep))


def change(names: dict[str, Node], op: Op, node: Node | None) -> None:
    """One change of names."""
    if op.kind == "create" and node is not None:
        names[op.path] = node
    elif op.kind == "remove":
        names.pop(op.path, None)
    elif op.kind == "rename" and node is not None:
        names.pop(op.path, None)
        names[op.other] = node


def prefixes(ops: list[Op]) -> Iterator[list[Op]]:
    """Every state that a kill can leave: after each call, and in the middle of each write."""
    for k, op in enumerate(ops):
        if op.kind == "write" and len(op.data) > 1:
            half = op.data[: len(op.data) // 2]
            yield [*ops[:k], Op("write", op.path, offset=op.offset, data=half)]
        yield ops[: k + 1]
