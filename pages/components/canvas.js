// The picture as something to touch: draws the question and the draft, and turns pointers into acts.
const REACH = 24; // pixels around a handle that still count as it
const MOVED = 5;

class PlanCanvas {
  /** `card` has question, draft, free (may answer), mapShown, act(act). */
  constructor(canvas, card) {
    Object.assign(this, { canvas, card, drag: null, wanted: false });
    this.pictures = new Pictures(() => this.draw());
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => { this.drag = null; });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  get scale() { return new TableScale(this.card.question.table, this.canvas.clientWidth, this.canvas.clientHeight); }

  draw() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame(() => { this.wanted = false; this.paint(); });
  }

  paint() {
    const { canvas, card } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !card.question) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const image = this.pictures.get(card.question.image);
    if (!image) return; // the old picture stays until the new one is there
    ctx.imageSmoothingEnabled = image.naturalWidth > width / 2;
    ctx.drawImage(image, 0, 0, width, height);
    if (card.mapShown) this.paintMap(ctx, width, height);
    this.paintPlans(ctx);
  }

  paintMap(ctx, width, height) {
    const { maps } = this.card.question;
    ctx.imageSmoothingEnabled = true;
    for (const name of ["pick", "place"]) {
      const layer = (this.card.which === "both" || this.card.which === name) && this.pictures.heat(maps[name]);
      if (!layer) continue;
      ctx.globalAlpha = 0.85;
      ctx.globalCompositeOperation = this.card.which === "both" && name === "place" ? "lighten" : "source-over";
      ctx.drawImage(layer, 0, 0, width, height);
      ctx.globalAlpha = 1;
      ctx.globalCompositeOperation = "source-over";
    }
  }

  paintPlans(ctx) {
    const { question, draft } = this.card;
    const showing = draft.tool === "demo" || draft.pick;
    const plans = [question.plan, ...question.ghosts];
    const order = plans.map((_, n) => n).sort((a, b) => (a === draft.choice) - (b === draft.choice) || b - a);
    for (const n of order) {
      const chosen = n === draft.choice && !showing;
      ctx.globalAlpha = chosen ? 1 : showing ? 0.35 : 0.75;
      drawPlan(ctx, this.scale, plans[n], { colour: chosen ? PLAN_COLOUR : GHOST_COLOUR, width: chosen ? 4 : 2, dash: chosen ? [] : [7, 8],
        bend: this.bend(n), label: plans.length > 1 ? NUMBERS[n] : "", turns: chosen });
    }
    ctx.globalAlpha = 1;
    if (draft.pick) drawPlan(ctx, this.scale, draft, { colour: DRAFT_COLOUR, width: 4, label: draft.place ? "yours" : "" });
    this.card.cursor.paint(ctx, this.scale);
  }

  bend(n) { return [0.12, -0.14, 0.3, -0.32][n] ?? 0.12; }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  near(at, target) { return target && Math.hypot(at[0] - target[0], at[1] - target[1]) <= REACH; }

  handle(at, plan) {
    return ["place", "pick"].find((which) => plan[which] && this.near(at, this.scale.pixel(plan[which])));
  }

  down(event) {
    const { card } = this;
    if (!card.free || event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.place(event);
    if (card.draft.tool === "demo") return this.point(at);
    const chip = [card.question.plan, ...card.question.ghosts].findIndex((plan, n) => this.near(at, chipAt(this.scale, plan, this.bend(n))));
    if (chip >= 0 && card.question.ghosts.length && card.draft.tool === null) return card.act({ do: "ghost", n: chip });
    const which = this.handle(at, [card.question.plan, ...card.question.ghosts][card.draft.choice]);
    if (which && card.draft.tool === null) this.drag = { which, from: at, adopt: true };
  }

  point(at) {
    const which = this.handle(at, this.card.draft);
    const [x, y] = this.scale.point(...at);
    const next = this.card.draft.pick ? (this.card.draft.place ? null : "place") : "pick";
    if (which) this.drag = { which, from: at };
    else if (next) {
      this.card.act({ do: "point", x, y });
      this.drag = { which: next, from: at };
    }
  }

  move(event) {
    const at = this.place(event);
    if (!this.drag) return this.hover(at);
    if (Math.hypot(at[0] - this.drag.from[0], at[1] - this.drag.from[1]) < MOVED && !this.drag.going) return;
    this.drag.going = true;
    const { card } = this;
    if (this.drag.adopt) {
      this.drag.adopt = false;
      card.act({ do: "adopt", plan: [card.question.plan, ...card.question.ghosts][card.draft.choice] });
    }
    const [x, y] = this.scale.point(...at);
    card.act({ do: "drag", which: this.drag.which, x, y });
  }

  hover(at) {
    const { card } = this;
    if (!card.question) return;
    const demo = card.draft.tool === "demo";
    const over = card.free && this.handle(at, demo ? card.draft : card.question.plan);
    this.canvas.style.cursor = !card.free ? "default" : over ? "grab" : demo && !card.draft.place ? "crosshair" : "default";
  }

  wheel(event) {
    if (!this.card.free || this.card.draft.tool !== "demo") return;
    event.preventDefault();
    if (Math.abs(event.deltaY) < 1) return;
    this.card.act({ do: event.deltaY < 0 ? "turn-left" : "turn-right" });
  }

  close() { this.watcher.disconnect(); }
}
