// What the page of rollouts says: what is going on, the round, the rounds before, how familiar it is.
const PHASE_WORDS = {
  starting: ["Starting…", "the arm, the lesson and the trainer come up"],
  ready: ["Ready", "let it work and watch, or show it the whole task yourself"],
  demonstration: ["You show it all", "drive the whole task; once it is done, it is seen and kept"],
  policy: ["It works on its own", "take over as soon as failure is near"],
  recovery: ["You drive: bring it back", "to where it knows its way, then say recovered"],
  retracing: ["It goes back its own way", "only while you hold the key"],
  correction: ["You drive: show how to go on", "do this part, then say done"],
  calling: ["It asks for help", "it holds still: take over"],
  saving: ["Saving…", "the episode is being written"],
  resetting: ["Setting up the next scene…", ""],
  stopped: ["STOPPED", "release the arm in the strip above when it is safe"],
  fault: ["Something is wrong", ""],
  ended: ["The lesson has ended", ""],
};
const END_SIGNS = {
  auto_success: ["✓", "it did it alone"], intervened: ["✎", "you took over"], demonstrated: ["✍", "you showed it"], failed: ["✗", "failed"],
  discarded: ["–", "discarded"], truncated: ["!", "cut short by a stop"],
};
const PROTOCOL_WORDS = {
  rac: "bring it back, then correct; that ends the episode", rule1: "bring it back, then correct; then it goes on", rule2: "correct; that ends the episode",
  "hg-dagger": "correct; then it goes on", demos: "you show everything",
};

const seconds = (ticks, rate) => `${(ticks / rate).toFixed(1)} s`;
const shareWords = ({ k, n, low, high }) => `${k}/${n} (${Math.round(100 * low)}–${Math.round(100 * high)} %)`;

/** The head: what goes on now, and what to do. */
function tellPhase(part, page) {
  const { view } = page;
  const [title, what] = page.stopped ? PHASE_WORDS.stopped : PHASE_WORDS[view.phase] || [view.phase, ""];
  const driving = ["recovery", "correction", "demonstration"].includes(view.phase);
  const hands = driving && !page.arm.driving && !page.stopped;
  part("title").textContent = page.looking !== null ? `Looking ${page.ago()} back` : hands ? "Nobody drives" : title;
  // Where no scene sees that it is done, the person says so.
  const judged = view.phase === "demonstration" && (view.can || []).includes("success");
  const why = judged ? "drive the whole task, then say below whether it is done" : view.phase === "calling" && view.call ? view.call.why : "";
  const told = hands ? `${view.phase}: take over to go on` : page.looking !== null ? "pictures of the past: rewind to here, or go back to now" : why || what;
  part("what").textContent = [told, view.message].filter(Boolean).join(" · ");
  part("what").title = part("what").textContent;
  const { episode } = view;
  part("goal").textContent = episode ? episode.goal : "";
  part("goal").title = part("goal").textContent;
}

/** How far along the task is, how familiar and how doubtful this is. */
function tellNow(part, view) {
  const { episode, timeline, threshold } = view;
  part("subtasks").replaceChildren(...(episode ? episode.subtasks : []).map((name, n) => {
    const done = n < episode.stage;
    const item = element("li", { textContent: `${done ? "✓" : n === episode.stage ? "▸" : "·"} ${name}` });
    item.toggleAttribute("data-done", done);
    return item;
  }));
  const known = view.familiar;
  part("known").style.width = `${100 * (known ?? 0)}%`;
  const place = known >= (view.familiar_from ?? 0.1) ? "a known place" : "a strange place";
  part("known-words").textContent = known === null || known === undefined ? "too few demonstrations to tell" : `${place}: more familiar than ${percent(known)} of what was shown`;
  const doubt = timeline.doubt.at(-1);
  const calls = threshold === null || threshold === undefined ? "" : ` · calls from ${threshold.toFixed(2)}`;
  part("doubt").textContent = Number.isFinite(doubt) ? `doubt ${doubt.toFixed(2)}${calls}` : "\u00a0";
}

