// A chart on a canvas: what a hundred thousand points need, without a library that takes seconds to load. It tells what is
// pointed at, and which box, lasso or mark was chosen; what lies inside is worked out in Python, which has all of them.
class Chart {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.root = root;
    [this.base, this.over] = [this.part("base"), this.part("over")];
    this.tool = "box";
    this.gone = new AbortController();
    const { signal } = this.gone;
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.part("plot"));
    for (const type of ["pointermove", "pointerdown", "pointerup", "pointerleave", "keydown"]) {
      this.over.addEventListener(type, (event) => this[type](event), { signal });
    }
    for (const button of root.querySelectorAll("[data-tool]")) button.addEventListener("click", () => this.choose(button.dataset.tool), { signal });
    this.part("clear").addEventListener("click", () => this.say(null), { signal });
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (this.text === data.text) return;
    this.text = data.text;
    this.chart = JSON.parse(data.text);
    for (const layer of this.chart.layers) {
      for (const name of ["x", "y", "size", "low", "high", "base"]) if (typeof layer[name] === "string") layer[name] = FLOATS(layer[name]);
    }
    this.part("plot").style.height = `${this.chart.height}px`;
    this.part("plot").classList.toggle("selects", Boolean(this.chart.select));
    this.part("bar").hidden = !this.chart.select;
    this.over.tabIndex = this.chart.select ? 0 : -1;
    this.base.setAttribute("aria-label", this.chart.alt);
    if (this.picked && this.picked.point && !this.chart.layers[this.picked.point[0]]) this.picked = null;
    this.legend();
    this.draw();
  }

  choose(tool) {
    this.tool = tool;
    for (const b of this.root.querySelectorAll("[data-tool]")) b.setAttribute("aria-pressed", String(b.dataset.tool === tool));
  }

  legend() {
    const box = this.part("legend");
    box.replaceChildren();
    const named = this.chart.layers.filter((l) => l.name);
    box.hidden = !named.length && !this.chart.select;
    for (const layer of named) {
      const item = box.appendChild(document.createElement("span"));
      const canvas = item.appendChild(document.createElement("canvas"));
      [canvas.width, canvas.height] = [36, 28];
      const pen = canvas.getContext("2d");
      pen.scale(2, 2);
      if (layer.type === "points") pen.drawImage(sprite(layer.symbol, 5, layer.colour, 2), 3, 1, 12, 12);
      else if (layer.type === "bars" || layer.type === "band") { pen.fillStyle = layer.colour; pen.fillRect(2, 2, 14, 10); }
      else MARKS.line(pen, { ...layer, x: [0, 18], y: [7, 7] }, { to: (v) => v }, { to: (v) => v });
      item.append(layer.name);
    }
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.part("plot");
    if (!this.chart || !width) return;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.sx = new Scale(this.chart.x, MARGIN.left, width - MARGIN.right, width - MARGIN.left);
    this.sy = new Scale(this.chart.y, height - MARGIN.bottom, MARGIN.top, 1.7 * (height - 40));
    const style = getComputedStyle(this.part("plot"));
    this.ink = style.color;
    const pen = this.base.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = `12px ${style.fontFamily}`;
    drawAxes(pen, this.chart, this.sx, this.sy, width, height, this.ink);
    pen.beginPath();
    pen.rect(MARGIN.left - 8, 0, width, height - MARGIN.bottom + 8);
    pen.clip();
    for (const layer of this.chart.layers) {
      pen.globalAlpha = 1;
      MARKS[layer.type](pen, layer, this.sx, this.sy, ratio, this.ink);
    }
    this.mark();
    this.root.querySelector(".chart").dataset.drawn = String(performance.now());
  }

  // The layer above: what is chosen, and what is being dragged.
  mark() {
    const pen = this.over.getContext("2d"), ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.over.width, this.over.height);
    pen.strokeStyle = this.ink;
    pen.lineWidth = 1.5;
    const path = this.drag ? this.drag.path : this.picked && this.picked.path;
    this.part("clear").disabled = !this.picked;
    pen.beginPath();
    if (path && path.length > 1) {
      pen.setLineDash([5, 4]);
      path.forEach(([x, y], n) => pen[n ? "lineTo" : "moveTo"](this.sx.to(x), this.sy.to(y)));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
    }
    if (!this.drag && this.picked && this.picked.point) {
      const [l, i] = this.picked.point, layer = this.chart.layers[l];
      if (layer && i < layer.x.length) pen.arc(this.sx.to(layer.x[i]), this.sy.to(layer.y[i]), (layer.size ? layer.size[i] : 5) + 5, 0, 7);
      pen.lineWidth = 2.5;
      pen.stroke();
    }
  }

  nearest(px, py, reach = 14) {
    let found = null, best = reach * reach;
    this.chart.layers.forEach((layer, l) => {
      if (layer.type === "level" || layer.type === "band") return;
      const half = layer.type === "bars" ? Math.abs(this.sx.per) / 2 : 0;
      for (let i = 0; i < layer.x.length; i++) {
        const dx = half ? Math.max(0, Math.abs(this.sx.to(layer.x[i]) - px) - half) : this.sx.to(layer.x[i]) - px;
        const dy = half ? 0 : this.sy.to(layer.y[i]) - py;
        const d = dx * dx + dy * dy;
        if (d < best) { best = d; found = [l, i]; }
      }
    });
    return found;
  }

  spot(event) {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  pointermove(event) {
    if (!this.chart || !this.sx) return;
    const [px, py] = this.spot(event), here = [this.sx.from(px), this.sy.from(py)];
    if (this.drag) {
      const [x, y] = this.drag.path[0];
      if (this.tool === "box") this.drag.path = [[x, y], [here[0], y], here, [x, here[1]]];
      else this.drag.path.push(here);
      this.drag.far = this.drag.far || Math.hypot(px - this.drag.px, py - this.drag.py) > 5;
      this.mark();
      return;
    }
    this.tell(this.nearest(px, py), px, py);
  }

  tell(found, px, py) {
    const tip = this.part("tip");
    tip.hidden = !found;
    if (!found) return;
    const layer = this.chart.layers[found[0]], i = found[1];
    const round = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : v.toPrecision(3));
    const said = layer.says ? layer.says[layer.say ? layer.say[i] : i] : "";
    const xs = this.chart.x.ticks ? "" : `${round(layer.x[i])}, `;
    tip.textContent = [layer.name, said, layer.says && !layer.say ? "" : `${xs}${round(layer.y[i])}`].filter(Boolean).join("\n");
    const width = this.part("plot").clientWidth;
    tip.style.left = `${Math.min(px + 14, width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.max(0, py - 10 - tip.offsetHeight)}px`;
  }

  pointerdown(event) {
    if (!this.chart || !this.chart.select || event.button) return;
    const [px, py] = this.spot(event);
    this.over.setPointerCapture(event.pointerId);
    this.drag = { px, py, far: false, path: [[this.sx.from(px), this.sy.from(py)]] };
    this.part("tip").hidden = true;
  }

  pointerup(event) {
    const drag = this.drag;
    this.drag = null;
    if (!drag) return;
    if (drag.far) this.say({ path: drag.path });
    else {
      const found = this.nearest(...this.spot(event), 24);
      this.say(found && { point: found });
    }
  }

  pointerleave() {
    this.part("tip").hidden = true;
  }

  // With the keyboard: left and right walk through the marks of the first layer, in the order in which they came.
  keydown(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || !this.chart.select || !this.chart.layers.length) return;
    event.preventDefault();
    const [l, i] = (this.picked && this.picked.point) || [0, way > 0 ? -1 : 0];
    const n = this.chart.layers[l].x.length;
    if (n) this.say({ point: [l, (i + way + n) % n] });
  }

  say(picked) {
    this.picked = picked;
    this.mark();
    this.setStateValue("picked", picked);
  }

  close() {
    this.watch.disconnect();
    this.gone.abort();
  }
}

export default function mount({ data, parentElement, setStateValue }) {
  parentElement.askbackChart = parentElement.askbackChart || new Chart(parentElement);
  parentElement.askbackChart.update(data, setStateValue);
  return () => { parentElement.askbackChart.close(); delete parentElement.askbackChart; };
}
