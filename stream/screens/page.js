// The live view in a browser: paints what comes through the socket, and says what is pressed.

import { Marks } from "./marks.js";
import { OwnView } from "./own_view.js";
import { Settings, element, paintHeads } from "./settings.js";

const NO_PICTURE_MS = 3000; // from then on a person wants to know why nothing moves
const KEY_NAMES = { " ": "space", Enter: "enter", Tab: "tab", Backspace: "backspace", Delete: "delete", ArrowLeft: "left", ArrowRight: "right" };

const byId = (id) => document.getElementById(id);
const picture = byId("picture");
const context = picture.getContext("2d", { alpha: false });
const isClean = new URLSearchParams(location.search).get("clean") === "1";
document.documentElement.classList.toggle("clean", isClean);

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
let own = null; // where each browser shows its own camera
const settings = new Settings(press, toast);
const atServer = {
  mark: (id) => send(`mark ${id}`),
  name: (id, name, isWhole) => send(`mark ${id}${isWhole ? "=" : "~"}${name}`),
  drop: (id) => send(`no mark ${id}`),
};
const marks = new Marks(() => own?.recording ?? atServer);

function press(what) {
  if (what === "r") marks.keep(); // while there is a recording to be marked
  if (what.includes("=") || presses.has(what)) send(what);
}

function send(what) {
  if (socket.readyState === WebSocket.OPEN) socket.send(what);
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
  own?.stop();
  marks.keep();
  showRecording(null);
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
  let image = null;
  try {
    image = await createImageBitmap(jpeg);
    if (number > painted) {
      painted = number;
      if (picture.width !== image.width || picture.height !== image.height) {
        picture.width = image.width;
        picture.height = image.height;
      }
      context.drawImage(image, 0, 0);
      lastPictureMs = performance.now();
      document.querySelector(".settings").inert = isOver;
      if (!isOver && (own === null || own.isRunning)) { // not of one that was on its way when it was stopped
        byId("message").hidden = true;
        showReadings(readings, own?.painted(image, readings));
      }
    }
  } finally {
    image?.close();
    send("shown");
  }
}

function showReadings(readings, tookMs) {
  // The two clocks differ by an unknown amount: the quickest way here so far counts as none.
  const transitMs = performance.now() - readings.sent_ms;
  leastTransitMs = Math.min(leastTransitMs, transitMs);
  const latencyMs = tookMs ?? readings.latency_ms + transitMs - leastTransitMs;
  byId("fps").textContent = `${readings.fps.toFixed(1)} frames/s`;
  byId("latency").textContent = `${latencyMs.toFixed(0)} ms`;
  byId("age").textContent = readings.age_ms === null ? "no map" : `${readings.age_ms} ms`;
  byId("dropped").textContent =
    `${readings.dropped}` + (readings.not_recorded ? `, ${readings.not_recorded} not recorded` : "");
  byId("freeze").setAttribute("aria-pressed", readings.is_frozen);
  showRecording(readings.recording_s);
  if (byId("notice").textContent !== readings.notice) byId("notice").textContent = readings.notice;
}

function showRecording(lengthS) {
  const isRecording = lengthS !== null;
  byId("record").setAttribute("aria-pressed", isRecording);
  byId("record").textContent = isRecording ? "Stop" : "Record";
  byId("lamp").hidden = byId("mark").hidden = !isRecording;
  if (!isRecording) {
    if (marks.outlive()) toast("The recording has ended. The mark has the name that was typed until then.");
    return;
  }
  byId("elapsed").textContent = `${Math.floor(lengthS / 60)}:${String(lengthS % 60).padStart(2, "0")}`;
}

function greet({ title, keys, initial, camera: limits }) {
  settings.begin(initial);
  if (limits !== null) own = new OwnView(limits, PAGE, settings);
  showTitle(title);
  presses = new Set(keys.flatMap((key) => key.presses));
  const rows = keys.map((key) => [key.shown, key.presses.includes("?") ? "this list" : key.words]);
  rows.splice(-1, 0, ...(own?.keys ?? []));
  byId("key-list").replaceChildren(
    ...rows.flatMap(([shown, words]) => [element("dt", { textContent: shown }), element("dd", { textContent: words })]),
  );
}

function showTitle(title) {
  byId("title").textContent = title;
  document.title = `${title} \u2013 Signlight`;
}

for (const button of document.querySelectorAll("[data-press]")) {
  button.addEventListener("click", () => { if (button.dataset.press) press(button.dataset.press); });
}

const PAGE = {
  send, press, explain, toast, showRecording, showTitle,
  isOver: () => isOver,
  keepMark: () => marks.keep(),
  awaitPicture: () => { lastPictureMs = performance.now(); },
};

let toastTimer = 0;
function toast(words) {
  clearTimeout(toastTimer);
  byId("toast").textContent = words;
  byId("toast").hidden = false;
  toastTimer = setTimeout(() => { byId("toast").hidden = true; }, 4000);
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.documentElement.classList.toggle("dropping", own !== null);
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.documentElement.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.documentElement.classList.remove("dropping");
  if (own !== null) own.open(event.dataTransfer.files[0]);
  else if (event.dataTransfer.files.length) toast("Files can be dropped where the page is served with --own-camera.");
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
  if (event.repeat && ["r", "s", "b", " "].includes(event.key)) { // held down, they do it once
    event.preventDefault();
    return;
  }
  const key = KEY_NAMES[event.key] ?? event.key.toLowerCase();
  if (event.target.matches("main button") && ["space", "enter"].includes(key)) return; // and not of a list that was closed
  if (key === "b" && !isClean && !byId("mark").hidden) marks.begin();
  else if (own !== null && key === "b") toast("Marks are set in a recording: press r first.");
  else if (own !== null && { s: 1, r: 1 }[key]) byId(key === "s" ? "snapshot" : "record").click();
  else if (key === "?") byId("keys").showModal();
  else if (presses.has(key)) {
    if (own === null || own.isRunning) press(key); // else there is nothing to act on
  }
  else return;
  event.preventDefault();
});

setInterval(() => {
  if (isOver || lastPictureMs === null || (own !== null && !own.isRunning)) return;
  const silentMs = performance.now() - lastPictureMs;
  if (silentMs > NO_PICTURE_MS) {
    explain(`No picture has come for ${Math.round(silentMs / 1000)} s. The camera or the stream may have stopped.`, { canStart: own !== null });
    byId("fps").textContent = "0.0 frames/s";
    byId("age").textContent = "\u2013";
  }
}, 500);
