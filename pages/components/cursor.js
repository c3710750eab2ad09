// A cross-hair for who shows the plan by keys: arrows move it, Space puts the next point there.
const NUDGE = 0.01; // metres for a press
const GLIDE = 0.2; // metres a second while a key stays down
const GLIDE_AFTER = 250; // ms
const GLIDE_EVERY = 33; // ms
const CURSOR_WAYS = { "cursor-up": [-1, 0], "cursor-down": [1, 0], "cursor-left": [0, -1], "cursor-right": [0, 1] };

class Cursor {
  /** `card` has question, draft, free, act(act) and a canvas to draw again. */
  constructor(card) {
    Object.assign(this, { card, place: null, held: new Map() });
  }

  /** Where it is, metres: first at the end of my plan that is to be shown next. Null unless something is to be shown. */
  get at() {
    const { draft, question, free } = this.card;
    const next = !draft.pick ? "pick" : !draft.place ? "place" : null;
    const wanted = question && free && draft.tool === "demo" ? next && `${question.id} ${next}` : null;
    if (this.wanted !== wanted) Object.assign(this, { wanted, place: wanted ? question.plan[next].slice(0, 2) : null, moved: false });
    return this.place;
  }

  /** Whether an action of the keymap is the cross-hair's. */
  takes(action) { return action === "cursor-put" || action in CURSOR_WAYS; }

  key(action, down) {
    if (action !== "cursor-put") return down ? this.begin(action) : this.end(action);
    if (!down || !this.at) return;
    const [x, y] = this.at;
    this.card.act({ do: "point", x, y });
  }

  begin(action) {
    this.end(action);
    this.nudge(action, NUDGE);
    const later = setTimeout(() => {
      this.held.set(action, setInterval(() => this.nudge(action, (GLIDE * GLIDE_EVERY) / 1000), GLIDE_EVERY));
    }, GLIDE_AFTER);
    this.held.set(action, later);
  }

  end(action) {
    clearInterval(this.held.get(action)); // timeouts and intervals share their numbers
    this.held.delete(action);
  }

  nudge(action, by) {
    if (!this.at) return;
    const { x: rows, y: columns } = this.card.question.table;
    const [dx, dy] = CURSOR_WAYS[action];
    const inside = (value, [low, high]) => Math.min(Math.max(value, low), high);
    this.place = [inside(this.place[0] + dx * by, rows), inside(this.place[1] + dy * by, columns)];
    this.moved = true;
    this.card.canvas.draw();
  }

  /** Over the picture; only once a key has moved it, so that it is in nobody's way who points. */
  paint(ctx, scale) {
    if (!this.at || !this.moved) return;
    const [u, v] = scale.pixel(this.at);
    stroked(ctx, DRAFT_COLOUR, 2, [], () => {
      for (const [du, dv] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { ctx.moveTo(u + 5 * du, v + 5 * dv); ctx.lineTo(u + 20 * du, v + 20 * dv); }
    });
  }

  close() { for (const action of [...this.held.keys()]) this.end(action); }
}
