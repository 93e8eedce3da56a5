// The live view in a browser: paints what comes through the socket, and says what is pressed.

import { OwnCamera } from "./camera.js";
import { Settings, element, paintHeads } from "./settings.js";

const NO_PICTURE_MS = 3000; // from then on a person wants to know why nothing moves
const NOTHING = "\u2013";
const KEY_NAMES = { " ": "space", Enter: "enter", Tab: "tab", Backspace: "backspace", Delete: "delete", ArrowLeft: "left", ArrowRight: "right" };

const byId = (id) => document.getElementById(id);
const picture = byId("picture");
const context = picture.getContext("2d", { alpha: false });
document.documentElement.classList.toggle("clean", new URLSearchParams(location.search).get("clean") === "1");

const address = new URL("/socket", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(address);
socket.binaryType = "arraybuffer";

let presses = new Set();
let wasOpen = false;
let isOver = false; // nothing will come any more
let arrived = 0; // number of the newest picture that came, and of the one on show
let painted = 0;
let lastPictureMs = null;
let leastTransitMs = Infinity;
let camera = null; // where each browser shows its own
let isFile = false; // is shown there, or was last
let lastFrame = null;
let numDropped = 0;
let recorder = null;
const settings = new Settings(press, toast);

function press(what) {
  const isKnown = what === "shown" || what.includes("=") || presses.has(what);
  if (isKnown && socket.readyState === WebSocket.OPEN) socket.send(what);
}

function explain(words, { canRetry = false, canStart = false } = {}) {
  byId("words").textContent = words;
  byId("again").hidden = !canRetry;
  byId("ways").hidden = !canStart;
  byId("message").hidden = false;
}

function end(words) {
  if (isOver) return;
  isOver = true;
  if (recorder !== null) recorder.stop();
  camera?.stop();
  showCamera();
  explain(words, { canRetry: true });
  for (const control of document.querySelectorAll(".actions button, .settings :is(button, select, input)")) {
    control.disabled = true;
  }
}

socket.addEventListener("open", () => { wasOpen = true; });
socket.addEventListener("message", ({ data }) => {
  if (typeof data === "string") {
    const told = JSON.parse(data);
    if (told.kind === "hello") greet(told);
    else if (told.kind === "settings") settings.show(told.settings);
    else if (told.kind === "end") end(told.words);
  } else paint(data);
});
socket.addEventListener("close", ({ reason }) => {
  if (reason === "idle") end("This page was silent for too long, so the view was closed here: others may want the place.");
  else if (reason) end("The view was closed: this page sent more, or other things, than it may.");
  else if (wasOpen) end("The view has ended, or the network was lost. Start it again where it was started, then try again.");
  else end("Nothing answers here any more, or as many browsers watch as may. Close another one, then try again.");
});

async function paint(data) {
  const headBytes = new DataView(data).getUint16(0);
  const readings = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, headBytes)));
  const jpeg = new Blob([new Uint8Array(data, 2 + headBytes)], { type: "image/jpeg" });
  if (readings.num_heads !== undefined) {
    const image = await createImageBitmap(jpeg);
    paintHeads(image, readings.num_heads);
    image.close();
    return;
  }
  const number = ++arrived;
  try {
    const image = await createImageBitmap(jpeg);
    if (number > painted) {
      painted = number;
      if (picture.width !== image.width || picture.height !== image.height) {
        picture.width = image.width;
        picture.height = image.height;
      }
      context.drawImage(image, 0, 0);
      lastPictureMs = performance.now();
      document.querySelector(".settings").inert = isOver;
      if (!isOver && (camera === null || camera.isRunning)) { // not of one that was on its way when it was stopped
        byId("message").hidden = true;
        showReadings(readings);
      }
    }
    image.close();
  } finally {
    press("shown");
  }
}

