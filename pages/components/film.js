// An episode as it was recorded: one picture per plan, shown for as long as that plan took; nothing is simulated again.
class Film {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.box = root.querySelector(".film");
    this.track = this.part("track");
    this.gone = new AbortController();
    const { signal } = this.gone;
    this.part("play").addEventListener("click", () => this.toggle(), { signal });
    this.part("back").addEventListener("click", () => this.jump(-1), { signal });
    this.part("on").addEventListener("click", () => this.jump(1), { signal });
    this.track.addEventListener("pointerdown", (event) => { this.track.setPointerCapture(event.pointerId); this.drag = true; this.scrub(event); }, { signal });
    this.track.addEventListener("pointermove", (event) => this.drag && this.scrub(event), { signal });
    this.track.addEventListener("pointerup", () => { this.drag = false; this.tell(); }, { signal });
    this.box.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (this.name === data.name) return;
    this.name = data.name;
    this.shots = data.shots;
    this.length = data.length;
    this.stop();
    const bands = this.part("bands");
    bands.replaceChildren();
    for (const shot of this.shots) {
      const band = bands.appendChild(document.createElement("span"));
      band.style.width = `calc(${(100 * (shot.until - shot.at)) / this.length}% - 2px)`;
      band.dataset.kind = shot.kind;
      band.title = band.textContent = shot.said;
    }
    this.go(data.at);
  }

  get shot() { return this.shots.reduce((found, shot, i) => (shot.at <= this.at + 1e-6 ? i : found), 0); }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.length);
    const shot = this.shots[this.shot];
    if (this.part("picture").src !== shot.url) this.part("picture").src = shot.url;
    this.part("picture").alt = this.part("told").textContent = `${shot.goal} · ${shot.said}`;
    this.track.querySelector("i").style.left = `${(100 * this.at) / this.length}%`;
    this.part("time").textContent = `${this.at.toFixed(1)} of ${this.length.toFixed(1)} s · plan ${this.shot + 1} of ${this.shots.length}`;
    this.track.setAttribute("aria-valuenow", this.at.toFixed(1));
    this.track.setAttribute("aria-valuemax", this.length.toFixed(1));
    this.box.dataset.at = this.at.toFixed(2);
  }

  toggle() {
    if (this.timer) { this.stop(); this.tell(); return; }
    if (this.at >= this.length - 1e-6) this.go(0);
    let last = performance.now();
    this.part("play").textContent = "Pause";
    const tick = (now) => {
      this.go(this.at + ((now - last) / 1000) * Number(this.part("speed").value));
      last = now;
      if (this.at >= this.length) { this.stop(); this.tell(); } else this.timer = requestAnimationFrame(tick);
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
    const to = this.shots[Math.min(Math.max(this.shot + way, 0), this.shots.length - 1)];
    this.go(to.at);
    this.tell();
  }

  scrub(event) {
    this.stop();
    const box = this.track.getBoundingClientRect();
    this.go((this.length * (event.clientX - box.left)) / box.width);
  }

  key(event) {
    const act = { " ": () => this.toggle(), ",": () => this.jump(-1), ".": () => this.jump(1) }[event.key];
    if (!act || event.repeat || event.target.tagName === "SELECT") return;
    event.preventDefault();
    act();
  }

  // Where it stands, so that the page's address leads here.
  tell() { this.setStateValue("at", Number(this.at.toFixed(1))); }

  close() {
    this.stop();
    this.gone.abort();
  }
}

export default function mount({ data, parentElement, setStateValue }) {
  parentElement.askbackFilm = parentElement.askbackFilm || new Film(parentElement);
  parentElement.askbackFilm.update(data, setStateValue);
  return () => { parentElement.askbackFilm.close(); delete parentElement.askbackFilm; };
}
