// A person moves the gripper: held keys, held buttons, a gamepad and a drag become small moves, 25 times a second.
const DRIVE_MS = 40;
const SPEEDS = { 1: 0.04, 2: 0.1, 3: 0.22 }; // metres per second
const TURN_SPEEDS = { 1: 0.3, 2: 0.8, 3: 1.6 }; // radians per second
const FINER = 0.25;
const LIFT = 0.006; // metres per notch of the wheel
const MOST = 0.045; // metres that one command may ask for
const DEAD = 0.15; // share of a stick that means nothing
const AXES = { forward: [0, 1], backward: [0, -1], right: [1, 1], left: [1, -1], up: [2, 1], down: [2, -1], "tip-left": [3, 1], "tip-right": [3, -1] };
const PAD = { 4: "other-arm", 0: "grip", 1: "recovered", 2: "take-over", 3: "done", 5: "retrace", 8: "stop", 9: "rewind" }; // the standard layout
const PAD_FINER = 6;

const beyond = (value) => (Math.abs(value) < DEAD ? 0 : (value - Math.sign(value) * DEAD) / (1 - DEAD));

class Driver {
  /** `page` has arm, do(action, down), directions() (right and away on the table, or null). */
  constructor(page) {
    this.page = page;
    this.held = new Set(); // actions of AXES, and "finer"
    this.speed = Number(localStorage.getItem("askback.speed")) || 2;
    this.let();
    this.pressed = new Set();
    this.arm = 0; // which of several
    this.gamepad = "";
    this.timer = setInterval(() => this.turn(), DRIVE_MS);
  }

  /** Forget what was not sent: the arm stands as soon as nothing is held. */
  let() { this.dragged = [0, 0]; this.lifted = 0; this.grip = false; this.going = false; }

  set pace(speed) { this.speed = speed; localStorage.setItem("askback.speed", speed); }

  hold(action, down) {
    if (down) this.held.add(action); else this.held.delete(action);
    if (down) this.turn(); // at once, not with the next beat of the clock
  }

  drag(metres) {
    if (metres) this.dragged = [this.dragged[0] + metres[0], this.dragged[1] + metres[1]];
    else this.dragged = [0, 0];
  }

  /** One command, if there is something to do. */
  turn() {
    const { arm } = this.page;
    const sticks = this.sticks();
    if (this.retracing) arm.retrace("held");
    if (!arm.driving) return this.let();
    const delta = this.delta(sticks);
    const grip = this.grip ? "toggle" : undefined;
    this.grip = false;
    if (grip || delta.some((value) => value !== 0)) arm.move(delta, grip, this.arm);
  }

  /** [dx, dy, dz, dyaw] in the base frame for one period. */
  delta(sticks) {
    const want = [...sticks];
    for (const action of this.held) {
      const axis = AXES[action];
      if (axis) want[axis[0]] += axis[1];
    }
    const finer = this.held.has("finer") || this.pressed.has(PAD_FINER) ? FINER : 1;
    const step = SPEEDS[this.speed] * finer * (DRIVE_MS / 1000);
    const turn = TURN_SPEEDS[this.speed] * finer * (DRIVE_MS / 1000);
    const [away, right, up] = want.slice(0, 3).map((value) => Math.max(-1, Math.min(1, value)) * step);
    const seen = this.page.directions();
    const flat = seen ? [0, 1].map((k) => away * seen.away[k] + right * seen.right[k]) : [away, -right]; // the arm's left is +y
    return [...this.carry(flat, finer), up + this.lift(finer), Math.max(-1, Math.min(1, want[3])) * turn];
  }

  /** What was dragged, no faster than the top speed; what is too far behind is forgotten. */
  carry(flat, finer) {
    const top = Math.min(SPEEDS[3] * (DRIVE_MS / 1000) * 1.5, MOST);
    const size = Math.hypot(...this.dragged) * finer;
    if (!size) return flat;
    const share = Math.min(1, top / size);
    const sent = this.dragged.map((value) => value * finer * share);
    this.dragged = share < 1 ? this.dragged.map((value) => value * (1 - share) * 0.9) : [0, 0];
    return flat.map((value, k) => value + sent[k]);
  }

  lift(finer) {
    const sent = Math.max(-MOST, Math.min(MOST, this.lifted * LIFT * finer));
    this.lifted = 0;
    return sent;
  }

  /** The first gamepad's sticks as [away, right, up, turn]; its buttons act as keys do. */
  sticks() {
    const pad = [...(navigator.getGamepads ? navigator.getGamepads() : [])].find((p) => p && p.connected);
    this.gamepad = pad ? pad.id : "";
    if (!pad) return [0, 0, 0, 0];
    const down = new Set(pad.buttons.flatMap((button, n) => (button.pressed ? [n] : [])));
    for (const [n, action] of Object.entries(PAD).map(([n, a]) => [Number(n), a])) {
      if (down.has(n) !== this.pressed.has(n)) this.page.do(action, down.has(n));
    }
    this.pressed = down;
    const [x, y, turn, lift] = [0, 1, 2, 3].map((n) => beyond(pad.axes[n] || 0));
    return [-y, x, -lift, -turn];
  }

  close() { clearInterval(this.timer); }
}
