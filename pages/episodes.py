"""Episodes: what was recorded, found by its goal, looked at, judged late, compared, taken out and back."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from pages import changes, episode_card, exporting, history, processes
from teaching.quality import jerk, stillness, unusual
from teaching.replay import Summary
from teaching.replay.glance import Glance
from teaching.types import AskbackError

MOST = 300
OUTCOMES = ("any", "all right", "some wrong", "not judged")
MOVING = ("any", "ended well", "failed", "a person took over", "counts nowhere")
NONE = "none"
Place = st.delta_generator.DeltaGenerator
FLAGS = ("short", "long", "still", "jerky", "interrupted", "deleted")
MARKS = {1: "✓", -1: "✗", 0: "·"}
LETTERS = {"policy": "p", "recovery": "r", "correction": "c", "demo": "d", "recovery_auto": "b", "restored": "↶"}


def verdicts(summary: Summary, outcomes: dict[str, int]) -> list[int]:
    """What is known of each plan: +1, −1 or 0."""
    return [outcomes.get(d.id, 0) for d in summary.decisions]


def matches(summary: Summary, outcomes: dict[str, int], wanted: str) -> bool:
    """Whether an episode is of the wanted kind."""
    if summary.rollout is not None:
        end = str(summary.rollout["end"])
        return {
            "ended well": end in ("auto_success", "intervened", "demonstrated"),
            "failed": end == "failed",
            "a person took over": int(summary.rollout["n_interventions"]) > 0,
            "counts nowhere": end in ("discarded", "truncated"),
        }.get(wanted, True)
    known = verdicts(summary, outcomes)
    return {
        "all right": bool(known) and all(k > 0 for k in known),
        "some wrong": any(k < 0 for k in known),
        "not judged": not any(known),
    }.get(wanted, True)


@st.cache_data(max_entries=4_000, show_spinner=False)
def _moved(path: str, name: str, _found: Glance, rate: float) -> dict[str, float]:
    """How an episode in motion moved; its file never changes."""
    try:
        columns = _found.frames(name, ["live", "observation.tip"])
    except (AskbackError, OSError):
        return {}
    tip = columns["observation.tip"][columns["live"]][:, :3]
    return {"still": stillness(tip, rate), "jerk": jerk(tip, rate)}


def flagged(path: Path, found: Glance, listed: list[Summary], gone: set[str]) -> list[list[str]]:
    """What is unusual about each episode."""
    figures = []
    for one in listed:
        if one.rollout is None:
            figures.append({"seconds": max(one.ended - one.started, 0.0)})
        else:
            rate = float(one.rollout["rate"])
            seconds = float(one.rollout["frames"]) / rate
            figures.append({"seconds": seconds, **_moved(str(path), one.id, found, rate)})
    words = unusual(figures)
    for one, said in zip(listed, words, strict=True):
        said += ["interrupted"] if one.end == "interrupted" else []
        said += ["deleted"] if one.id in gone else []
    return words


def row(summary: Summary, outcomes: dict[str, int], flags: list[str]) -> dict[str, object]:
    """One line of the library."""
    facts = summary.rollout
    if facts is None:
        parts = " ".join(MARKS[k] for k in verdicts(summary, outcomes))
        seconds = max(summary.ended - summary.started, 0.0)
    else:
        parts = " ".join(LETTERS[str(s["kind"])] for s in facts["segments"]) + f"  {facts['end']}"
        seconds = float(facts["frames"]) / float(facts["rate"])
    return {
        "episode": summary.id,
        "goal": summary.goal,
        "plans" if facts is None else "segments, end": parts,
        "reward" if facts is None else "progress": round(
            summary.reward if facts is None else float(facts["progress"]), 2
        ),
        "seconds": round(seconds, 1),
        "teacher": summary.teacher,
        "when": time.strftime("%d %b %H:%M", time.localtime(summary.started)) if summary.started else "",
        "flags": ", ".join(flags),
    }


def table(rows: list[dict[str, object]]) -> None:
    """The library; choosing a row opens it."""
    event = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row", key="library", height=178,
        column_config={
            "segments, end": st.column_config.TextColumn(
                help="p policy, r recovery, c correction, d demonstration, b retraced, ↶ an earlier moment put back"
            ),
            "flags": st.column_config.TextColumn(help="short, long, jerky: against the lesson's median; still: stands"),
        },
    )  # fmt: skip
    chosen = event.selection.rows
    if chosen and chosen[0] < len(rows) and st.session_state.get("opened") != (name := rows[chosen[0]]["episode"]):
        st.session_state["opened"] = name
        st.query_params["episode"] = str(name)
        st.query_params.pop("t", None)


def filters(first: Place, second: Place, third: Place, moving: bool) -> tuple[str, str, list[str]]:
    """What to look for: words of the goal, how it went, what is unusual."""
    goal = first.text_input("Goal has in it", key="goal", placeholder="red blocks")
    wanted = second.selectbox("How it went" if moving else "Plans", MOVING if moving else OUTCOMES, key="wanted")
    flags = third.multiselect("Flagged", FLAGS, key="flags", placeholder="anything")
    return goal, str(wanted), flags


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    if path is None:
        st.title("Episodes")
        st.write("No lesson is open.")
        return
    changes.refused()
    found = history.of(path)
    if not found.episode_count:
        st.title("Episodes")
        st.write("Nothing was recorded yet.")
        return
    moving = found.columns.lesson.get("kind") == "rollout"
    first, second, third, fourth, last = st.columns([1.5, 1.1, 1.2, 1.2, 0.8], vertical_alignment="bottom")
    goal, wanted, flags = filters(first, second, third, moving)
    look = episode_card.Look(path, found)
    listed = [s for s in look.episodes(goal, MOST) if matches(s, look.outcomes, wanted)]
    words = flagged(path, found, listed, look.gone)
    kept = [(s, w) for s, w in zip(listed, words, strict=True) if not flags or set(flags) & set(w)]
    with last:
        exporting.export(path)
    if kept:
        table([row(s, look.outcomes, w) for s, w in kept])
    name = st.query_params.get("episode") or (kept[0][0].id if kept else "")
    if name:
        more = f" of the latest {MOST}" if len(listed) == MOST else ""
        count = f"{len(kept)} episode{'s' if len(kept) != 1 else ''}{more}"
        others = [NONE, *(s.id for s, _ in kept if s.id != name)]
        other = fourth.selectbox(f"{count}; compare with", others, key="compare")
        episode_card.opened(look, name, "" if other == NONE else str(other))
    else:
        st.write("No episode is like that.")
    changes.standing(path, found, "drop", "segments", open=True)


main()
