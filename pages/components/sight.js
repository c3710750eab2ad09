// Where a camera looks: the arm's tip is held here and there, a person clicks on it in the picture. One step after the other.
const SIGHT_WAYS = [
  ["space", "Low and high (10 clicks)", "The best: tells how high things are, too. The arm holds its tip at ten places, low and high."],
  ["flat", "Four points (and two to check them)", "Quicker: the table alone. The arm holds its tip on the table at six places; four are enough, but four always fit."],
];
const LOUPE = 7, LOUPE_ZOOM = 8; // picture pixels around the pointer, and how much larger they are drawn
const MARK = "#cc79a7", WORST_MARK = "#d55e00", CURSOR = "#56b4e9";

class SightWalk {
  constructor(part, arm) {
    Object.assign(this, { part, arm, walk: { camera: "" }, may: false, moves: false, moving: false, cursor: null, picture: document.createElement("canvas"), held: false });
    this.canvas = part("sight-picture");
    part("sight-ways").append(...SIGHT_WAYS.map(([way, name, why]) => this.choice(way, name, why)));
    part("sight-begin").onclick = () => this.begin(part("sight-camera").value);
    this.holds(part("sight-go"));
    for (const [name, what] of [["undo", "undo"], ["finish", "finish"], ["close", "close"]]) part(`sight-${name}`).onclick = () => { this.say(""); this.arm.sight(what); };
    this.canvas.addEventListener("pointermove", (event) => this.point(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => this.click(this.at(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.let = () => this.stand();
    for (const type of ["blur", "pointerup", "pointercancel"]) window.addEventListener(type, this.let);
  }

  get open() { return Boolean(this.walk.camera); }

  choice(value, name, why) {
    const label = document.createElement("label"), input = document.createElement("input"), words = document.createElement("span");
    Object.assign(input, { type: "radio", name: "sight-way", value, checked: value === "space" });
    words.innerHTML = `<b>${name}</b><br>${why}`;
    label.append(input, words);
    return label;
  }

  /** Which cameras can be calibrated; none hides the whole. */
  offer(cameras) {
    const box = this.part("sight-camera"), kept = box.value;
    const names = cameras.map(({ name }) => name);
    if ([...box.options].map((option) => option.value).join("\n") !== names.join("\n")) {
      box.replaceChildren(...names.map((name) => new Option(name, name)));
      if (names.includes(kept)) box.value = kept;
    }
    const shown = cameras.find(({ name }) => name === (this.walk.camera || box.value));
    this.trouble = shown ? shown.trouble : "";
    this.draw();
  }

  begin(camera) {
    const way = this.part("sight").querySelector("[name=sight-way]:checked").value;
    this.say("");
    this.arm.sight("begin", { camera, way });
  }

  /** The arm moves while the button is held. */
  holds(button) {
    const begin = () => {
      if (this.held) return;
      this.held = true;
      this.say("");
      this.arm.drive(true);
      this.arm.sight("go");
    };
    button.addEventListener("pointerdown", (event) => { if (event.button === 0) { button.setPointerCapture(event.pointerId); begin(); } });
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); if (!event.repeat) begin(); } });
    button.addEventListener("keyup", () => this.stand());
    button.addEventListener("blur", () => this.stand());
  }

  stand() {
    if (!this.held) return;
    this.held = false;
    this.arm.drive(false);
    this.arm.sight("stand");
  }

  /** What the arm tells of the walk. */
  told(walk) {
    const began = walk.camera && !this.open;
    this.walk = walk;
    if (began) this.part("sight").scrollIntoView({ block: "nearest" });
    this.draw();
    this.paintAll();
  }

  allow(state) {
    this.may = Boolean(state) && (state.you === "drive" || !state.driver) && state.phase !== "fault";
    this.moves = this.may && state.phase !== "stopped"; // one that is stopped stands, and may be clicked on
    const moving = Boolean(state) && state.phase === "moving";
    if (this.open && this.moving && !moving) this.arm.sight("look");
    this.moving = moving;
    if (!this.moves) this.stand();
    this.draw();
  }

  say(text) { this.part("sight-told").textContent = text; }

