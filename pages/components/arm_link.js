// The page's side of the arm's Worker: one per page, shared by the strip (which owns it) and whoever shows live pictures.

/** The WebSocket address of a port on the host that this page came from, of a path on its origin, or of a whole address. */
function socketAddress({ url, port, path }) {
  const secure = location.protocol === "https:" ? "wss:" : "ws:";
  if (!url) return `${secure}//${location.hostname}:${port}/${path}`;
  const made = new URL(url, location.href);
  made.protocol = /^(https|wss):$/.test(made.protocol) ? "wss:" : "ws:";
  return made.href;
}

const newId = () => (crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""));

class ArmLink extends EventTarget {
  constructor() {
    super();
    this.state = null;
    this.features = null;
    this.up = false;
    this.address = null;
    this.counter = 0;
    this.worker = new Worker(URL.createObjectURL(new Blob([ARM_WORKER], { type: "text/javascript" })));
    this.worker.onmessage = ({ data }) => this.receive(data);
    setInterval(() => this.worker.postMessage({ do: "count", n: ++this.counter }), 25);
    document.addEventListener("visibilitychange", () => this.worker.postMessage({ do: "visible", on: !document.hidden }));
  }

  /** Connect to {url, token, session}; null closes. The same address twice is nothing new. */
  connect(address) {
    if (JSON.stringify(address) === JSON.stringify(this.address)) return;
    this.address = address;
    if (address) this.worker.postMessage({ do: "connect", address: { ...address, url: socketAddress(address) } });
    else { this.worker.postMessage({ do: "close" }); this.up = false; this.state = null; this.emit("state"); }
  }

  receive(message) {
    if (message.type === "state") this.told(message);
    if (message.type === "hello") this.features = message.features;
    if (message.type === "link") { this.up = message.up; if (!message.up) this.state = null; }
    this.emit(message.type, message);
  }

  told(state) {
    this.state = state;
    // The arm's clock may differ from ours; the quickest message tells by how much.
    const ahead = Date.now() / 1000 - state.time;
    if (Number.isFinite(ahead)) this.ahead = Math.min(this.ahead ?? ahead, ahead);
  }

  /** How many seconds ago something happened that the arm stamped. */
  since(time) { return Math.max(0, Date.now() / 1000 - time - (this.ahead ?? 0)); }

  emit(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  /** Stop the arm; `t` is when the person asked, milliseconds since 1970. */
  stop(t) { const id = newId(); this.worker.postMessage({ do: "stop", id, t }); return id; }

  release() { this.worker.postMessage({ do: "release", id: newId() }); }
  view(cameras, fps) { this.worker.postMessage({ do: "view", cameras, fps }); }
  keep(on) { this.worker.postMessage({ do: "keep", on }); }

  /** The arm's clock now, in Unix seconds: what commands are stamped with. */
  get clock() { return Date.now() / 1000 - (this.ahead ?? 0); }
  get driving() { return Boolean(this.state && this.state.driving && this.state.you === "drive"); }

  /** Begin to drive, taking over from whatever drives, or hand back. */
  drive(on) { this.worker.postMessage({ do: "drive", on }); }

  /** Move a tip by [dx, dy, dz, dyaw] in metres and radians; gripper 0 to 1 or "toggle"; which of several arms. */
  move(delta, gripper, arm = 0) { this.worker.postMessage({ do: "drive", delta, gripper, arm, t: this.clock }); }

  /** How many arms this one is made of: the grippers of all but the last are among its joints. */
  get arms() { return 1 + ((this.features && this.features.joints) || []).filter((name) => name.endsWith("/gripper")).length; }

  /** The leader arm beside it drives from now on, or no more; `leader` is null where there is none. */
  lead(on) { this.worker.postMessage({ do: "lead", on }); }
  get leader() { return (this.state && this.state.leader) || null; }
  get led() { return Boolean(this.leader) && ["coming", "leading"].includes(this.leader.stage); }

  /** Back along the recorded path: "start", "held" while the key is, "end". */
  retrace(what, to) { this.worker.postMessage({ do: "retrace", what, to }); }

  /** Hear where the arm is ("pose"), how it feels ("health"), and of its cameras and its calibration; or no more. */
  feel(on) { this.worker.postMessage({ do: "feel", on }); }

  /** Turn joints while this stands: rates (J) and gripper as shares of full speed, -1 to 1; null stands still. */
  jog(rates, gripper = 0) { this.worker.postMessage({ do: "jog", rates, gripper, ahead: this.ahead ?? 0 }); }

  /** A step of the calibration: begin, middle, finish, cancel. */
  calibrate(what) { const id = newId(); this.worker.postMessage({ do: "calibrate", what, id }); return id; }

  /** From now on it parks where it stands. */
  parkHere() { this.worker.postMessage({ do: "park" }); }

  /** A step of a camera's calibration: begin {camera, way}, look, go, stand, click {pixel}, undo, finish, close. */
  sight(what, more = {}) { this.worker.postMessage({ do: "sight", what, more, id: newId() }); }

  lease(what) { this.worker.postMessage({ do: "lease", what }); }
}

/** The page's only arm link. */
function armLink() {
  window.askbackArm = window.askbackArm || new ArmLink();
  return window.askbackArm;
}
