"""Replay: every stored demonstration, and why it is replayed as often as it is. Read-only."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image, ImageDraw

from pages import history, processes
from pages.history import History
from robot_io.arm import Observation, TableView
from teaching.types import Array, AskbackError, Demonstration, Outcome

WIDTH = 960
SHAPES = {Outcome.SUCCESS: "circle", Outcome.FAILURE: "x", Outcome.UNKNOWN: "diamond"}
OUTCOMES = {
    Outcome.SUCCESS: "its plan was right",
    Outcome.FAILURE: "its plan was wrong",
    Outcome.UNKNOWN: "no decision",
}
KINDS = {
    "validated": "you said yes",
    "annotated": "you showed it",
    "relabelled": "right for another goal",
    "offline": "shown beforehand",
}


def drawn(observation: Observation, actions: Array, table: TableView) -> Image.Image:
    """The picture with a plan over it: a ring where it picks, a target where it places."""
    pixels = observation["picture"] if "picture" in observation else observation["colour"]
    image = Image.fromarray(np.asarray(pixels))
    image = image.resize((WIDTH, round(WIDTH * image.height / image.width)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    (u, v), (s, t) = (_spot(a, table, image.size) for a in (actions[0], actions[-1]))
    for width, colour in ((9, "black"), (5, "#5cc8ff")):
        draw.line([u, v, s, t], fill=colour, width=width)
        draw.ellipse([u - 18, v - 18, u + 18, v + 18], outline=colour, width=width)
        for radius in (20, 8):
            draw.ellipse([s - radius, t - radius, s + radius, t + radius], outline=colour, width=width)
    return image


def _spot(action: Array, table: TableView, size: tuple[int, int]) -> tuple[float, float]:
    across = (action[1] - table.y[0]) / (table.y[1] - table.y[0])
    down = (action[0] - table.x[0]) / (table.x[1] - table.x[0])
    return float(across * size[0]), float(down * size[1])


def scatter(found: History) -> go.Figure:
    """Demonstrations by uncertainty and age; size by how likely they are drawn, shape by outcome."""
    figure = go.Figure()
    largest = float(found.chance.max()) if len(found.chance) else 1.0
    for outcome, shape in SHAPES.items():
        rows = [n for n, d in enumerate(found.demonstrations) if d.outcome == outcome]
        if not rows:
            continue
        u, age = found.terms.u_scaled[rows], found.terms.age_scaled[rows]
        figure.add_trace(
            go.Scattergl(
                x=np.where(np.isnan(u), -0.06, u),
                y=age,
                mode="markers",
                name=OUTCOMES[outcome],
                customdata=rows,
                text=[found.demonstrations[n].goal for n in rows],
                hovertemplate="%{text}<extra></extra>",
                marker={"symbol": shape, "size": 9 + 18 * found.chance[rows] / largest, "opacity": 0.8},
            )
        )
    figure.update_layout(
        colorway=history.COLOURS,
        xaxis={"title": "uncertainty, over the largest (left edge: none)", "range": [-0.1, 1.05]},
        yaxis={"title": "age, 0 newest to 1 oldest", "range": [-0.06, 1.06]},
        legend={"orientation": "h", "y": 1.12},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=430,
        dragmode="select",
    )
    return figure


def formula(found: History, n: int) -> str:
    """One priority, written out."""
    t, training = found.terms, found.config.training
    if np.isnan(t.u_scaled[n]):
        return f"priority {t.priority[n]:.2f}: it was no decision of the novice, so it is neither preferred nor avoided"
    sign = "−" if t.outcome[n] > 0 else "+"
    return (
        f"priority **{t.priority[n]:.2f}** = 1 {sign} f({t.c[n]:.2f}),  \n"
        f"{t.c[n]:.2f} = {training.lam:.2g} · {t.u_scaled[n]:.2f} uncertainty "
        f"+ {1 - training.lam:.2g} · {t.age_scaled[n]:.2f} age"
    )


def explain(found: History, n: int) -> None:
    """Why it is drawn as often as it is."""
    even = 1 / len(found.chance)
    st.markdown(formula(found, n))
    st.markdown(f"drawn with a chance of **{found.chance[n]:.1%}** each time; evenly it would be {even:.1%}")
    with st.expander("What is f?"):
        b = found.config.training.b
        st.markdown(
            f"f(c) = (b^(1−c) − 1) / (b − 1) with b = {b:g}: large for what is certain and new. A plan that was wrong "
            "although it was certain and new is replayed most, one that was right is replayed least."
        )


def card(path: Path, found: History, n: int) -> None:
    """One demonstration: picture, plan, answer, priority."""
    shown: Demonstration = found.demonstrations[n]
    st.markdown(f"### {shown.goal}")
    try:
        observation = history.seen(path, shown.decision)
    except (AskbackError, OSError) as error:
        st.warning(f"Its picture cannot be read: {error}")
    else:
        st.image(drawn(observation, shown.actions, TableView()), width="stretch")
    answer = found.answers.get(shown.decision)
    said = f"{KINDS.get(str(shown.kind), str(shown.kind))}"
    if answer is not None:
        when = time.strftime("%d %b %H:%M", time.localtime(answer.time))
        said += f" · {answer.teacher}, {when}, after {answer.seconds:.0f} s"
    st.caption(f"{said} · decision {shown.decision} · novice v{shown.update}")
    explain(found, n)


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    if path is None:
        st.title("Replay")
        st.write("No lesson is open.")
        return
    found = history.of(path)
    if not found.demonstrations:
        st.title("Replay")
        st.write("Nothing is stored yet. Every yes, relabel and demonstration on the Teach page adds something here.")
        return
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        st.markdown(f"### {len(found.demonstrations)} stored examples")
        event = st.plotly_chart(
            scatter(found), key="scatter", on_select="rerun", selection_mode=("points", "box", "lasso")
        )
        points = [int(p["customdata"]) for p in event.selection.points if "customdata" in p]
        names = points or list(range(len(found.demonstrations) - 1, -1, -1))
        label = f"{len(points)} selected" if points else "newest first"
        n = st.selectbox(f"Example ({label})", names, format_func=lambda i: f"{i + 1}: {found.demonstrations[i].goal}")
    with right:
        card(path, found, int(n))


main()
