// One film: pictures with their times, encoded by the browser and kept as MP4 (ISO/IEC 14496-12, -14 and -15).

const TICKS_PER_S = 90_000;
const CODECS = ["avc1.42E033", "vp09.00.51.08"]; // H.264 where the browser makes it: it plays everywhere
const BITS_PER_PX = 8; // a second: 7 Mb for 1280 x 720
const KEY_US = 2_000_000; // players seek to key pictures
const LAST_TICKS = TICKS_PER_S / 30; // how long a single picture lasts
const MAX_QUEUED = 8;
export const MAX_CHAPTERS = 255; // that the list can count
const BLOB_BYTES = 2 ** 20; // a browser may put what is in a blob on disk
const COLOURS = { // ISO/IEC 23091-2
  primaries: { bt709: 1, bt470bg: 5, smpte170m: 6 },
  transfer: { bt709: 1, smpte170m: 6, "iec61966-2-1": 13 },
  matrix: { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6 },
};

/** Returns the coding that this browser makes films in; null where it makes none. */
export async function findCodec() {
  for (const codec of CODECS) {
    const { supported } = (await globalThis.VideoEncoder?.isConfigSupported(encodingOf(codec, 1280, 720))) ?? {};
    if (supported) return codec;
  }
  return null;
}

function encodingOf(codec, width, height) {
  const size = { width: width & ~1, height: height & ~1 };
  const bitrate = BITS_PER_PX * size.width * size.height;
  return { codec, ...size, bitrate, framerate: 30, latencyMode: "realtime", avc: { format: "avc" } };
}

/** Keeps pictures of one size; what H.264 has no place for, an odd row or column, is cut off. */
export class Film {
  #encoding;
  #encoder;
  #config = null; // what a decoder needs to know
  #parameters = null; // the same in the first picture itself, where it has that
  #samples = []; // of each picture: time, bytes, whether it is a key
  #waiting = [];
  #numWaitingBytes = 0;
  #blobs = [];
  #keyUs = -Infinity;
  #error = null;

