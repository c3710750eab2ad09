// Draws films of teaching/films.py: a picture per moment, the plan over it, bands on the scrub bar. One clock for all.
const SVG = "http://www.w3.org/2000/svg";

// Which of the shots is on at a second.
function shotAt(shots, at) {
  let low = 0, high = shots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (shots[middle].at <= at + 1e-6) low = middle; else high = middle - 1;
  }
  return low;
}

// Rings where a plan picks, a target where it places, in shares of a picture of (w, h).
function drawPlan(svg, spots, w, h, kind) {
  const [[u, v], [s, t]] = spots.map(([x, y]) => [x * w, y * h]);
  const unit = w / 40;
  for (const under of [true, false]) {
    const line = svg.appendChild(document.createElementNS(SVG, "path"));
    line.setAttribute("d", `M${u},${v}L${s},${t}`);
    const rings = [[u, v, 0.9], [s, t, 1], [s, t, 0.4]].map(([x, y, r]) => {
      const ring = svg.appendChild(document.createElementNS(SVG, "circle"));
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: r * unit })) ring.setAttribute(name, value);
      return ring;
    });
    for (const node of [line, ...rings]) {
      node.setAttribute("class", `ink ${kind || ""}${under ? " under" : ""}`);
      node.setAttribute("stroke-width", unit * (under ? 0.42 : 0.22));
    }
  }
}

class Screen {
  constructor(box) {
    this.image = box.querySelector("img");
    this.svg = box.querySelector("svg");
    this.told = box.querySelector("[data-told]");
    this.image.addEventListener("load", () => this.over());
  }

  set(film) {
    this.film = film;
    this.shown = null;
    this.draw(0);
  }

  draw(at) {
    const shot = this.film.shots[shotAt(this.film.shots, Math.min(at, this.film.length))];
    if (!shot || shot === this.shown) return;
    this.shown = shot;
    this.image.src = `data:image/jpeg;base64,${this.film.pictures[shot.picture]}`;
    this.image.alt = this.told.textContent = this.words(shot, at);
    this.over();
  }

  words(shot, at) {
    const plan = this.film.plans[shot.plan];
    const band = this.film.bands.find((b) => at >= b.at - 1e-6 && at < b.until);
    const said = plan ? `plans, uncertainty ${plan.uncertainty.toFixed(2)}` : band ? band.said : this.film.said;
    return `${this.film.goal} · ${said}`;
  }

  // The plan over the picture, once the picture's size is known.
  over() {
    this.svg.replaceChildren();
    const plan = this.shown && this.film.plans[this.shown.plan];
    const [w, h] = [this.image.naturalWidth, this.image.naturalHeight];
    if (!plan || !w) return;
    this.svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    drawPlan(this.svg, plan.spots, w, h, "");
  }
}

function bandsOf(row, film, length) {
  row.replaceChildren();
  for (const one of film.bands) {
    const band = row.appendChild(document.createElement("span"));
    band.style.left = `${(100 * one.at) / length}%`;
    band.style.width = `calc(${(100 * (one.until - one.at)) / length}% - 2px)`;
    band.dataset.kind = one.kind;
    band.title = band.textContent = one.said;
  }
}

// Play, pause, scrub, speed and keys for anything that can be drawn at a second.
class Clock {
  constructor(box, draw) {
    const part = (name) => box.querySelector(`[data-${name}]`);
    Object.assign(this, { box, draw, part, track: part("track"), at: 0, length: 1, stops: [] });
    this.gone = new AbortController();
    const on = (node, kind, act) => node.addEventListener(kind, act, { signal: this.gone.signal });
    on(part("play"), "click", () => this.toggle());
    on(part("back"), "click", () => this.jump(-1));
    on(part("on"), "click", () => this.jump(1));
    on(this.track, "pointerdown", (event) => { this.track.setPointerCapture(event.pointerId); this.drag = true; this.scrub(event); });
    on(this.track, "pointermove", (event) => this.drag && this.scrub(event));
    on(this.track, "pointerup", () => { this.drag = false; });
    on(box, "keydown", (event) => this.key(event));
  }

  // Seconds in all, and where ◀ and ▶ stop.
  set(length, stops) {
    this.stop();
    this.length = Math.max(length, 0.1);
    this.stops = stops;
    this.go(0);
  }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.length);
    this.draw(this.at);
    this.track.querySelector("i").style.left = `${(100 * this.at) / this.length}%`;
    this.part("time").textContent = `${this.at.toFixed(1)} of ${this.length.toFixed(1)} s`;
    this.track.setAttribute("aria-valuenow", this.at.toFixed(1));
    this.track.setAttribute("aria-valuemax", this.length.toFixed(1));
    this.box.dataset.at = this.at.toFixed(2);
  }

  toggle() {
    if (this.timer) { this.stop(); return; }
    if (this.at >= this.length - 1e-6) this.go(0);
    let last = performance.now();
    this.part("play").textContent = "Pause";
    const tick = (now) => {
      this.go(this.at + (Math.max(now - last, 0) / 1000) * Number(this.part("speed").value));
      last = now;
      if (this.at >= this.length) this.stop(); else this.timer = requestAnimationFrame(tick);
    };
    this.timer = requestAnimationFrame(tick);
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.timer = null;
    this.part("play").textContent = "Play";
  }

  jump(way) {
    this.stop();
    const later = this.stops.filter((s) => s > this.at + 1e-3), earlier = this.stops.filter((s) => s < this.at - 1e-3);
    this.go(way > 0 ? (later.length ? later[0] : this.length) : (earlier.length ? earlier[earlier.length - 1] : 0));
  }

  scrub(event) {
    this.stop();
    const box = this.track.getBoundingClientRect();
    this.go((this.length * (event.clientX - box.left)) / box.width);
  }

  key(event) {
    if (event.repeat && event.key === " ") return;
    if (["SELECT", "INPUT"].includes(event.target.tagName) || (event.target.tagName === "BUTTON" && event.key === " ")) return;
    const act = {
      " ": () => this.toggle(), ",": () => this.jump(-1), ".": () => this.jump(1),
      ArrowLeft: () => { this.stop(); this.go(this.at - 0.5); }, ArrowRight: () => { this.stop(); this.go(this.at + 0.5); },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  close() {
    this.stop();
    this.gone.abort();
  }
}
