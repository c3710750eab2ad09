// The page of rollouts: watch, take over, rewind, correct. Driving goes straight to the arm; what it meant, to the lesson's host.
const STATES = {
  ready: "resting", policy: "watching", calling: "watching", recovery: "recovering", retracing: "recovering", correction: "correcting", demonstration: "showing",
};
const INTENTS = {
  "let-work": "start", "show-whole": "demonstrate", "new-scene": "next", "undo-episode": "undo", recovered: "recovered", "recovered-then": "recovered", done: "done",
  "failed-again": "failed_again", rewind: "rewind", fumble: "fumble", abort: "abort", "go-on": "go", succeeded: "success", "not-succeeded": "success",
};
const SAID = {
  start: "it works ✓", demonstrate: "you drive ✓", next: "another scene ✓", undo: "taken back ✓", recovered: "recovered ✓ now show how", done: "done, saving…",
  failed_again: "noted ✓ bring it back once more", rewind: "rewound ✓", return: "returned ✓", fumble: "discarded ✓", abort: "called off ✓", go: "it goes on ✓", success: "noted ✓",
};
const LETS_GO = ["done", "fumble", "abort", "success"]; // after these the person's hands are off
const PREFERRED = ["side", "close", "front"];
const WATCH_FPS = 20;
const CALL_EVERY = 4000; // ms between sounds while it calls
const HANDS_OFF = 400; // ms to wait until the arm says that nobody drives

