// One arm, close up: joints with their limits, loads and temperatures, hold-to-run, the fault in a sentence, its shape, its cameras.
const DEGREES = 180 / Math.PI;
const SPEEDS = [["slow", 0.15], ["normal", 0.4], ["fast", 0.8]];
const DOING = { idle: "ready", moving: "moving", held: "holding still", stopped: "stopped: release it when nobody is in its reach", fault: "something is wrong" };
const HOT = 60, LOADED = 0.8, EDGE = 0.03;

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

class ArmPanel {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.arm = armLink();
    this.skeleton = new Skeleton(this.part("shape"));
    this.cameras = new CameraViews(this.part("cameras"), this.arm);
    this.walk = new Walk((name) => this.part(name), this.arm);
    this.sight = new SightWalk((name) => this.part(name), this.arm);
    this.share = SPEEDS[1][1];
    this.heard = {
      state: () => this.tell(), link: () => this.tell(), hello: () => this.build(), pose: ({ detail }) => this.pose(detail),
      health: ({ detail }) => this.health(detail), error: ({ detail }) => this.wrong(detail.message), released: () => this.say(""),
      calibration: ({ detail }) => this.walk.told(detail), frame: ({ detail }) => { this.sight.paint(detail); this.cameras.paint(detail); },
      cameras: ({ detail }) => { this.cameras.told(detail.cameras); this.sight.offer(detail.cameras); },
      sight: ({ detail }) => { this.sight.told(detail); this.part("views").hidden = this.sight.open; },
    };
    for (const [type, act] of Object.entries(this.heard)) this.arm.addEventListener(type, act);
    this.part("fault-release").onclick = () => this.arm.release();
    this.part("lease").onclick = () => this.arm.lease(this.part("lease").dataset.what);
    this.part("lead").onclick = () => this.arm.lead(!this.arm.led);
    this.part("park").onclick = () => this.arm.parkHere();
    this.part("lease-no").onclick = () => this.arm.lease("refuse");
    this.part("speeds").append(...SPEEDS.map(([name, share]) => this.speed(name, share)));
    this.let = () => this.stand();
    for (const type of ["blur", "pointerup", "pointercancel"]) window.addEventListener(type, this.let);
    this.arm.feel(true);
    this.build();
  }

  /** What Python said: which arm, so that another one is drawn anew. */
  update(data) {
    if (data.key === this.key) return;
    this.key = data.key;
    this.say("");
    this.build();
    this.tell();
  }

  speed(name, share) {
    const button = element("button", { type: "button", textContent: name, onclick: () => {
      this.share = share;
      for (const other of this.part("speeds").children) other.setAttribute("aria-checked", String(other === button));
    } });
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(share === this.share));
    return button;
  }

  /** The rows, from what the arm has. */
  build() {
    const features = this.arm.features;
    const walks = Boolean(features) && features.capabilities.includes("calibrate");
    this.part("walk").hidden = !walks;
    this.part("sight").hidden = !features || !features.capabilities.includes("sight");
    this.part("body").style.display = !features || walks ? "none" : "";
    if (!features || walks) return;
    const head = ["joint", "", "", "", "angle", "load", "°C", "V"].map((textContent) => element("span", { className: "head", textContent }));
    this.rows = [...features.joints, "gripper"].map((name, n) => this.row(name, n, features));
    this.part("joints").replaceChildren(...head, ...this.rows.flatMap((row) => row.cells));
    this.cameras.build(features.cameras);
    this.skeleton.show(null, features.limits.workspace);
  }

  row(name, n, { joints, limits }) {
    const grip = n === joints.length;
    const [low, high] = grip ? [0, 1] : [limits.lower[n], limits.upper[n]];
    const words = name.replaceAll("_", " ");
    const mark = (className) => element("i", { className });
    const [zero, aim, now] = [mark("zero"), mark("aim"), mark("now")];
    const range = element("div", { className: "range", title: grip ? "open to closed" : `${(low * DEGREES).toFixed(0)}° to ${(high * DEGREES).toFixed(0)}°` }, zero, aim, now);
    const at = (mark, value) => { mark.style.left = `${100 * Math.min(1, Math.max(0, (value - low) / (high - low)))}%`; };
    if (low < 0 && high > 0 && !grip) at(zero, 0); else zero.remove();
    const numbers = ["angle", "load", "heat", "volts"].map((what) => { const cell = element("span", { className: "number", textContent: "–" }); cell.dataset[what] = name; return cell; });
    const less = this.holdButton(grip ? "open" : "−", `${words}: ${grip ? "open" : "turn back"}, while held`, n, -1, grip);
    const more = this.holdButton(grip ? "close" : "+", `${words}: ${grip ? "close" : "turn on"}, while held`, n, 1, grip);
    if (grip) [less.textContent, more.textContent] = ["◁▷", "▷◁"];
    return { name, low, high, grip, range, at, aim, now, numbers, cells: [element("span", { textContent: words }), less, range, more, ...numbers] };
  }

  holdButton(textContent, label, joint, way, grip) {
    const button = element("button", { type: "button", textContent });
    button.setAttribute("aria-label", label);
    const begin = () => this.turn(button, joint, way, grip);
    button.addEventListener("pointerdown", (event) => { if (event.button === 0) begin(); });
    button.addEventListener("pointerleave", this.let);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); if (!event.repeat) begin(); } });
    button.addEventListener("keyup", this.let);
    button.addEventListener("blur", this.let);
    return button;
  }

  turn(button, joint, way, grip) {
    const rates = this.arm.features.joints.map((_, n) => (!grip && n === joint ? way * this.share : 0));
    this.stand();
    this.held = button;
    button.dataset.held = "";
    this.say("");
    this.arm.drive(true);
    this.arm.jog(rates, grip ? way * this.share : 0);
  }

  /** Whatever was held is let go. */
  stand() {
    if (!this.held) return;
    delete this.held.dataset.held;
    this.held = null;
    this.arm.jog(null);
    this.arm.drive(false);
  }

  say(text) { this.part("told").textContent = text; }

  /** What cannot be done is said where the person looks. */
  wrong(text) { this.sight.open ? this.sight.say(text) : this.say(text); }

  tell() {
    const state = this.arm.state;
    const box = this.part("panel");
    box.dataset.phase = state ? state.phase : "";
    this.part("words").textContent = !this.arm.address ? "not connected" : !state ? "reaching the arm…" : DOING[state.phase] || state.phase;
    if (state && state.phase === "held") this.part("words").textContent += `: ${state.why}`;
    const advice = state && state.advice;
    this.part("fault").hidden = !advice;
    if (advice) {
      this.part("fault").dataset.name = advice.fault;
      this.part("fault-title").textContent = advice.title;
      this.part("fault-message").textContent = advice.message;
      this.part("fault-do").textContent = advice.do;
    }
    this.lease(state);
    this.parking(state);
    const clips = state && state.clips ? Object.entries(state.clips).filter(([, n]) => n) : [];
    this.part("clipped").textContent = clips.length ? `held back by its limits: ${clips.map(([why, n]) => `${why} ${n}×`).join(", ")}` : "";
    this.late(state);
    const may = Boolean(state) && ["idle", "moving", "held"].includes(state.phase) && (state.you === "drive" || !state.driver);
    for (const button of this.part("joints").querySelectorAll("button")) button.disabled = !may;
    if (!may) this.stand();
    this.sight.allow(state);
    this.walk.allow(Boolean(state) && (state.you === "drive" || !state.driver));
  }

  /** Commands that came too late were not carried out: say so, or the button seems broken. */
  late(state) {
    const dropped = state ? state.dropped : 0;
    if (this.held && this.dropped !== undefined && dropped > this.dropped + 2) this.say("too slow: commands come late and are dropped; the computer or the network is busy");
    this.dropped = dropped;
  }

  /** Who drives, and the button by which that changes. */
  lease(state) {
    const mine = state && state.you === "drive";
    const other = state && state.driver && !mine;
    const asked = mine && state.asking;
    const what = mine ? "give" : "take";
    this.part("who").textContent = !state ? "" : asked ? "somebody asks to drive" : mine ? "you drive" : other ? "somebody else drives; you watch" : "nobody drives";
    this.part("lease").hidden = !state;
    this.leader(state && state.leader, mine);
    this.part("lease-no").hidden = !asked;
    this.part("lease").dataset.what = what;
    this.part("lease").textContent = asked ? "Let them drive" : mine ? "Stop driving" : other ? (state.asking ? "Asked…" : "Ask to drive") : "Drive";
  }

  /** Where an arm of unknown build lets go: a person shows it the place. */
  parking(state) {
    const asks = Boolean(state) && typeof state.parks === "boolean";
    this.part("parking").hidden = !asks;
    if (!asks) return;
    this.part("park").disabled = state.you !== "drive" || state.phase !== "idle";
    this.part("parked").textContent = state.parks
      ? "When you disconnect it, it goes straight to its parking place, slowly, and goes limp there: keep the way free."
      : "It has no parking place, so it keeps its torque when you disconnect it. Turn it to where it lies without falling, then:";
    this.part("park").textContent = state.parks ? "Park here instead" : "Park here from now on";
  }

  /** The arm that a hand moves, where there is one. */
  leader(leader, mine) {
    const button = this.part("lead");
    button.hidden = !leader || !mine;
    if (!leader) return;
    button.disabled = leader.stage === "away";
    button.title = leader.stage === "away" ? leader.why : "Hold the leader first: it comes to where the arm is, and then the arm follows your hand.";
    button.textContent = { away: "Leader not found", ready: "Follow the leader", coming: "The leader comes… (put down)", leading: "Put the leader down" }[leader.stage];
  }

  pose({ joints, gripper, told, tip, points }) {
    if (!this.rows) return;
    this.rows.forEach((row, n) => {
      const value = row.grip ? gripper : joints[n];
      row.at(row.now, value);
      row.aim.style.display = told && !row.grip ? "" : "none";
      if (told && !row.grip) row.at(row.aim, told[n]);
      row.range.toggleAttribute("data-edge", !row.grip && (value < row.low + EDGE || value > row.high - EDGE));
      row.numbers[0].textContent = row.grip ? `${Math.round(100 * value)} %` : `${(value * DEGREES).toFixed(1).replace(/^-0.0$/, "0.0")}°`;
    });
    this.part("panel").dataset.poses = Number(this.part("panel").dataset.poses || 0) + 1;
    this.skeleton.show(points, this.arm.features.limits.workspace);
    this.part("tip").textContent = tip ? `gripper at x ${this.mm(tip[0])}, y ${this.mm(tip[1])}, z ${this.mm(tip[2])} mm` : "";
  }

  mm(metres) { return Math.round(1000 * metres); }

  health({ temperature, volts, load, amperes, faults = {} }) {
    if (!this.rows) return;
    this.rows.forEach((row, n) => {
      const [, loaded, heat, supply] = row.numbers;
      const put = (cell, values, text, high) => { cell.textContent = values.length > n ? text(values[n]) : "–"; cell.toggleAttribute("data-high", values.length > n && high(values[n])); };
      put(loaded, load, (v) => `${Math.round(100 * Math.abs(v))} %`, (v) => Math.abs(v) > LOADED);
      put(heat, temperature, (v) => v.toFixed(0), (v) => v > HOT);
      put(supply, volts, (v) => v.toFixed(1), () => (faults[row.name] || "").includes("supply"));
      row.cells[0].toggleAttribute("data-wrong", Boolean(faults[row.name]));
      row.cells[0].title = faults[row.name] || "";
      loaded.title = amperes.length > n ? `${amperes[n].toFixed(2)} A` : "";
    });
  }

  close() {
    this.stand();
    this.arm.feel(false);
    this.cameras.close();
    this.sight.close();
    for (const [type, act] of Object.entries(this.heard)) this.arm.removeEventListener(type, act);
    for (const type of ["blur", "pointerup", "pointercancel"]) window.removeEventListener(type, this.let);
  }
}

export default function mount({ data, parentElement }) {
  parentElement.askbackPanel = parentElement.askbackPanel || new ArmPanel(parentElement);
  parentElement.askbackPanel.update(data);
  return () => { parentElement.askbackPanel.close(); delete parentElement.askbackPanel; };
}
