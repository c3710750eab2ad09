// What the card says beside the picture: how sure the arm is, what was answered, what it changed.
const KIND_SIGNS = {
  validated: ["✓", "yes, it was right"], annotated: ["✎", "you showed it"], relabelled: ["↻", "right for another goal"],
  wrong: ["✗", "wrong"], unknown: ["?", "could not tell"], alone: ["▷", "on its own, not asked"],
};
const RESTING = {
  starting: "starting…", planning: "thinking…", acting: "moving", resetting: "setting up the next scene…", training: "learning from your answers…",
  paused: "paused", stopped: "STOPPED. Release the arm in the strip above when it is safe.", ended: "the lesson has ended", fault: "something is wrong with the arm",
};

const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const percent = (share) => `${Math.round(100 * share)} %`;

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function unknownWords(words) {
  if (words.length > 3) return "I have not learnt these words yet";
  return `I do not know the word${words.length > 1 ? "s" : ""} ${words.map((word) => `“${word}”`).join(", ")}`;
}

function often(question) {
  if (question.blind) return "I do not tell this time, so that you judge by yourself";
  const { frequency } = question;
  if (!frequency || !frequency.of) return "too few answers yet to say how often this is right";
  return `right ${frequency.right} of ${frequency.of} like this`;
}

/** The section on how sure the arm is. */
function tellSure(part, question) {
  const shown = question && !question.blind && !question.practice;
  part("words").textContent = !question ? "" : question.practice ? "practice" : question.blind ? "I am not telling" : `I am ${question.words}`;
  part("often").textContent = question ? (question.practice ? question.told : often(question)) : "";
  part("scale").style.visibility = shown ? "" : "hidden"; // "visible" would shine through an open panel
  part("number").style.visibility = shown ? "" : "hidden";
  if (!shown) return;
  const level = question.threshold;
  part("dot").style.left = `${100 * question.uncertainty}%`;
  part("mark").style.left = `${100 * Math.min(Math.max(level ?? 0, 0), 1)}%`;
  part("mark").hidden = level === null || level === undefined;
  const asks = level === null || level === undefined ? "" : ` · asks from ${Math.max(level, 0).toFixed(2)}`;
  part("number").textContent = `uncertainty ${question.uncertainty.toFixed(2)} of 1${asks}`;
}

function effectText(effect) {
  if (!effect) return "";
  if (effect.text) return effect.text;
  if (effect.before === null || effect.after === null) return "";
  return `${Math.round(100 * effect.before)} → ${percent(effect.after)} right after ${effect.answers} answers`;
}

/** The section on what was answered and what it changed. */
function tellHistory(part, view) {
  const items = view.recent.filter((item) => item.kind !== "asked").slice(-12).map((item) => {
    const [sign, words] = KIND_SIGNS[item.kind] || ["·", item.kind];
    const text = `${words}${item.undone ? ", taken back" : ""}: ${item.goal}`;
    const entry = element("li", { textContent: sign, title: text, className: item.undone ? "undone" : "" });
    entry.setAttribute("aria-label", text);
    return entry;
  });
  part("recent").replaceChildren(...items);
  const { counts, gate } = view;
  part("effect").textContent = effectText(view.effect) || "\u00a0";
  part("counts").textContent = [counted(counts.answers, "answer"), counted(counts.demonstrations, "stored example"), counted(counts.episodes, "scene")].join(" · ");
  const asked = gate.asked_of_100 === null || gate.asked_of_100 === undefined ? "" : ` · asked about ${Math.round(gate.asked_of_100)} of 100 plans`;
  part("promise").textContent = `${gate.promise}${asked}`;
  part("promise").title = [part("promise").textContent, gate.note].filter(Boolean).join(" · ");
}

/** Why there is no question, and the plans it carried out alone, to be judged at leisure. */
function tellRest(box, view, judge) {
  const acting = view.acting && !view.acting.asked ? `on its own: ${view.acting.goal}` : view.acting ? view.acting.goal : "";
  const phase = view.phase === "acting" && acting ? acting : RESTING[view.phase] || view.phase;
  const rows = view.recent.filter((item) => item.kind === "alone" && !item.undone).slice(-4).reverse().map((item) => {
    const right = element("button", { type: "button", textContent: "Right", onclick: () => judge("right", item.decision) });
    const wrong = element("button", { type: "button", textContent: "Wrong", onclick: () => judge("wrong", item.decision) });
    return element("li", {}, element("span", { textContent: item.goal }), right, wrong);
  });
  box.replaceChildren(element("p", { className: "phase", textContent: phase }));
  if (view.message) box.append(element("p", { textContent: view.message }));
  if (rows.length) box.append(element("p", { textContent: "it did these without asking; were they right?" }), element("ul", {}, ...rows));
}