function showReadings(readings) {
  // The two clocks differ by an unknown amount: the quickest way here so far counts as none.
  const transitMs = performance.now() - readings.sent_ms;
  leastTransitMs = Math.min(leastTransitMs, transitMs);
  let latencyMs = readings.latency_ms + transitMs - leastTransitMs;
  if (camera !== null) {
    latencyMs = camera.answered(readings.frame) ?? latencyMs; // by one clock, from camera to screen
    if (lastFrame !== null && readings.frame > lastFrame) numDropped += readings.frame - lastFrame - 1;
    lastFrame = readings.frame;
    readings.dropped = numDropped;
  }
  byId("fps").textContent = `${readings.fps.toFixed(1)} frames/s`;
  byId("latency").textContent = `${latencyMs.toFixed(0)} ms`;
  byId("age").textContent = readings.age_ms === null ? "no map" : `${readings.age_ms} ms`;
  byId("dropped").textContent =
    `${readings.dropped}` + (readings.not_recorded ? `, ${readings.not_recorded} not recorded` : "");
  byId("freeze").setAttribute("aria-pressed", readings.is_frozen);
  if (camera === null) showRecording(readings.recording_s);
  else showRecording(recorder === null ? null : Math.round((performance.now() - recorder.beganMs) / 1000));
  if (byId("notice").textContent !== readings.notice) byId("notice").textContent = readings.notice;
}

function showRecording(lengthS) {
  const isRecording = lengthS !== null;
  byId("record").setAttribute("aria-pressed", isRecording);
  byId("record").textContent = isRecording ? "Stop" : "Record";
  byId("lamp").hidden = !isRecording;
  if (!isRecording) return;
  byId("elapsed").textContent = `${Math.floor(lengthS / 60)}:${String(lengthS % 60).padStart(2, "0")}`;
}

function greet({ title, keys, initial, camera: limits }) {
  settings.begin(initial);
  if (limits !== null) offerCamera(limits);
  byId("title").textContent = title;
  document.title = `${title} \u2013 Signlight`;
  presses = new Set(keys.flatMap((key) => key.presses));
  const rows = keys.map((key) => [key.shown, key.presses.includes("?") ? "this list" : key.words]);
  byId("key-list").replaceChildren(
    ...rows.flatMap(([shown, words]) => [element("dt", { textContent: shown }), element("dd", { textContent: words })]),
  );
}

for (const button of document.querySelectorAll("[data-press]")) {
  button.addEventListener("click", () => { if (button.dataset.press) press(button.dataset.press); });
}
const WELCOME =
  "Your camera\u2019s pictures go to the computer that serves this page and come back with the model\u2019s maps on them. " +
  "Nothing is kept there.";

function offerCamera(limits) {
  camera = new OwnCamera(byId("camera-video"), {
    send: (jpeg) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(jpeg);
    },
    limits,
    onEnd: (words) => {
      if (recorder !== null) recorder.stop();
      showCamera();
      explain(words, { canStart: true });
    },
  });
  for (const [id, words] of [["snapshot", "A PNG, kept by this browser"], ["record", "A video, kept by this browser"]]) {
    byId(id).title = words;
    presses.delete(byId(id).dataset.press);
    delete byId(id).dataset.press;
  }
  byId("snapshot").addEventListener("click", () => picture.toBlob((blob) => keep(blob, "png")));
  byId("record").addEventListener("click", toggleRecording);
  byId("camera-stop").hidden = false;
  explain(WELCOME, { canStart: true });
  document.querySelector(".settings").inert = true; // they act on a picture
  showCamera();
}

function showCamera() {
  if (camera === null) return;
  byId("camera-lamp").hidden = !camera.isCamera;
  byId("camera-stop").disabled = !camera.isRunning;
  if (!camera.isRunning) for (const id of ["fps", "latency", "age"]) byId(id).textContent = NOTHING;
  byId("freeze").disabled = byId("snapshot").disabled = byId("record").disabled = !camera.isRunning;
}

