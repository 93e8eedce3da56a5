"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const LABELS_PX = 196, RIGHT_PX = 20, BAND_PX = 18, PANEL_PX = 74, GAP_PX = 10, AXIS_PX = 22;
const SVG = "http://www.w3.org/2000/svg";

function make(parent, tag, attributes = {}, text) {
  const isDrawn = parent instanceof SVGElement || tag === "svg";
  const element = isDrawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;  // never as markup: names are strangers'
  parent.append(element);
  return element;
}
function bytesOf(text) { return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)); }
function clock(seconds, digits = 2) {
  const minutes = Math.floor(seconds / 60 + 1e-9);
  const rest = Math.max(0, seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? digits + 3 : 2, "0")}`;
}
const short = (value) => String(Number(Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)));

// ---- The numbers

for (const curve of data.curves) {
  for (const line of curve.lines) {
    // A pair of 16 bit numbers a bin, least and most; null: no frame, NaN: frames without a number.
    const pairs = new Uint16Array(bytesOf(line.bins).buffer);
    const scale = (curve.high - curve.low) / 65533;
    const value = (raw) => (raw === 65534 ? null : raw === 65535 ? NaN : curve.low + raw * scale);
    line.least = Array.from({ length: pairs.length / 2 }, (_, bin) => value(pairs[2 * bin]));
    line.most = Array.from({ length: pairs.length / 2 }, (_, bin) => value(pairs[2 * bin + 1]));
  }
}
const sides = data.sides;
const startS = data.start_s, endS = Math.max(data.end_s, startS + 0.001), wholeS = endS - startS;
let shown = [startS, endS];
let nowS = startS;

// ---- Facts, video, read-outs

for (const [name, value] of data.facts) {
  const pair = make(byId("facts"), "div");
  make(pair, "dt", {}, name);
  make(pair, "dd", { dir: "auto", title: value }, value);
}
byId("random").hidden = !data.is_random;
const video = byId("video");
function tellOfNoVideo(why) {
  byId("no-video").hidden = false;
  byId("no-video").textContent = why;
  video.hidden = true;
}
if (data.video) {
  video.addEventListener("error", () => tellOfNoVideo(
    `This browser cannot play ${data.video_name}: it is not beside this page as it was, or of a kind that browsers do not play. The figures work without it.`));
  video.src = data.video;
} else {
  tellOfNoVideo("There is no video with this page.");
}
const hasVideo = () => video.readyState > 0 && !video.error;

const cells = new Map();
{
  const table = byId("now");
  const head = make(make(table, "thead"), "tr");
  make(head, "th", {});
  for (const side of sides) make(head, "th", { style: `color: var(--${side.css})` }, side.name);
  const body = make(table, "tbody");
  const rows = [...data.bands.filter((band) => band.css !== "both").map((band) => band.tier),
    ...data.curves.map((curve) => curve.name)];
  for (const name of new Set(rows)) {
    const row = make(body, "tr");
    make(row, "th", {}, name);
    for (const side of sides) cells.set(`${name}/${side.css}`, make(row, "td", {}, "–"));
  }
}
function tellNow() {
  byId("clock").textContent = clock(nowS);
  for (const cell of cells.values()) cell.textContent = "–";
  for (const band of data.bands) {
    const at = band.items.find(([start, end]) => start <= nowS && nowS < end);
    const cell = cells.get(`${band.tier}/${band.css}`);
    if (at && cell) cell.textContent = at[2] === band.tier ? "yes" : at[2] || "yes";
  }
  for (const curve of data.curves) {
    for (const line of curve.lines) {
      let bin = Math.min(Math.floor(nowS / line.width_s + 1e-6), line.most.length - 1);
      while (bin > 0 && line.most[bin] === null) bin--;  // the frame that is still shown
      const value = line.most[bin] ?? NaN;
      if (!Number.isNaN(value)) cells.get(`${curve.name}/${line.css}`).textContent = short(value);
    }
  }
}

// ---- The timeline

const timeline = byId("timeline");
let svg, cursor, width;
const toX = (seconds) => LABELS_PX + (seconds - shown[0]) / (shown[1] - shown[0]) * (width - LABELS_PX - RIGHT_PX);
const toSeconds = (x) => shown[0] + (x - LABELS_PX) / (width - LABELS_PX - RIGHT_PX) * (shown[1] - shown[0]);

function drawTimeline() {
  timeline.replaceChildren();
  width = Math.max(420, timeline.clientWidth);
  svg = make(timeline, "svg");
  const clip = make(make(make(svg, "defs"), "clipPath", { id: "room" }), "rect",
    { x: LABELS_PX, y: 0, width: width - LABELS_PX - RIGHT_PX, height: 1e5 });
  let top = 2;
  for (const band of data.bands) { drawBand(band, top); top += BAND_PX; }
  top += data.bands.length ? GAP_PX : 0;
  for (const curve of data.curves) { drawCurve(curve, top); top += PANEL_PX + GAP_PX; }
  const step = [0.04, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600]
    .find((each) => (shown[1] - shown[0]) / each <= (width - LABELS_PX) / 72) || 7200;
  for (let tick = Math.ceil(shown[0] / step - 1e-9) * step; tick <= shown[1] + 1e-9; tick += step) {
    const x = toX(tick);
    svg.insertBefore(make(svg, "line", { class: "grid", x1: x, x2: x, y1: 0, y2: top - 4 }), svg.firstChild.nextSibling);
    make(svg, "text", { x, y: top + 11, "text-anchor": "middle" }, clock(tick, step < 0.1 ? 2 : step < 1 ? 1 : 0));
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${top + AXIS_PX}`);
  svg.style.height = `${top + AXIS_PX}px`;
  cursor = make(svg, "line", { class: "cursor", y1: 0, y2: top - 4 });
  placeCursor();
}
function drawBand(band, top) {
  make(svg, "text", { class: "name", x: 0, y: top + 12.5 }, band.label);
  const room = make(svg, "g", { class: band.css, "clip-path": "url(#room)" });
  let reached = -1;
  for (const [start, end, value] of band.items) {
    if (end < shown[0] || start > shown[1] || toX(end) < reached + 0.25) continue;
    reached = toX(end);
    const x = Math.max(toX(start), LABELS_PX), wide = Math.max(0.6, Math.min(toX(end), width - RIGHT_PX) - x);
    if (band.tier === "handshape change") {
      make(room, "line", { class: "mark", x1: x, x2: x, y1: top + 2, y2: top + BAND_PX - 3 });
      continue;
    }
    const isNumber = /head|number/.test(band.tier);
    const isGone = band.tier === "in view" && value !== "in view";
    const look = isGone ? "gone" : value === "movement" || band.tier === "in view" ? "faint" : isNumber ? "head" : "";
    const box = make(room, "rect", { class: `band ${look}`, x, width: wide, y: top + 1.5, height: BAND_PX - 4, rx: Math.min(2, wide / 3) });
    if (wide < 4) continue;
    if (isNumber) box.setAttribute("stroke", "var(--paper)");
    make(box, "title", {}, `${band.label}: ${value || "so"}, ${clock(start)} to ${clock(end)}`);
    if (isNumber || isGone || band.tier === "dominant hand") {
      if (wide > 7 * value.length + 6) {
        const word = make(room, "text", { class: "word", x: x + wide / 2, y: top + 12.2, "text-anchor": "middle" }, value);
        if (band.tier === "dominant hand") word.style.fill = "var(--paper)";
      }
    }
  }
}
function drawCurve(curve, top) {
  make(svg, "rect", { class: "frame", x: LABELS_PX, y: top, width: width - LABELS_PX - RIGHT_PX, height: PANEL_PX });
  make(svg, "text", { class: "name", x: 0, y: top + 14 }, curve.name);
  make(svg, "text", { x: 0, y: top + 29 }, curve.unit);
  const toY = (value) => top + PANEL_PX - 4 - (value - curve.low) / (curve.high - curve.low || 1) * (PANEL_PX - 8);
  for (const value of [curve.low, curve.high]) {
    make(svg, "text", { x: LABELS_PX - 7, y: toY(value) + (value === curve.low ? 1 : 7), "text-anchor": "end" }, short(value));
  }
  for (const line of curve.lines) {
    const first = Math.max(0, Math.floor(shown[0] / line.width_s) - 1);
    const last = Math.min(line.least.length, Math.ceil(shown[1] / line.width_s) + 1);
    // What falls into one pixel is one stroke from its least to its most.
    const stride = Math.max(1, Math.floor((last - first) / (width - LABELS_PX)));
    let path = "", upper = [], lower = [];
    const finish = () => {
      if (upper.length) path += `M${upper.join("L")}L${lower.reverse().join("L")}Z`;
      upper = []; lower = [];
    };
    for (let bin = first - first % stride; bin < last; bin += stride) {
      let least = Infinity, most = -Infinity, hasFrame = false;
      for (let each = bin; each < Math.min(bin + stride, line.least.length); each++) {
        if (line.most[each] === null) continue;
        hasFrame = true;
        if (line.least[each] < least) least = line.least[each];
        if (line.most[each] > most) most = line.most[each];
      }
      if (hasFrame && most === -Infinity) finish();
      if (most === -Infinity) continue;
      const x = toX((bin + stride / 2) * line.width_s).toFixed(1);
      upper.push(`${x} ${toY(most).toFixed(1)}`);
      lower.push(`${x} ${toY(least).toFixed(1)}`);
    }
    finish();
    make(svg, "path", { class: `curve ${line.css}`, d: path, "clip-path": "url(#room)" });
  }
}
function placeCursor() {
  const x = toX(nowS);
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  cursor.style.display = x < LABELS_PX - 0.5 || x > width - RIGHT_PX + 0.5 ? "none" : "";
  tellNow();
}
function show(start, end) {
  const span = Math.min(wholeS, Math.max(0.4, end - start));
  const from = Math.min(Math.max(startS, start), endS - span);
  shown = [from, from + span];
  drawTimeline();
}
function zoom(factor, around = nowS) {
  const share = Math.min(1, Math.max(0, (around - shown[0]) / (shown[1] - shown[0])));
  const span = Math.min(wholeS, (shown[1] - shown[0]) * factor);
  show(around - share * span, around + (1 - share) * span);
}
function goTo(seconds, follow = false) {
  nowS = Math.min(endS, Math.max(startS, seconds));
  // A hair later: at a frame's very time browsers show the one before.
  if (hasVideo()) video.currentTime = Math.min(nowS + 0.001, video.duration || endS);
  if (follow && (nowS < shown[0] || nowS > shown[1])) show(nowS - (shown[1] - shown[0]) / 2, nowS + (shown[1] - shown[0]) / 2);
  else placeCursor();
}
timeline.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  timeline.setPointerCapture(event.pointerId);
  goTo(toSeconds(event.clientX - timeline.getBoundingClientRect().left));
});
timeline.addEventListener("pointermove", (event) => {
  if (timeline.hasPointerCapture(event.pointerId)) goTo(toSeconds(event.clientX - timeline.getBoundingClientRect().left));
});
timeline.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoom(Math.exp(event.deltaY / 300), toSeconds(event.clientX - timeline.getBoundingClientRect().left));
}, { passive: false });
timeline.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -data.frame_s, ArrowRight: data.frame_s }[event.key];
  if (step) goTo(nowS + step, true);
  else if (event.key === " " && hasVideo()) video.paused ? video.play() : video.pause();
  else return;
  event.preventDefault();
});
byId("in").onclick = () => zoom(0.5);
byId("out").onclick = () => zoom(2);
byId("all").onclick = () => show(startS, endS);
function followVideo() {
  if (hasVideo() && !video.seeking) {
    const span = shown[1] - shown[0];
    if (Math.abs(video.currentTime - nowS) > 0.002) {
      nowS = Math.min(endS, Math.max(startS, video.currentTime));
      if (!video.paused && span < wholeS && (nowS > shown[1] || nowS < shown[0])) show(nowS - 0.1 * span, nowS + 0.9 * span);
      else placeCursor();
    }
  }
  requestAnimationFrame(followVideo);
}
for (const side of sides) {
  const entry = make(byId("legend"), "span");
  make(entry, "i", { style: `background: var(--${side.css})` });
  entry.append(side.name);
}
if (data.bands.some((band) => band.tier === "phase")) {
  for (const [word, opacity] of [["hold", 1], ["movement", 0.25]]) {
    const entry = make(byId("legend"), "span");
    make(entry, "i", { style: `background: var(--both); opacity: ${opacity}` });
    entry.append(word);
  }
}
byId("timeline-note").textContent = data.note;
new ResizeObserver(() => { if (timeline.clientWidth && Math.max(420, timeline.clientWidth) !== width) drawTimeline(); }).observe(timeline);
drawTimeline();
requestAnimationFrame(followVideo);

