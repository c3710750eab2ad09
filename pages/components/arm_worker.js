// Runs in a Web Worker and owns the arm's socket, so that a busy page delays neither STOP nor the heartbeat.
// From the page: connect, count, visible, stop, release, view, lease, close. To the page: link, hello, state, stopped, released, frame.
const BEAT_MS = 50;
const WATCH_BEAT_MS = 500;
const RETRY_MS = [100, 300, 1000, 2000];

const page = { address: null, counter: 0, visible: true, view: null };
const link = { socket: null, open: false, driving: false, cameras: [], failures: 0, timer: 0, lastBeat: 0 };
const waiting = new Map(); // id → when a stop was asked for, milliseconds since 1970

const now = () => performance.timeOrigin + performance.now();
const tell = (message, transfer) => postMessage(message, transfer || []);
const send = (message) => { if (link.open) link.socket.send(JSON.stringify(message)); };

function connect() {
  clearTimeout(link.timer);
  if (!page.address) return;
  const socket = new WebSocket(page.address.url);
  socket.binaryType = "arraybuffer";
  link.socket = socket;
  socket.onopen = () => socket.send(JSON.stringify({ token: page.address.token, session: page.address.session }));
  socket.onmessage = (event) => { if (link.socket === socket) receive(event.data); };
  socket.onclose = (event) => { if (link.socket === socket) lost(event); };
}

function lost(event) {
  link.open = false;
  link.driving = false;
  link.failures += 1;
  tell({ type: "link", up: false, failures: link.failures, why: event.reason || "no connection to the arm" });
  link.timer = setTimeout(connect, RETRY_MS[Math.min(link.failures - 1, RETRY_MS.length - 1)]);
}

function receive(data) {
  if (typeof data !== "string") return frame(data);
  const message = JSON.parse(data);
  if (message.type === "hello") welcome(message);
  if (message.type === "state") link.driving = Boolean(message.driving) && message.you === "drive";
  if (message.type === "stopped") return acknowledged(message);
  tell(message);
}

function welcome(message) {
  link.open = true;
  link.failures = 0;
  link.cameras = (message.features && message.features.cameras) || [];
  tell({ type: "link", up: true, failures: 0 });
  for (const [id, t] of waiting) send({ type: "stop", id, t: t / 1000 });
  if (page.view) send(page.view);
}

function acknowledged(message) {
  const asked = waiting.get(message.id);
  waiting.delete(message.id);
  tell({ ...message, ms: asked === undefined ? null : now() - asked });
}

async function frame(data) {
  const bytes = new DataView(data);
  const camera = link.cameras[bytes.getUint8(0)] || String(bytes.getUint8(0));
  const time = bytes.getFloat64(1);
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, 9)], { type: "image/jpeg" }));
  tell({ type: "frame", camera, time, bitmap }, [bitmap]);
}

function beat() {
  if (!link.open || !page.visible) return; // a hidden page says so at once, and the arm holds
  const due = link.driving ? BEAT_MS : WATCH_BEAT_MS;
  if (now() - link.lastBeat < due - 5) return;
  link.lastBeat = now();
  send({ type: "beat", n: page.counter });
}
setInterval(beat, BEAT_MS);

const orders = {
  connect(message) {
    page.address = message.address;
    link.failures = 0;
    const old = link.socket;
    link.socket = null;
    link.open = false;
    if (old) old.close();
    connect();
  },
  count(message) { page.counter = message.n; },
  visible(message) {
    page.visible = message.on;
    if (!message.on) send({ type: "hidden" });
  },
  stop(message) {
    waiting.set(message.id, message.t);
    send({ type: "stop", id: message.id, t: message.t / 1000 });
    if (!link.open) tell({ type: "undelivered", id: message.id });
  },
  release(message) { send({ type: "release", id: message.id }); },
  view(message) {
    page.view = { type: "view", cameras: message.cameras, fps: message.fps };
    send(page.view);
  },
  lease(message) { send({ type: "lease", do: message.what }); },
  close() { page.address = null; clearTimeout(link.timer); if (link.socket) link.socket.close(); },
};
onmessage = ({ data }) => orders[data.do](data);
