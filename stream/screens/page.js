// The live view in a browser: paints what comes through the socket, and says what is pressed.

const NO_PICTURE_MS = 3000; // from then on a person wants to know why nothing moves
const NOTHING = "\u2013";
const KEY_NAMES = { " ": "space", Enter: "enter", Tab: "tab", Backspace: "backspace", Delete: "delete" };

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

function press(what) {
  const isKnown = what === "shown" || what.includes("=") || presses.has(what);
  if (isKnown && socket.readyState === WebSocket.OPEN) socket.send(what);
}

function explain(words, { canRetry = false } = {}) {
  byId("words").textContent = words;
  byId("again").hidden = !canRetry;
  byId("message").hidden = false;
}

function end(words) {
  if (isOver) return;
  isOver = true;
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
    else if (told.kind === "settings") told.settings.forEach(showSetting);
    else if (told.kind === "end") end(told.words);
  } else paint(data);
});
socket.addEventListener("close", ({ reason }) => {
  if (reason === "idle") end("This page was silent for a minute, so the view was closed here.");
  else if (reason) end("The view was closed: this page sent more, or other things, than it may.");
  else if (wasOpen) end("The view has ended, or the network was lost. Start it again where it was started, then try again.");
  else end("Nothing answers here any more, or as many browsers watch as may. Close another one, then try again.");
});

async function paint(data) {
  const number = ++arrived;
  const headBytes = new DataView(data).getUint16(0);
  const readings = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, headBytes)));
  try {
    const image = await createImageBitmap(new Blob([new Uint8Array(data, 2 + headBytes)], { type: "image/jpeg" }));
    if (number > painted) {
      painted = number;
      if (picture.width !== image.width || picture.height !== image.height) {
        picture.width = image.width;
        picture.height = image.height;
      }
      context.drawImage(image, 0, 0);
      lastPictureMs = performance.now();
      if (!isOver) byId("message").hidden = true;
      showReadings(readings);
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
  const latencyMs = readings.latency_ms + transitMs - leastTransitMs;
  byId("fps").textContent = `${readings.fps.toFixed(1)} fps`;
  byId("latency").textContent = `${latencyMs.toFixed(0)} ms`;
  byId("age").textContent = readings.age_ms === null ? "no map" : `${readings.age_ms} ms`;
  byId("dropped").textContent =
    `${readings.dropped}` + (readings.not_recorded ? `, ${readings.not_recorded} not recorded` : "");
  byId("freeze").setAttribute("aria-pressed", readings.is_frozen);
  const isRecording = readings.recording_s !== null;
  byId("record").setAttribute("aria-pressed", isRecording);
  byId("record").textContent = isRecording ? "Stop" : "Record";
  byId("lamp").hidden = !isRecording;
  if (isRecording) {
    const seconds = String(readings.recording_s % 60).padStart(2, "0");
    byId("elapsed").textContent = `${Math.floor(readings.recording_s / 60)}:${seconds}`;
  }
  if (byId("notice").textContent !== readings.notice) byId("notice").textContent = readings.notice;
}

function greet({ title, keys }) {
  byId("title").textContent = title;
  document.title = `${title} \u2013 Signlight`;
  presses = new Set(keys.flatMap((key) => key.presses));
  const rows = keys.map((key) => [key.shown, key.presses.includes("?") ? "this list" : key.words]);
  byId("key-list").replaceChildren(
    ...rows.flatMap(([shown, words]) => [element("dt", { textContent: shown }), element("dd", { textContent: words })]),
  );
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showSetting(setting) {
  if (setting.name === "head") showHeads(setting);
  else {
    const id = `set-${setting.name}`;
    if (byId(id) === null) byId("settings").append(makeSetting(setting, id));
    const control = byId(id);
    if (control.type === "checkbox") control.checked = setting.value === "on";
    else if (control !== document.activeElement || control.type !== "range") control.value = setting.value;
    const shown = byId(`${id}-value`);
    if (shown !== null) shown.textContent = Number(setting.value).toFixed(2);
  }
}

function makeSetting({ name, words, choices, range }, id) {
  const label = element("span", { textContent: words });
  if (range !== null) {
    const [min, max, step] = range;
    label.append(element("output", { id: `${id}-value` }));
    const slider = element("input", { id, type: "range", min, max, step });
    slider.addEventListener("input", () => press(`${name}=${slider.value}`));
    return element("label", { className: "number" }, label, slider);
  }
  if (choices.includes("on") && choices.length === 2) {
    const box = element("input", { id, type: "checkbox" });
    box.addEventListener("change", () => press(`${name}=${box.checked ? "on" : "off"}`));
    return element("label", { className: "switch" }, label, box);
  }
  const menu = element("select", { id }, ...choices.map((choice) => element("option", { textContent: choice })));
  menu.disabled = choices.length < 2;
  menu.addEventListener("change", () => press(`${name}=${menu.value}`));
  return element("label", {}, label, menu);
}

function showHeads({ value, choices }) {
  const strip = byId("strip");
  if (strip.childElementCount !== choices.length) {
    strip.replaceChildren(
      ...choices.map((choice) => {
        const button = element("button", { type: "button", textContent: choice });
        button.addEventListener("click", () => press(`head=${choice}`));
        return button;
      }),
    );
    byId("heads").hidden = false;
  }
  for (const button of strip.children) button.setAttribute("aria-pressed", button.textContent === value);
}

for (const button of document.querySelectorAll("[data-press]")) {
  button.addEventListener("click", () => press(button.dataset.press));
}
byId("again").addEventListener("click", () => location.reload());
byId("help").addEventListener("click", () => byId("keys").showModal());
byId("full").hidden = !document.fullscreenEnabled;
byId("full").addEventListener("click", () => byId("screen").requestFullscreen());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open || isOver) return;
  if (event.target.matches("select, input")) return; // they have keys of their own
  const key = KEY_NAMES[event.key] ?? event.key.toLowerCase();
  if (event.target.matches("button") && ["space", "enter"].includes(key)) return;
  if (key === "?") byId("keys").showModal();
  else if (presses.has(key)) press(key);
  else return;
  event.preventDefault();
});

setInterval(() => {
  if (isOver || lastPictureMs === null) return;
  const silentMs = performance.now() - lastPictureMs;
  if (silentMs > NO_PICTURE_MS) {
    explain(`No picture has come for ${Math.round(silentMs / 1000)} s. The camera or the stream may have stopped.`);
    byId("fps").textContent = "0.0 fps";
    byId("age").textContent = NOTHING;
  }
}, 500);
