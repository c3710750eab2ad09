"""Training: what is trained now and why, the models with their lineage, how good they are, and which one goes on."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages import history, processes
from pages.compared import compared
from pages.components.chart import COLOURS, axis, chart, line, points
from pages.running_jobs import under_way
from pages.skills_table import skills_table
from robot_io.arm import ArmError
from teaching.amending import go_on_from
from teaching.channel import Channel
from teaching.evaluations import Evaluation, evaluations, pooled, start
from teaching.metrics import Rate
from teaching.models import Model, models
from teaching.replay.columns import Entry
from teaching.replay.glance import Glance
from teaching.supervisor import running
from teaching.types import AskbackError

SHOWN = 300
"""Trainings in the history."""


def intend(path: Path, do: str) -> None:
    """Tell the lesson's host; what went wrong is told at the top of the next drawing."""
    try:
        with Channel(path, session=processes.session(), teacher=processes.teacher()) as channel:
            channel.intend(do)
    except (AskbackError, ArmError, OSError) as error:
        st.session_state["refused"] = str(error)


def now(path: Path) -> dict[str, Any] | None:
    """What the host tells of the training under way; None if it does not run or say."""
    if not running(path):
        return None
    try:
        with Channel(path, session=f"{processes.session()}-watch", role="watch") as channel:
            view = channel.wait(lambda v: "training" in v, timeout=2.0)
            found: dict[str, Any] = view["training"]
            return found
    except (AskbackError, ArmError, OSError):
        return None


@st.fragment(run_every=1.0)
def job(path: Path) -> None:
    """The training under way, its curve, and what to do about it."""
    found = now(path)
    version = (found or {}).get("version")
    if found is not None and st.session_state.setdefault("trained", version) != version:
        st.session_state["trained"] = version
        st.rerun()
    busy = bool(found) and found["state"] == "running"  # type: ignore[index]
    left, right, far = st.columns([3, 1, 1], vertical_alignment="center")
    if found is None:
        left.markdown("The lesson does not run: open it to train.")
    elif busy:
        more = " · one more is waiting" if found.get("queued") else ""
        left.progress(float(found["progress"]), f"{found['message']}{more}")
    else:
        left.markdown(found["message"] or "Nothing is being trained.")
    right.button(
        "Train now", disabled=found is None, on_click=intend, args=(path, "train"), width="stretch", key="train"
    )
    far.button("Cancel", disabled=not busy, on_click=intend, args=(path, "cancel"), width="stretch", key="cancel")
    curve = np.array((found or {}).get("curve") or [])
    if len(curve):
        high = float(curve.max()) * 1.1
        chart(
            axis("step", 0.5, len(curve) + 0.5), axis("loss", 0, high),
            [line(np.arange(1, len(curve) + 1), curve, COLOURS[0])], key="job", height=140,
            alt=f"Loss of the training under way: {curve[-1]:.3f} at step {len(curve)}",
        )  # fmt: skip


def why(entry: Entry) -> str:
    """What triggered a training, and what came of it."""
    body = entry.body
    if body.get("promoted"):
        return f"chosen by hand: a copy of {body.get('parent')}"
    ending = next((f"{kind}: {body[kind]}" for kind in ("failed", "cancelled") if kind in body), "")
    return " · ".join(part for part in (str(body.get("why", "")), ending) if part)


def past(entries: list[Entry]) -> None:
    """Every training so far, by its loss, and the latest ones in words."""
    trained = [e.body for e in reversed(entries) if "figures" in e.body]
    if trained:
        update = np.array([b["update"] for b in trained], float)
        loss = np.array([b["figures"].get("loss", np.nan) for b in trained], float)
        says = [f"{b.get('demonstrations', '?')} examples, {b.get('seconds', 0):.1f} s" for b in trained]
        layers = [
            line(update, loss, COLOURS[0], width=1),
            points(update, loss, COLOURS[0], says=says, say=np.arange(len(says))),
        ]
        chart(
            axis("model", update[0] - 1, update[-1] + 1), axis("mean loss", 0, float(np.nanmax(loss)) * 1.1), layers,
            key="losses", height=170, alt=f"Mean loss of {len(trained)} trainings",
        )  # fmt: skip
    rows = [
        {
            "model": e.body.get("update"),
            "when": time.strftime("%d %b %H:%M:%S", time.localtime(e.time)),
            "why": why(e),
            "loss": (e.body.get("figures") or {}).get("loss"),
            "steps": e.body.get("steps"),
            "seconds": e.body.get("seconds"),
            "examples": e.body.get("demonstrations"),
        }
        for e in entries[:50]
    ]
    if rows:
        with st.expander(f"The latest {len(rows)} trainings"):
            st.dataframe(rows, hide_index=True)


def told(rate: Rate | None) -> str:
    """Success in words."""
    if rate is None:
        return "not evaluated"
    low, high = rate.interval
    return f"{100 * rate.value:.0f} % ({100 * low:.0f}–{100 * high:.0f} %, {rate.n} scenes)"


def table(known: list[Model], found: list[Evaluation]) -> int:
    """The models, newest first; the position of the chosen one."""
    rows = [
        {
            "model": m.name,
            "": "goes on" if n == 0 else "",
            "success on fresh scenes": told(pooled(found, m.name)),
            "made from": f"copy of {m.parent}" if m.promoted else m.parent or "nothing",
            "trained on": learnt_from(m),
            "when": time.strftime("%d %b %H:%M", time.localtime(m.time)),
            "size": f"{m.bytes / 2**20:.1f} MB",
        }
        for n, m in enumerate(known)
    ]
    event = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row", key=f"models {known[0].name}"
    )
    chosen = event.selection.rows
    return int(chosen[0]) if chosen and chosen[0] < len(known) else 0


