// The browser's own camera, or a file in its place: pictures go up as JPEG, the newest only.

const WIDTHS = [480, 640, 960, 1280, 1920]; // what is sent grows and shrinks with the time an answer takes
const FIRST_WIDTH = 640;
const SLOW_MS = 110; // a median above makes the pictures smaller, one below the other larger
const QUICK_MS = 60;
const JUDGED = 15; // answers between two judgements
const REST_MS = 20_000; // after one got too large
const MAX_IN_FLIGHT = 2;
const STILL_MS = 100;

const REASONS = {
  NotAllowedError: "This page may not use the camera. Allow it with the camera sign beside the address, then start again.",
  NotFoundError: "No camera was found. Connect one, or open a video.",
  OverconstrainedError: "That camera is gone. Choose another one.",
  NotReadableError: "The camera is in use by another program. Close that one, then start again.",
};
const NOT_SECURE =
  "Browsers allow a camera only on localhost and by HTTPS: serve the page with --cert and --key, or open a video.";

/** Sends the pictures of a camera or a file; `onEnd(words)` tells why there are no more. */
export class OwnCamera {
  #video;
  #send;
  #limits;
  #onEnd;
  #encoder = new Worker("camera_encoder.js");
  #stream = null;
  #still = null;
  #timer = null;
  #isEncoding = false;
  #numSent = 0;
  #sent = new Map(); // by number, pictures that are not answered yet
  #shown = null; // the newest that is
  #lastMs = -Infinity;
  #width = FIRST_WIDTH;
  #answerMs = [];
  #restUntilMs = 0;
  keepsSize = false; // as a recording wants it
  #numStarts = 0;
  #turn = 0; // tells callbacks of an earlier start from those of this one

