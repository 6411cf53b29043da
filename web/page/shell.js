/** The page of somebody who is logged in: the list, the open chat, and how the connection is. */

import { h } from "./dom.js";
import { Sidebar } from "./sidebar.js";
import { Thread } from "./thread.js";

const FRAME_MS = 16;
const NOTE_MS = 6_000;
// A connection that is back at once needs no word.
const PATIENCE_MS = 1_500;

const BANNERS = {
  connecting: "Connecting …",
  "catching up": "Catching up …",
  offline: "No connection. What you write is sent as soon as it is back.",
  replaced: "GoChat was opened elsewhere with this login.",
  stopped: "",
  online: "",
};

/** Shows a client; draws at most once in a while, however much happens. */
export class Shell {
  #client;
  #onInfo;
  #sidebar;
  /** @type {Thread | null} */
  #thread = null;
  #shown = "";
  /** What was typed and not sent, by conversation. @type {Map<string, string>} */
  #drafts = new Map();
  /** @type {any} */
  #drawing;
  /** @type {any} */
  #noting;
  /** @type {any} */
  #patience;
  #banner = h("div", { class: "banner", role: "status", hidden: true });
  #note = h("div", { class: "note", role: "status", hidden: true });
  #main = h("main", { class: "stage" });

  /**
   * @param {{client: import("../gochat/client.js").Client, onNew: () => void, onSettings: () => void,
   *   onInfo: (conversation: import("../gochat/conversation.js").Conversation) => void}} options
   */
  constructor({ client, onNew, onSettings, onInfo }) {
    this.#client = client;
    this.#onInfo = onInfo;
    this.#sidebar = new Sidebar({ client, onNew, onSettings, open: (id) => (location.hash = id) });
    this.element = h("div", { class: "shell" }, this.#banner, h("div", { class: "panes" }, this.#sidebar.element, this.#main), this.#note);
    client.onChange = () => (this.#drawing ??= setTimeout(() => this.#draw(), FRAME_MS));
    client.onRefused = (code, message) => this.say(message || code);
    addEventListener("hashchange", this.#follow);
    addEventListener("keydown", this.#key);
    this.#show("");
  }

  /** Opens the conversation that the address names, as soon as it is known. */
  #follow = () => {
    const id = location.hash.slice(1);
    if (id !== this.#shown) this.#show(this.#client.roster.get(id) ? id : "");
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && this.#shown && !document.querySelector("dialog[open], [popover]:popover-open") && !(event.target instanceof HTMLTextAreaElement)) this.open("");
  };

  /** @param {string} id a conversation, or "" for none */
  open(id) {
    if (location.hash.slice(1) === id) this.#show(id);
    else location.hash = id;
  }

  /** Says something for a few seconds. @param {string} text */
  say(text) {
    clearTimeout(this.#noting);
    this.#note.textContent = text;
    this.#note.hidden = !text;
    this.#noting = setTimeout(() => (this.#note.hidden = true), NOTE_MS);
  }

  close() {
    removeEventListener("hashchange", this.#follow);
    removeEventListener("keydown", this.#key);
    clearTimeout(this.#drawing);
    document.querySelectorAll("dialog, [popover]").forEach((one) => one.remove());
    document.title = "GoChat";
  }

  /** @param {string} id */
  #show(id) {
    if (this.#thread) this.#drafts.set(this.#shown, this.#thread.draft);
    this.#client.show("");
    const conversation = this.#client.roster.get(id);
    this.#shown = conversation ? id : "";
    this.#thread = conversation
      ? new Thread({
          client: this.#client,
          conversation,
          say: (text) => this.say(text),
          back: () => this.open(""),
          info: () => this.#onInfo(conversation),
          draft: this.#drafts.get(id) ?? "",
        })
      : null;
    this.element.classList.toggle("has-thread", Boolean(conversation));
    this.#main.replaceChildren(this.#thread?.element ?? nothing());
    this.#draw();
    this.#thread?.focus();
  }

  #draw() {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    const { roster, status } = this.#client;
    if (!this.#shown && roster.get(location.hash.slice(1))) return this.#follow();
    const conversation = roster.get(this.#shown);
    if (this.#shown && !conversation) return this.open("");
    // Cleared elsewhere and begun anew, it is another one.
    if (conversation && this.#thread?.conversation !== conversation) return this.#show(this.#shown);
    this.#sidebar.render(this.#shown);
    this.#thread?.render();
    const unread = roster.list().reduce((sum, one) => sum + (one.view.muted ? 0 : one.unread), 0);
    document.title = unread ? `(${unread}) GoChat` : "GoChat";
    this.element.dataset.status = status;
    this.#tellStatus(BANNERS[/** @type {"online"} */ (status)] ?? "");
  }

  /** @param {string} text */
  #tellStatus(text) {
    if (this.#banner.textContent === text && (this.#patience || !text)) return;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#banner.textContent = text;
    this.#banner.hidden = true;
    if (text) this.#patience = setTimeout(() => (this.#banner.hidden = !this.#banner.textContent), PATIENCE_MS);
  }
}

const nothing = () =>
  h("div", { class: "nothing" }, h("img", { src: "/icon.svg", alt: "", width: 72, height: 72 }), h("p", null, "Choose a chat, or begin a new one."));