def learnt_from(model: Model) -> str:
    """How much it was trained on."""
    if "episodes" in model.lineage:
        return f"{len(model.lineage['episodes']):,} episodes"
    return f"{len(model.demonstrations):,} examples"


@st.cache_data(max_entries=3, show_spinner=False)
def packed(path: str, name: str, changed: float) -> bytes:
    """A model as a tar file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(Path(path) / name, arcname=name)
    return stream.getvalue()


def promote(path: Path, model: str) -> None:
    """Let an earlier model go on."""
    try:
        go_on_from(path, model, session=processes.session(), teacher=processes.teacher())
    except (AskbackError, ArmError, OSError) as error:
        st.session_state["refused"] = str(error)


def evaluate(path: Path, model: str) -> None:
    """Start an evaluation with what the widgets say."""
    state = st.session_state
    try:
        start(path, model, scenes=int(state["scenes"]), split=str(state["split"]), seed=int(state["seed"]))
    except (AskbackError, OSError) as error:
        state["refused"] = str(error)


def one(path: Path, known: list[Model], n: int, found: list[Evaluation], glance: Glance) -> None:
    """The chosen model: go on from it, take it along, evaluate it, where it came from."""
    model = known[n]
    st.markdown(f"### Model {model.name}")
    first, second, third, fourth, fifth, sixth = st.columns([1.4, 1.1, 0.8, 0.8, 0.8, 1.1], vertical_alignment="bottom")
    first.button(
        "Go on from this one", key="promote", type="primary", disabled=n == 0, on_click=promote,
        args=(path, model.name), width="stretch", help="A copy becomes the newest model: it plans from the next "
        "question on, and is trained on. Nothing is lost; the others stay.",
    )  # fmt: skip
    tar = packed(str(path / "checkpoints"), model.name, model.time)
    second.download_button(
        "Export", tar, f"{path.name}-{model.name}.tar", width="stretch", help="Weights and lineage as a tar file."
    )
    third.number_input("Scenes", 1, 500, 20, key="scenes")
    fourth.selectbox("Objects", ["seen", "unseen"], key="split")
    fifth.number_input("Seed", 0, 1000, 0, key="seed", help="Another seed draws other scenes; none is ever taught on.")
    sixth.button("Evaluate", key="evaluate", on_click=evaluate, args=(path, model.name), width="stretch")
    waiting([e for e in found if e.model == model.name])
    under_way(path)
    lineage(model, known, glance)
    skills_table(path, model.name, found, glance)
    compared(path, model, known, found, glance)


def waiting(found: list[Evaluation]) -> None:
    """Evaluations of a model that have ended."""
    for e in found:
        what = f"{e.scenes} scenes, {e.split} objects, seed {e.seed}"
        if e.success is not None and e.figures is not None:
            st.markdown(f"- {what}: **{told(e.success)}** wholly solved{reward(e.figures)}")
        elif not e.running:
            st.markdown(f"- {what}: ended without a result. {e.said}")


def reward(figures: Mapping[str, Any]) -> str:
    """The mean reward, where the lesson has one."""
    return f", mean reward {float(figures['reward_x100']) / 100:.2f}" if "reward_x100" in figures else ""


def lineage(model: Model, known: list[Model], glance: Glance) -> None:
    """From which model it came, and down to the examples that were new."""
    chain, names = [model.name], {m.name: m for m in known}
    while (parent := names[chain[-1]].parent if chain[-1] in names else None) and parent not in chain:
        chain.append(parent)
    older = names.get(model.parent or "")
    if "episodes" in model.lineage:
        in_motion(model, chain, older)
        return
    new = [d for d in model.demonstrations if older is None or d not in set(older.demonstrations)]
    drawn = model.lineage.get("draws") or {}
    st.markdown(
        f"**Lineage** {' ← '.join(chain)} · trained on {len(model.demonstrations):,} examples, "
        f"{len(new) if older else 'unknown how many'} of them new since {model.parent or 'the beginning'}"
    )
    listed = sorted(new if older else drawn, key=lambda d: -int(drawn.get(d, 0)))[:12]
    links = [f"[{d}](/replay?example={d}) × {drawn.get(d, 0)}" for d in listed]
    if links:
        st.caption("What its training drew of them: " + " · ".join(links))


def in_motion(model: Model, chain: list[str], older: Model | None) -> None:
    """Of a lesson in motion: every model is trained from fresh weights, on all episodes that count."""
    before = set(older.lineage.get("episodes", ())) if older is not None else set()
    new = [e for e in model.lineage["episodes"] if e not in before]
    since = f"{len(new)} of them new since {model.parent}" if older is not None else "all of them its first"
    st.markdown(f"**Lineage** {' ← '.join(chain)} · trained on {learnt_from(model)}, {since}")
    st.caption(" · ".join(f"[{e}](/episodes?episode={e})" for e in new[-24:]))


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    if path is None:
        st.title("Training")
        st.write("No lesson is open.")
        return
    if refused := st.session_state.pop("refused", ""):
        st.error(f"Nothing was changed: {refused}", icon=":material/error:")
    glance = history.of(path)
    known, found = list(reversed(models(path / "checkpoints"))), evaluations(path)
    if not known:
        st.title("Training")
    st.markdown("### Now")
    job(path)
    entries = glance.diary("training", most=SHOWN)
    if entries:
        past(entries)
    st.markdown("### Models")
    if not known:
        st.write("No model yet: the first training makes one.")
        return
    one(path, known, table(known, found), found, glance)


main()