  constructor(video, { send, limits, onEnd }) {
    this.#video = video;
    this.#send = send;
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#encoder.addEventListener("message", ({ data: { jpeg, bitmap, takenMs } }) => {
      this.#isEncoding = false;
      if (!this.isRunning) {
        bitmap.close();
        return;
      }
      this.#sent.set(this.#numSent++, { bitmap, takenMs });
      this.#send(jpeg);
    });
  }

  get isRunning() {
    return this.#stream !== null || this.#still !== null || this.#video.src !== "";
  }

  get isCamera() {
    return this.#stream !== null;
  }

  /** The picture that was sent of what is on show, and its time: later while it is held. Null: none. */
  get shown() {
    return this.#shown;
  }

  /** Starts a camera, of those that `cameras()` lists; throws a sentence for people. */
  async start(deviceId) {
    if (!navigator.mediaDevices) throw new Error(NOT_SECURE);
    const [width, height] = this.#limits.max_wh;
    const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: this.#limits.max_per_s } };
    if (deviceId) wanted.deviceId = { exact: deviceId };
    else wanted.facingMode = "user";
    const [number, turn] = [++this.#numStarts, this.#turn];
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The camera cannot be opened (${error.name}).`);
    }
    if (number !== this.#numStarts || turn !== this.#turn) { // stopped, or another is wanted, before it was allowed
      for (const track of stream.getTracks()) track.stop();
      throw new Error("The camera is not wanted any more.");
    }
    this.stop();
    this.#stream = stream;
    const started = this.#turn;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.stop();
      this.#onEnd("The camera is gone: it was unplugged, or taken away from this page.");
    });
    this.#video.srcObject = stream;
    try {
      await this.#video.play();
    } catch (error) {
      if (started === this.#turn) this.stop(); // else another has been started since
      throw new Error(`The camera's pictures cannot be shown (${error.name}).`);
    }
    this.#watch();
    return track.getSettings().deviceId;
  }

  /** Plays a video, or shows a picture, in place of a camera; throws a sentence for people. */
  async open(file) {
    this.stop();
    const turn = this.#turn;
    this.#timer = setInterval(() => { // what stands, as a picture or a video of one, is to have its map too
      if (performance.now() - this.#lastMs >= STILL_MS) this.#take(performance.now());
    }, STILL_MS);
    try {
      if (file.type.startsWith("image/")) {
        const still = await createImageBitmap(file);
        if (turn === this.#turn) this.#still = still;
        else still.close();
        return;
      }
      this.#video.loop = true;
      this.#video.src = URL.createObjectURL(file);
      await this.#video.play();
    } catch {
      if (turn === this.#turn) this.stop();
      throw new Error(`This browser cannot play ${file.name}. MP4 (H.264), WebM, JPEG and PNG work everywhere.`);
    }
    this.#watch();
  }

  stop() {
    this.#turn++;
    this.#forget(this.#numSent); // what is still on its way holds up nothing that is started next
    this.#shown?.bitmap.close();
    this.#shown = null;
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#still?.close();
    this.#still = null;
    this.#video.srcObject = null;
    if (this.#video.src) {
      URL.revokeObjectURL(this.#video.src);
      this.#video.removeAttribute("src");
    }
    this.#video.load();
  }

  /** Lists the cameras by name; browsers tell names once a camera has been allowed. */
  async cameras() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices
      .filter(({ kind }) => kind === "videoinput")
      .map(({ deviceId, label }, index) => ({ deviceId, label: label || `Camera ${index + 1}` }));
  }

  /** Notes that a picture has come back and is painted; returns how long ago it was taken, in ms. */
  answered(number) {
    const sent = this.#sent.get(number);
    this.#sent.delete(number);
    this.#forget(number);
    const nowMs = performance.now();
    if (sent === undefined) {
      if (this.#shown !== null) this.#shown.timeMs = this.#shown.takenMs + nowMs - this.#shown.shownMs;
      return null;
    }
    this.#shown?.bitmap.close();
    this.#shown = { ...sent, timeMs: sent.takenMs, shownMs: nowMs };
    const tookMs = nowMs - sent.takenMs;
    this.#answerMs.push(tookMs);
    if (this.#answerMs.length === JUDGED) this.#judge();
    return tookMs;
  }

  /** Waits no longer for the pictures up to a number. */
  #forget(last) {
    for (const [number, { bitmap }] of this.#sent) {
      if (number > last) continue;
      bitmap.close();
      this.#sent.delete(number);
    }
  }

  #judge() {
    const medianMs = this.#answerMs.sort((a, b) => a - b)[JUDGED >> 1];
    this.#answerMs = [];
    if (this.keepsSize) return;
    const step = WIDTHS.indexOf(this.#width);
    if (medianMs > SLOW_MS && step > 0) {
      this.#width = WIDTHS[step - 1];
      this.#restUntilMs = performance.now() + REST_MS;
    } else if (medianMs < QUICK_MS && performance.now() > this.#restUntilMs && this.#width < this.#limits.max_wh[0]) {
      this.#width = WIDTHS[step + 1];
    }
  }

  #watch() {
    const turn = this.#turn;
    const next = (callback) => {
      if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(callback);
      else requestAnimationFrame(callback);
    };
    const seen = (nowMs) => {
      if (turn !== this.#turn) return;
      this.#take(nowMs);
      next(seen);
    };
    next(seen);
  }

  async #take(nowMs) {
    const isTooSoon = nowMs - this.#lastMs < 800 / this.#limits.max_per_s; // a frame may come a little early
    if (this.#isEncoding || isTooSoon || this.#sent.size >= MAX_IN_FLIGHT) return;
    const picture = this.#still ?? this.#video;
    const [fullWidth, fullHeight] = this.#still
      ? [picture.width, picture.height]
      : [picture.videoWidth, picture.videoHeight];
    if (!fullWidth || !fullHeight) return;
    const [maxWidth, maxHeight] = this.#limits.max_wh;
    const longest = Math.min(this.#width, maxWidth);
    const scale = Math.min(1, longest / Math.max(fullWidth, fullHeight), maxHeight / Math.min(fullWidth, fullHeight));
    const even = (side) => Math.max(2, 2 * Math.round((side * scale) / 2));
    this.#isEncoding = true;
    this.#lastMs = nowMs;
    try {
      const bitmap = await createImageBitmap(picture, { resizeWidth: even(fullWidth), resizeHeight: even(fullHeight) });
      this.#encoder.postMessage({ bitmap, takenMs: nowMs }, [bitmap]);
    } catch {
      this.#isEncoding = false; // it was stopped meanwhile
    }
  }
}
