// What an arm's cameras see: each picture with its age, its rate, what was dropped, and what is wrong in words.
const OLD = 2; // seconds: a scene that stands still is sent once a second

class CameraViews {
  constructor(box, arm) { Object.assign(this, { box, arm, views: new Map() }); }

  build(names) {
    this.views.clear();
    this.box.replaceChildren(...names.slice(0, 2).map((name) => {
      const canvas = document.createElement("canvas"), label = document.createElement("figcaption"), figure = document.createElement("figure");
      Object.assign(canvas, { width: 320, height: 240 });
      figure.dataset.camera = name;
      label.textContent = `${name}: no picture yet`;
      figure.append(canvas, label);
      this.views.set(name, { canvas, label, figure, at: 0, told: null });
      return figure;
    }));
    clearInterval(this.timer);
    if (!names.length) return;
    this.arm.view([...this.views.keys()], 10);
    this.timer = setInterval(() => this.age(), 250);
  }

  paint({ camera, time, bitmap }) {
    const view = this.views.get(camera);
    if (!view) return bitmap.close();
    [view.canvas.width, view.canvas.height] = [bitmap.width, bitmap.height];
    view.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    view.at = Date.now() - 1000 * this.arm.since(time);
    view.canvas.dataset.frames = Number(view.canvas.dataset.frames || 0) + 1;
  }

  /** How the arm says that its cameras do. */
  told(cameras) {
    for (const camera of cameras) if (this.views.has(camera.name)) this.views.get(camera.name).told = camera;
    this.age();
  }

  age() {
    for (const [name, view] of this.views) {
      const { told, at } = view;
      const seconds = told ? told.age : (Date.now() - at) / 1000;
      const trouble = told && told.trouble;
      const fresh = seconds < OLD ? (told ? `${Math.round(1000 * seconds)} ms old` : "live") : `${Math.round(seconds)} s old`;
      const counted = told ? ` · ${told.rate.toFixed(0)} per second · ${told.dropped} dropped` : "";
      view.figure.toggleAttribute("data-trouble", Boolean(trouble));
      view.label.textContent = trouble ? trouble : at || told ? `${name}: ${fresh}${counted}` : `${name}: no picture yet`;
    }
  }

  close() {
    clearInterval(this.timer);
    if (this.views.size) this.arm.view([], 1);
  }
}
