"""Episodes: what was recorded, found by its goal, looked at picture by picture, judged late, taken out and back."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages import history, processes, table_picture
from pages.components.film import Shot, film
from pages.replay_card import change
from robot_io.arm import TableView
from teaching.metrics import kinds
from teaching.replay import Episode, Summary
from teaching.replay.glance import Glance
from teaching.types import Answer, AskbackError, Decision, Outcome

MOST = 300
LAST_SECONDS = 4.0
"""How long the last picture is shown where nothing tells when its plan ended."""
WORDS = {
    "validate": "said to be right", "wrong": "wrong", "unknown": "could not tell", "relabel": "right for another goal",
    "demonstrate": "shown by hand",
}  # fmt: skip
OUTCOMES = ("any", "all right", "some wrong", "not judged")


def verdicts(summary: Summary, answers: dict[str, int]) -> list[int]:
    """What is known of each plan: +1, −1 or 0."""
    return [answers.get(d.id, 0) for d in summary.decisions]


def outcomes(found: Glance) -> dict[str, int]:
    """Decision id → outcome as it stands now, of those that were judged."""
    rows = found.columns.decisions
    judged = rows[rows["outcome"] != 0][-20 * MOST :]
    return dict(zip(found.ids("decisions", judged["number"]), judged["outcome"].tolist(), strict=True))


def matches(known: list[int], wanted: str) -> bool:
    """Whether an episode is of the wanted kind."""
    return {
        "any": True,
        "all right": bool(known) and all(k > 0 for k in known),
        "some wrong": any(k < 0 for k in known),
        "not judged": not any(known),
    }[wanted]


def flags(summary: Summary) -> str:
    """What is unusual about an episode."""
    said = [] if summary.end == "terminated" else [summary.end]
    if summary.rollout is not None:
        said.append("in motion")
    seconds = summary.ended - summary.started
    if summary.decisions and seconds > 60 * len(summary.decisions):
        said.append("long")
    return ", ".join(said)


def table(listed: list[Summary], answers: dict[str, int], gone: set[str]) -> None:
    """The library; choosing a row opens it."""
    marks = {1: "✓", -1: "✗", 0: "·"}
    rows = [
        {
            "episode": s.id,
            "goal": s.goal,
            "plans": " ".join(marks[k] for k in verdicts(s, answers)),
            "reward": round(s.reward, 2),
            "seconds": round(max(s.ended - s.started, 0.0), 1),
            "teacher": s.teacher,
            "when": time.strftime("%d %b %H:%M", time.localtime(s.started)) if s.started else "",
            "": "deleted" if s.id in gone else flags(s),
        }
        for s in listed
    ]
    event = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row", key="library", height=248
    )
    chosen = event.selection.rows
    if chosen and chosen[0] < len(listed) and st.session_state.get("opened") != (row := listed[chosen[0]].id):
        st.session_state["opened"] = row
        st.query_params["episode"] = row
        st.query_params.pop("t", None)


def told(decision: Decision, answer: Answer | None) -> str:
    """What was said of a plan."""
    if answer is None:
        return "asked, not answered" if decision.asked else "not asked"
    return ", ".join(WORDS[part] for part in kinds(answer.feedback)) + (" (late)" if answer.late else "")


def shots(episode: Episode, answers: dict[str, int]) -> list[Shot]:
    """Its pictures, each for as long as its plan took."""
    known = {a.decision: a for a in episode.answers}
    steps = [s for s in episode.steps if "colour" in s.observation or "picture" in s.observation]
    times = [s.decision.time if s.decision else s.observation.time for s in steps]
    begun = times[0] if times else 0.0
    ends = [*times[1:], max(episode.ended, times[-1] + LAST_SECONDS) if times else 0.0]
    made = []
    for step, at, until in zip(steps, times, ends, strict=True):
        decision = step.decision
        actions = step.executed if step.executed is not None else decision.plan.actions if decision else None
        image = table_picture.drawn(step.observation, actions, TableView()) if actions is not None else None
        url = table_picture.data_url(image or table_picture.plain(step.observation))
        outcome = answers.get(decision.id, 0) if decision else 0
        kind = {1: "right", -1: "wrong"}.get(outcome, "")
        said = told(decision, known.get(decision.id)) if decision else "shown beforehand"
        goal = decision.plan.goal if decision else episode.goal
        made.append(Shot(at - begun, max(until - begun, at - begun + 0.5), url, goal, said, kind))
    return made


def one(path: Path, found: Glance, name: str, answers: dict[str, int], gone: set[str]) -> None:
    """The opened episode."""
    try:
        episode = found.episode(name)
    except (AskbackError, OSError) as error:
        st.warning(f"Episode {name} cannot be shown: {error}")
        return
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        made = shots(episode, answers)
        if made:
            begin = st.query_params.get("t", "0")
            at = film(name, made, at=float(begin) if begin.replace(".", "", 1).isdigit() else 0.0)
            link = urlencode({"lesson": path.name, "episode": name, "t": f"{at:.1f}"})
            st.caption(f"a link to this second: [/episodes?{link}](/episodes?{link})")
        else:
            st.write("It holds no pictures: it was driven in motion, and its ticks are numbers.")
    with right:
        facts(path, found, episode, answers, deleted=name in gone)


def facts(path: Path, found: Glance, episode: Episode, answers: dict[str, int], *, deleted: bool) -> None:
    """Its plans, with a late verdict on each, and taking it out."""
    st.markdown(f"### {episode.goal}")
    st.caption(f"episode {episode.id} · {episode.task} · seed {episode.seed} · {episode.end} {episode.reason}")
    known = {a.decision: a for a in episode.answers}
    for decision in episode.decisions:
        word = {1: "right", -1: "wrong"}.get(answers.get(decision.id, 0), "not judged")
        text, yes, no = st.columns([3, 1, 1], vertical_alignment="center")
        text.markdown(f"**{decision.step + 1}** {told(decision, known.get(decision.id))}: {word}")
        for column, fine, label in ((yes, True, "Right"), (no, False, "Wrong")):
            same = answers.get(decision.id) == int(Outcome.SUCCESS if fine else Outcome.FAILURE)
            column.button(
                label, key=f"{label} {decision.id}", disabled=same or deleted, on_click=change, args=(path, "judge"),
                kwargs={"decision": decision.id, "right": fine}, width="stretch",
            )  # fmt: skip
    st.button(
        "Delete this episode", key="delete", icon=":material/delete:", disabled=deleted, on_click=change,
        args=(path, "drop_episode"), kwargs={"episode": episode.id},
        help="The next training goes without it, and it counts nowhere. Its file stays, and you can take it back.",
    )  # fmt: skip
    for entry in found.diary("drop", most=10):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.markdown(f"deleted: **{entry.body['episode']}** by {entry.body.get('by') or 'somebody'}")
        right.button("Take back", key=f"back {entry.seq}", on_click=change, args=(path, "take_back"),
                     kwargs={"event": entry.seq}, width="stretch")  # fmt: skip


def main() -> None:
    """Draw the page of the open lesson."""
    path = processes.chosen()
    if path is None:
        st.title("Episodes")
        st.write("No lesson is open.")
        return
    if refused := st.session_state.pop("refused", ""):
        st.error(f"Nothing was changed: {refused}", icon=":material/error:")
    found = history.of(path)
    if not found.episode_count:
        st.title("Episodes")
        st.write("Nothing was recorded yet.")
        return
    first, second, third = st.columns([2, 1.4, 3], vertical_alignment="bottom")
    goal = first.text_input("Goal has in it", key="goal", placeholder="red blocks")
    wanted = second.selectbox("Plans", OUTCOMES, key="wanted")
    answers, gone = outcomes(found), {e.body["episode"] for e in found.diary("drop", most=10_000)}
    listed = [s for s in found.episodes(goal, MOST) if matches(verdicts(s, answers), str(wanted))]
    third.caption(f"{len(listed)} episodes" + (f", the latest {MOST}" if len(listed) == MOST else ""))
    if listed:
        table(listed, answers, gone)
    name = st.query_params.get("episode") or (listed[0].id if listed else "")
    if name:
        one(path, found, name, answers, gone)
    elif not listed:
        st.write("No episode is like that.")


main()
