// The live side view: frames that the arm's Worker has decoded, and how old the last one is.
const FRESH = 2; // seconds: a still scene is sent once a second

class SideView {
  constructor(canvas, label) {
    Object.assign(this, { canvas, label, arm: armLink(), last: 0 });
    this.onframe = ({ detail }) => this.paint(detail);
    this.onhello = () => this.subscribe();
    this.arm.addEventListener("frame", this.onframe);
    this.arm.addEventListener("hello", this.onhello);
    this.timer = setInterval(() => this.age(), 500);
    this.subscribe();
  }

  subscribe() {
    const cameras = (this.arm.features && this.arm.features.cameras) || [];
    this.camera = cameras.includes("side") ? "side" : cameras[0];
    if (this.camera) this.arm.view([this.camera], 15);
  }

  paint({ camera, time, bitmap }) {
    if (camera !== this.camera) return bitmap.close();
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      [this.canvas.width, this.canvas.height] = [bitmap.width, bitmap.height];
    }
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.last = Date.now() - 1000 * this.arm.since(time);
    this.canvas.dataset.frames = Number(this.canvas.dataset.frames || 0) + 1;
  }

  age() {
    const seconds = (Date.now() - this.last) / 1000;
    this.label.textContent = !this.last ? "no live picture" : seconds < FRESH ? "live" : `picture is ${Math.round(seconds)} s old`;
    this.label.toggleAttribute("data-old", seconds >= FRESH);
  }

  close() {
    clearInterval(this.timer);
    this.arm.view([], 1);
    this.arm.removeEventListener("frame", this.onframe);
    this.arm.removeEventListener("hello", this.onhello);
  }
}
