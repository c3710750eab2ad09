// Two films of the same frozen scene, side by side on one clock.
class Pair {
  constructor(root) {
    this.root = root;
    const box = root.querySelector(".films");
    this.screens = ["before", "after"].map((n) => new Screen(root.querySelector(`[data-screen=${n}]`)));
    this.clock = new Clock(box, (at) => this.screens.forEach((screen) => screen.film && screen.draw(at)));
  }

  update(data) {
    if (this.name === data.name) return;
    this.name = data.name;
    const films = [data.before, data.after];
    const length = Math.max(...films.map((film) => film.length));
    films.forEach((film, i) => {
      this.screens[i].set(film);
      const box = this.root.querySelectorAll("figure")[i];
      box.querySelector("figcaption").textContent = data.captions[i];
      bandsOf(this.root.querySelectorAll("[data-row]")[i], film, length);
    });
    const stops = [...new Set(films.flatMap((f) => f.shots.filter((s, n) => s.plan >= 0 || n === 0 || f.shots[n - 1].plan >= 0).map((s) => s.at)))];
    this.clock.set(length, stops.sort((a, b) => a - b));
    this.root.querySelector(".films").dataset.name = data.name;
  }

  close() { this.clock.close(); }
}

export default function mount({ data, parentElement }) {
  parentElement.askbackPair = parentElement.askbackPair || new Pair(parentElement);
  parentElement.askbackPair.update(data);
  return () => { parentElement.askbackPair.close(); delete parentElement.askbackPair; };
}
