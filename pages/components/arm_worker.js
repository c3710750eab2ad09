// Runs in a Web Worker and owns the arm's socket, so that a busy page delays neither STOP nor the heartbeat.
// From the page: connect, count, visible, stop, release, view, lease, drive, lead, retrace, keep, feel, jog, calibrate, sight, park, close. To the page: link, hello, state, stopped, released, frame.
const BEAT_MS = 50;
const WATCH_BEAT_MS = 500;
const RETRY_MS = [100, 300, 1000, 2000];

const JOG_MS = 40;
const FRESH_MS = 150; // a page whose counter stood still for so long jogs no more

const page = { address: null, counter: 0, countedAt: 0, visible: true, view: null, keep: false, feel: null, jog: null };
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
  if (page.view && page.view.cameras.every((name) => link.cameras.includes(name))) send(page.view); // else it was meant for another arm
  if (page.feel) send(page.feel);
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
  const jpeg = new Blob([new Uint8Array(data, 9)], { type: "image/jpeg" });
  const bitmap = await createImageBitmap(jpeg);
  tell({ type: "frame", camera, time, bitmap, jpeg: page.keep ? jpeg : null }, [bitmap]);
}

function beat() {
  if (!link.open || !page.visible) return; // a hidden page says so at once, and the arm holds
  const due = link.driving ? BEAT_MS : WATCH_BEAT_MS;
  if (now() - link.lastBeat < due - 5) return;
  link.lastBeat = now();
  send({ type: "beat", n: page.counter });
}
setInterval(beat, BEAT_MS);

// Hold-to-run: while the page holds a button down and lives, the arm is told so again and again; else nothing is said.
function jog() {
  if (!page.jog || !link.open || !link.driving || !page.visible || now() - page.countedAt > FRESH_MS) return;
  send({ type: "drive", jog: page.jog.rates, gripper: page.jog.gripper, t: page.jog.clock() });
}
setInterval(jog, JOG_MS);

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
  count(message) { page.counter = message.n; page.countedAt = now(); },
  visible(message) {
    page.visible = message.on;
    if (message.on) return;
    send({ type: "hidden" }); // the arm holds at once; then this page drives no more, so that the silence to come stops nothing
    if (link.driving) orders.drive({ on: false });
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
  // Begin or end to drive, or move the tip a little. Beats are due from the moment that it is asked for.
  drive({ on, delta, gripper, arm, t }) {
    if (on === undefined) return send({ type: "drive", delta, ...(gripper === undefined ? {} : { gripper }), ...(arm ? { arm } : {}), t });
    if (on) send({ type: "lease", do: "take" });
    send({ type: "drive", on });
    link.driving = on && link.open;
    if (on) link.lastBeat = 0;
  },
  lead(message) { send({ type: "lead", on: message.on }); },
  retrace({ what, to }) { send({ type: "retrace", do: what, ...(to === undefined ? {} : { to }) }); },
  keep(message) { page.keep = message.on; },
  feel(message) {
    page.feel = message.on ? { type: "feel", on: true } : null;
    send({ type: "feel", on: message.on });
  },
  // `ahead`: seconds by which this clock is ahead of the arm's. No rates: stand still.
  jog({ rates, gripper, ahead }) { page.jog = rates ? { rates, gripper, clock: () => now() / 1000 - ahead } : null; jog(); },
  park() { send({ type: "park-here" }); },
  calibrate({ what, id }) { send({ type: "calibrate", do: what, id }); },
  sight({ what, more, id }) { if (what === "begin") send({ type: "lease", do: "take" }); send({ ...more, type: "sight", do: what, id }); },
  close() { page.address = null; clearTimeout(link.timer); if (link.socket) link.socket.close(); },
};
onmessage = ({ data }) => orders[data.do](data);