class Rollout {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    Object.assign(this, { host: hostLink(), arm: armLink(), past: new Past(), looking: null, heatHeld: false, heatOn: false, open: null, frame: "" });
    this.chime = new Chime();
    this.driver = new Driver(this);
    this.timeline = new Timeline(this.part("timeline"), this);
    this.views = [...root.querySelectorAll("[data-view]")].map((box, n) => new LiveView(box, n, this));
    this.on = [
      [this.host, "view", () => this.refresh()], [this.host, "link", () => this.refresh()],
      [this.arm, "hello", () => this.welcome()], [this.arm, "link", () => this.refresh()],
      [this.arm, "state", () => this.told()], [this.arm, "frame", ({ detail }) => this.filmed(detail)],
      [this.arm, "error", ({ detail }) => this.say(detail.message)],
    ];
    for (const [from, type, act] of this.on) from.addEventListener(type, act);
    this.arm.keep(true);
    this.timer = setInterval(() => this.views.forEach((view) => view.age()), 500);
    this.listen();
    if (this.arm.features) this.welcome();
  }

  /** What Python said: the keymap, the tooltips, the addresses. */
  update(data) {
    this.data = data;
    if (data.host) this.host.connect(data.host);
    if (data.arm) this.arm.connect(data.arm);
    if (this.keys) this.keys.close();
    this.keys = new Keys(data.keymap, () => this.state, (action, down, event) => this.do(action, down, event));
    for (const button of this.root.querySelectorAll("[data-act]")) face(button, this.keys.key(button.dataset.act));
    drawHelp(this.part("help"), data.keymap);
    this.refresh();
  }

  listen() {
    for (const button of this.root.querySelectorAll("[data-act]")) {
      if (button.dataset.hold === undefined) button.addEventListener("click", () => { this.do(button.dataset.act, true); button.blur(); });
      else this.holdable(button);
    }
    this.part("frame").addEventListener("change", (event) => { this.frame = event.target.value; event.target.blur(); });
    this.part("more").addEventListener("click", () => this.toggle("controls"));
  }

  /** A button that acts while it is pressed. */
  holdable(button) {
    const ended = () => { if (button.dataset.down === undefined) return; delete button.dataset.down; this.do(button.dataset.act, false); };
    button.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || button.disabled) return;
      button.setPointerCapture(event.pointerId);
      button.dataset.down = "";
      this.do(button.dataset.act, true);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture", "contextmenu"]) button.addEventListener(type, ended);
  }

  get view() { const { view } = this.host; return view && view.kind === "rollout" ? view : null; }
  get stopped() { return Boolean(this.arm.state && ["stopped", "fault"].includes(this.arm.state.phase)); }
  get moving() { return Boolean(this.arm.state && this.arm.state.phase === "moving"); }
  get mine() { return Boolean(this.host.up && this.view && this.view.lease.you); }
  get mayDrive() { return this.arm.driving && this.mine && this.looking === null && ["recovering", "correcting", "showing"].includes(this.motion); }
  get heatShown() { return this.heatHeld || this.heatOn; }
  /** What goes on; who has just taken over is recovering, though the lesson may say so a moment later. */
  get motion() {
    const motion = (this.view && STATES[this.view.phase]) || "waiting";
    return motion === "watching" && this.arm.driving ? "recovering" : motion;
  }

  get state() { return this.looking !== null && this.motion !== "waiting" ? "looking" : this.motion; }

  can(intent) { return this.mine && this.view.can.includes(intent); }

  /** Whether a button would do something now. */
  able(action) {
    const binding = this.keys.key(action);
    if (binding && !binding.states.includes(this.state)) return false;
    if (action === "take-over") return this.mine && this.arm.up && !this.stopped && !this.arm.driving && this.motion !== "resting";
    if (action === "retrace") return this.mine && this.arm.up && !this.stopped;
    if (action === "rewind") return this.can("rewind") && this.view.can_rewind && this.target !== null;
    if (action === "go-on") return this.can("go") && this.view.phase === "calling";
    if (action === "recovered-then") return this.can("recovered") && Boolean(this.view.boundary);
    if (INTENTS[action]) return this.can(INTENTS[action]);
    if (action === "lead") return Boolean(this.arm.leader) && this.mayDrive;
    if (action === "other-arm") return this.arm.arms > 1;
    if (AXES[action] || action === "grip" || action === "finer") return this.mayDrive;
    return true;
  }

  /** The tick to rewind to: where one looks, or the proposal. */
  get target() {
    if (this.looking !== null) return this.looking;
    return this.view && this.view.proposal ? this.view.proposal.tick : null;
  }

  // -- acts --------------------------------------------------------------------------------------------------------

  do(action, down, event) {
    if (AXES[action] || action === "finer") return this.driver.hold(action, down);
    if (action === "heat") return this.heat(down);
    if (action === "retrace") return this.retrace(down);
    if (!down || !this.view) return;
    if (action === "stop") return this.arm.stop(Date.now());
    if (action === "sound") { this.chime.toggle(); return this.refresh(); }
    if (action === "keys") return this.toggle("help");
    if (action.startsWith("speed-")) { this.driver.pace = Number(action.at(-1)); return this.refresh(); }
    if (action === "now") return this.look(null);
    if (action === "play") return this.play();
    if (action === "look-back" || action === "look-on") return this.step(action === "look-on" ? 1 : -1);
    if (!this.able(action)) return;
    if (action === "take-over") return this.takeOver(event);
    if (action === "other-arm") { this.driver.arm = (this.driver.arm + 1) % this.arm.arms; return this.refresh(); }
    if (action === "lead") { this.arm.lead(!this.arm.led); return this.say(this.arm.led ? "" : "hold the leader: it comes to where the arm is"); }
    if (action === "grip") { this.driver.grip = true; return this.driver.turn(); }
    if (action === "rewind") return this.wayBack("rewind", { tick: this.target });
    this.intend(INTENTS[action], this.fields(action));
  }

  fields(action) {
    if (action === "recovered-then") return { tick: this.view.boundary.tick };
    if (action === "succeeded" || action === "not-succeeded") return { value: action === "succeeded" };
    return {};
  }

  /** Hands on the arm, or off it. */
  hands(on) {
    this.handsAt = performance.now();
    this.arm.drive(on);
  }

  takeOver(event) {
    this.asked = { at: event ? event.timeStamp : performance.now() };
    this.hands(true);
    this.look(null);
    this.flash("you drive");
  }

  /** Send an intent; hands off the arm first where the lesson is to go on without them. */
  async intend(what, fields = {}) {
    if (!this.host.up) return this.say("no connection to the lesson; trying again");
    const drove = this.arm.driving;
    if (LETS_GO.includes(what) && drove) this.hands(false);
    const ack = await this.host.intent(what, fields);
    this.say(ack.ok ? SAID[what] || "done ✓" : `not taken: ${ack.error}`);
    if (ack.ok && what === "demonstrate") this.hands(true);
    if (!ack.ok && drove && !this.arm.driving) this.hands(true);
    return ack.ok;
  }

  /** Rewind, or return to a branch: hands off, go, and hands on if it is for a person to go on. */
  async wayBack(what, fields) {
    if (this.arm.driving) { this.hands(false); await this.handsOff(); }
    const ok = await this.intend(what, fields);
    if (!ok) return;
    this.look(null);
    this.flash(what === "rewind" ? "rewound" : "returned");
    this.handsOn = true;
    this.takeUp();
  }

  handsOff() {
    return new Promise((done) => {
      const until = performance.now() + HANDS_OFF;
      const look = () => (!this.arm.driving || performance.now() > until ? done() : setTimeout(look, 15));
      look();
    });
  }

  /** After a rewind: drive as soon as the lesson says that it is for a person. */
  takeUp() {
    if (!this.handsOn || !this.view || !["recovery", "correction"].includes(this.view.phase)) return;
    this.handsOn = false;
    if (!this.arm.driving && !this.stopped) this.hands(true);
  }

  back(branch) {
    if (this.can("return") && this.view.can_rewind) this.wayBack("return", { branch });
    else this.say("going back to a branch is for simulated arms, while an episode is under way");
  }

  retrace(down) {
    if (!down) { if (this.driver.retracing) this.arm.retrace("end"); this.driver.retracing = false; return; }
    if (!this.able("retrace")) return;
    if (!this.arm.driving) this.hands(true);
    this.arm.retrace("start", this.view.proposal ? this.view.proposal.tick : undefined);
    this.driver.retracing = true;
  }

  heat(down) {
    if (this.keys.held || this.heatHeld) this.heatHeld = down;
    else if (down) this.heatOn = !this.heatOn;
    if (this.heatShown && this.view && this.view.heat) this.focusHeat(this.view.heat.camera);
    this.refresh();
  }

  /** The map is of one camera: show it, if neither view does. */
  focusHeat(camera) {
    if (!this.views.some((view) => view.camera === camera)) this.views[1].show(camera);
  }

  // -- what comes in -----------------------------------------------------------------------------------------------

  welcome() {
    const cameras = this.arm.features.cameras || [];
    const wanted = PREFERRED.filter((name) => cameras.includes(name)).concat(cameras.filter((name) => !PREFERRED.includes(name)));
    this.part("rollout").dataset.lenses = cameras.length; // one camera is shown once
    this.views.forEach((view, n) => view.offer(cameras, (cameras.includes(view.camera) && view.camera) || wanted[n] || wanted[0]));
    this.driver.arm = 0;
    this.subscribe();
    this.frames();
    this.refresh();
  }

  subscribe() {
    const cameras = [...new Set((this.views || []).map((view) => view.camera).filter(Boolean))];
    if (cameras.length) this.arm.view(cameras, WATCH_FPS);
  }

  /** As whom directions are seen: the first view's camera, another one's, or the arm's own. */
  frames() {
    const names = Object.keys(this.arm.features.views || {});
    const options = [["", "as the left view sees"], ...names.map((name) => [name, `as ${name} sees`]), ["base", "as the arm stands"]];
    this.part("frame").replaceChildren(...options.map(([value, textContent]) => element("option", { value, textContent })));
    this.part("frame").value = this.frame;
  }

  directions() {
    const name = this.frame || (this.views[0] && this.views[0].camera);
    const view = this.frame === "base" ? null : ((this.arm.features && this.arm.features.views) || {})[name];
    return view ? new CameraScale(view).directions() : null;
  }

  told() {
    const { state } = this.arm;
    if (state) this.past.told(state);
    if (this.asked && state && state.driving && state.you === "drive") {
      this.part("rollout").dataset.takeMs = (performance.now() - this.asked.at).toFixed(1);
      this.asked = null;
    }
    this.refresh();
  }

  filmed({ camera, time, bitmap, jpeg }) {
    this.past.keep({ camera, time, jpeg });
    const wanted = this.views.filter((view) => view.camera === camera);
    if (!wanted.length) return bitmap.close();
    wanted[0].frame({ time, bitmap });
    if (wanted.length > 1) createImageBitmap(bitmap).then((copy) => wanted[1].frame({ time, bitmap: copy })).catch(() => undefined);
  }

  drag(metres) { this.driver.drag(metres); }
  lift(notches) { this.driver.lifted += notches; }
  toggle(panel) { this.open = this.open === panel ? null : panel; this.refresh(); }
}

Object.assign(Rollout.prototype, ROLLOUT_FACE, ROLLOUT_SCRUB);

export default function mount({ data, parentElement }) {
  parentElement.askbackRollout = parentElement.askbackRollout || new Rollout(parentElement);
  parentElement.askbackRollout.update(data);
  return () => { parentElement.askbackRollout.close(); delete parentElement.askbackRollout; };
}
