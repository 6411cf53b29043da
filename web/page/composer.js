/** Where one writes: a text, an answer, another wording of a message; and where files are attached. */

import { h, iconButton } from "./dom.js";
import { nameOf } from "./format.js";
import { summary } from "./texts.js";

/** Takes what is typed; hands it on when it is sent. */
export class Composer {
  #options;
  #input;
  #about = h("div", { class: "about", hidden: true });
  #files;
  /** What a text is an answer to. @type {any} */
  #replyTo = null;
  /** What a text replaces. @type {any} */
  #editing = null;

  /**
   * @param {{send: (text: string, replyTo: any) => void, edit: (message: any, text: string) => void, attach: (file: File) => void,
   *   typed: () => void, lastOwn: () => any, userOf: (id: string) => any, me: string}} options
   */
  constructor(options) {
    this.#options = options;
    this.#input = h("textarea", { rows: 1, "aria-label": "Message", placeholder: "Write a message", maxlength: 8000, enterkeyhint: "send", dir: "auto", oninput: () => this.#typed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
    this.#files = h("input", { type: "file", hidden: true, "aria-label": "File to attach", onchange: () => this.#attach() });
    this.element = h(
      "form",
      { class: "composer", onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
      this.#about,
      h(
        "div",
        { class: "row" },
        iconButton("attach", "Attach a file", () => this.#files.click()),
        this.#files,
        this.#input,
        iconButton("send", "Send", () => {}, { type: "submit", class: "icon-button accent send" }),
      ),
    );
  }

  get text() {
    return this.#input.value;
  }

  set text(text) {
    this.#input.value = text;
    this.#grow();
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  /** @param {any} message */
  replyTo(message) {
    this.cancel();
    this.#replyTo = message;
    this.#tellAbout(`Reply to ${message.sender_id === this.#options.me ? "yourself" : nameOf(this.#options.userOf(message.sender_id))}`, message);
  }

  /** @param {any} message */
  edit(message) {
    this.cancel();
    this.#editing = message;
    this.text = message.content.text;
    this.#tellAbout("Edit message", message);
  }

  cancel() {
    if (this.#editing) this.text = "";
    this.#editing = this.#replyTo = null;
    this.#about.hidden = true;
  }

  /** @param {string} what @param {any} message */
  #tellAbout(what, message) {
    this.#about.hidden = false;
    this.#about.replaceChildren(
      h("span", null, h("strong", null, what), h("span", null, summary({ ...message, sender_id: "" }, this.#options.userOf, this.#options.me).slice(0, 120))),
      iconButton("close", "Cancel", () => (this.cancel(), this.focus())),
    );
    this.focus();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.text.trim();
    if (!text) return;
    const [editing, replyTo] = [this.#editing, this.#replyTo];
    this.cancel();
    this.text = "";
    if (editing) this.#options.edit(editing, text);
    else this.#options.send(text, replyTo);
    this.focus();
  }

  #typed() {
    this.#grow();
    if (this.text && !this.#editing) this.#options.typed();
  }

  #grow() {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) this.#submit(event);
    else if (event.key === "Escape") this.cancel();
    else if (event.key === "ArrowUp" && !this.text) {
      const last = this.#options.lastOwn();
      if (last) {
        event.preventDefault();
        this.edit(last);
      }
    }
  }

  #attach() {
    for (const file of this.#files.files) this.#options.attach(file);
    this.#files.value = "";
  }
}
