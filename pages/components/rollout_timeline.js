// The timeline: who drove when, doubt and familiarity over it, the branches of the time machine, and where one looks.
const SEGMENT_LOOKS = {
  policy: { words: "policy", colour: "#0072b2", ink: "#fff" },
  demo: { words: "you, all of it", colour: "#009e73", ink: "#fff" },
  recovery: { words: "recovery", colour: "#e69f00", ink: "#000", hatch: true },
  correction: { words: "correction", colour: "#009e73", ink: "#fff" },
  recovery_auto: { words: "went back", colour: "#f0e442", ink: "#000", hatch: true },
  restored: { words: "rewound", colour: "#cc79a7", ink: "#000" },
};
const TRACE = 62; // pixels of the traces
const BAND = 24;
const MARKS = 15;
const BRANCH = 13;
const BRANCHES_MOST = 3;
const EDGE = 8;
const DOUBT = "#d55e00";
const KNOWN = "#56b4e9";

/** Ticks of a tree of branches ↔ how far along its own path each is. */
class Paths {
  constructor(branches, first) {
    this.branches = branches.length ? branches : [{ first, last: first, parent: -1, live: true }];
    this.origin = first;
    const live = this.branches.findLastIndex((b) => b.live);
    this.live = live < 0 ? this.branches.length - 1 : live;
    this.path = this.pathOf(this.live);
  }

  of(tick) { return this.branches.findIndex((b) => b.first <= tick && tick <= b.last); }

  /** Ticks from the episode's beginning to this one, along its branch. */
  depth(tick) {
    const branch = this.branches[this.of(tick)];
    if (!branch) return Math.max(0, tick - this.origin);
    const before = this.of(branch.parent) < 0 || branch.parent < this.origin ? 0 : this.depth(branch.parent) + 1;
    return before + tick - Math.max(branch.first, before ? 0 : this.origin);
  }

  pathOf(index) {
    const out = [];
    for (let at = index, last = Infinity; at >= 0; ) {
      const branch = this.branches[at];
      out.unshift({ first: branch.first, last: Math.min(branch.last, last) });
      last = branch.parent;
      at = this.of(branch.parent);
    }
    return out;
  }

  /** The tick of the live path at a depth. */
  tick(depth) {
    let left = Math.max(0, depth);
    const path = this.path.filter((part) => part.last >= this.origin);
    for (const part of path) {
      const first = Math.max(part.first, this.origin);
      const length = part.last - first + 1;
      if (left < length) return first + Math.floor(left);
      left -= length;
    }
    return path.length ? path.at(-1).last : this.origin;
  }

  get longest() { return Math.max(...this.branches.map((b) => this.depth(b.last))); }
}

