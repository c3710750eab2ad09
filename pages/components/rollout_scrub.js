// Looking at the past: by steps, by dragging on the timeline, played on.
const SCRUB = 0.25; // seconds
const PLAY_MS = 66;
const PLAY_SPEEDS = { 1: 0.5, 2: 1, 3: 2 }; // the past is played at the speed that is chosen for driving

const ROLLOUT_SCRUB = {
  look(tick) {
    if (tick !== null && this.driver.held.size) return; // who drives looks at what is
    this.looking = tick;
    if (tick === null) this.pause();
    this.refresh();
    for (const view of this.views) view.draw();
  },

  step(way) {
    if (!this.view || !this.view.episode) return;
    const { tick } = this.view.episode;
    const to = this.timeline.beside(this.looking === null ? tick : this.looking, way * SCRUB);
    this.look(to >= tick && way > 0 ? null : to);
  },

  /** Play the past from here on, or pause. */
  play() {
    if (this.playing) return this.pause();
    const { rate } = this.view.episode;
    let at = this.timeline.paths.depth(this.looking);
    this.playing = setInterval(() => {
      at += (PLAY_MS / 1000) * rate * PLAY_SPEEDS[this.driver.speed];
      const over = !this.view.episode || at >= this.timeline.paths.depth(this.view.episode.tick);
      this.look(over ? null : this.timeline.paths.tick(at));
    }, PLAY_MS);
    this.refresh();
  },

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    this.refresh();
  },

  ago() {
    const { episode } = this.view;
    const { paths } = this.timeline;
    return paths ? seconds(Math.max(0, paths.depth(episode.tick) - paths.depth(this.looking)), episode.rate) : "";
  },
};