  paint({ camera, bitmap }) {
    if (camera !== this.walk.camera) return;
    [this.picture.width, this.picture.height] = [bitmap.width, bitmap.height];
    this.picture.getContext("2d").drawImage(bitmap, 0, 0);
    this.paintAll();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.picture.width, ((event.clientY - box.top) / box.height) * this.picture.height];
  }

  point(at) { this.cursor = at; this.paintAll(); this.where(); }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in ways) {
      const [dx, dy] = ways[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
      const [x, y] = this.cursor || [this.picture.width / 2, this.picture.height / 2];
      this.point([Math.min(Math.max(x + dx, 0), this.picture.width), Math.min(Math.max(y + dy, 0), this.picture.height)]);
    } else if (event.key === "Enter" && this.cursor) this.click(this.cursor);
    else if (event.key === "Backspace" && !event.repeat && this.walk.clicks.length) this.arm.sight("undo");
    else return;
    event.preventDefault();
  }

  click(pixel) {
    if (!this.open || this.walk.done || !this.may) return;
    if (this.moving) return this.say("The arm still moves: click when it stands.");
    this.say("");
    this.arm.sight("click", { pixel });
  }

  /** Where on the table the pointer is, once that is known. */
  where() {
    const { done } = this.walk, box = this.part("sight-where");
    if (!done || !this.cursor) { box.textContent = done ? "Point at the table: what lies there is told here." : ""; return; }
    const [x, y] = onTable(done.plane, this.cursor);
    box.textContent = `there: x ${(1000 * x).toFixed(1)} mm, y ${(1000 * y).toFixed(1)} mm`;
  }

  paintAll() {
    const { width, height } = this.picture, scale = this.canvas.clientWidth / width || 1, ratio = window.devicePixelRatio || 1;
    if (!this.open || !width) return;
    [this.canvas.width, this.canvas.height] = [Math.round(this.canvas.clientWidth * ratio), Math.round(((this.canvas.clientWidth * height) / width) * ratio)];
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio * scale, 0, 0, ratio * scale, 0, 0);
    ctx.drawImage(this.picture, 0, 0);
    ctx.lineWidth = 1.5 / scale;
    ctx.font = `${12 / scale}px sans-serif`;
    this.walk.clicks.forEach(({ pixel: [x, y], m }, n) => this.mark(ctx, x, y, 6 / scale, m !== null && m > this.walk.worst ? WORST_MARK : MARK, String(n + 1)));
    if (!this.cursor) return;
    this.mark(ctx, ...this.cursor, 12 / scale, CURSOR, "");
    if (!this.walk.done) this.loupe(ctx, scale);
    this.canvas.dataset.frames = Number(this.canvas.dataset.frames || 0) + 1;
  }

  mark(ctx, x, y, size, colour, text) {
    for (const [style, wide] of [["rgba(0,0,0,0.6)", 3], [colour, 1]]) {
      Object.assign(ctx, { strokeStyle: style, fillStyle: style });
      ctx.save();
      ctx.lineWidth *= wide;
      ctx.beginPath();
      for (const [dx, dy] of [[1, 0], [0, 1]]) { ctx.moveTo(x - size * dx, y - size * dy); ctx.lineTo(x + size * dx, y + size * dy); }
      ctx.stroke();
      ctx.restore();
    }
    if (text) ctx.fillText(text, x + size, y - size);
  }

  /** The few pixels around the pointer, larger, in the corner that it is not in. */
  loupe(ctx, scale) {
    const [x, y] = this.cursor, side = ((2 * LOUPE + 1) * LOUPE_ZOOM) / scale, { width, height } = this.picture;
    const [left, top] = [x < width / 2 ? width - side : 0, y < height / 2 ? height - side : 0];
    ctx.save();
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.picture, x - LOUPE - 0.5, y - LOUPE - 0.5, 2 * LOUPE + 1, 2 * LOUPE + 1, left, top, side, side);
    ctx.strokeStyle = CURSOR;
    ctx.strokeRect(left, top, side, side);
    ctx.restore();
    this.mark(ctx, left + side / 2, top + side / 2, 10 / scale, CURSOR, "");
  }

  draw() {
    const { walk, part } = this, count = this.open ? walk.clicks.length : 0;
    part("sight").dataset.open = String(this.open);
    part("sight").dataset.clicks = count;
    part("sight-choose").hidden = this.open;
    part("sight-walk").hidden = !this.open;
    part("sight-begin").disabled = !this.may || Boolean(this.trouble);
    if (!this.open) return;
    const number = Math.min(count + 1, walk.places.length);
    part("sight-count").textContent = walk.done ? "" : `click ${number} of ${walk.places.length}`;
    part("sight-now").textContent = this.words(count);
    part("sight-go").textContent = `Hold: go to place ${number}`;
    part("sight-go").hidden = Boolean(walk.done) || count >= walk.places.length;
    part("sight-go").disabled = !this.moves;
    part("sight-go").classList.toggle("primary", !walk.there);
    part("sight-undo").disabled = !this.may || !count;
    part("sight-finish").hidden = Boolean(walk.done) || !walk.enough;
    part("sight-finish").disabled = !this.may;
    part("sight-finish").classList.toggle("primary", count >= walk.places.length);
    part("sight-close").textContent = walk.done ? "Close" : "Leave it, keep the old one";
    part("sight-close").disabled = !this.may;
    part("sight-off").replaceChildren(...this.residuals());
    this.where();
  }

  words(count) {
    const { walk } = this;
    if (this.trouble) return this.trouble;
    if (walk.done) return `Saved. The clicks fit within ${(1000 * walk.done.error).toFixed(1)} mm on the table${count === 4 && walk.way === "flat" ? "; four always fit, so this was not checked" : ""}.`;
    if (this.moving) return "It moves while you hold. Let go and it stands.";
    if (count >= walk.places.length) return "All places were clicked. Save it.";
    if (walk.there) return "Click on the bead in the picture, on its middle. The arrow keys move the cross-hair, Enter clicks.";
    if (!count) return "Put a bead, or something as small and bright, between the tips of the jaws, and shut them on it below. Then hold the button: the arm goes to the first place.";
    return "Hold the button: the arm goes to the next place. You may also turn the joints below, and click wherever its bead is seen.";
  }

  residuals() {
    const known = this.walk.clicks.filter(({ m }) => m !== null);
    if (!known.length) return [];
    return this.walk.clicks.map(({ px, m }, n) => {
      const item = document.createElement("li");
      item.textContent = `${(1000 * m).toFixed(1)} mm · ${px.toFixed(1)} px`;
      item.toggleAttribute("data-bad", m > this.walk.worst);
      item.dataset.click = n + 1;
      return item;
    });
  }

  close() {
    this.stand();
    for (const type of ["blur", "pointerup", "pointercancel"]) window.removeEventListener(type, this.let);
  }
}

/** x, y in metres of a pixel, by the plane (3, 3) that makes pixels of x, y. */
function onTable([[a, b, c], [d, e, f], [g, h, i]], [u, v]) {
  // a x + b y + c = u (g x + h y + i), and the same for v
  const [p, q, r] = [a - u * g, b - u * h, u * i - c], [s, t, w] = [d - v * g, e - v * h, v * i - f];
  const whole = p * t - q * s;
  return [(r * t - q * w) / whole, (p * w - r * s) / whole];
}
