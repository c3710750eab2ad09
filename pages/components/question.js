// The Teach card: one question, its answers, and everything around it. It talks to the host by itself; Streamlit only mounts it.
const VERDICT_WORDS = { valid: "✓ yes", invalid: "✗ wrong", unknown: "? can't tell" };
const DRAFT_PAUSE = 300; // ms without a change before a draft is sent
const MOST_GHOSTS = 3; // as many as there are keys for, likeliest first
const SLOW = 1200; // ms after which "saving…" says more

class Card {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.host = hostLink();
    this.draft = EMPTY_DRAFT;
    this.question = null;
    this.sent = null;
    this.open = null; // the open panel: help or controls
    this.which = "both";
    this.mapHeld = this.mapOn = false;
    this.chime = new Chime();
    this.canvas = new PlanCanvas(this.part("canvas"), this);
    this.cursor = new Cursor(this);
    this.sideView = new SideView(this.part("live"), this.part("age"));
    this.onview = () => this.refresh();
    for (const type of ["view", "link"]) this.host.addEventListener(type, this.onview);
    this.onleave = () => this.flush();
    window.addEventListener("pagehide", this.onleave);
    this.listen();
  }

  /** What Python said: the keymap, the practice questions, the tooltips, the lesson's address. */
  update(data) {
    this.data = data;
    this.practice = this.practice || new Practice(data.practice);
    if (data.host) this.host.connect(data.host);
    if (data.arm) armLink().connect(data.arm);
    if (this.keys) this.keys.close();
    this.keys = new Keys(data.keymap, () => this.state, (action, down) => this.do(action, down));
    for (const button of this.root.querySelectorAll("[data-act]")) face(button, this.keys.key(button.dataset.act));
    drawHelp(this.part("help"), data.keymap);
    this.refresh();
  }

  listen() {
    for (const button of this.root.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => { this.do(button.dataset.act, true); button.blur(); });
    }
    this.part("which").addEventListener("change", (event) => { this.which = event.target.value; event.target.blur(); this.canvas.draw(); });
    this.part("more").addEventListener("click", () => this.toggle("controls"));
    this.part("free").addEventListener("keydown", (event) => this.freeText(event));
    this.part("why").addEventListener("click", (event) => { if (event.target.dataset.skip !== undefined) this.skip(); if (event.target.dataset.anyway !== undefined) this.answer("valid", true); });
  }

  get view() { return this.host.view; }
  get state() { return draftState(this.draft, Boolean(this.question)); }
  get mapShown() { return (this.mapHeld || this.mapOn) && this.question && !this.question.blind; }
  get practising() { return Boolean(this.question && this.question.practice); }
  /** Whether this person may answer the question on screen now. */
  get free() { return Boolean(this.question) && !this.sent && (this.practising || Boolean(this.host.up && this.view && this.view.lease.you)); }

  // -- acts --------------------------------------------------------------------------------------------------------

  do(action, down) {
    if (action === "map") return this.showMap(down);
    if (this.cursor.takes(action)) return this.cursor.key(action, down);
    if (!down) return;
    if (action === "mute") { this.chime.toggle(); return this.refresh(); }
    if (action === "help") return this.toggle("help");
    if (action === "undo" && this.practising) return;
    if (action === "undo") return this.simple("undo", {}, "taken back ✓");
    if (action === "wrong") return this.wrong();
    if (!this.free) return;
    const [kind, n] = action.split(/-(?=\d$)/);
    if (kind === "ghost") return this.act({ do: "ghost", n: Number(n) - 1 });
    if (kind === "relabel" && n !== undefined) return this.goal(this.question.relabels[Number(n)]);
    if (action === "send") return this.sendDraft();
    if (["valid", "invalid", "unknown"].includes(action)) return this.answer(action);
    this.act({ do: action });
  }

  /** Change the draft, and let the host keep it. */
  act(event) {
    if (!this.free) return;
    const before = this.draft;
    this.draft = draftAfter(this.draft, event, this.question);
    if (this.draft === before) return;
    this.open = null;
    this.touched = true;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.flush(), DRAFT_PAUSE);
    this.refresh();
  }

  flush() {
    clearTimeout(this.later);
    if (!this.touched || !this.question || this.practising || this.sent) return;
    this.touched = false;
    this.host.intent("draft", { query: this.question.id, draft: draftEmpty(this.draft) ? null : this.draft });
  }

  goal(goal) { if (goal) this.act({ do: "goal", goal }); }

  freeText(event) {
    if (event.key !== "Enter" || event.repeat) return;
    event.stopPropagation();
    const text = event.target.value.trim();
    if (text) this.goal(text);
    event.target.blur();
  }

  showMap(down) {
    if (this.keys.held || this.mapHeld) this.mapHeld = down;
    else this.mapOn = !this.mapOn;
    this.refresh();
  }

  toggle(panel) { this.open = this.open === panel ? null : panel; this.refresh(); }

  // -- answers -----------------------------------------------------------------------------------------------------

  sendDraft() {
    if (draftReady(this.draft)) this.answer("invalid");
    else this.say(this.draft.pick ? "click where it should be placed first" : "choose a goal or show the plan first");
  }

  /** `anyway`: a motion whose rehearsal went wrong; no key says that. */
  answer(verdict, anyway = false) {
    if (verdict === "valid" && this.question && this.question.refused && !anyway) return this.say("it went wrong in the rehearsal; see above");
    if (!this.free || (this.state !== "asking" && !(verdict === "invalid" && draftReady(this.draft)))) return;
    const fields = answerOf(verdict, this.draft);
    if (this.practising) return this.practised(fields);
    clearTimeout(this.later);
    this.touched = false;
    const query = this.question.id;
    const words = this.words(fields);
    this.sent = { query, words, acknowledged: false, begun: performance.now() };
    this.flash(words);
    this.say("saving…");
    const slow = setTimeout(() => this.say("saving… it will be sent again until it is kept"), SLOW);
    this.host.intent("answer", { query, ...fields, ...(anyway ? { anyway } : {}), seconds: this.seconds() }).then((ack) => { clearTimeout(slow); this.acknowledged(ack, query); });
    this.refresh();
  }

  words({ verdict, choice, relabel, demonstration }) {
    if (choice) return `✓ yes, plan ${NUMBERS[choice]}`;
    if (relabel && demonstration) return "↻ ✎ relabelled and shown";
    return demonstration ? "✎ shown" : relabel ? "↻ relabelled" : VERDICT_WORDS[verdict];
  }

  acknowledged(ack, query) {
    const mine = this.sent && this.sent.query === query;
    if (ack.ok) {
      if (mine) Object.assign(this.sent, { acknowledged: true, ms: performance.now() - this.sent.begun });
      if (mine) this.part("card").dataset.ackMs = this.sent.ms.toFixed(1);
      this.say("saved ✓");
    } else {
      if (mine) this.sent = null;
      this.say(`not taken: ${ack.error}`);
    }
    this.refresh();
  }

  simple(what, fields, done) {
    if (!this.host.up) return this.say("no connection to the lesson; trying again");
    this.host.intent(what, fields).then((ack) => this.say(ack.ok ? done : `not taken: ${ack.error}`));
  }

  get judged() {
    if (!this.view) return null;
    if (this.view.acting && !this.view.acting.asked) return this.view.acting;
    return this.view.recent.filter((item) => item.kind === "alone" && !item.undone).at(-1) || null;
  }

  wrong() {
    if (this.judged) this.simple("wrong", { decision: this.judged.decision }, "noted: that was wrong ✓");
    else this.say("the arm did nothing on its own lately");
  }

  /** Seconds since the question was first seen in this browser, also over a reload. */
  seconds() {
    return Math.max(0, (Date.now() - this.seen) / 1000);
  }

  // -- practice ----------------------------------------------------------------------------------------------------

  practised(fields) {
    const { right, text } = this.practice.judge(fields);
    this.flash(right ? "✓ just so" : "not quite");
    this.say(right ? text : "try again");
    this.draft = EMPTY_DRAFT;
    if (right) this.practice.next();
    if (!this.practice.current) this.skip();
    this.refresh();
  }

  skip() {
    this.practice.finish();
    this.say("\u00a0");
    this.host.intent("practice", { done: true });
    this.refresh();
  }

  // -- drawing -----------------------------------------------------------------------------------------------------

  say(text) { this.part("saved").textContent = text; }

  flash(text) {
    const box = this.part("flash");
    box.textContent = text;
    box.hidden = false;
    box.getAnimations().forEach((animation) => animation.cancel());
    box.animate([{ opacity: 1 }, { opacity: 1, offset: 0.6 }, { opacity: 0 }], 900).onfinish = () => { box.hidden = true; };
  }

  /** Which question is on the card, and its draft; a new one slides in. */
  adopt() {
    const asked = (this.view && this.view.question) || null;
    const next = (this.practice && this.practice.current) || (asked && { ...asked, ghosts: asked.blind ? [] : asked.ghosts.slice(0, MOST_GHOSTS) });
    const changed = (next && next.id) !== (this.question && this.question.id);
    this.question = next;
    if (changed) this.arrived(next);
    else if (next && this.view && !this.view.lease.you && !next.practice) this.draft = draftFrom(next.draft);
    if (this.sent && this.sent.acknowledged && (!next || next.id !== this.sent.query)) this.sent = null;
  }

  arrived(next) {
    clearTimeout(this.later);
    this.touched = false;
    this.draft = next ? draftFrom(next.draft) : EMPTY_DRAFT;
    this.part("free").value = "";
    if (this.sent && next && this.sent.query !== next.id) this.sent = this.sent.acknowledged ? null : this.sent;
    if (!next) return;
    const key = `askback.seen.${next.id}`;
    this.seen = Number(sessionStorage.getItem(key)) || Date.now();
    sessionStorage.setItem(key, this.seen);
    if (!next.practice) this.chime.ask();
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.part("canvas").animate([{ transform: "translateX(28px)", opacity: 0.3 }, { transform: "none", opacity: 1 }], { duration: 160, easing: "ease-out" });
    }
  }

  refresh() {
    if (!this.keys) return;
    this.adopt();
    const { question, view } = this;
    const card = this.part("card");
    card.dataset.state = this.state;
    card.toggleAttribute("data-practice", this.practising);
    card.dataset.query = question ? question.id : "";
    card.dataset.sent = this.sent ? this.sent.query : "";
    this.title();
    this.head();
    this.buttons();
    this.tools();
    this.panels();
    tellSure(this.part, question);
    if (view) tellHistory(this.part, view);
    if (view && !this.practising) drawLease(this.part("lease"), view.lease, (what, fields) => this.simple(what, fields, "asked ✓"));
    this.canvas.draw();
  }

  title() {
    this.base = this.base || document.title.replace(/^● asks: /, "");
    const asks = this.question && !this.practising && this.free;
    document.title = asks ? `● asks: ${this.question.goal}` : this.base;
  }

  close() {
    this.flush();
    if (this.keys) this.keys.close();
    this.canvas.close();
    this.cursor.close();
    this.sideView.close();
    this.chime.close();
    if (this.base) document.title = this.base;
    for (const type of ["view", "link"]) this.host.removeEventListener(type, this.onview);
    window.removeEventListener("pagehide", this.onleave);
  }
}

Object.assign(Card.prototype, CARD_FACE);

export default function mount({ data, parentElement }) {
  parentElement.askbackCard = parentElement.askbackCard || new Card(parentElement);
  parentElement.askbackCard.update(data);
  return () => { parentElement.askbackCard.close(); delete parentElement.askbackCard; };
}
