// The lesson host's socket: views come in, intents go out and are sent again until they are acknowledged.
const HOST_RETRY_MS = [100, 300, 1000, 2000];

class HostLink extends EventTarget {
  constructor() {
    super();
    this.view = null;
    this.role = null;
    this.up = false;
    this.failures = 0;
    this.address = null;
    this.pending = new Map(); // id → {message, done}
  }

  /** Connect to {url, token, session, teacher}; the same address twice is nothing new; null closes. */
  connect(address) {
    if (JSON.stringify(address) === JSON.stringify(this.address)) return;
    const moved = this.address && (!address || address.lesson !== this.address.lesson);
    this.address = address;
    if (moved) { this.view = null; this.pending.clear(); this.emit("view"); }
    if (address && !moved) this.restore();
    this.close();
    if (address) this.open();
  }

  close() {
    clearTimeout(this.timer);
    const old = this.socket;
    this.socket = null;
    this.up = false;
    if (old) old.close();
  }

  open() {
    const { token, session, teacher } = this.address;
    const socket = new WebSocket(socketAddress(this.address));
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token, session, teacher }));
    socket.onmessage = (event) => { if (this.socket === socket) this.receive(JSON.parse(event.data)); };
    socket.onclose = () => { if (this.socket === socket) this.lost(); };
  }

  lost() {
    this.up = false;
    this.failures += 1;
    this.emit("link");
    this.timer = setTimeout(() => this.open(), HOST_RETRY_MS[Math.min(this.failures - 1, HOST_RETRY_MS.length - 1)]);
  }

  receive(message) {
    if (message.type === "hello") this.welcome(message);
    if (message.type === "view") { this.view = message.view; this.emit("view"); }
    if (message.type === "ack") this.acknowledged(message);
  }

  welcome(message) {
    this.role = message.role;
    this.up = true;
    this.failures = 0;
    for (const { message: intent } of this.pending.values()) this.socket.send(JSON.stringify(intent));
    this.emit("link");
  }

  /** Send an intent; resolves with the acknowledgement. Kept and sent again after a broken line. */
  intent(what, fields = {}) {
    const message = { type: "intent", id: newId(), do: what, ...fields };
    return new Promise((done) => {
      this.pending.set(message.id, { message, done });
      this.store();
      if (this.up) this.socket.send(JSON.stringify(message));
    });
  }

  acknowledged(message) {
    const entry = this.pending.get(message.id);
    if (!entry) return;
    this.pending.delete(message.id);
    this.store();
    if (entry.done) entry.done(message);
    this.emit("ack", message);
  }

  // What was answered but not acknowledged outlives a reload; ids make sending it again harmless.
  get shelf() { return `askback.unsaved.${this.address && this.address.lesson}`; }

  store() {
    const answers = [...this.pending.values()].map((entry) => entry.message).filter((m) => m.do === "answer");
    try { sessionStorage.setItem(this.shelf, JSON.stringify(answers)); } catch (error) { console.warn("unsaved answers could not be kept", error); }
  }

  restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.shelf) || "[]");
    for (const message of kept) if (!this.pending.has(message.id)) this.pending.set(message.id, { message, done: null });
  }

  emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

/** The page's only host link. */
function hostLink() {
  window.askbackHost = window.askbackHost || new HostLink();
  return window.askbackHost;
}