async function use(start, isCamera) {
  explain("Opening\u2026");
  try {
    await start();
    lastPictureMs = performance.now();
    // A camera is a mirror, a recording is not; of the camera, the person's own choice stays.
    if (!isCamera || isFile) press(`mirror=${isCamera ? "on" : "off"}`);
    isFile = !isCamera;
  } catch (error) {
    explain(error.message, { canStart: true });
  }
  showCamera();
}

async function startCamera(deviceId) {
  await use(async () => {
    const chosen = await camera.start(deviceId);
    if (isOver) camera.stop(); // it was allowed too late
    const cameras = await camera.cameras();
    byId("camera-menu").replaceChildren(
      ...cameras.map((each) => element("option", { value: each.deviceId, textContent: each.label })),
    );
    byId("camera-menu").value = chosen;
    byId("cameras").hidden = false;
  }, true);
}

function openFile(file) {
  if (file === undefined) return;
  if (camera === null) toast("Files can be dropped where the page is served with --own-camera.");
  else use(() => camera.open(file), false);
}

let toastTimer = 0;
function toast(words) {
  clearTimeout(toastTimer);
  byId("toast").textContent = words;
  byId("toast").hidden = false;
  toastTimer = setTimeout(() => { byId("toast").hidden = true; }, 4000);
}

function keep(blob, suffix) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const link = element("a", { href: URL.createObjectURL(blob), download: `signlight-${time}.${suffix}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function toggleRecording() {
  if (recorder !== null) {
    recorder.stop();
    return;
  }
  const type = ["video/mp4", "video/webm"].find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
  if (type === undefined) {
    toast("This browser keeps no videos: take snapshots, record the screen, or open the page in another browser.");
    return;
  }
  const parts = [];
  recorder = new MediaRecorder(picture.captureStream(), { mimeType: type, videoBitsPerSecond: 8_000_000 });
  recorder.beganMs = performance.now();
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.addEventListener("stop", () => {
    recorder = null;
    showRecording(null);
    keep(new Blob(parts, { type }), type.slice("video/".length));
  });
  recorder.start();
}

byId("camera-start").addEventListener("click", () => startCamera());
byId("camera-menu").addEventListener("change", () => startCamera(byId("camera-menu").value));
byId("camera-stop").addEventListener("click", () => {
  if (recorder !== null) recorder.stop();
  camera.stop();
  explain("The camera is off.", { canStart: true });
  showCamera();
});
byId("file-choose").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", () => {
  openFile(byId("file").files[0]);
  byId("file").value = "";
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.documentElement.classList.toggle("dropping", camera !== null);
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.documentElement.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.documentElement.classList.remove("dropping");
  openFile(event.dataTransfer.files[0]);
});
byId("again").addEventListener("click", () => location.reload());
byId("help").addEventListener("click", () => byId("keys").showModal());
byId("full").hidden = !document.fullscreenEnabled;
byId("full").addEventListener("click", () => byId("screen").requestFullscreen());

document.addEventListener("mousedown", (event) => {
  if (event.target.closest("button")) event.preventDefault(); // clicked, it is not focused: keys are for the picture
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open || isOver) return;
  if (event.target.matches("select, input")) return; // they have keys of their own
  const key = KEY_NAMES[event.key] ?? event.key.toLowerCase();
  if (event.target.matches("button") && ["space", "enter"].includes(key)) return;
  if (camera !== null && { s: 1, r: 1 }[key]) byId(key === "s" ? "snapshot" : "record").click();
  else if (key === "?") byId("keys").showModal();
  else if (presses.has(key)) press(key);
  else return;
  event.preventDefault();
});

setInterval(() => {
  if (isOver || lastPictureMs === null || (camera !== null && !camera.isRunning)) return;
  const silentMs = performance.now() - lastPictureMs;
  if (silentMs > NO_PICTURE_MS) {
    explain(`No picture has come for ${Math.round(silentMs / 1000)} s. The camera or the stream may have stopped.`, { canStart: camera !== null });
    byId("fps").textContent = "0.0 frames/s";
    byId("age").textContent = NOTHING;
  }
}, 500);
