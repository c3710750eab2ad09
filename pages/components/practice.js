// Practice questions with known answers, shown on a first visit. Nothing of them is ever sent as an answer.
const NEAR = 0.045; // metres

class Practice {
  constructor(questions) {
    this.questions = questions;
    this.at = localStorage.getItem("askback.practised") === "yes" ? questions.length : 0;
  }

  get current() {
    const question = this.questions[this.at];
    return question ? { ...question, practice: true, ghosts: question.ghosts || [], maps: question.maps || {}, unknown_words: [], reason: "", told: this.said || question.hint } : null;
  }

  get title() { return `Practice ${this.at + 1} of ${this.questions.length}: nothing here is kept.`; }

  /** Whether the answer is the known one, and what to say about it. */
  judge(answer) {
    const { expect, explain } = this.questions[this.at];
    const near = (at, wanted) => wanted.some((b) => Math.hypot(at[0] - b[0], at[1] - b[1]) <= NEAR);
    const shown = answer.demonstration;
    const right = answer.verdict === expect.verdict && (!expect.relabel || answer.relabel === expect.relabel)
      && (!expect.demonstration || Boolean(shown && near(shown.pick, expect.demonstration.picks) && near(shown.place, expect.demonstration.places)));
    this.said = right ? "" : explain.wrong;
    return { right, text: right ? explain.right : explain.wrong };
  }

  next() { this.at += 1; if (!this.current) this.finish(); }

  finish() {
    this.at = this.questions.length;
    localStorage.setItem("askback.practised", "yes");
  }
}
