// What this page was shown: pictures with their time, and which tick was when. It is forgotten with the page.
const FILM_EVERY = 0.09; // seconds between pictures that are kept, per camera
const FILM_MOST = 1500; // pictures per camera; beyond, every second one of the older half goes
const MOMENTS_MOST = 20000;
const FILM_NEAR = 1.5; // seconds: a picture further from a moment than this does not show it

class Past {
  constructor() { this.clear(); }

  clear() {
    this.films = new Map(); // camera → [{time, jpeg}], oldest first
    this.moments = []; // [time, tick] on the arm's clock; ticks only grow, and stand still while nothing moves
  }

  /** The arm's state: tick and time. Of a standstill its beginning and its end are kept. */
  told({ tick, time }) {
    const { moments } = this;
    const last = moments.at(-1);
    if (last && (time <= last[0] || tick < last[1])) return tick < last[1] ? this.restarted(tick, time) : undefined;
    if (last && tick === last[1] && moments.length > 1 && moments.at(-2)[1] === tick) last[0] = time;
    else moments.push([time, tick]);
    if (moments.length > MOMENTS_MOST) moments.splice(0, MOMENTS_MOST / 2);
  }

  /** Another arm process counts from its beginning. */
  restarted(tick, time) { this.clear(); this.moments.push([time, tick]); }

  keep({ camera, time, jpeg }) {
    if (!jpeg) return;
    const film = this.films.get(camera) || this.films.set(camera, []).get(camera);
    if (film.length && time - film.at(-1).time < FILM_EVERY) return;
    film.push({ time, jpeg });
    if (film.length > FILM_MOST) this.films.set(camera, film.filter((_, n) => n >= film.length / 2 || n % 2));
  }

  /** When a tick was, or null if this page was not there. */
  timeOf(tick) {
    const { moments } = this;
    if (!moments.length || tick < moments[0][1] || tick > moments.at(-1)[1]) return null;
    const after = this.search(moments, (moment) => moment[1] >= tick);
    const [time, is] = moments[after];
    if (is === tick || after === 0) return time;
    const [before, was] = moments[after - 1];
    return before + ((tick - was) / (is - was)) * (time - before);
  }

  search(list, holds) {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(list[middle])) high = middle; else low = middle + 1;
    }
    return Math.min(low, list.length - 1);
  }

  /** The kept picture of a tick, {time, jpeg}, or null. */
  picture(camera, tick) {
    const time = this.timeOf(tick);
    const film = this.films.get(camera);
    if (time === null || !film || !film.length) return null;
    const at = this.search(film, (frame) => frame.time >= time);
    const near = [film[Math.max(at - 1, 0)], film[at]].sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0];
    return Math.abs(near.time - time) <= FILM_NEAR ? near : null;
  }

  get count() { return Math.max(0, ...[...this.films.values()].map((film) => film.length)); }
}
