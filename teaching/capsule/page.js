// Plays a capsule: the questions of a lesson in their order, each for as long as its answer took. Everything that the
// lesson says is written as text, never as HTML.
const BEFORE = 1.2, AFTER = 2.6, DONE = 1, LONGEST = 15, ALONE = 1.5;
const $ = (name) => document.querySelector(`[data-${name}]`);
const make = (kind, text, to) => { const node = document.createElement(kind); node.textContent = text; to.append(node); return node; };
const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const WORDS = { 1: "That is right", "-1": "That is wrong", 0: "I cannot tell" };

async function unpacked() {
  const text = document.getElementById("lesson").textContent;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function kindOf(item) {
  if (item.kind === "motion") return { demonstrated: "right", auto_success: "right", intervened: "", failed: "wrong" }[item.end] ?? "";
  if (!item.answer) return "alone";
  return { 1: "right", "-1": "wrong", 0: "" }[item.answer.outcome];
}

// Seconds on the bar: what the answer took, within reason; the true figure is told beside it.
function timed(items) {
  let at = 0;
  for (const item of items) {
    item.at = at;
    const took = item.kind === "motion" ? item.seconds : item.answer ? BEFORE + Math.min(item.answer.seconds, LONGEST) + AFTER : ALONE;
    item.said = at + (item.answer ? BEFORE + Math.min(item.answer.seconds, LONGEST) : 0);
    at += Math.max(took, 0.5);
    item.until = at;
  }
  return at;
}

class Lesson {
  constructor(lesson) {
    Object.assign(this, { lesson, items: lesson.items, image: document.querySelector("img"), svg: document.querySelector("svg"), canvas: document.querySelector("canvas") });
    const length = timed(this.items);
    this.head();
    this.facts();
    const bands = this.items.flatMap((item, n) => item.kind === "motion"
      ? item.bands.map((b) => ({ at: item.at + b.at, until: item.at + b.until, said: b.said, kind: { policy: "", correction: "right", demo: "right" }[b.said] ?? "wrong" }))
      : [{ at: item.at, until: item.until, kind: kindOf(item), said: String(1 + n) }]);
    bandsOf($("row"), { bands }, length);
    this.trainings(length);
    this.image.addEventListener("load", () => this.over());
    this.clock = new Clock($("player"), (at) => this.draw(at));
    this.clock.set(length, this.items.map((item) => item.at));
    document.addEventListener("keydown", (event) => { if (!$("player").contains(event.target)) this.clock.key(event); });
    document.body.dataset.ready = this.items.length;
  }

  head() {
    const { lesson } = this.lesson, { items } = this;
    document.title = `${this.lesson.name} · a lesson of Askback`;
    $("name").textContent = this.lesson.name;
    const answered = items.filter((item) => item.answer), seconds = answered.reduce((sum, item) => sum + item.answer.seconds, 0);
    const what = this.lesson.kind === "rollout" ? `${count(items.length, "episode")} in motion` : `${count(items.length, "plan")}, ${count(answered.length, "answer")} in ${Math.round(seconds)} s`;
    $("about").textContent = `${lesson.task} · ${lesson.arm} · seed ${lesson.seed} · ${what} · ${count(this.lesson.trainings.length, "training")}`;
  }

  trainings(length) {
    const list = $("trainings");
    this.rows = this.lesson.trainings.map((one) => {
      const after = this.items.filter((item) => (item.answer ? item.answer.time : item.time) <= one.time).pop();
      const at = after ? after.until : 0;
      const loss = one.loss == null ? "" : `, mean loss ${one.loss.toFixed(3)}`;
      const how = one.promoted ? "chosen by hand" : one.failed || one.cancelled || `${count(one.demonstrations ?? 0, "example")}${loss}`;
      const mark = $("marks").appendChild(document.createElement("span"));
      mark.style.left = `${(100 * at) / length}%`;
      mark.title = `model ${one.update}`;
      return { at, node: make("li", `model ${one.update}: ${how}`, list) };
    });
    if (!this.rows.length) make("li", "none was written down", list);
  }

  facts() {
    const { lesson } = this, to = $("facts");
    make("p", "Every question as it was asked, with what was seen, planned and said, and the lesson's own log. Nothing is loaded and nothing is sent. Where the arm is simulated, this goes through it once more and tells whether every plan comes out the same:", to);
    make("p", "python -m teaching capsule --replay THIS-FILE", make("kbd", "", to));
    const table = (title, values) => {
      make("h3", title, to);
      const node = to.appendChild(document.createElement("table"));
      for (const [name, value] of Object.entries(values)) {
        const row = node.appendChild(document.createElement("tr"));
        make("th", name, row);
        make("td", typeof value === "string" ? value : JSON.stringify(value), row);
      }
    };
    table("Versions", lesson.versions);
    table("The lesson", lesson.lesson);
    table("Models (SHA-256 of their weights)", { ...lesson.policies, ...(lesson.starter ? { starter: lesson.starter } : {}) });
    table("The log (SHA-256)", { "events.log": lesson.log_sha256 });
    if (lesson.problems.length) table("What was found wrong", Object.fromEntries(lesson.problems.entries()));
  }

  draw(at) {
    const index = shotAt(this.items, at), item = this.items[index];
    if (!item) return;
    const after = item.kind === "question" && item.answer && at >= item.said;
    const done = item.kind === "question" && item.after >= 0 && at >= item.until - DONE;
    const state = `${index} ${after} ${done}`;
    if (state !== this.state) {
      this.state = state;
      this.item = item;
      this.show(item, after, done, index);
    }
    if (item.kind === "motion") this.motion(item, at - item.at);
    for (const row of this.rows) row.node.className = row.at > at ? "later" : "";
  }

  show(item, answered, done, index) {
    const moving = item.kind === "motion";
    Object.assign(this, { answered, done });
    document.body.dataset.item = item.id;
    document.body.dataset.answered = Boolean(answered);
    this.canvas.hidden = !moving;
    this.image.hidden = this.svg.hidden = moving || item.picture < 0;
    const goal = moving ? item.goal : item.plan.goal;
    $("told").textContent = done ? `${goal} · what came of it` : goal;
    $("goal").textContent = goal;
    $("place").textContent = `${index + 1} of ${this.items.length}`;
    if (moving) { this.told(item); return; }
    if (item.picture >= 0) this.image.src = `data:image/jpeg;base64,${this.lesson.pictures[done ? item.after : item.picture]}`;
    this.image.alt = `${goal}: a plan over the table seen from above`;
    this.over();
    const threshold = Number(item.threshold), u = item.plan.uncertainty;
    const random = item.random ? " It was a random question." : "";
    $("why").textContent = `${item.gated || item.random ? "It asked" : "It went ahead"}: ${(item.reason || "no reason was kept").replace(/[.]*$/, ".")}${random}`;
    $("doubt").hidden = false;
    $("doubt").querySelector("b").style.width = `${100 * u}%`;
    $("doubt").querySelector("i").style.left = Number.isFinite(threshold) ? `calc(${100 * Math.min(Math.max(threshold, 0), 1)}% - 1px)` : "-9px";
    const bar = Number.isFinite(threshold) ? threshold.toFixed(3) : item.threshold > 0 || item.threshold === "inf" ? "none asks" : "all ask";
    $("numbers").textContent = `uncertainty ${u.toFixed(3)}, threshold ${bar} · model ${item.update} · scene ${item.scene} (${item.split}) · plan ${item.id}`;
    this.answer(item, answered);
  }

  answer(item, answered) {
    const node = $("answer"), said = item.answer;
    node.dataset.kind = answered || !said ? kindOf(item) : "alone";
    if (!said) { node.textContent = item.gated || item.random ? "Nobody answered." : `Nobody was asked. It earned ${item.reward.toFixed(2)}.`; return; }
    if (!answered) { node.textContent = "…"; return; }
    const parts = [WORDS[said.outcome]];
    if (said.chosen) parts.push(`choice ${said.chosen + 1}`);
    if (said.relabel) parts.push(`right for “${said.relabel}”`);
    if (said.demonstration) parts.push("shown by hand");
    if (said.blind) parts.push("confidence hidden");
    if (item.changed) parts.push("changed later");
    node.textContent = `${parts.join(", ")}. ${said.teacher} took ${said.seconds.toFixed(1)} s. What was done earned ${item.reward.toFixed(2)}.`;
  }

  // The plan, its ghosts, and once it was answered what was shown instead.
  over() {
    this.svg.replaceChildren();
    const item = this.item, [w, h] = [this.image.naturalWidth, this.image.naturalHeight];
    if (!item || item.kind === "motion" || this.done || !w) return;
    this.svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    for (const ghost of item.ghosts) drawPlan(this.svg, ghost.spots, w, h, "ghost");
    drawPlan(this.svg, item.spots, w, h, "");
    if (this.answered && item.answer.spots) drawPlan(this.svg, item.answer.spots, w, h, "shown");
  }

  told(item) {
    $("why").textContent = `Policy ${item.policy}, round ${item.round}. It ended: ${item.end}${item.ending ? ` (${item.ending})` : ""}.`;
    $("doubt").hidden = true;
    $("numbers").textContent = `scene ${item.scene} (${item.split}) · ${item.seconds.toFixed(1)} s${item.left ? ` · ${item.left} ticks were rewound` : ""} · episode ${item.id}`;
    $("answer").dataset.kind = kindOf(item);
    $("answer").textContent = `${item.teacher} was there. ${item.bands.map((b) => `${b.said} ${(b.until - b.at).toFixed(1)} s`).join(", ")}.`;
  }

  // What was recorded of a motion: the way of the tip from above and from the side, the doubt, and what cameras saw.
  motion(item, at) {
    const { canvas } = this, { tip, doubt } = item.curve, seen = item.seen || [];
    const ctx = canvas.getContext("2d"), [whole, h] = [(canvas.width = 1200), (canvas.height = 600)];
    const w = seen.length ? whole * 2 / 3 : whole;
    const now = shotAt(item.curve.at.map((t) => ({ at: t })), at);
    ctx.font = "20px system-ui";
    seen.forEach((one, n) => this.watched(ctx, one, at, [w, (n * h) / seen.length, whole - w, h / seen.length]));
    if (tip) {
      this.way(ctx, tip, now, [1, 0], [20, 40, w / 2 - 40, h * 0.6], "the tip from above", item);
      this.way(ctx, tip, now, [1, 2], [w / 2 + 20, 40, w / 2 - 40, h * 0.6], "and from the side", item);
    }
    if (!doubt) return;
    ctx.fillStyle = "#c9d1d9";
    ctx.fillText("how unsure it was", 20, h * 0.75);
    ctx.beginPath();
    ctx.strokeStyle = "#b392f0";
    ctx.lineWidth = 3;
    doubt.forEach((v, i) => { if (v != null) ctx.lineTo(20 + ((w - 40) * item.curve.at[i]) / item.seconds, h - 40 - v * h * 0.18); });
    ctx.stroke();
    ctx.fillStyle = "#fff";
    ctx.fillRect(20 + ((w - 40) * at) / item.seconds - 1, h * 0.77, 3, h * 0.2);
  }

  // The picture of a camera that is nearest in time.
  watched(ctx, one, at, [x, y, w, h]) {
    const next = shotAt(one.at.map((t) => ({ at: t })), at), after = Math.min(next + 1, one.at.length - 1);
    const number = one.first + (Math.abs(one.at[after] - at) < Math.abs(one.at[next] - at) ? after : next);
    this.frames = this.frames || new Map();
    if (!this.frames.has(number)) {
      const image = new Image();
      image.onload = () => this.clock.go(this.clock.at);
      image.src = `data:image/jpeg;base64,${this.lesson.pictures[number]}`;
      this.frames.set(number, image);
    }
    const image = this.frames.get(number);
    if (!image.naturalWidth) return;
    const scale = Math.min(w / image.naturalWidth, h / image.naturalHeight), [u, v] = [image.naturalWidth * scale, image.naturalHeight * scale];
    ctx.drawImage(image, x + (w - u) / 2, y + (h - v) / 2, u, v);
    ctx.fillStyle = "#000a";
    ctx.fillRect(x, y, ctx.measureText(one.camera).width + 16, 28);
    ctx.fillStyle = "#fff";
    ctx.fillText(one.camera, x + 8, y + 21);
  }

  way(ctx, tip, now, [across, up], [x, y, w, h], words, item) {
    const range = (k) => [Math.min(...tip.map((p) => p[k])), Math.max(...tip.map((p) => p[k]))];
    const [[a, b], [c, d]] = [range(across), range(up)];
    const scale = Math.min(w / Math.max(b - a, 0.05), h / Math.max(d - c, 0.05)) * 0.9;
    const spot = (p) => [x + w / 2 + (p[across] - (a + b) / 2) * scale, y + h / 2 + (p[up] - (c + d) / 2) * scale * (up === 2 ? -1 : 1)];
    ctx.fillStyle = "#c9d1d9";
    ctx.fillText(words, x, y - 12);
    ctx.lineWidth = 4;
    for (let i = 1; i < tip.length; i += 1) {
      const band = item.bands.find((one) => item.curve.at[i] >= one.at && item.curve.at[i] < one.until);
      ctx.strokeStyle = { policy: "#8b949e", recovery: "#e08a00", correction: "#5cc8ff", demo: "#5cc8ff" }[band?.said] || "#b45309";
      ctx.globalAlpha = i <= now ? 1 : 0.25;
      ctx.beginPath();
      ctx.moveTo(...spot(tip[i - 1]));
      ctx.lineTo(...spot(tip[i]));
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = "#fff";
    ctx.beginPath();
    ctx.arc(...spot(tip[now]), 9, 0, 7);
    ctx.fill();
  }
}

unpacked().then((lesson) => { window.askback = new Lesson(lesson); }).catch((error) => {
  $("trouble").hidden = false;
  $("trouble").textContent = `This capsule cannot be played: ${error.message}. Get the file again, or use a newer browser.`;
});
