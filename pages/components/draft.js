// What a teacher has begun to answer, as a plain value, and what each act makes of it. Pure: nothing here touches the page.
const EMPTY_DRAFT = Object.freeze({ choice: 0, relabel: null, pick: null, place: null, tool: null });
const TURN = Math.PI / 18; // 10°, the novice's own steps

/** The state that the keymap speaks of. */
function draftState(draft, open) {
  if (!open) return "idle";
  return { demo: "demonstrating", relabel: "relabelling" }[draft.tool] || "asking";
}

/** Whether it holds anything that Enter could send: a relabel, a whole demonstration, or both. */
const draftReady = (draft) => (draft.pick && draft.place ? true : draft.relabel !== null && !draft.pick);

const draftEmpty = (draft) => JSON.stringify(draft) === JSON.stringify(EMPTY_DRAFT);

const wrapped = (yaw) => Math.atan2(Math.sin(yaw), Math.cos(yaw));

function turned(draft, by) {
  const which = draft.place ? "place" : draft.pick ? "pick" : null;
  if (!which) return draft;
  const [x, y, yaw] = draft[which];
  return { ...draft, [which]: [x, y, wrapped(yaw + by)] };
}

function steppedBack(draft) {
  if (draft.tool === "demo") {
    if (draft.place) return { ...draft, place: null };
    if (draft.pick) return { ...draft, pick: null };
    return { ...draft, tool: draft.relabel === null ? null : "relabel" };
  }
  if (draft.relabel !== null) return { ...draft, relabel: null };
  return { ...draft, tool: draft.pick ? "demo" : null };
}

const flat = (plan) => ({ pick: [plan.pick[0], plan.pick[1], plan.pick[3]], place: [plan.place[0], plan.place[1], plan.place[3]] });

function withGhost(draft, n, question) {
  const plan = n === 0 ? question.plan : question.ghosts[n - 1];
  if (!plan) return draft;
  return draft.tool === "demo" ? { ...draft, ...flat(plan) } : { ...draft, choice: n };
}

const DRAFT_ACTS = {
  relabel: (d) => ({ ...d, choice: 0, tool: d.tool === "relabel" && d.relabel === null ? (d.pick ? "demo" : null) : "relabel" }),
  demonstrate: (d) => ({ ...d, choice: 0, tool: "demo" }),
  goal: (d, { goal }) => ({ ...d, relabel: d.relabel === goal ? null : goal }),
  point: (d, { x, y }) => (!d.pick ? { ...d, pick: [x, y, 0] } : !d.place ? { ...d, place: [x, y, 0] } : d),
  drag: (d, { which, x, y }) => ({ ...d, [which]: [x, y, d[which][2]] }),
  adopt: (d, { plan }) => ({ ...d, choice: 0, tool: "demo", ...flat(plan) }),
  "turn-left": (d) => turned(d, TURN),
  "turn-right": (d) => turned(d, -TURN),
  back: (d) => steppedBack(d),
  ghost: (d, { n }, question) => withGhost(d, n, question),
};

/** The draft after an act: `{do, …}`. */
const draftAfter = (draft, act, question) => DRAFT_ACTS[act.do](draft, act, question);

/** A draft that came over the wire, or the empty one if it makes no sense. */
function draftFrom(value) {
  if (!value || typeof value !== "object") return EMPTY_DRAFT;
  const point = (p) => (Array.isArray(p) && p.length === 3 && p.every(Number.isFinite) ? p : null);
  const tool = ["demo", "relabel"].includes(value.tool) ? value.tool : null;
  return { choice: Number.isInteger(value.choice) ? value.choice : 0, relabel: typeof value.relabel === "string" ? value.relabel : null,
    pick: point(value.pick), place: point(value.place), tool };
}

/** The `answer` fields of a verdict and what has been drafted. */
function answerOf(verdict, draft) {
  const shown = draft.pick && draft.place ? { pick: draft.pick, place: draft.place } : null;
  return verdict === "invalid"
    ? { verdict, choice: 0, relabel: draft.relabel, demonstration: shown }
    : { verdict, choice: verdict === "valid" ? draft.choice : 0, relabel: null, demonstration: null };
}
