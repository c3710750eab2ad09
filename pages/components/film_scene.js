// An episode in motion as it was recorded: tips and things from above and, below it, from the side, each driver with a colour of its own.
const DRIVERS = { policy: "#0072b2", recovery: "#e69f00", correction: "#009e73", demo: "#56b4e9", retraced: "#8c8c8c" };
const TRAIL = 90; // moments of the way behind a tip
const PAD = 0.03; // metres around everything

class Scene {
  constructor(canvas, data) {
    const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
    Object.assign(this, { canvas, seconds: floats(data.seconds), drivers: data.drivers });
    this.tips = data.tips.map((t) => ({ at: floats(t.at), grip: floats(t.grip) }));
    this.things = data.things.map((t) => ({ name: t.name, at: floats(t.at) }));
    this.bounds();
  }

  // Both views share the table's long side, y, across; the robot's base is above.
  bounds() {
    this.low = [Infinity, Infinity, 0];
    this.high = [-Infinity, -Infinity, 0.05];
    for (const { at } of [...this.tips, ...this.things]) {
      for (let i = 0; i < at.length; i += 1) {
        if (Number.isNaN(at[i])) continue;
        this.low[i % 3] = Math.min(this.low[i % 3], at[i]);
        this.high[i % 3] = Math.max(this.high[i % 3], at[i]);
      }
    }
    this.low = this.low.map((v) => v - PAD);
    this.high = this.high.map((v) => v + PAD);
  }

  /** The last moment at or before a second. */
  moment(second) {
    let [low, high] = [0, this.seconds.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.seconds[middle] <= second + 1e-6) low = middle; else high = middle - 1;
    }
    return low;
  }

  draw(second) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const [spanX, spanY, spanZ] = this.high.map((v, n) => v - this.low[n]);
    const over = Math.min((width - 24) / spanY, (height - 70) / (spanX + spanZ)), next = Math.min((width - 36) / 2 / spanY, (height - 60) / Math.max(spanX, spanZ));
    const stacked = over > next, scale = Math.max(over, next); // whichever shows it larger
    const room = stacked ? [width, width] : [width / 2, width / 2];
    const left = room.map((w, n) => (w - scale * spanY) / 2 + (n && !stacked ? width / 2 : 0));
    const cut = stacked ? 22 + scale * spanX : 0, floor = stacked ? cut + 18 + scale * spanZ : 22 + scale * Math.max(spanX, spanZ);
    const above = (at, i) => [left[0] + scale * (at[3 * i + 1] - this.low[1]), 22 + scale * (at[3 * i] - this.low[0])];
    const beside = (at, i) => [left[1] + scale * (at[3 * i + 1] - this.low[1]), floor - scale * ((Number.isNaN(at[3 * i + 2]) ? 0 : at[3 * i + 2]) - this.low[2])];
    const now = this.moment(second);
    this.stage(pen, width, height, stacked ? cut : null, floor - scale * (0 - this.low[2]));
    for (const [n, place] of [above, beside].entries()) {
      for (const tip of this.tips) this.trail(pen, tip, place, now);
      this.things.forEach((thing, k) => this.thing(pen, thing, place, now, k, n === 0));
      for (const tip of this.tips) this.tip(pen, tip, place, now);
    }
  }

  stage(pen, width, height, cut, table) {
    const middle = cut === null ? width / 2 : 0;
    Object.assign(pen, { fillStyle: "#cfd3da", font: "12px sans-serif", textBaseline: "top" });
    pen.fillText("from above", 8, 4);
    pen.fillText("from the side", middle + 8, (cut || 0) + 4);
    Object.assign(pen, { strokeStyle: "#8a919d", lineWidth: 1 });
    const line = (x, y, u, v) => { pen.beginPath(); pen.moveTo(x, y); pen.lineTo(u, v); pen.stroke(); };
    line(middle + 8, table, width - 8, table);
    if (cut === null) line(middle, 8, middle, height - 8); else line(8, cut, width - 8, cut);
  }

  trail(pen, tip, place, now) {
    pen.lineWidth = 3;
    for (let i = Math.max(1, now - TRAIL); i <= now; i += 1) {
      pen.globalAlpha = 0.15 + 0.7 * (1 - (now - i) / TRAIL);
      pen.strokeStyle = DRIVERS[this.drivers[i]] || DRIVERS.retraced;
      pen.beginPath();
      pen.moveTo(...place(tip.at, i - 1));
      pen.lineTo(...place(tip.at, i));
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  thing(pen, thing, place, now, k, named) {
    const [x, y] = place(thing.at, now), half = 7;
    pen.fillStyle = ["#9ecae1", "#c49c94", "#f7b6d2", "#c7e9c0"][k % 4];
    pen.fillRect(x - half, y - half, 2 * half, 2 * half);
    if (!named) return;
    Object.assign(pen, { fillStyle: "#ffffff", font: "12px sans-serif", textBaseline: "middle" });
    pen.fillText(thing.name, x + half + 4, y);
  }

  tip(pen, tip, place, now) {
    const [x, y] = place(tip.at, now);
    pen.lineWidth = 3;
    pen.strokeStyle = "#ffffff";
    pen.fillStyle = DRIVERS[this.drivers[now]] || DRIVERS.retraced;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 7);
    if (tip.grip[now] >= 0.5) pen.fill();
    pen.stroke();
  }
}