/** Which round this is, of how many that were planned. */
function roundWords({ number, planned }) {
  if (!planned) return `Round ${number}`;
  return number > planned ? `All ${planned} rounds done` : `Round ${number} of ${planned}`;
}

/** The round that is being collected, and the ones before. */
function tellRounds(part, view) {
  const { round, rounds } = view;
  part("round").textContent = `${roundWords(round)} · ${round.collected} of ${round.wanted} ${view.lesson.protocol === "demos" || !round.number ? "demonstrations" : "corrections"}`;
  part("collected").style.width = `${Math.min(100, (100 * round.collected) / Math.max(round.wanted, 1))}%`;
  const { recovery = 0, correction = 0, demo = 0 } = round.frames || {};
  part("human-frames").textContent = `${round.episodes} episode${round.episodes === 1 ? "" : "s"} · frames: ${recovery} recovery, ${correction} correction, ${demo} shown`;
  const row = (cells, tag = "td") => { const made = element("tr"); made.append(...cells.map((text) => element(tag, { textContent: text }))); return made; };
  const lines = rounds.slice(-4).map((r) => row([r.round, r.success ? shareWords(r.success) : "–", r.interventions, r.ratio === null || r.ratio === undefined ? "–" : `${r.ratio.toFixed(1)} : 1`]));
  part("rounds").replaceChildren(row(["round", "alone (95 %)", "taken over", "back : on"], "th"), ...lines);
  part("rounds").hidden = !rounds.length;
  part("recent").replaceChildren(...view.recent.slice(-14).map((item) => {
    const [sign, words] = END_SIGNS[item.end] || ["·", item.end];
    const text = `episode ${item.episode}: ${words}${item.undone ? ", taken back" : ""}, ${Math.round(item.seconds)} s`;
    const entry = element("li", { textContent: sign, title: text, className: item.undone ? "undone" : "" });
    entry.setAttribute("aria-label", text);
    return entry;
  }));
}

/** What is being recorded now, and how it will be kept. */
function tellRecording(part, page) {
  const { view } = page;
  const kinds = { policy: "policy", calling: "policy", recovery: "recovery", retracing: "retraced recovery", correction: "correction", demonstration: "demonstration" };
  const kind = kinds[view.phase];
  const { episode } = view;
  part("recorded").toggleAttribute("data-on", Boolean(kind && page.moving));
  part("recorded").textContent = kind && episode ? `recorded as ${kind} · ${seconds(episode.tick - episode.first, episode.rate)}` : "nothing is recorded";
}

/** Gate, training and the rest of the lesson, as a panel. `intend(do, fields)` sends an intent. */
function drawRolloutControls(box, view, help, intend, notify) {
  const button = (text, act, off = false) => element("button", { type: "button", textContent: text, onclick: act, disabled: off });
  const training = view.training.state === "running";
  const [kind, kindLabel] = select("calls for help by", ["never", "fixed", "sag", "always"], view.gate.kind, help.kind);
  const [mode, modeLabel] = select("promise about", ["sensitivity", "specificity", "success"], view.gate.mode, help.mode);
  const [target, targetLabel] = number("promised share", view.gate.target ?? 0.9, help.target);
  const gate = () => intend("gate", { kind: kind.value, mode: mode.value, target: Number(target.value) });
  const allowed = Boolean(window.Notification) && Notification.permission === "granted";
  box.replaceChildren(
    element("h3", { textContent: "The lesson" }),
    element("p", { className: "fine", textContent: PROTOCOL_WORDS[view.lesson.protocol] || view.lesson.protocol }),
    element("div", { className: "row" }, button(training ? "Stop training" : "Train now", () => intend(training ? "cancel" : "train")),
      button(view.going ? "Wait for me each time" : "Go on by itself", () => intend(view.going ? "watch" : "go"))),
    element("div", { className: "grid" }, kindLabel, targetLabel, modeLabel),
    element("div", { className: "row" }, button("Keep this promise", gate)),
    element("div", { className: "row" }, button(allowed ? "Desktop notifications are on" : "Notify me on the desktop", notify, allowed)),
    element("p", { className: "fine", textContent: view.gate.promise || "" }),
  );
}
