// One keymap for the page, handed over as data by Python. A key acts by the state that the page is in.
const KEY_NAMES = {
  " ": "Space", Backspace: "⌫", Enter: "↵", Space: "Space", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
  PageUp: "PgUp", PageDown: "PgDn", Shift: "Shift", Tab: "⇥",
};

/** The keymap's names of a key press: what is printed on the key, and where it sits on a Latin keyboard. */
function keyNames(event) {
  const printed = KEY_NAMES[event.key] === "Space" ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const latin = /^[\x20-\x7e]$/.test(event.key) || event.key.length > 1;
  return latin || !event.code.startsWith("Key") ? [printed] : [printed, event.code.slice(3).toLowerCase()];
}

const typing = (event) => event.composedPath().some((n) => n.tagName === "INPUT" || n.tagName === "TEXTAREA" || n.tagName === "SELECT" || n.isContentEditable);

class Keys {
  /** `state()` is the page's state, `act(binding, down)` carries out. */
  constructor(table, state, act) {
    Object.assign(this, { table, state, act });
    this.holding = new Map(); // code → the binding that acts while the key is held
    this.ondown = (event) => this.down(event);
    this.onup = (event) => this.up(event);
    this.onblur = () => this.let();
    window.addEventListener("keydown", this.ondown, true);
    window.addEventListener("keyup", this.onup, true);
    window.addEventListener("blur", this.onblur);
  }

  find(event) {
    const names = keyNames(event);
    const state = this.state();
    return this.table.find((b) => names.includes(b.key) && b.states.includes(state));
  }

  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" || typing(event)) return;
    const binding = this.find(event);
    if (!binding) return;
    event.preventDefault(); // a focused button must not act a second time, nor Streamlit on its own keys
    event.stopImmediatePropagation();
    if (event.repeat) return;
    if (binding.hold) this.holding.set(event.code, binding);
    this.act(binding.action, true, event);
  }

  get held() { return this.holding.size > 0; }

  up(event) {
    const binding = this.holding.get(event.code);
    this.holding.delete(event.code);
    if (binding) this.act(binding.action, false, event);
  }

  let() {
    const held = [...this.holding.values()];
    this.holding.clear();
    for (const binding of held) this.act(binding.action, false);
  }

  key(action) { return this.table.find((b) => b.action === action); }

  close() {
    window.removeEventListener("keydown", this.ondown, true);
    window.removeEventListener("keyup", this.onup, true);
    window.removeEventListener("blur", this.onblur);
  }
}

const keyCap = (key) => KEY_NAMES[key] || key.toUpperCase();

/** A button's face: its key and its words. */
function face(button, binding, words) {
  button.replaceChildren();
  const cap = document.createElement("kbd");
  cap.textContent = keyCap(binding.key);
  button.append(cap, words || binding.label);
  button.title = binding.help;
  button.setAttribute("aria-keyshortcuts", binding.key);
}
