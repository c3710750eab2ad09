// What a chart draws: axes and marks, on a canvas, from arrays that came as base64. No state of its own.
const MARGIN = { left: 52, right: 12, top: 8, bottom: 40 };
const FLOATS = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

/** Steps of 1, 2 or 5 times a power of ten that give about `most` ticks. */
function tickSteps(low, high, most) {
  const raw = (high - low) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const ticks = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) ticks.push(Math.abs(v) < step * 1e-6 ? 0 : v);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return ticks.map((v) => [v, v.toFixed(digits)]);
}

class Scale {
  constructor(axis, low, high, pixels) {
    [this.low, this.high] = axis.range;
    if (!(this.high > this.low)) this.high = this.low + 1;
    this.at = low;
    this.per = (high - low) / (this.high - this.low);
    this.ticks = axis.ticks || tickSteps(this.low, this.high, Math.max(2, Math.floor(pixels / 70)));
  }
  to(value) { return this.at + (value - this.low) * this.per; }
  from(pixel) { return this.low + (pixel - this.at) / this.per; }
}

/** One mark as a small picture, made once per kind, size and colour: blitting it is far cheaper than drawing it. */
const SPRITES = new Map();
function sprite(symbol, radius, colour, ratio) {
  const size = Math.max(2, Math.round(radius * ratio));
  const key = `${symbol} ${size} ${colour}`;
  if (SPRITES.has(key)) return SPRITES.get(key);
  if (SPRITES.size > 500) SPRITES.clear();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2 * size + 4;
  const pen = canvas.getContext("2d");
  pen.translate(size + 2, size + 2);
  pen.fillStyle = pen.strokeStyle = colour;
  pen.lineWidth = Math.max(1.5, 0.32 * size);
  pen.beginPath();
  if (symbol === "cross") {
    const s = 0.8 * size;
    pen.moveTo(-s, -s); pen.lineTo(s, s); pen.moveTo(-s, s); pen.lineTo(s, -s);
    pen.stroke();
  } else if (symbol === "diamond") {
    pen.moveTo(0, -size); pen.lineTo(size, 0); pen.lineTo(0, size); pen.lineTo(-size, 0); pen.closePath();
    pen.fill();
  } else if (symbol === "ring") {
    pen.arc(0, 0, 0.8 * size, 0, 7);
    pen.stroke();
  } else {
    pen.arc(0, 0, size, 0, 7);
    pen.fill();
  }
  SPRITES.set(key, canvas);
  return canvas;
}

const MARKS = {
  points(pen, layer, sx, sy, ratio) {
    pen.globalAlpha = layer.opacity ?? 0.75;
    for (let i = 0; i < layer.x.length; i++) {
      const mark = sprite(layer.symbol, layer.size ? layer.size[i] : layer.radius || 4, layer.colour, ratio);
      const side = mark.width / ratio;
      pen.drawImage(mark, sx.to(layer.x[i]) - side / 2, sy.to(layer.y[i]) - side / 2, side, side);
    }
  },
  line(pen, layer, sx, sy) {
    pen.strokeStyle = layer.colour;
    pen.lineWidth = layer.width || 2;
    pen.setLineDash(layer.dash || []);
    pen.beginPath();
    let down = false;
    for (let i = 0; i < layer.x.length; i++) {
      if (Number.isNaN(layer.y[i])) { down = false; continue; }
      pen[down ? "lineTo" : "moveTo"](sx.to(layer.x[i]), sy.to(layer.y[i]));
      down = true;
    }
    pen.stroke();
    pen.setLineDash([]);
  },
  band(pen, layer, sx, sy) {
    pen.fillStyle = layer.colour;
    pen.globalAlpha = 0.18;
    pen.beginPath();
    const known = [...layer.x.keys()].filter((i) => !Number.isNaN(layer.low[i]));
    known.forEach((i, n) => pen[n ? "lineTo" : "moveTo"](sx.to(layer.x[i]), sy.to(layer.low[i])));
    known.reverse().forEach((i) => pen.lineTo(sx.to(layer.x[i]), sy.to(layer.high[i])));
    pen.fill();
  },
  bars(pen, layer, sx, sy, ratio, ink) {
    const half = Math.abs(sx.per) * (layer.width || 0.7) / 2;
    for (let i = 0; i < layer.x.length; i++) {
      const x = sx.to(layer.x[i]), from = sy.to(layer.base ? layer.base[i] : Math.max(sy.low, 0)), top = sy.to(layer.y[i]);
      pen.globalAlpha = 0.85;
      pen.fillStyle = layer.colours ? layer.colours[i] : layer.colour;
      pen.fillRect(x - half, Math.min(top, from), 2 * half, Math.max(Math.abs(from - top), 1));
      pen.globalAlpha = 1;
      if (layer.low) whisker(pen, x, sy.to(layer.low[i]), sy.to(layer.high[i]), ink);
      if (layer.text) {
        pen.fillStyle = ink;
        pen.textAlign = "center";
        pen.textBaseline = "bottom";
        pen.fillText(layer.text[i], x, Math.min(from, top, layer.high ? sy.to(layer.high[i]) : top) - 3);
      }
    }
  },
  level(pen, layer, sx, sy) {
    MARKS.line(pen, { ...layer, x: [sx.low, sx.high], y: [layer.y, layer.y] }, sx, sy);
  },
};

function whisker(pen, x, low, high, ink) {
  pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x, low); pen.lineTo(x, high);
  for (const y of [low, high]) { pen.moveTo(x - 4, y); pen.lineTo(x + 4, y); }
  pen.stroke();
}

function drawAxes(pen, chart, sx, sy, width, height, ink) {
  const { x, y } = chart;
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  pen.strokeStyle = pen.fillStyle = ink;
  pen.lineWidth = 1;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const [value, text] of sx.ticks) {
    const at = sx.to(value);
    if (x.grid !== false) gridLine(pen, at, top, at, bottom);
    pen.fillText(text, at, bottom + 5);
  }
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [value, text] of sy.ticks) {
    gridLine(pen, left, sy.to(value), right, sy.to(value));
    pen.fillText(text, left - 6, sy.to(value));
  }
  pen.globalAlpha = 0.8;
  pen.textAlign = "center";
  pen.textBaseline = "bottom";
  pen.fillText(x.label || "", (left + right) / 2, height - 1);
  pen.save();
  pen.translate(1, (top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.textBaseline = "top";
  pen.fillText(y.label || "", 0, 0);
  pen.restore();
  pen.globalAlpha = 1;
}

function gridLine(pen, x0, y0, x1, y1) {
  pen.globalAlpha = 0.13;
  pen.beginPath();
  pen.moveTo(x0, y0); pen.lineTo(x1, y1);
  pen.stroke();
  pen.globalAlpha = 1;
}
