// One live view: the newest picture or a past one, the heat map over it, its age, and the gripper dragged in it.
const VIEW_FRESH = 2; // seconds: a still scene is sent once a second
const NOMINAL = [0.48, 0, 0.08]; // metres in the base frame: where on the table a drag is measured
const FPS_SPAN = 2000; // ms over which pictures are counted

/** How a camera sees small moves: metres on the level plane ↔ shares of its picture. */
class CameraScale {
  /** `view` is {matrix (3 × 4), follows} of the arm's features. */
  constructor(view) {
    const at = view.follows ? [0, 0, 0] : NOMINAL;
    const [u, v, w] = view.matrix.map((row) => row[0] * at[0] + row[1] * at[1] + row[2] * at[2] + row[3]);
    const slope = (row, value) => [0, 1].map((k) => (view.matrix[row][k] * w - value * view.matrix[2][k]) / (w * w));
    [this.ux, this.uy] = slope(0, u);
    [this.vx, this.vy] = slope(1, v);
    this.det = this.ux * this.vy - this.uy * this.vx;
  }

  /** Metres [dx, dy] for a move by [du, dv] of the picture's width and height. */
  metres(du, dv) {
    return [(this.vy * du - this.uy * dv) / this.det, (this.ux * dv - this.vx * du) / this.det];
  }

  /** Unit vectors on the table of "right" and "away", as this camera sees them. */
  directions() {
    const unit = ([x, y]) => [x / Math.hypot(x, y), y / Math.hypot(x, y)];
    return { right: unit(this.metres(1, 0)), away: unit(this.metres(0, -1)) };
  }
}

class LiveView {
  /** `page` has arm, past, looking (a tick or null), heatShown, view, drag(dx, dy), lift(dz), mayDrive. */
  constructor(root, preferred, page) {
    Object.assign(this, { root, page, preferred, camera: null, bitmap: null, last: 0, times: [], decoded: null, drag: null });
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.canvas = this.part("picture");
    this.pictures = new Pictures(() => this.draw());
    this.part("camera").addEventListener("change", (event) => { this.show(event.target.value); event.target.blur(); });
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) this.canvas.addEventListener(type, () => { this.drag = null; page.drag(null); });
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** The cameras there are, and which of them to show. */
  offer(cameras, camera) {
    const names = cameras.map((name) => element("option", { value: name, textContent: `${name} view` }));
    this.part("camera").replaceChildren(...names);
    this.part("camera").hidden = cameras.length < 2;
    this.part("camera").value = camera;
    this.show(camera);
  }

  show(camera) {
    if (!camera || camera === this.camera) return;
    this.camera = camera;
    this.part("camera").value = camera;
    this.last = 0;
    this.times = [];
    this.page.subscribe();
    this.draw();
  }

  get scale() {
    const views = (this.page.arm.features && this.page.arm.features.views) || {};
    return views[this.camera] ? new CameraScale(views[this.camera]) : null;
  }

  frame({ time, bitmap }) {
    if (this.bitmap) this.bitmap.close();
    this.bitmap = bitmap;
    this.last = Date.now() - 1000 * this.page.arm.since(time);
    this.times.push(performance.now());
    this.canvas.dataset.ageMs = Math.round(Date.now() - this.last);
    this.canvas.dataset.frames = Number(this.canvas.dataset.frames || 0) + 1;
    if (this.page.looking === null) this.draw();
  }

  draw() {
    const { page, canvas } = this;
    const picture = page.looking === null ? this.bitmap : this.remembered(page.looking);
    if (picture) {
      const [width, height] = [picture.width, picture.height];
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      canvas.getContext("2d").drawImage(picture, 0, 0);
      this.heat();
    }
    canvas.toggleAttribute("data-past", page.looking !== null);
    this.part("missing").hidden = page.looking === null || Boolean(picture);
  }

  /** The decoded picture of a past tick; asked for, it comes a moment later. */
  remembered(tick) {
    const found = this.page.past.picture(this.camera, tick);
    if (!found) return null;
    if (this.decoded && this.decoded.jpeg === found.jpeg) return this.decoded.bitmap;
    createImageBitmap(found.jpeg).then((bitmap) => {
      if (this.decoded) this.decoded.bitmap.close();
      this.decoded = { jpeg: found.jpeg, bitmap };
      if (this.page.looking !== null) this.draw();
    });
    return this.decoded ? this.decoded.bitmap : null;
  }

  heat() {
    const heat = this.page.view && this.page.view.heat;
    if (!this.page.heatShown || !heat || heat.camera !== this.camera) return;
    const image = this.pictures.get(heat.image);
    if (image) this.canvas.getContext("2d").drawImage(image, 0, 0, this.canvas.width, this.canvas.height);
  }

  /** Twice a second: how old the picture is, and how many come. */
  age() {
    const now = performance.now();
    this.times = this.times.filter((time) => now - time < FPS_SPAN);
    const seconds = (Date.now() - this.last) / 1000;
    const fps = this.times.length / (FPS_SPAN / 1000);
    this.canvas.dataset.fps = fps.toFixed(1);
    const label = this.part("age");
    const old = this.last > 0 && seconds >= VIEW_FRESH;
    const past = this.page.looking !== null;
    label.textContent = past ? "the past" : !this.last ? "no live picture" : old ? `picture is ${Math.round(seconds)} s old` : `live · ${Math.round(1000 * seconds)} ms old · ${Math.round(fps)} per s`;
    label.toggleAttribute("data-old", old || past);
  }

  // -- dragging ----------------------------------------------------------------------------------------------------

  down(event) {
    if (event.button > 0 || !this.page.mayDrive || !this.scale) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = [event.clientX, event.clientY];
  }

  move(event) {
    if (!this.drag) { this.canvas.style.cursor = this.page.mayDrive && this.scale ? "grab" : "default"; return; }
    const box = this.canvas.getBoundingClientRect();
    const [du, dv] = [(event.clientX - this.drag[0]) / box.width, (event.clientY - this.drag[1]) / box.height];
    this.drag = [event.clientX, event.clientY];
    this.page.drag(this.scale.metres(du, dv));
  }

  wheel(event) {
    if (!this.page.mayDrive || Math.abs(event.deltaY) < 1) return;
    event.preventDefault();
    this.page.lift(event.deltaY < 0 ? 1 : -1);
  }
}
