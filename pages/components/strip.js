// The strip on every page: the arm's state, who drives, the novice, and STOP. It owns both sockets, and stays mounted across pages.
const PHASES = { idle: "idle", moving: "moving", held: "holding still", stopped: "STOPPED", fault: "fault" };

class Strip {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.box = root.querySelector(".strip");
    this.dot = root.querySelector(".dot");
    this.arm = armLink();
    this.host = hostLink();
    for (const type of ["state", "link", "hello"]) this.arm.addEventListener(type, () => this.draw());
    this.arm.addEventListener("stopped", ({ detail }) => this.stopped(detail));
    this.arm.addEventListener("error", ({ detail }) => this.tell(detail.message));
    this.arm.addEventListener("undelivered", () => this.tell("STOP NOT DELIVERED: no connection to the arm. Use its hardware stop."));
    for (const type of ["view", "link"]) this.host.addEventListener(type, () => this.draw());
    this.arm.addEventListener("link", ({ detail }) => this.stale(detail.failures));
    this.host.addEventListener("link", () => this.stale(this.host.failures));
    this.part("release").addEventListener("click", () => this.arm.release());
    this.onkey = (event) => this.key(event);
    this.ondown = (event) => this.down(event);
    window.addEventListener("keydown", this.onkey, true);
    window.addEventListener("pointerdown", this.ondown, true);
  }

  /** What Python said: where the arm and the host are, and who is here. */
  update(data, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    for (const [name, value] of Object.entries(data.cookies)) {
      document.cookie = `askback_${name}=${encodeURIComponent(value)}; path=/; SameSite=Strict; max-age=31536000${secure}`;
    }
    this.arm.connect(data.arm);
    this.host.connect(data.host);
    this.draw();
  }

  // After some failures the addresses may be old (a restarted process has a new port): ask Python for them again.
  stale(failures) {
    if ((failures === 3 || (failures > 3 && failures % 10 === 0)) && this.setTriggerValue) this.setTriggerValue("stale", newId());
  }

  key(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) this.stop(event);
  }

  down(event) {
    if (event.composedPath().includes(this.part("stop"))) this.stop(event);
  }

  stop(event) {
    if (!this.arm.address) return;
    const age = Math.max(0, performance.now() - event.timeStamp);
    this.arm.stop(performance.timeOrigin + performance.now() - (age < 10000 ? age : 0));
    this.tell("stopping…");
  }

  stopped(message) {
    this.tell(message.ms === null ? "stopped" : `stopped after ${message.ms < 10 ? message.ms.toFixed(1) : Math.round(message.ms)} ms`);
    this.box.dataset.stopMs = message.ms;
    window.dispatchEvent(new CustomEvent("askback-stopped", { detail: message }));
  }

  tell(text) { this.said = text; this.draw(); }

  draw() {
    const state = this.arm.state;
    const latched = Boolean(state) && (state.phase === "stopped" || state.phase === "fault");
    if (state && !latched && this.wasLatched) this.said = "";
    this.wasLatched = latched;
    this.part("name").textContent = this.armName();
    this.part("doing").textContent = state ? `· ${PHASES[state.phase] || state.phase}` : "";
    this.dot.dataset.phase = state ? state.phase : "";
    this.part("who").textContent = this.who(state);
    this.part("stop").disabled = !this.arm.address;
    this.part("release").hidden = !latched;
    this.box.toggleAttribute("data-latched", latched);
    this.part("told").textContent = latched ? this.latched(state) : this.said || "";
    this.part("told").title = latched ? state.why : "";
    this.novice();
  }

  /** What is wrong and what to do, where the arm knows it; else why it is stopped. */
  latched(state) {
    const advice = state.advice;
    if (advice && advice.fault === "ServoFault") return `${advice.title}. ${advice.message}; then press Release.`; // which one, and what of it
    return advice ? `${advice.title}. ${advice.do}` : `${this.said || "stopped"}${this.why(state)} · release it when it is safe`;
  }

  /** Why it is stopped, with this page's own session called "you". */
  why(state) {
    if (!state.why) return "";
    const mine = this.arm.address && state.why.includes(this.arm.address.session);
    return ` (${mine ? "stopped by you" : state.why.replace(/stopped by \S+/, "stopped by somebody else")})`;
  }

  armName() {
    if (!this.arm.address) return "no arm connected";
    if (!this.arm.up) return "reaching the arm…";
    const features = this.arm.features || {};
    return `${features.name || "arm"}${features.simulated ? " (simulated)" : ""}`;
  }

  who(state) {
    if (!state) return "";
    const mine = state.you === "drive";
    const who = mine ? "you are driving" : state.driver ? "somebody else is driving" : "";
    const others = state.watchers - (mine ? 0 : 1);
    const watching = others > 0 ? `${others} more watching` : "";
    return [who, watching].filter(Boolean).join(" · ");
  }

  novice() {
    const training = this.host.view && this.host.view.training;
    const box = this.part("novice");
    if (!training) { box.textContent = ""; return; }
    const running = training.state === "running";
    const percent = Math.round(100 * training.progress);
    box.textContent = `novice v${training.running_version ?? training.version}` + (running ? ` · training ${percent} %` : training.state === "failed" ? " · training failed, last good one kept" : "");
    box.title = training.message || "";
    if (!running) return;
    const bar = box.appendChild(document.createElement("span"));
    bar.className = "bar";
    bar.appendChild(document.createElement("i")).style.width = `${percent}%`;
  }

  close() {
    window.removeEventListener("keydown", this.onkey, true);
    window.removeEventListener("pointerdown", this.ondown, true);
  }
}

export default function mount({ data, parentElement, setTriggerValue }) {
  parentElement.askbackStrip = parentElement.askbackStrip || new Strip(parentElement);
  parentElement.askbackStrip.update(data, setTriggerValue);
  return () => { parentElement.askbackStrip.close(); delete parentElement.askbackStrip; };
}
