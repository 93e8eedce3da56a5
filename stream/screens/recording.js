// What this browser keeps of its own camera: two films with the same times, and what was set and marked meanwhile.

import { Film, MAX_CHAPTERS, findCodec } from "./mp4.js";
import { zipped } from "./zip.js";

const NO_FILMS =
  "This browser keeps no videos here. Open the page in another one, on localhost or by HTTPS; or take snapshots, or record the screen.";

/** Returns what files of now are called, without their endings. */
export function freshStem() {
  const now = new Date();
  const joined = (...numbers) => numbers.map((each) => `${each}`.padStart(2, "0")).join("");
  const date = joined(now.getFullYear(), now.getMonth() + 1, now.getDate());
  return `signlight-${date}-${joined(now.getHours(), now.getMinutes(), now.getSeconds())}`;
}

/** Has the browser keep a file. */
export function keep(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A recording that goes on until it is finished. */
export class Recording {
  #codec;
  #stem = freshStem();
  #beganMs = performance.now();
  #parts = [];
  #marks = new Map(); // by who names them
  #numMarks = 0;
  #newestMs = -Infinity;
  numLeftOut = 0; // pictures that the browser had no time to encode

  constructor(codec) {
    this.#codec = codec;
  }

  /** Begins one; throws a sentence for people. */
  static async begin() {
    const codec = await findCodec();
    if (codec === null) throw new Error(NO_FILMS);
    return new Recording(codec);
  }

  get lengthS() {
    return Math.round((performance.now() - this.#beganMs) / 1000);
  }

  /** What keeps it from going on, or null. */
  get error() {
    return this.#parts.find((part) => part.error !== null)?.error ?? null;
  }

  /** Keeps a picture as it came and as drawn, two bitmaps, and what is set, as of a time. */
  take(clean, drawn, settings, timeMs) {
    if (timeMs <= this.#newestMs) return;
    let part = this.#parts.at(-1);
    if (!part?.fits(clean, drawn)) { // a film has one size
      part?.end();
      part = new Part(this.#codec, clean, drawn, timeMs);
      this.#parts.push(part);
    }
    if (!part.isReady) {
      this.numLeftOut++;
      return;
    }
    this.#newestMs = timeMs;
    part.take(clean, drawn, settings, timeMs);
  }

  /** Marks the moment of the newest picture; it has a number until `name` gives it a name. */
  mark(id) {
    const number = ++this.#numMarks;
    this.#marks.set(id, { number, name: `mark ${number}`, atMs: this.#newestMs });
  }

  name(id, name) {
    const mark = this.#marks.get(id);
    mark.name = name || `mark ${mark.number}`;
  }

  /** Takes a mark back. */
  drop(id) {
    if (this.#marks.get(id).number === this.#numMarks) this.#numMarks--;
    this.#marks.delete(id);
  }

  /** Ends it and has its files kept, all in one: of several, browsers ask whether they may. Returns a notice. */
  async finish() {
    this.#parts.at(-1)?.end();
    const files = [];
    for (const [index, part] of this.#parts.entries()) {
      const isOf = ({ atMs }) => this.#parts.find((each) => atMs <= each.newestMs) === part;
      const name = index === 0 ? this.#stem : `${this.#stem}-${index + 1}`;
      files.push(...(await part.files(name, [...this.#marks.values()].filter(isOf))));
    }
    if (files.length === 0) return "Nothing was recorded.";
    const zip = await zipped(files);
    if (zip === null) for (const [name, blob] of files) keep(blob, name);
    else keep(zip, `${this.#stem}.zip`);
    const fault = this.error === null ? "" : ` It was cut short: ${this.error.message}`;
    return `${this.#stem}${zip === null ? "" : ".zip"} goes to this browser\u2019s downloads.${fault}`;
  }
}

/** The films of one size, and their table. */
class Part {
  #films;
  #sizes;
  #ending = null;
  #firstMs;
  #set = new Map();
  #events = []; // time in ms, what was set, to what
  newestMs;

  constructor(codec, clean, drawn, timeMs) {
    this.#films = [clean, drawn].map(({ width, height }) => new Film(codec, width, height));
    this.#sizes = sizesOf(clean, drawn);
    this.#firstMs = this.newestMs = timeMs;
  }

  fits(clean, drawn) {
    return this.#sizes === sizesOf(clean, drawn);
  }

  get isReady() {
    return this.#films.every((film) => film.isReady);
  }

  get error() {
    return this.#films.find((film) => film.error !== null)?.error ?? null;
  }

  take(clean, drawn, settings, timeMs) {
    this.newestMs = timeMs;
    for (const { name, value } of settings) {
      if (this.#set.get(name) !== value) this.#events.push([timeMs, name, value]);
      this.#set.set(name, value);
    }
    [clean, drawn].forEach((bitmap, index) => this.#films[index].write(bitmap, Math.round(1000 * (timeMs - this.#firstMs))));
  }

  /** Takes no more; what was taken is encoded in its own time. */
  end() {
    this.#ending ??= Promise.all(this.#films.map((film) => film.finish()));
  }

  /** Returns what is to be kept, [name, blob] each, with the marks of its time. */
  async files(stem, marks) {
    await this.#ending;
    const events = [...this.#events, ...marks.map(({ atMs, name }) => [atMs, "mark", name])]
      .map(([atMs, ...what]) => [Math.max(0, atMs - this.#firstMs) / 1000, ...what])
      .sort(([a], [b]) => a - b);
    const rows = events.map(([timeS, ...what]) => [timeS.toFixed(3), ...what]);
    const table = [["time_s", "setting", "value"], ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
    const [clean, drawn] = this.#films;
    const files = [[".clean.mp4", clean.file()], [".overlay.mp4", drawn.file(chaptersOf(events))], [".events.csv", new Blob([table])]];
    return files.filter(([, blob]) => blob !== null).map(([ending, blob]) => [`${stem}${ending}`, blob]);
  }
}

/** Returns a title for each moment at which something was marked or changed, if these are too many, marked: what a film begins with is no change. */
function chaptersOf(events) {
  const titles = new Map();
  for (const [timeS, setting, value] of events) {
    const title = setting === "mark" ? value : `${setting} ${value}`;
    if (setting === "mark" || timeS > 0) titles.set(timeS, [...(titles.get(timeS) ?? []), title]);
  }
  if (titles.size >= MAX_CHAPTERS && events.some(([, setting]) => setting !== "mark")) return chaptersOf(events.filter(([, setting]) => setting === "mark"));
  if (titles.size && !titles.has(0)) titles.set(0, ["beginning"]);
  return [...titles].map(([timeS, each]) => [timeS, each.join(", ")]).sort(([a], [b]) => a - b);
}

const sizesOf = (...bitmaps) => bitmaps.map(({ width, height }) => `${width}x${height}`).join();
const quoted = (words) => (/[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words);
