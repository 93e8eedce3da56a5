// The name of a mark, typed beside the picture; its moment is when it was begun.

const byId = (id) => document.getElementById(id);

/** `recording()` returns what is marked: it has `mark(id)`, `name(id, name, isWhole)` and `drop(id)`. */
export class Marks {
  #recording;
  #field = byId("mark-name");
  #id = null; // of the mark that is being named
  #isLate = false; // its recording has ended: what was typed until then is its name

  constructor(recording) {
    this.#recording = recording;
    byId("mark").addEventListener("click", () => this.begin());
    byId("mark-drop").addEventListener("click", () => this.#end((id) => this.#recording().drop(id)));
    byId("naming").addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
    });
    this.#field.addEventListener("input", () => {
      if (!this.#isLate) this.#recording().name(this.#id, this.#field.value.trim(), false);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.repeat && this.#field.value === "") event.preventDefault(); // of the key that began it, still down
      if (event.isComposing || event.key !== "Escape") return; // that ends a choice of characters
      event.preventDefault();
      byId("mark-drop").click();
    });
  }

  /** Marks this moment and asks for its name. */
  begin() {
    this.keep();
    this.#id = Math.random().toString(36).slice(2, 12); // others name marks of the same recording
    this.#recording().mark(this.#id);
    this.#field.value = "";
    byId("naming").hidden = false;
    this.#field.focus();
  }

  /** Keeps the mark that is being named, if any, with what was typed so far. */
  keep() {
    this.#end((id) => this.#recording().name(id, this.#field.value.trim(), true));
  }

  /** Its recording has ended: what is still typed has no other meaning. Returns whether a mark was being named. */
  outlive() {
    const isNew = this.#id !== null && !this.#isLate;
    this.#isLate ||= isNew;
    return isNew;
  }

  #end(tell) {
    if (this.#id === null) return;
    if (!this.#isLate) tell(this.#id);
    this.#id = null;
    this.#isLate = false;
    byId("naming").hidden = true;
    this.#field.blur();
  }
}