class Timeline {
  /** `page` has view, looking, look(tick), back(branch). */
  constructor(canvas, page) {
    Object.assign(this, { canvas, page, wanted: false, dragging: false });
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => { if (this.dragging) this.scrub(event); });
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => { this.dragging = false; });
  }

  get height() { return EDGE + TRACE + BAND + MARKS + BRANCHES_MOST * BRANCH; }
  get rate() { return this.page.view.episode.rate; }

  draw() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame(() => { this.wanted = false; this.paint(); });
  }

  paint() {
    const { canvas, page } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(this.height * ratio)) canvas.height = Math.round(this.height * ratio);
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, this.height);
    this.width = width;
    this.ink = getComputedStyle(canvas).color;
    if (!page.view || !page.view.episode) return this.note(ctx, "no episode yet");
    const { episode, branches } = page.view;
    this.paths = new Paths(branches || [], episode.first);
    this.span = Math.max(this.paths.longest + 1, this.paths.depth(episode.tick) + 1, 10 * this.rate);
    this.traces(ctx);
    this.segments(ctx);
    this.marks(ctx);
    this.tree(ctx);
    this.cursor(ctx);
  }

  note(ctx, text) {
    ctx.fillStyle = this.ink;
    ctx.globalAlpha = 0.6;
    ctx.font = "14px system-ui, sans-serif";
    ctx.fillText(text, 4, EDGE + TRACE / 2);
    ctx.globalAlpha = 1;
  }

  x(tick) { return (this.paths.depth(tick) / this.span) * this.width; }

  // -- traces ------------------------------------------------------------------------------------------------------

  traces(ctx) {
    const { timeline, threshold } = this.page.view;
    const highest = Math.max(1e-6, (threshold || 0) * 1.4, 1.08 * Math.max(0, ...timeline.doubt.filter(Number.isFinite)));
    const y = (share) => EDGE + TRACE * (1 - Math.min(Math.max(share, 0), 1));
    const points = timeline.tick.map((tick) => this.x(tick));
    const known = timeline.familiar;
    ctx.fillStyle = KNOWN;
    ctx.globalAlpha = 0.3;
    points.forEach((left, n) => {
      if (known[n] === null || known[n] === undefined) return;
      const right = n + 1 < points.length ? points[n + 1] : left + 2;
      if (right > left) ctx.fillRect(left, y(known[n]), right - left + 0.5, EDGE + TRACE - y(known[n]));
    });
    ctx.globalAlpha = 1;
    this.line(ctx, points.map((left, n) => [left, timeline.doubt[n], y(timeline.doubt[n] / highest)]));
    if (threshold !== null && threshold !== undefined) this.level(ctx, y(threshold / highest), `calls from ${threshold.toFixed(2)}`);
    ctx.fillStyle = this.ink;
    ctx.globalAlpha = 0.25;
    ctx.fillRect(0, EDGE + TRACE, this.width, 1);
    ctx.globalAlpha = 1;
  }

  line(ctx, points) {
    ctx.strokeStyle = DOUBT;
    ctx.lineWidth = 2;
    ctx.lineJoin = "round";
    ctx.beginPath();
    let open = false;
    for (const [left, value, top] of points) {
      if (!Number.isFinite(value)) { open = false; continue; }
      if (open) ctx.lineTo(left, top); else ctx.moveTo(left, top);
      open = true;
    }
    ctx.stroke();
  }

  level(ctx, top, words) {
    ctx.strokeStyle = ctx.fillStyle = this.ink;
    ctx.lineWidth = 1.5;
    ctx.setLineDash([6, 5]);
    ctx.beginPath();
    ctx.moveTo(0, top);
    ctx.lineTo(this.width, top);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = "11px system-ui, sans-serif";
    ctx.textAlign = "right";
    ctx.fillText(words, this.width - 3, Math.max(top - 4, 10));
    ctx.textAlign = "left";
  }

  // -- segments and marks --------------------------------------------------------------------------------------------

  segments(ctx) {
    const top = EDGE + TRACE + 2;
    for (const segment of this.page.view.timeline.segments) {
      const looks = SEGMENT_LOOKS[segment.kind] || SEGMENT_LOOKS.policy;
      const left = this.x(segment.start);
      const right = Math.max(this.x(Math.max(segment.stop - 1, segment.start)), left + 3);
      ctx.fillStyle = looks.colour;
      ctx.fillRect(left, top, right - left, BAND - 4);
      if (looks.hatch) this.hatch(ctx, left, top, right - left, BAND - 4);
      ctx.font = "600 12px system-ui, sans-serif";
      const words = looks.words;
      const room = ctx.measureText(words).width + 10;
      if (room > right - left) continue;
      if (looks.hatch) { ctx.fillStyle = looks.colour; ctx.fillRect(left + 3, top + 2, room - 4, BAND - 8); }
      ctx.fillStyle = looks.ink;
      ctx.fillText(words, left + 5, top + 14);
    }
  }

  hatch(ctx, left, top, width, height) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.strokeStyle = "rgba(0,0,0,0.35)";
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (let x = left - height; x < left + width; x += 8) { ctx.moveTo(x, top + height); ctx.lineTo(x + height, top); }
    ctx.stroke();
    ctx.restore();
  }

  marks(ctx) {
    const { proposal, boundary } = this.page.view;
    const middle = EDGE + TRACE + BAND + 11;
    ctx.fillStyle = this.ink;
    ctx.textAlign = "center";
    ctx.font = "15px system-ui, sans-serif";
    if (proposal) ctx.fillText("▲", this.x(proposal.tick), middle);
    if (boundary) ctx.fillText("◆", this.x(boundary.tick), middle);
    ctx.font = "11px system-ui, sans-serif";
    ctx.globalAlpha = 0.65;
    const step = this.rate * (this.span > 40 * this.rate ? 10 : this.span > 15 * this.rate ? 5 : 1);
    for (let depth = step; depth < this.span; depth += step) {
      const left = (depth / this.span) * this.width;
      if ([proposal, boundary].some((mark) => mark && Math.abs(this.x(mark.tick) - left) < 22)) continue;
      ctx.fillText(`${Math.round(depth / this.rate)} s`, left, middle);
    }
    ctx.globalAlpha = 1;
    ctx.textAlign = "left";
  }

  // -- branches ------------------------------------------------------------------------------------------------------

  get shown() {
    const all = this.paths.branches.map((branch, index) => ({ ...branch, index })).filter((b) => b.last >= this.paths.origin);
    return all.length > 1 ? all.slice(-BRANCHES_MOST) : [];
  }

  tree(ctx) {
    const top = EDGE + TRACE + BAND + MARKS;
    this.shown.forEach((branch, row) => {
      const y = top + row * BRANCH + BRANCH / 2;
      const left = this.x(Math.max(branch.first, this.paths.origin));
      const right = Math.max(this.x(branch.last), left + 6);
      ctx.globalAlpha = branch.live ? 1 : 0.45;
      ctx.strokeStyle = ctx.fillStyle = this.ink;
      ctx.lineWidth = branch.live ? 4 : 2;
      ctx.setLineDash(branch.live ? [] : [5, 4]);
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.arc(right, y, 4, 0, 2 * Math.PI);
      ctx.fill();
      ctx.font = "11px system-ui, sans-serif";
      const words = branch.live ? "now" : "left behind: click to return";
      const room = ctx.measureText(words).width + 10;
      ctx.fillText(words, right + room < this.width ? right + 8 : Math.max(left - room, 0), y + 4);
      ctx.globalAlpha = 1;
    });
  }

  cursor(ctx) {
    const { page } = this;
    const tick = page.looking === null ? page.view.episode.tick : page.looking;
    const left = Math.min(this.x(tick), this.width - 1);
    ctx.fillStyle = this.ink;
    ctx.fillRect(left - 1, 0, page.looking === null ? 1.5 : 2.5, EDGE + TRACE + BAND);
    if (page.looking === null) return;
    ctx.beginPath();
    ctx.moveTo(left - 7, 0);
    ctx.lineTo(left + 7, 0);
    ctx.lineTo(left, 9);
    ctx.fill();
  }

  // -- pointers ------------------------------------------------------------------------------------------------------

  down(event) {
    if (!this.paths || event.button > 0) return;
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - (EDGE + TRACE + BAND + MARKS)) / BRANCH);
    const branch = row >= 0 && this.shown[row];
    if (branch) { if (!branch.live) this.page.back(branch.index); return; }
    this.canvas.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.scrub(event);
  }

  scrub(event) {
    const box = this.canvas.getBoundingClientRect();
    const depth = ((event.clientX - box.left) / box.width) * this.span;
    this.page.look(depth >= this.paths.depth(this.page.view.episode.tick) ? null : this.paths.tick(depth));
  }

  /** A tick some seconds from another, along the live path. */
  beside(tick, seconds) { return this.paths ? this.paths.tick(this.paths.depth(tick) + seconds * this.rate) : tick; }

  close() { this.watcher.disconnect(); }
}
