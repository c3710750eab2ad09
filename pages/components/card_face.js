// The face of the Teach card: what its parts say for the question, the draft and the view of the moment.
const CARD_FACE = {
  head() {
    const { question, view } = this;
    const why = this.part("why");
    this.part("goal").textContent = question ? question.goal : view ? "nothing to ask just now" : this.host.failures ? "reaching the lesson…" : "opening the lesson…";
    why.replaceChildren();
    why.title = "";
    if (this.practising) why.append(element("button", { type: "button", textContent: "Skip practice" }), ` ${this.practice.title}`);
    else if (question) why.append(question.again ? "taken back: answer it once more; nothing moves" : question.reason);
    else if (view) why.append(view.gate.promise);
    const skip = why.querySelector("button");
    if (skip) skip.dataset.skip = "";
    const strange = (question && question.unknown_words) || [];
    if (strange.length) why.append(element("strong", { textContent: ` · ${unknownWords(strange)}` }));
    if (question && question.refused) {
      why.prepend(element("button", { type: "button", textContent: "Do it anyway" }), element("strong", { textContent: ` ${question.unreachable} · ` }));
      why.firstChild.dataset.anyway = "";
      why.title = question.unreachable;
    } else if (question && question.unreachable) why.append(element("strong", { textContent: " · the arm cannot reach this" }));
    if (view && !this.host.up) why.append(element("strong", { textContent: " · connection lost, trying again; nothing is lost" }));
    if (view && view.disk && view.disk.warning) why.append(element("strong", { textContent: ` · ${view.disk.warning}` }));
    this.part("canvas").setAttribute("aria-label", question ? `The table from above. Plan: ${question.goal}` : "The table from above");
    this.part("rest").hidden = Boolean(question);
    if (!question && view) tellRest(this.part("rest"), view, (what, decision) => this.simple(what, { decision }, "noted ✓"));
  },

  buttons() {
    const free = this.free;
    const asking = this.state === "asking";
    const on = { valid: free && asking && !this.question.refused, invalid: free && asking, unknown: free && asking, relabel: free, demonstrate: free,
      send: free && draftReady(this.draft), back: free && !asking, "turn-left": free && Boolean(this.draft.pick), "turn-right": free && Boolean(this.draft.pick),
      wrong: Boolean(this.judged) && this.host.up, undo: this.host.up && !this.practising && Boolean(this.view && this.view.lease.you) && (asking || !this.question), map: Boolean(this.question) && !this.question.blind, mute: true, help: true };
    for (const button of this.root.querySelectorAll("[data-act]")) button.disabled = !on[button.dataset.act];
    const button = (action) => this.root.querySelector(`[data-act="${action}"]`);
    face(button("valid"), this.keys.key("valid"), this.draft.choice ? `Yes, do plan ${NUMBERS[this.draft.choice]}` : undefined);
    face(button("mute"), this.keys.key("mute"), this.chime.muted ? "Sound off" : "Sound on");
    button("mute").setAttribute("aria-pressed", String(this.chime.muted));
    button("map").setAttribute("aria-pressed", String(Boolean(this.mapShown)));
    button("help").setAttribute("aria-expanded", String(this.open === "help"));
    button("relabel").toggleAttribute("data-on", this.draft.tool === "relabel" || this.draft.relabel !== null);
    button("demonstrate").toggleAttribute("data-on", this.draft.tool === "demo");
    this.part("more").setAttribute("aria-expanded", String(this.open === "controls"));
  },

  tools() {
    const drafting = Boolean(this.question) && this.state !== "asking";
    this.part("look").hidden = drafting;
    this.part("ghosts").hidden = drafting;
    this.part("draft").hidden = !drafting;
    this.part("legend").hidden = !this.mapShown;
    this.part("hint").textContent = drafting ? this.hint() : "";
    const ghosts = this.question && !this.question.blind && this.question.ghosts.length ? [this.question.plan, ...this.question.ghosts] : [];
    this.part("ghosts").replaceChildren(...ghosts.map((plan, n) => {
      const share = n === 0 ? "my plan" : percent(plan.weight);
      const button = element("button", { type: "button", onclick: () => this.act({ do: "ghost", n }) }, element("kbd", { textContent: keyCap(this.keys.key(`ghost-${n + 1}`).key) }), share);
      button.setAttribute("aria-pressed", String(this.draft.choice === n));
      return button;
    }));
  },

  hint() {
    const { tool, pick, place, relabel } = this.draft;
    if (tool === "relabel") return relabel === null ? "choose the goal that this plan does reach" : "Enter sends; D adds what would have been right";
    if (!pick) return "click what to pick (or arrows, then Space)";
    return place ? "drag to adjust, turn, then Enter sends" : "click where to place it (or arrows, then Space)";
  },

  panels() {
    const relabelling = this.draft.tool === "relabel" && !this.open;
    this.part("relabels").hidden = !relabelling;
    if (relabelling) {
      drawGoals(this.part("goals"), this.question, this.draft, this.keys, (goal) => this.goal(goal));
      const { relabel } = this.draft;
      this.part("relabelled").textContent = relabel === null ? "\u00a0" : `right for: ${relabel}`;
    }
    this.part("help").hidden = this.open !== "help";
    const controls = this.part("controls");
    if (this.open === "controls" && controls.hidden && this.view) {
      drawControls(controls, this.view, this.data.help, (what, fields) => { this.simple(what, fields, "done ✓"); this.toggle("controls"); });
    }
    controls.hidden = this.open !== "controls";
  },
};
