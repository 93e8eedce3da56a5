// A browser's own camera on the page: started, shown and kept here.

import { OwnCamera } from "./camera.js";
import { Recording, freshStem, keep } from "./recording.js";
import { element } from "./settings.js";

const WELCOME =
  "Your camera\u2019s pictures go to the computer that serves this page and come back with the model\u2019s maps on them. " +
  "Nothing is kept there.";
const READ_OF_PICTURES = ["fps", "latency", "age"];
const KEYS = [["s", "snapshot (PNG, kept by this browser)"], ["b", "mark this moment of the recording"], ["r", "record (kept by this browser)"]];

const byId = (id) => document.getElementById(id);

/** Shows the camera; `page` tells, presses and sends for it. */
export class OwnView {
  #page;
  #settings;
  #camera;
  #isFile = false; // is shown, or was last
  #lastFrame = null;
  #numDropped = 0;
  #numUses = 0; // of a camera or file, and their ends: what took its time may be wanted no more
  #numKept = 0; // recordings that are being put together
  #isBeginning = false; // a recording
  recording = null;

  constructor(limits, page, settings) {
    this.#page = page;
    this.#settings = settings;
    this.#camera = new OwnCamera(byId("camera-video"), {
      send: page.send,
      limits,
      onEnd: (words) => this.#end(words),
    });
    for (const [id, words] of [["snapshot", "A PNG, kept by this browser"], ["record", "Two videos, kept by this browser"]]) {
      byId(id).title = words;
      delete byId(id).dataset.press;
    }
    byId("snapshot").addEventListener("click", () => this.#keepPicture());
    byId("record").addEventListener("click", () => this.#toggleRecording());
    byId("camera-start").addEventListener("click", () => this.#start());
    byId("camera-menu").addEventListener("change", () => this.#start(byId("camera-menu").value));
    byId("camera-stop").addEventListener("click", () => {
      this.stop();
      page.explain(this.#isFile ? "The file is closed." : "The camera is off.", { canStart: true });
    });
    byId("file-choose").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", () => {
      this.open(byId("file").files[0]);
      byId("file").value = "";
    });
    addEventListener("beforeunload", (event) => {
      if (this.recording !== null || this.#numKept) event.preventDefault(); // it would be lost
    });
    byId("camera-stop").hidden = false;
    page.explain(WELCOME, { canStart: true });
    document.querySelector(".settings").inert = true; // they act on a picture
    this.#show();
  }

  /** Keys that are not pressed on the machine that serves: what they do, and its words. */
  get keys() {
    return KEYS;
  }

  get isRunning() {
    return this.#camera.isRunning;
  }

  stop() {
    this.#numUses++;
    this.#finishRecording();
    this.#camera.stop();
    this.#show();
  }

  /** Shows a video or picture in place of a camera. */
  open(file) {
    if (file === undefined) return;
    if (file.type && !/^(video|image)\//.test(file.type)) this.#page.toast(`${file.name} is no video or picture.`);
    else this.#use(() => this.#camera.open(file), false, file.name);
  }

  /** Takes note of what is painted, and writes what is known here alone to its readings. */
  painted(image, readings) {
    if (this.#lastFrame !== null && readings.frame > this.#lastFrame) this.#numDropped += readings.frame - this.#lastFrame - 1;
    this.#lastFrame = readings.frame;
    const tookMs = this.#camera.answered(readings.frame); // by one clock, from camera to screen
    const { shown } = this.#camera;
    const isNew = tookMs !== null || readings.is_frozen; // what is shown while a camera is silent is a gap
    if (shown !== null && isNew) this.recording?.take(shown.bitmap, image, this.#settings.shown, shown.timeMs);
    if (this.recording?.error) this.#finishRecording();
    readings.dropped = this.#numDropped;
    readings.not_recorded = this.recording?.numLeftOut;
    readings.recording_s = this.recording?.lengthS ?? null;
    return tookMs;
  }

  #end(words) {
    this.#finishRecording();
    this.#show();
    this.#page.explain(words, { canStart: true });
  }

  #show() {
    const { isRunning } = this.#camera;
    byId("camera-lamp").hidden = !this.#camera.isCamera;
    byId("camera-stop").disabled = !isRunning;
    byId("camera-stop").textContent = this.#isFile ? "Close file" : "Camera off";
    if (!isRunning) for (const id of READ_OF_PICTURES) byId(id).textContent = "\u2013";
    byId("freeze").disabled = byId("snapshot").disabled = byId("record").disabled = !isRunning;
  }

  async #use(start, isCamera, name = "your camera") {
    const use = ++this.#numUses;
    this.#page.explain("Opening\u2026");
    try {
      await start();
      if (use !== this.#numUses) return;
      this.#page.awaitPicture();
      this.#page.showTitle(name);
      if (byId("freeze").getAttribute("aria-pressed") === "true") this.#page.press("space");
      // A camera is a mirror, a recording is not; of the camera, the person's own choice stays.
      if (!isCamera || this.#isFile) this.#page.press(`mirror=${isCamera ? "on" : "off"}`);
      this.#isFile = !isCamera;
    } catch (error) {
      if (use !== this.#numUses) return;
      if (this.isRunning) this.#page.toast(error.message); // what was shown before goes on
      else {
        this.#finishRecording();
        this.#page.explain(error.message, { canStart: true });
      }
    }
    this.#show();
  }

  async #start(deviceId) {
    await this.#use(async () => {
      const chosen = await this.#camera.start(deviceId);
      if (this.#page.isOver()) this.#camera.stop(); // it was allowed too late
      const cameras = await this.#camera.cameras();
      byId("camera-menu").replaceChildren(
        ...cameras.map((each) => element("option", { value: each.deviceId, textContent: each.label })),
      );
      byId("camera-menu").value = chosen;
      byId("cameras").hidden = false;
    }, true);
  }

  #keepPicture() {
    byId("picture").toBlob((blob) => keep(blob, `${freshStem()}.png`));
  }

  async #toggleRecording() {
    if (this.recording !== null) {
      this.#finishRecording();
      return;
    }
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    try {
      const recording = await Recording.begin();
      if (!this.isRunning) return; // it was stopped meanwhile
      this.recording = recording;
      this.#camera.keepsSize = true; // each size is a film of its own
      this.#page.showRecording(0);
    } catch (error) {
      this.#page.toast(error.message);
    } finally {
      this.#isBeginning = false;
    }
  }

  async #finishRecording() {
    if (this.recording === null) return;
    this.#page.keepMark();
    const { recording } = this;
    this.recording = null;
    this.#camera.keepsSize = false;
    this.#page.showRecording(null);
    this.#numKept++;
    try {
      this.#page.toast(await recording.finish());
    } catch (error) {
      this.#page.toast(`The recording could not be kept: ${error.message}`);
    } finally {
      this.#numKept--;
    }
  }
}
