"""One stored example: what was seen and planned, what was said, why it is replayed, and what a person may change."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import streamlit as st

from pages import table_picture
from pages.changes import change
from pages.components.chart import COLOURS, axis, bars, chart
from robot_io.arm import TableView
from teaching.amending import MOST
from teaching.replay.columns import Card
from teaching.replay.glance import Glance
from teaching.shares import Shares, waterfall
from teaching.types import Array, AskbackError

KINDS = {
    "validated": "said to be right",
    "annotated": "shown by hand",
    "relabelled": "right for another goal",
    "offline": "shown beforehand",
}


def said(card: Card) -> str:
    """What was said, by whom and when."""
    words = [KINDS.get(str(card.demonstration.kind), str(card.demonstration.kind))]
    if card.answer is not None:
        when = time.strftime("%d %b %H:%M", time.localtime(card.answer.time))
        words.append(f"{card.answer.teacher}, {when}, after {card.answer.seconds:.0f} s")
    return " · ".join([*words, f"decision {card.demonstration.decision}", f"novice v{card.demonstration.update}"])


def picture(found: Glance, card: Card) -> None:
    """What was seen, with the plan over it."""
    one = card.demonstration
    try:
        observation = found.observation(card.episode, one.decision)
        st.image(table_picture.drawn(observation, one.actions, TableView()), width="stretch", output_format="JPEG")
    except (AskbackError, OSError, KeyError, IndexError) as error:
        st.warning(f"Its picture cannot be shown: {error}")


def why(shares: Shares, n: int, row: Array) -> None:
    """The priority, written out and drawn step by step."""
    t, how, even = shares.terms, shares.how, 1 / len(shares)
    if np.isnan(t.u_scaled[n]):
        text = f"priority **{shares.priority[n]:.2f}**: it was no decision of the novice, so its own is 1"
    else:
        sign = "−" if t.outcome[n] > 0 else "+"
        u, age = t.u_scaled[n], t.age_scaled[n]
        text = (
            f"priority **{shares.priority[n]:.2f}** = 1 {sign} f({how.lam:.2g} · {u:.2f} uncertainty + "
            f"{1 - how.lam:.2g} · {age:.2f} age)"
        )
        text += " , then by hand" if row["pinned"] or row["weight"] != 1.0 else ""
    drawn = f"drawn **{row['drawn']}** times, last for model {row['latest']}" if row["drawn"] else "never drawn yet"
    chance = f"chance **{100 * shares.probability[n]:.3g} %** a draw ({100 * even:.3g} % if even)"
    st.markdown(f"{text}  \n{chance} · {drawn}")
    steps = waterfall(shares, n, float(row["weight"]), bool(row["pinned"]))
    changes = np.array([1.0, *(part.change for part in steps)])
    top = np.cumsum(changes)
    base = np.concatenate([[0.0], top[:-1]])
    names = ["neutral", *(part.label for part in steps), "priority"]
    x = np.arange(len(names))
    top, base = np.append(top, top[-1]), np.append(base, 0.0)
    grey, up, down = COLOURS[5], COLOURS[1], COLOURS[0]
    inner = [up if change > 0 else down for change in changes[1:]]
    told = ["1.00", *(f"{change:+.2f}" for change in changes[1:]), f"{top[-1]:.2f}"]
    shown = bars(x, top, grey, base=base, text=told, colours=[grey, *inner, grey])
    high = max(float(max(top.max(), base.max())) * 1.2, 1.25)
    spoken = ", ".join(f"{name} {text}" for name, text in zip(names, told, strict=True))
    chart(
        axis("", -0.5, len(names) - 0.5, list(zip(x.tolist(), names, strict=True))), axis("priority", 0, high), [shown],
        key="waterfall", height=150, alt=f"How its priority comes about: {spoken}",
    )  # fmt: skip


def by_hand(path: Path, card: Card, row: Array) -> None:
    """Pin, exclude, weigh."""
    name = card.demonstration.id
    first, second, third = st.columns([1, 1, 1.6], vertical_alignment="bottom")
    pinned, excluded = bool(row["pinned"]), bool(row["excluded"])
    first.button(
        "Unpin" if pinned else "Pin", icon=":material/keep:", width="stretch", key="pin", disabled=excluded,
        help="Pinned: drawn at least as often as one of priority 1.", on_click=change,
        args=(path, "unpin" if pinned else "pin"), kwargs={"demonstration": name},
    )  # fmt: skip
    second.button(
        "Take in again" if excluded else "Exclude", icon=":material/block:", width="stretch", key="exclude",
        help="Excluded: the next training goes without it. It stays stored.", on_click=change,
        args=(path, "restore" if excluded else "exclude"), kwargs={"demonstration": name},
    )  # fmt: skip
    key = f"weight {name} {float(row['weight']):g}"

    def weigh() -> None:
        wanted = float(st.session_state[key])
        if wanted != float(row["weight"]):  # Streamlit calls this, too, when the field of another example appears
            change(path, "weigh", demonstration=name, weight=wanted)

    third.number_input(
        "Weight by hand (factor on its priority)", 0.0, MOST, float(row["weight"]), 0.5, key=key, on_change=weigh,
        disabled=excluded,
    )  # fmt: skip