// ---- Heads

if (data.heads) {
  const { matrix, num, shares } = data.heads;
  const known = matrix.flatMap((row, index) => row.filter((value, column) => value !== null && column !== index));
  const least = Math.min(...known), most = Math.max(...known);
  const table = make(byId("matrix"), "table");
  const head = make(table, "tr");
  make(head, "th");
  matrix.forEach((_, column) => make(head, "th", {}, column));
  matrix.forEach((row, index) => {
    const line = make(table, "tr");
    make(line, "th", {}, index);
    row.forEach((value, column) => {
      const share = value === null ? 0 : 0.08 + 0.92 * (value - least) / (most - least || 1);
      const cell = make(line, "td", {}, index === column ? "" : value === null ? "–" : value.toFixed(2));
      cell.style.background = index === column ? "none" : `linear-gradient(rgba(var(--matrix-high), ${share}), rgba(var(--matrix-high), ${share})), rgb(var(--matrix-low))`;
      cell.style.color = share > 0.55 ? "var(--matrix-ink-high)" : "var(--matrix-ink-low)";
    });
  });
  byId("matrix-note").textContent = `How differently two ${data.head.toLowerCase()}s look: Jensen-Shannon divergence in bits, 0 alike, 1 nothing shared; mean over ${num.toLocaleString("en")} maps.`;
  if (shares.length) {
    const list = make(byId("shares"), "table");
    const longest = Math.max(...shares.map(([, seconds]) => seconds));
    for (const [name, seconds] of shares) {
      const line = make(list, "tr");
      make(line, "th", {}, `${data.head} ${name}`);
      make(make(make(line, "td", { style: "padding: 0" }), "i"), "b", { style: `width: ${100 * seconds / longest}%` });
      make(line, "td", {}, `${seconds.toFixed(2)} s`);
    }
    byId("shares-note").textContent = `How long each ${data.head.toLowerCase()} was the most focused one, of both hands together.`;
  }
} else {
  byId("heads-section").hidden = true;
}

