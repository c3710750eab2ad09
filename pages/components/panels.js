// The panels beside the picture: goals to relabel with, the keys, and what else can be asked of the lesson.

/** The goals that a relabel can name. `choose(goal)` is called with one. */
function drawGoals(box, question, draft, keys, choose) {
  const achieved = question.achieves ?? 0;
  const known = question.relabels.slice(0, 5);
  box.replaceChildren(...known.map((goal, n) => {
    const button = element("button", { type: "button", onclick: () => choose(goal) });
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", String(draft.relabel === goal));
    button.append(element("kbd", { textContent: keyCap(keys.key(`relabel-${n}`).key) }), element("span", { textContent: goal }));
    if (n < achieved) button.append(element("em", { textContent: "it would reach this" }));
    return button;
  }));
  if (!known.length) box.append(element("p", { className: "fine", textContent: "no other goal is known for this; say it in your own words" }));
}

const STATE_WORDS = { relabelling: "while choosing a goal", demonstrating: "while showing" };

/** Every key of the page, from the same table that the keys act by. */
function drawHelp(box, table) {
  const rows = table.filter((b) => !/^(ghost|relabel)-[1-9]$/.test(b.action) || b.action === "ghost-1").map((b) => {
    const span = b.action === "ghost-1" ? "1 – 4" : b.action === "relabel-0" ? table.filter((x) => x.action.startsWith("relabel-")).map((x) => keyCap(x.key)).join(" ") : keyCap(b.key);
    const only = b.states.length === 1 && STATE_WORDS[b.states[0]] ? ` (${STATE_WORDS[b.states[0]]})` : "";
    return [element("dt", {}, element("kbd", { textContent: span })), element("dd", { textContent: `${b.help}${only}` })];
  });
  const stop = [element("dt", {}, element("kbd", { textContent: "Esc" })), element("dd", { textContent: "STOP the arm, always" })];
  const list = element("dl");
  list.append(...stop, ...rows.flat());
  box.replaceChildren(element("h3", { textContent: "Keys" }), list);
}

function select(label, values, value, help) {
  const input = element("select", {}, ...values.map((v) => element("option", { value: v, textContent: v, selected: v === value })));
  return [input, element("label", { title: help || "" }, label, input)];
}

function number(label, value, help) {
  const input = element("input", { type: "number", min: 0, max: 1, step: 0.05, value });
  return [input, element("label", { title: help || "" }, label, input)];
}

/** What else can be asked of the lesson. `intend(do, fields)` sends an intent. */
function drawControls(box, view, help, intend) {
  const button = (text, act) => element("button", { type: "button", textContent: text, onclick: act });
  const paused = view.paused ?? view.phase === "paused";
  const training = view.training.state === "running";
  const goal = element("input", { type: "text", maxLength: 300, placeholder: "put the … in …" });
  const [kind, kindLabel] = select("asks by", ["sag", "fixed", "always", "never"], view.gate.kind, help.kind);
  const [mode, modeLabel] = select("promise about", ["sensitivity", "specificity", "success"], view.gate.mode, help.mode);
  const [target, targetLabel] = number("promised share", view.gate.target, help.target);
  const [random, randomLabel] = number("asks at random", view.gate.p_rand, help.p_rand);
  const gate = () => intend("gate", { kind: kind.value, mode: mode.value, target: Number(target.value), p_rand: Number(random.value) });
  box.replaceChildren(
    element("h3", { textContent: "The lesson" }),
    element("div", { className: "row" }, button(paused ? "Go on" : "Pause", () => intend(paused ? "resume" : "pause")), button("New scene", () => intend("next")),
      button(training ? "Stop training" : "Train now", () => intend(training ? "cancel" : "train"))),
    element("label", {}, "try a goal of your own in this scene", element("div", { className: "row" }, goal, button("Try", () => intend("goal", { goal: goal.value })))),
    element("div", { className: "grid" }, kindLabel, modeLabel, targetLabel, randomLabel),
    element("div", { className: "row" }, button("Keep this promise", gate)),
  );
}

/** Who answers, when it is somebody else, or when somebody asks for it. */
function drawLease(box, lease, intend) {
  const button = (text, what) => element("button", { type: "button", textContent: text, onclick: () => intend("lease", { lease: what }) });
  box.replaceChildren();
  if (!lease.you) box.append(lease.holder ? `${lease.holder} is answering; you are watching.` : "Nobody is answering.", button(lease.holder ? "Ask to take over" : "Answer", "take"));
  else if (lease.asking) box.append(`${lease.asking} asks to answer.`, button("Hand over", "give"), button("Keep", "refuse"));
  box.hidden = !box.childNodes.length;
}
