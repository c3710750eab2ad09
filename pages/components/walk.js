// Guided calibration, step by step: what to do now, and how far every joint has been turned.
const WALK_STEPS = [
  ["start", "Clear the table around the arm. Hold the arm with one hand: it goes limp when you begin.", "begin", "Begin: let it go limp"],
  ["limp", "Put every joint in the middle of its range: the arm half folded, the gripper half open.", "middle", "This is the middle"],
  ["turning", "Turn every joint slowly from one end to the other, the gripper too. The wrist's roll need not be turned.", "finish", "Done: keep this calibration"],
  ["done", "Calibrated. The arm is taken again in a moment.", null, ""],
];
const TURN = 4095;

class Walk {
  constructor(part, arm) {
    Object.assign(this, { part, arm, step: "start", may: false });
    part("steps").append(...WALK_STEPS.map(([step, words]) => Object.assign(document.createElement("li"), { textContent: words })));
    part("next").onclick = () => this.arm.calibrate(this.now()[2]);
    part("cancel").onclick = () => this.arm.calibrate("cancel");
    this.draw();
  }

  now() { return WALK_STEPS.find(([step]) => step === this.step) || WALK_STEPS[0]; }

  allow(may) { this.may = may; this.draw(); }

  /** Where the arm says that the walk is; joints: {name: {low, now, high, enough}} in steps. */
  told({ step, joints }) {
    this.step = step;
    this.draw();
    const rows = Object.entries(joints || {}).flatMap(([name, { low, now, high, enough }]) => {
      const bar = Object.assign(document.createElement("div"), { className: "range" });
      const seen = Object.assign(document.createElement("i"), { className: "seen" }), mark = Object.assign(document.createElement("i"), { className: "now" });
      seen.style.left = `${(100 * low) / TURN}%`;
      seen.style.width = `${(100 * (high - low)) / TURN}%`;
      mark.style.left = `${(100 * now) / TURN}%`;
      bar.append(seen, mark);
      const words = Object.assign(document.createElement("span"), { textContent: enough ? "far enough ✓" : name === "wrist_roll" ? "need not be turned" : "turn it further" });
      return [Object.assign(document.createElement("span"), { textContent: name.replaceAll("_", " ") }), bar, words];
    });
    this.part("ranges").replaceChildren(...(step === "turning" ? rows : []));
  }

  draw() {
    const [step, , , label] = this.now();
    this.part("walk").dataset.step = step;
    WALK_STEPS.forEach(([name], n) => {
      const item = this.part("steps").children[n], at = WALK_STEPS.findIndex(([other]) => other === step);
      item.toggleAttribute("data-now", name === step);
      item.toggleAttribute("data-done", n < at);
    });
    const next = this.part("next");
    next.textContent = label;
    next.hidden = !label;
    next.disabled = !this.may;
    this.part("cancel").hidden = step === "done";
    this.part("cancel").disabled = !this.may;
  }
}
