"""One opened episode, or two beside each other: film, what was said, and what a person may say late."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages import episode_segments
from pages.changes import change
from pages.components.film import film
from pages.episode_film import moving, shots, told
from teaching.replay import Episode, Summary
from teaching.replay.episode import as_told
from teaching.replay.events import told_of
from teaching.replay.glance import EVERY_ENTRY, Glance
from teaching.types import Answer, AskbackError, Decision, Outcome


class Look:
    """What the page knows of a lesson besides the episodes themselves."""

    def __init__(self, path: Path, found: Glance) -> None:
        self.path, self.found = path, found
        self.outcomes: dict[str, int] = {}
        """Decision id → +1, −1 or 0, of the episodes that were asked for."""
        self.gone = {str(e.body["episode"]) for e in found.diary("drop", most=EVERY_ENTRY)}
        entries = reversed(found.diary("segments", most=EVERY_ENTRY))
        self._told = {str(e.body["episode"]): told_of(e.body) for e in entries}

    def episodes(self, goal: str = "", most: int = 300) -> list[Summary]:
        """The latest ones as amended, newest first, deleted ones too."""
        listed = [as_told(s, self._told) for s in self.found.episodes(goal, most)]
        self.outcomes |= self.found.outcomes([d.id for s in listed for d in s.decisions])
        return listed

    def one(self, name: str) -> Summary:
        """An episode by its id; BadInput if there is none."""
        summary = as_told(self.found.summary(name), self._told)
        self.outcomes |= self.found.outcomes([d.id for d in summary.decisions])
        return summary


def begin(name: str) -> float:
    """The second that the page's address names, if it names this episode."""
    wanted = st.query_params.get("t", "0") if st.query_params.get("episode", name) == name else "0"
    return float(wanted) if wanted.replace(".", "", 1).isdigit() else 0.0


def opened(look: Look, name: str, other: str = "") -> None:
    """The opened episode, and the one that it is compared with, if any."""
    if other:
        for column, one in zip(st.columns(2, gap="large"), (name, other), strict=True):
            with column:
                drawn(look, one, key=" beside")
        return
    drawn(look, name)


def drawn(look: Look, name: str, key: str = "") -> None:
    """One episode: beside its film what was said, or below it where two are compared."""
    try:
        summary = look.one(name)
        episode = None if summary.rollout is not None else look.found.episode(name)
    except (AskbackError, OSError) as error:
        st.warning(f"Episode {name} cannot be shown: {error}")
        return
    left, right = (st.container(), st.container()) if key else st.columns([1.6, 1], gap="large")
    with left:
        at = (
            moving(look.path, look.found, summary, begin(name), key)
            if episode is None
            else pictures(look, episode, key)
        )
        if at is not None:
            link = urlencode({"lesson": look.path.name, "episode": name, "t": f"{at:.1f}"})
            st.caption(f"a link to this second: [/episodes?{link}](/episodes?{link})")
    with right:
        st.markdown(f"### {summary.goal}")
        why = "" if summary.rollout else f" · {summary.end} {summary.reason}"
        st.caption(f"episode {name} · {summary.task} · seed {summary.seed}{why}")
        if episode is None:
            episode_segments.segments(look.path, summary, at or 0.0, deleted=name in look.gone, key=key)
        else:
            verdicts(look, episode, key)
        if not key:
            delete(look, name)


def pictures(look: Look, episode: Episode, key: str) -> float | None:
    """The film of an episode of plans."""
    made = shots(episode, late(look, episode), look.outcomes)
    if not made:
        st.write("It holds no pictures.")
        return None
    return film(episode.id, made, at=begin(episode.id), key=key)


def late(look: Look, episode: Episode) -> dict[str, Answer]:
    """Decision id → the answer that counts now: one that was given late, else the one in the file."""
    known = {a.decision: a for a in episode.answers}
    return known | look.found.answers([d.id for d in episode.decisions])


def verdicts(look: Look, episode: Episode, key: str) -> None:
    """Its plans, with a late verdict on each."""
    said, deleted = late(look, episode), episode.id in look.gone
    for decision in episode.decisions:
        outcome = look.outcomes.get(decision.id, 0)
        word = {1: "right", -1: "wrong"}.get(outcome, "not judged")
        st.markdown(f"**{decision.step + 1}** {told(decision, said.get(decision.id))}: {word}")
        if key:
            continue
        yes, no, more = st.columns([1, 1, 1.3])
        for column, fine, label in ((yes, True, "Right"), (no, False, "Wrong")):
            same = outcome == int(Outcome.SUCCESS if fine else Outcome.FAILURE)
            column.button(
                label, key=f"{label} {decision.id}", disabled=same or deleted, on_click=change,
                args=(look.path, "judge"), kwargs={"decision": decision.id, "right": fine}, width="stretch",
            )  # fmt: skip
        with more.popover("Relabel", disabled=deleted, width="stretch", key=f"relabel {decision.id}"):
            relabel(look.path, decision)


def relabel(path: Path, decision: Decision) -> None:
    """Say for which other goal a plan would have been right."""
    goal = st.text_input(
        "It would have been right for", key=f"goal of {decision.id}", placeholder=decision.plan.goal, max_chars=200,
        help="The plan counts as wrong, and is stored as an example of this other goal.",
    )  # fmt: skip
    st.button(
        "Say so", key=f"say {decision.id}", disabled=not goal.strip(), on_click=change, args=(path, "judge"),
        kwargs={"decision": decision.id, "right": False, "goal": goal.strip()},
    )  # fmt: skip


def delete(look: Look, name: str) -> None:
    """Take it out."""
    st.button(
        "Delete this episode", key="delete", icon=":material/delete:", disabled=name in look.gone, on_click=change,
        args=(look.path, "drop_episode"), kwargs={"episode": name},
        help="The next training goes without it, and it counts nowhere. Its file stays, and you can take it back.",
    )  # fmt: skip
