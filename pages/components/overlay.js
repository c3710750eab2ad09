// The picture of the table with the plan, its ghosts, the draft and the uncertainty map drawn over it.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"].map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
const PLAN_COLOUR = "#ffb000";
const DRAFT_COLOUR = "#5cc8ff";
const GHOST_COLOUR = "#ffffff";
const NUMBERS = ["1", "2", "3", "4"];

/** Metres ↔ pixels of a canvas: x grows downwards, y to the right. */
class TableScale {
  constructor(table, width, height) { Object.assign(this, { table, width, height }); }

  pixel([x, y]) {
    const { x: rows, y: columns } = this.table;
    return [((y - columns[0]) / (columns[1] - columns[0])) * this.width, ((x - rows[0]) / (rows[1] - rows[0])) * this.height];
  }

  point(u, v) {
    const { x: rows, y: columns } = this.table;
    const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
    return [inside(rows[0] + (v / this.height) * (rows[1] - rows[0]), rows), inside(columns[0] + (u / this.width) * (columns[1] - columns[0]), columns)];
  }
}

function stroked(ctx, colour, width, dash, draw) {
  ctx.lineCap = "round";
  for (const [style, extra] of [["rgba(0,0,0,0.65)", 3], [colour, 0]]) {
    ctx.strokeStyle = style;
    ctx.lineWidth = width + extra;
    ctx.setLineDash(dash);
    ctx.beginPath();
    draw();
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

/** The curve's control point; `bend` sets ghosts apart that share both ends. */
function bow([u, v], [s, t], bend) {
  const [du, dv] = [s - u, t - v];
  return [(u + s) / 2 - dv * bend, (v + t) / 2 + du * bend];
}

/** Where a plan's number sits: in the middle of its arrow. */
function chipAt(scale, plan, bend) {
  const [a, b] = [scale.pixel(plan.pick), scale.pixel(plan.place)];
  const [cu, cv] = bow(a, b, bend);
  return [(a[0] + 2 * cu + b[0]) / 4, (a[1] + 2 * cv + b[1]) / 4];
}

function tick(ctx, [u, v], yaw, inner, outer) {
  const [du, dv] = [Math.sin(yaw), Math.cos(yaw)]; // yaw turns from x (down) to y (right): counter-clockwise as seen
  ctx.moveTo(u + du * inner, v + dv * inner);
  ctx.lineTo(u + du * outer, v + dv * outer);
}

function arrow(ctx, a, b, bend, stop) {
  const c = bow(a, b, bend);
  if (Math.hypot(b[0] - a[0], b[1] - a[1]) < 2 * stop) return;
  const angle = Math.atan2(b[1] - c[1], b[0] - c[0]);
  const leave = Math.atan2(c[1] - a[1], c[0] - a[0]);
  const end = [b[0] - Math.cos(angle) * stop, b[1] - Math.sin(angle) * stop];
  ctx.moveTo(a[0] + Math.cos(leave) * 14, a[1] + Math.sin(leave) * 14);
  ctx.quadraticCurveTo(...c, ...end);
  for (const side of [-0.45, 0.45]) {
    ctx.moveTo(...end);
    ctx.lineTo(end[0] - Math.cos(angle + side) * 12, end[1] - Math.sin(angle + side) * 12);
  }
}

function chip(ctx, [u, v], text, colour) {
  ctx.font = "bold 15px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = "rgba(0,0,0,0.72)";
  ctx.beginPath();
  const width = Math.max(ctx.measureText(text).width + 14, 26);
  ctx.roundRect(u - width / 2, v - 13, width, 26, 13);
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.fillStyle = colour;
  ctx.fillText(text, u, v + 1);
}

/** One plan: a ring where it picks, an arrow, a target where it places, ticks for the rotations. */
function drawPlan(ctx, scale, plan, { colour, width = 3, dash = [], bend = 0.12, label = "", turns = true }) {
  const a = scale.pixel(plan.pick);
  const b = plan.place && scale.pixel(plan.place);
  if (b) stroked(ctx, colour, width, dash, () => arrow(ctx, a, b, bend, 17));
  stroked(ctx, colour, width, [], () => { ctx.moveTo(a[0] + 14, a[1]); ctx.arc(...a, 14, 0, 2 * Math.PI); });
  if (turns) stroked(ctx, colour, width, [], () => { tick(ctx, a, plan.pick.at(-1), 14, 22); tick(ctx, a, plan.pick.at(-1) + Math.PI, 14, 22); });
  if (b) {
    stroked(ctx, colour, width, [], () => {
      for (const radius of [16, 6]) { ctx.moveTo(b[0] + radius, b[1]); ctx.arc(...b, radius, 0, 2 * Math.PI); }
    });
    if (turns) stroked(ctx, colour, width, [], () => tick(ctx, b, plan.place.at(-1), 16, 30));
  }
  if (label) chip(ctx, b ? chipAt(scale, plan, bend) : a, label, colour);
}

/** A grey picture as a cividis layer whose strength is its value. */
function heat(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const ctx = canvas.getContext("2d");
  ctx.drawImage(image, 0, 0);
  const pixels = ctx.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const value = pixels.data[i] / 255;
    const colour = CIVIDIS[Math.min(Math.floor(value * CIVIDIS.length), CIVIDIS.length - 1)];
    pixels.data.set([...colour, Math.round(255 * (0.3 + 0.5 * value))], i);
  }
  ctx.putImageData(pixels, 0, 0);
  return canvas;
}

/** Pictures by address, loaded once; `ready` is called when one has come. */
class Pictures {
  constructor(ready) { this.ready = ready; this.kept = new Map(); }

  get(address) {
    if (!address) return null;
    if (!this.kept.has(address)) {
      if (this.kept.size > 12) this.kept.delete(this.kept.keys().next().value);
      const image = new Image();
      image.onload = () => this.ready();
      image.src = address;
      this.kept.set(address, image);
    }
    const image = this.kept.get(address);
    return image.complete && image.naturalWidth ? image : null;
  }

  heat(address) {
    const image = this.get(address);
    if (image && !image.heat) image.heat = heat(image);
    return image && image.heat;
  }
}
