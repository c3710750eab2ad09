// An episode as it was recorded: one picture per plan, shown for as long as that plan took, or, of one in motion, a drawing
// of every moment (film_scene.js). Nothing is simulated again.
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
    this.watch = new ResizeObserver(() => this.scene && this.scene.draw(this.at));
    this.watch.observe(this.part("scene"));
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    if (this.text === data.text) return;
    const told = JSON.parse(data.text), same = this.name === told.name;
    this.text = data.text;
    Object.assign(this, { name: told.name, shots: told.shots, length: told.length, what: told.what });
    if (!same) this.stop();
    this.part("picture").hidden = Boolean(told.scene);
    this.part("scene").hidden = !told.scene;
    this.seen = new Seen(this.part("seen"), told.scene ? told.scene.seen : []);
    this.part("seen").parentElement.classList.toggle("filmed", !this.part("seen").hidden);
    this.scene = told.scene ? new Scene(this.part("scene"), told.scene) : null;
    const bands = this.part("bands");
    bands.replaceChildren();
    for (const shot of this.shots) {
      const band = bands.appendChild(document.createElement("span"));
      band.style.width = `calc(${(100 * (shot.until - shot.at)) / this.length}% - 2px)`;
      band.dataset.kind = shot.kind;
      band.title = band.textContent = shot.said;
    }
    this.go(same && this.begin === told.at ? this.at : told.at);
    this.begin = told.at;
  }

  get shot() { return this.shots.reduce((found, shot, i) => (shot.at <= this.at + 1e-6 ? i : found), 0); }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.length);
    const shot = this.shots[this.shot];
    this.seen.show(this.at);
    if (this.scene) this.scene.draw(this.at);
    else if (this.part("picture").src !== shot.url) this.part("picture").src = shot.url;
    const told = [shot.goal, shot.said].filter(Boolean).join(" · ");
    this.part("picture").alt = this.part("told").textContent = told;
    this.part("scene").setAttribute("aria-label", told);
    this.track.querySelector("i").style.left = `${(100 * this.at) / this.length}%`;
    this.part("time").textContent = `${this.at.toFixed(1)} of ${this.length.toFixed(1)} s · ${this.what} ${this.shot + 1} of ${this.shots.length}`;
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
    const held = { ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1) }[event.key];
    const once = { " ": () => this.toggle(), ",": () => this.jump(-1), ".": () => this.jump(1), "-": () => this.pace(-1), "+": () => this.pace(1), "=": () => this.pace(1) }[event.key];
    const act = held || (event.repeat ? null : once);
    if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    event.preventDefault();
    act();
  }

  // A tenth of a second to and fro.
  step(way) {
    this.stop();
    this.go(this.at + 0.1 * way);
    clearTimeout(this.still);
    this.still = setTimeout(() => this.tell(), 300);
  }

  // Slower, faster: the next of the speeds on offer.
  pace(way) {
    const speed = this.part("speed");
    speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + way, 0), speed.options.length - 1);
  }

  // Where it stands, so that the page's address leads here.
  tell() { this.setStateValue("at", Number(this.at.toFixed(1))); }

  close() {
    this.stop();
    clearTimeout(this.still);
    this.watch.disconnect();
    this.gone.abort();
  }
}

export default function mount({ data, parentElement, setStateValue }) {
  parentElement.askbackFilm = parentElement.askbackFilm || new Film(parentElement);
  parentElement.askbackFilm.update(data, setStateValue);
  return () => { parentElement.askbackFilm.close(); delete parentElement.askbackFilm; };
}
