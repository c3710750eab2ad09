// The arm as lines in space: joints and tip, the box that its gripper may not leave, the table below. Drag, or arrow keys, to look from elsewhere.
class Skeleton {
  constructor(canvas) {
    Object.assign(this, { canvas, turn: -0.9, tilt: 0.45, points: null, box: null });
    canvas.addEventListener("pointerdown", (event) => { this.grip = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.grip = null; });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  drag(event) {
    if (!this.grip) return;
    this.look((event.clientX - this.grip[0]) / 120, (event.clientY - this.grip[1]) / 120);
    this.grip = [event.clientX, event.clientY];
  }

  key(event) {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    this.look(...by);
  }

  look(turn, tilt) {
    this.turn += turn;
    this.tilt = Math.min(1.5, Math.max(0.02, this.tilt + tilt));
    this.draw();
  }

  /** points: [[x, y, z], …] metres, base to tip, or null; box: [[low x, y, z], [high x, y, z]]. */
  show(points, box) {
    Object.assign(this, { points, box });
    this.draw();
  }

  place([x, y, z]) {
    const [cx, cy, cz] = this.centre;
    const [dx, dy, dz] = [x - cx, y - cy, z - cz];
    const across = Math.cos(this.turn) * dx + Math.sin(this.turn) * dy;
    const away = -Math.sin(this.turn) * dx + Math.cos(this.turn) * dy;
    const up = Math.cos(this.tilt) * dz + Math.sin(this.tilt) * away;
    return [this.canvas.width / 2 + this.scale * across, this.canvas.height / 2 - this.scale * up];
  }

  lines(pen, ...runs) {
    pen.beginPath();
    for (const run of runs) run.forEach((point, n) => pen[n ? "lineTo" : "moveTo"](...this.place(point)));
    pen.stroke();
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.points) {
      Object.assign(pen, { fillStyle: style.color, font: "13px sans-serif", textAlign: "center" });
      pen.fillText("this arm tells no lengths: no drawing", this.canvas.width / 2, this.canvas.height / 2);
      return;
    }
    this.frame();
    const [low, high] = this.shown;
    Object.assign(pen, { strokeStyle: style.color, lineWidth: 1, globalAlpha: 0.18 });
    const floor = Math.max(low[2], 0);
    for (let n = 0; n <= 6; n++) {
      const [x, y] = [low[0] + (n / 6) * (high[0] - low[0]), low[1] + (n / 6) * (high[1] - low[1])];
      this.lines(pen, [[x, low[1], floor], [x, high[1], floor]], [[low[0], y, floor], [high[0], y, floor]]);
    }
    pen.globalAlpha = 0.4;
    const corner = (n) => [n & 1 ? high[0] : low[0], n & 2 ? high[1] : low[1], n & 4 ? high[2] : low[2]];
    for (const [a, b] of [[0, 1], [1, 3], [3, 2], [2, 0], [4, 5], [5, 7], [7, 6], [6, 4], [0, 4], [1, 5], [2, 6], [3, 7]]) this.lines(pen, [corner(a), corner(b)]);
    pen.globalAlpha = 0.25;
    pen.lineWidth = 3;
    this.lines(pen, this.points.map(([x, y]) => [x, y, floor])); // its shadow on the table
    Object.assign(pen, { globalAlpha: 1, lineWidth: 6, lineCap: "round", lineJoin: "round", strokeStyle: "#0072b2" });
    this.lines(pen, this.points);
    this.points.forEach((point, n) => {
      const last = n === this.points.length - 1;
      pen.fillStyle = last ? "#d55e00" : style.color;
      pen.beginPath();
      pen.arc(...this.place(point), last ? 6 : 4, 0, 7);
      pen.fill();
    });
  }

  /** What is in view: the box, kept to a metre around the base where an arm has no real one. */
  frame() {
    const clamp = (v) => Math.min(1, Math.max(-1, v));
    this.shown = this.box.map((corner) => corner.map(clamp));
    const [low, high] = this.shown;
    this.centre = low.map((v, n) => (v + high[n]) / 2);
    const size = Math.hypot(...low.map((v, n) => high[n] - v));
    this.scale = (1.0 * Math.min(this.canvas.width, this.canvas.height * 1.15)) / size;
  }
}