  constructor(codec, width, height) {
    this.#encoding = encodingOf(codec, width, height);
    this.#encoder = new VideoEncoder({
      output: (chunk, { decoderConfig }) => {
        this.#config ??= decoderConfig;
        this.#keep(chunk);
      },
      error: (error) => { this.#error = error; },
    });
    this.#encoder.configure(this.#encoding);
  }

  /** Whether there is room for another picture. */
  get isReady() {
    return this.#error === null && this.#encoder.encodeQueueSize < MAX_QUEUED;
  }

  /** What keeps it from going on, or null. */
  get error() {
    return this.#error;
  }

  /** Keeps a bitmap as of a time in microseconds. */
  write(bitmap, timeUs) {
    const { width, height } = this.#encoding;
    const isOdd = bitmap.width !== width || bitmap.height !== height;
    const frame = new VideoFrame(bitmap, { timestamp: timeUs, ...(isOdd && { visibleRect: { x: 0, y: 0, width, height } }) });
    const keyFrame = timeUs - this.#keyUs >= KEY_US;
    if (keyFrame) this.#keyUs = timeUs;
    this.#encoder.encode(frame, { keyFrame });
    frame.close();
  }

  /** Takes no more, and encodes what was taken. */
  async finish() {
    try {
      await this.#encoder.flush();
      this.#encoder.close();
    } catch (error) {
      this.#error ??= error; // what was encoded before stays good
    }
    this.#pack();
  }

  /** Returns what was finished, with chapters, [time in s, title] each; null where no picture could be kept. */
  file(chapters = []) {
    if (this.#config === null) return null;
    const data = new Blob(this.#blobs);
    // One size in 64 bits: long films are larger than 32 can say.
    const dataHead = bytes(u32(1), ascii("mdat"), u64(16 + data.size));
    const type = box("ftyp", ascii("isom"), u32(512), ascii("isomiso2mp41"));
    const start = type.length + this.#movie(0, chapters).length + dataHead.length;
    return new Blob([type, this.#movie(start, chapters), dataHead, data], { type: "video/mp4" });
  }

  #keep(chunk) {
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    if (this.#samples.length === 0 && this.#config.codec.startsWith("avc1")) this.#parameters = parametersIn(data);
    const ticks = Math.round((chunk.timestamp * TICKS_PER_S) / 1e6);
    this.#samples.push({ ticks, numBytes: data.length, isKey: chunk.type === "key" });
    this.#waiting.push(data);
    this.#numWaitingBytes += data.length;
    if (this.#numWaitingBytes >= BLOB_BYTES) this.#pack();
  }

  #pack() {
    this.#blobs.push(new Blob(this.#waiting));
    this.#waiting = [];
    this.#numWaitingBytes = 0;
  }

  /** Returns the table of what lies in the file from byte `start` on. */
  #movie(start, chapters) {
    const { width, height } = this.#encoding;
    const lasts = this.#samples.map(({ ticks }, index) => this.#samples[index + 1]?.ticks - ticks);
    lasts[lasts.length - 1] = Math.min(lasts[lasts.length - 2] ?? LAST_TICKS, LAST_TICKS);
    const length = lasts.reduce((sum, each) => sum + each, 0);
    const keys = this.#samples.flatMap(({ isKey }, index) => (isKey ? [index + 1] : []));
    const times = runsOf(lasts);
    const samples = box(
      "stbl",
      box("stsd", u32(0, 1), this.#entry()),
      box("stts", u32(0, times.length, times.flat())),
      box("stss", u32(0, keys.length, keys)),
      box("stsc", u32(0, 1, 1, this.#samples.length, 1)), // all in one chunk
      box("stsz", u32(0, 0, this.#samples.length, this.#samples.map(({ numBytes }) => numBytes))),
      box("stco", u32(0, 1, start)),
    );
    const source = box("dinf", box("dref", u32(0, 1), box("url ", u32(1)))); // this file
    const media = box(
      "mdia",
      box("mdhd", u32(0, 0, 0, TICKS_PER_S, length), u16(0x55c4, 0)), // no language
      box("hdlr", u32(0, 0), ascii("vide"), u32(0, 0, 0), ascii("video\0")),
      box("minf", box("vmhd", u32(1, 0, 0)), source, samples),
    );
    const matrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
    const header = box("tkhd", u32(3, 0, 0, 1, 0, length, 0, 0, 0, 0), matrix, u32(width << 16, height << 16));
    const film = box("mvhd", u32(0, 0, 0, TICKS_PER_S, length, 0x10000), u16(0x0100, 0), u32(0, 0), matrix, u32(0, 0, 0, 0, 0, 0, 2));
    return box("moov", film, box("trak", header, media), box("udta", chapterList(chapters)));
  }

  #entry() {
    const { width, height } = this.#encoding;
    const { codec, description, colorSpace } = this.#config;
    const isH264 = codec.startsWith("avc1");
    const colour = Object.keys(COLOURS).map((kind) => COLOURS[kind][colorSpace?.[kind]] ?? 2); // 2: not told
    const isFull = colorSpace?.fullRange ?? false;
    const parameters = isH264
      ? box("avcC", this.#parameters ?? bytesOf(description))
      : box("vpcC", u32(0x01000000), Uint8Array.of(0, 51, 0x82 | isFull, ...colour), u16(0));
    return box(
      isH264 ? "avc1" : "vp09",
      u32(0), u16(0, 1), u32(0, 0, 0, 0), u16(width, height), u32(0x480000, 0x480000, 0), u16(1),
      new Uint8Array(32), u16(24, 0xffff), parameters,
      box("colr", ascii("nclx"), u16(...colour), Uint8Array.of(isFull ? 0x80 : 0)),
    );
  }
}

/** Returns what VLC and FFmpeg read of chapters, after Nero's players: no standard has it. */
function chapterList(chapters) {
  const told = chapters.slice(0, MAX_CHAPTERS).map(([timeS, title]) => {
    const words = utf8(title, 255);
    return bytes(u64(Math.round(1e7 * timeS)), Uint8Array.of(words.length), words);
  });
  return box("chpl", u32(0x01000000, 0), Uint8Array.of(told.length), ...told);
}

/** Returns the whole characters of words that have room in so many bytes. */
function utf8(words, maxBytes) {
  const room = new Uint8Array(maxBytes);
  return room.slice(0, new TextEncoder().encodeInto(words, room).written);
}

/** Returns the parameters of H.264 that stand in a picture; null where none do. Firefox (153) has them there, and tells them wrongly. */
function parametersIn(picture) {
  const units = { 7: [], 8: [] }; // of a sequence, of a picture (ITU-T H.264, 7.4.1)
  const view = new DataView(picture.buffer);
  for (let at = 0; at + 4 < picture.length; at += 4 + view.getUint32(at)) {
    units[picture[at + 4] & 31]?.push(picture.subarray(at + 4, at + 4 + view.getUint32(at)));
  }
  const [ofSequence, ofPicture] = [units[7], units[8]];
  if (!ofSequence.length || !ofPicture.length) return null;
  const told = (unit) => bytes(u16(unit.length), unit);
  const profile = ofSequence[0].subarray(1, 4);
  const heads = [Uint8Array.of(0xe0 | ofSequence.length), Uint8Array.of(ofPicture.length)];
  return bytes(Uint8Array.of(1), profile, Uint8Array.of(0xff), heads[0], ...ofSequence.map(told), heads[1], ...ofPicture.map(told));
}

function runsOf(numbers) {
  const runs = [];
  for (const number of numbers) {
    if (runs.at(-1)?.[1] === number) runs.at(-1)[0]++;
    else runs.push([1, number]);
  }
  return runs;
}

function box(type, ...parts) {
  const body = bytes(...parts);
  return bytes(u32(8 + body.length), ascii(type), body);
}

function bytes(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const ascii = (words) => Uint8Array.from(words, (each) => each.charCodeAt(0));
const u64 = (number) => u32(Math.floor(number / 2 ** 32), number % 2 ** 32);
const u32 = (...numbers) => packed(numbers.flat(), 4, "setUint32");
const u16 = (...numbers) => packed(numbers, 2, "setUint16");

function packed(numbers, size, set) {
  const view = new DataView(new ArrayBuffer(size * numbers.length));
  numbers.forEach((number, index) => view[set](size * index, number));
  return new Uint8Array(view.buffer);
}

function bytesOf(source) {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