// ---- Holds

const STOPS = data.ramp;
function colourOf(share) {
  const place = share * (STOPS.length - 1), low = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[low].map((part, channel) => part + (place - low) * (STOPS[low + 1][channel] - part));
}
for (const hold of data.holds) {
  const card = make(byId("holds"), "button", { type: "button", class: `hold ${hold.css}`, title: "Go there; the map is hidden while pointed at" });
  const view = make(card, "span", { class: "view" });
  make(view, "img", { src: `data:image/jpeg;base64,${hold.picture}`, alt: `${hold.name}, ${clock(hold.start)}` });
  const [rows, columns] = hold.grid;
  const canvas = make(view, "canvas", { width: columns, height: rows });
  const pixels = new ImageData(columns, rows);
  bytesOf(hold.map).forEach((level, patch) => pixels.data.set([...colourOf(level / 255), 90 + 165 * level / 255], 4 * patch));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  make(card, "strong", {}, clock(hold.start));
  make(card, "small", {}, `${hold.name}, ${(hold.end - hold.start).toFixed(2)} s`);
  card.onclick = () => { goTo(hold.typical, true); };
}
byId("holds-note").textContent = data.holds_note;
byId("holds-section").hidden = !data.holds_note;

// ---- Methods

for (const curve of data.curves) {
  make(byId("methods"), "dt", {}, curve.name);
  make(byId("methods"), "dd", {}, curve.definition);
}
