// The face of the page of rollouts: what its parts say for the view, the arm and the past of the moment.
const RESTING_ACTS = ["let-work", "show-whole", "new-scene"];
const MOTION_ACTS = ["take-over", "retrace", "rewind", "recovered", "done", "failed-again", "fumble"];
const SETTLED = 1500; // ms
const LEADER = { away: "Leader", ready: "Leader", coming: "Leader comes…", leading: "Put leader down" };
const WHEN_ABLE = ["other-arm", "lead", "recovered-then", "go-on", "succeeded", "not-succeeded", "abort", "play", "now", "undo-episode"];

const ROLLOUT_FACE = {
  say(text) { this.part("saved").textContent = text; this.part("saved").title = text; },

  flash(text) {
    const box = this.part("flash");
    box.textContent = text;
    box.hidden = false;
    box.getAnimations().forEach((animation) => animation.cancel());
    box.animate([{ opacity: 1 }, { opacity: 1, offset: 0.6 }, { opacity: 0 }], 900).onfinish = () => { box.hidden = true; };
  },

  refresh() {
    if (!this.keys || this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => { this.drawing = false; this.paint(); });
  },

  paint() {
    const { view } = this;
    const card = this.part("rollout");
    card.dataset.state = this.state;
    card.dataset.phase = view ? view.phase : "starting";
    card.toggleAttribute("data-driving", this.arm.driving);
    if (!view) return this.opening();
    this.newEpisode(view);
    this.letGo(view);
    this.takeUp();
    tellPhase(this.part, this);
    tellNow(this.part, view);
    tellRounds(this.part, view);
    tellRecording(this.part, this);
    this.tellRest(view);
    this.buttons();
    this.panels();
    this.timeline.draw();
    this.call(view);
    this.leases(view);
    for (const shown of this.views) if (this.looking !== null || this.heatShown) shown.draw();
  },

  opening() {
    const words = this.host.view ? "This lesson asks questions: open it on the Teach page" : this.host.failures ? "reaching the lesson…" : "opening the lesson…";
    this.part("title").textContent = words;
    this.buttons();
  },

  /** Another episode: the past of the one before is let go of. */
  newEpisode({ episode }) {
    const number = episode ? episode.number : null;
    if (number === this.number) return;
    this.number = number;
    this.looking = null;
    if (episode && this.shownFirst !== undefined && episode.first !== this.shownFirst) this.past.clear();
    this.shownFirst = episode ? episode.first : undefined;
  },

  /** Between episodes nobody has to keep their hands on. */
  letGo(view) {
    const over = !STATES[view.phase] || view.phase === "ready";
    const settled = performance.now() - (this.handsAt || 0) > SETTLED; // the lesson may tell a moment later what was agreed to
    if (over && settled && this.arm.driving) this.hands(false);
    if (this.looking !== null && (!view.episode || over)) this.looking = null;
  },

  /** Who supervises, and who has the arm in hand: both pass together. */
  leases(view) {
    const box = this.part("lease");
    const pass = (what, fields) => {
      if (fields.lease === "take" || (this.arm.state && this.arm.state.asking && this.arm.state.you === "drive")) this.arm.lease(fields.lease);
      this.intend(what, fields);
    };
    drawLease(box, view.lease, pass);
    const { state } = this.arm;
    if (!state || !state.asking || state.you !== "drive" || view.lease.asking) return;
    const button = (text, what) => element("button", { type: "button", textContent: text, onclick: () => this.arm.lease(what) });
    box.append("Somebody asks to drive.", button("Hand over", "give"), button("Keep", "refuse"));
    box.hidden = false;
  },

  tellRest(view) {
    const { training, gate, proposal, disk } = view;
    const running = training.state === "running" ? `training v${training.version + 1}: ${percent(training.progress)}` : training.state === "failed" ? "training failed; the last good novice goes on" : `novice v${training.running_version ?? training.version}`;
    this.part("training").textContent = [running, training.message].filter(Boolean).join(" · ");
    this.part("promise").textContent = [gate.promise, disk && disk.warning].filter(Boolean).join(" · ");
    this.part("proposal").textContent = proposal ? ` · ▲ ${proposal.seconds_ago.toFixed(1)} s ago: ${proposal.why}` : "";
    this.part("gamepad").textContent = this.driver.gamepad ? "gamepad" : "";
    this.part("gamepad").title = this.driver.gamepad;
    if (!this.host.up) this.say("connection to the lesson lost, trying again; nothing is lost");
    else if (this.savedAt !== undefined && view.saved > this.savedAt) this.say("saved ✓");
    this.savedAt = view.saved;
  },

  buttons() {
    const resting = ["resting", "waiting"].includes(this.state) && this.motion !== "waiting";
    const shown = new Set(resting ? RESTING_ACTS : MOTION_ACTS);
    for (const button of this.root.querySelectorAll("[data-act]")) {
      const action = button.dataset.act;
      button.disabled = !this.view || !this.able(action);
      if (RESTING_ACTS.includes(action) || MOTION_ACTS.includes(action)) button.hidden = !shown.has(action);
      if (WHEN_ABLE.includes(action)) button.hidden = button.disabled;
    }
    const button = (action) => this.root.querySelector(`[data-act="${action}"]`);
    const faces = { rewind: this.looking !== null ? "Rewind here" : undefined, sound: this.chime.muted ? "Sound off" : "Sound on", "take-over": this.arm.driving ? "You drive" : undefined, "tip-left": "↺", "tip-right": "↻", "other-arm": `Arm ${this.driver.arm + 1} of ${this.arm.arms}`, lead: this.arm.leader ? LEADER[this.arm.leader.stage] : undefined,
      play: this.playing ? "Pause" : undefined, ...(this.looking !== null ? { "speed-1": "½ ×", "speed-2": "1 ×", "speed-3": "2 ×" } : { "speed-1": undefined, "speed-2": undefined, "speed-3": undefined }) };
    for (const [action, words] of Object.entries(faces)) face(button(action), this.keys.key(action), words);
    for (const n of [1, 2, 3]) button(`speed-${n}`).setAttribute("aria-pressed", String(this.driver.speed === n));
    const taught = Boolean(this.view) && (this.view.training.running_version ?? 0) > 0;
    button("let-work").classList.toggle("primary", taught);
    button("show-whole").classList.toggle("primary", !taught);
    button("heat").setAttribute("aria-pressed", String(this.heatShown));
    button("heat").disabled = !this.view || !this.view.heat;
    button("keys").setAttribute("aria-expanded", String(this.open === "help"));
    this.part("more").setAttribute("aria-expanded", String(this.open === "controls"));
  },

  panels() {
    this.part("help").hidden = this.open !== "help";
    const controls = this.part("controls");
    if (this.open === "controls" && controls.hidden) {
      drawRolloutControls(controls, this.view, this.data.help, (what, fields) => { this.intend(what, fields); this.toggle("controls"); }, () => this.askToNotify());
    }
    controls.hidden = this.open !== "controls";
  },

  // -- being called ------------------------------------------------------------------------------------------------

  askToNotify() {
    if (!window.Notification) return this.say("this browser has no notifications");
    Notification.requestPermission().then((answer) => this.say(answer === "granted" ? "notifications are on ✓" : "the browser does not allow notifications here"));
    this.toggle("controls");
  },

  call(view) {
    const calls = view.phase === "calling";
    this.base = this.base || document.title.replace(/^● .*?: /, "");
    document.title = calls ? `● needs you: ${(view.call && view.call.why) || "it is not sure"}` : this.base;
    if (!calls) { clearInterval(this.calling); this.calling = null; return; }
    if (this.calling) return;
    this.chime.ask();
    this.calling = setInterval(() => this.chime.ask(), CALL_EVERY);
    if (window.Notification && Notification.permission === "granted" && document.hidden) {
      new Notification("The arm needs you", { body: (view.call && view.call.why) || "", tag: "askback-call" }).onclick = () => window.focus();
    }
  },

  close() {
    clearInterval(this.calling);
    clearInterval(this.playing);
    clearInterval(this.timer);
    if (this.arm.driving) this.arm.drive(false);
    this.arm.keep(false);
    this.arm.view([], 1);
    for (const [from, type, act] of this.on) from.removeEventListener(type, act);
    if (this.keys) this.keys.close();
    this.driver.close();
    this.timeline.close();
    this.chime.close();
    if (this.base) document.title = this.base;
  },
};
