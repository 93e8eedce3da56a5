// Menus, sliders, switches and heads: what can be set, and what the address says of it.

const byId = (id) => document.getElementById(id);

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const PATIENCE_MS = 60_000; // for a model that the address names
const OF_MODEL = ["layer", "head"]; // wait until it is at work

/** Shows what can be set; `press(what)` sets it, `tell(words)` says what the address asks for in vain. */
export class Settings {
  #press;
  #choose; // by hand: what the address wishes for instead is not wanted any more
  #tell;
  #initial = null;
  #wishes = new Map(new URLSearchParams(location.search)); // of the address, until they are granted
  #inVain = [];
  #isModelAsked = false;
  #modelBefore = null;
  #shown = [];

  constructor(press, tell) {
    this.#press = press;
    this.#choose = (what) => {
      const [name] = what.split("=");
      if (name === "model") this.#dropModel();
      this.#wishes.delete(name);
      press(what);
    };
    this.#tell = tell;
  }

  /** Takes the values that the address need not name. */
  begin(initial) {
    this.#initial = new Map(Object.entries(initial));
    for (const name of this.#wishes.keys()) if (!this.#initial.has(name)) this.#wishes.delete(name);
  }

  /** What can be set, and what it is set to. */
  get shown() {
    return this.#shown;
  }

  show(settings) {
    for (const setting of settings) {
      if (setting.name === "head") showHeads(setting, this.#choose);
      else showSetting(setting, this.#choose);
    }
    this.#shown = settings;
    this.#grant();
  }

  #grant() {
    const settings = new Map(this.#shown.map((setting) => [setting.name, setting]));
    const hasModel = this.#wishes.has("model");
    const names = [...this.#wishes.keys()].filter((name) => !(hasModel && OF_MODEL.includes(name)));
    const inVain = [];
    for (const name of names) {
      const { value, choices, range } = settings.get(name);
      const wish = this.#wishes.get(name);
      const isThere = range === null ? choices.includes(wish) : wish >= range[0] && wish <= range[1];
      if (value !== wish && isThere && !(name === "model" && this.#isModelAsked)) this.#press(`${name}=${wish}`);
      if (name === "model" && !this.#isModelAsked) {
        this.#isModelAsked = true;
        this.#modelBefore = value;
        setTimeout(() => this.#giveUpModel(), PATIENCE_MS);
      }
      if (name === "model" && value !== wish && value !== this.#modelBefore) this.#dropModel(); // a person chose another
      if (name !== "model" || value === wish || !isThere) this.#wishes.delete(name);
      if (!isThere) inVain.push(`${name}=${wish}`);
    }
    this.#tellInVain(inVain);
    if (hasModel && !this.#wishes.has("model")) this.#grant();
    else if (this.#wishes.size === 0) this.#nameAll();
  }

  #giveUpModel() {
    const model = this.#wishes.get("model");
    if (model === undefined) return;
    this.#dropModel();
    this.#tell(`${model} is not ready. What the address says of its layers and heads is left out.`);
    this.#grant();
  }

  #dropModel() {
    for (const name of ["model", ...OF_MODEL]) this.#wishes.delete(name);
  }

  #tellInVain(wishes) {
    if (!wishes.length) return;
    this.#inVain.push(...wishes);
    this.#tell(`The address asks for what cannot be had here: ${this.#inVain.join(", ")}.`);
  }

  #nameAll() {
    const query = new URLSearchParams(location.search);
    for (const { name, value } of this.#shown) {
      if (this.#initial?.get(name) === value) query.delete(name);
      else query.set(name, value);
    }
    const words = `${query}`;
    history.replaceState(null, "", words ? `?${words}` : location.pathname);
  }
}

function showSetting(setting, press) {
  const id = `set-${setting.name}`;
  const isSame = byId(id)?.dataset.choices === `${setting.choices}`;
  if (!isSame) {
    const made = makeSetting(setting, id, press);
    made.querySelector(`#${id}`).dataset.choices = `${setting.choices}`;
    const before = byId(id)?.closest("label");
    if (before) before.replaceWith(made); // another model has other layers
    else byId("settings").append(made);
  }
  const control = byId(id);
  if (control.type === "checkbox") control.checked = setting.value === "on";
  else if (control !== document.activeElement || control.type !== "range") control.value = setting.value;
  const shown = byId(`${id}-value`);
  if (shown !== null) shown.textContent = Number(setting.value).toFixed(2);
}

function makeSetting({ name, words, choices, range }, id, press) {
  const label = element("span", { textContent: words });
  if (range !== null) {
    const [min, max, step] = range;
    label.append(element("span", { id: `${id}-value` })); // an <output> would take the label for itself
    const slider = element("input", { id, type: "range", min, max, step, ariaLabel: words });
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
  return element("label", { className: ["model", "normalize"].includes(name) ? "wide" : "" }, label, menu);
}

function showHeads({ value, choices }, press) {
  const strip = byId("strip");
  if (strip.childElementCount !== choices.length) {
    strip.replaceChildren(
      ...choices.map((choice) => {
        const button = element("button", { type: "button" }, element("canvas", { hidden: true }), element("span", { textContent: choice }));
        button.addEventListener("click", () => press(`head=${choice}`));
        return button;
      }),
    );
    byId("heads").hidden = false;
  }
  for (const button of strip.children) button.setAttribute("aria-pressed", button.textContent === value);
}

/** Paints what each head looks at on its button: tiles in a row, in the order of the buttons. */
export function paintHeads(image, numTiles) {
  const buttons = [...byId("strip").children].filter((button) => button.textContent !== "all");
  if (buttons.length !== numTiles) return; // of the model before
  const side = image.width / numTiles;
  buttons.forEach((button, index) => {
    const canvas = button.firstElementChild;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.getContext("2d").drawImage(image, index * side, 0, side, side, 0, 0, side, side);
    canvas.hidden = false;
  });
}
