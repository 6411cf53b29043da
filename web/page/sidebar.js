/** The list of conversations, with what was said last and how much of it is unread. */

import { avatar } from "./avatar.js";
import { h, icon, iconButton, patch } from "./dom.js";
import { nameOf, shortTimeOf } from "./format.js";
import { summary } from "./texts.js";

/** What a conversation is called. @param {any} view */
export const titleOf = (view) => (view.type === "group" ? (view.name ?? "Group") : nameOf(view.peer));

/** Shows the list; `open` opens a conversation. */
export class Sidebar {
  #client;
  #open;
  #filter = "";
  #list = h("ul", { class: "conversations" });
  #empty = h("p", { class: "quiet empty" });

  /** @param {{client: import("../gochat/client.js").Client, open: (id: string) => void, onNew: () => void, onSettings: () => void}} options */
  constructor({ client, open, onNew, onSettings }) {
    this.#client = client;
    this.#open = open;
    const search = h("input", { type: "search", placeholder: "Search chats", "aria-label": "Search chats", oninput: () => this.#search(search.value) });
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": "Chats" },
      h(
        "header",
        { class: "bar" },
        h("h1", { class: "brand" }, h("img", { src: "/icon.svg", alt: "", width: 28, height: 28 }), "GoChat"),
        iconButton("settings", "Settings", onSettings),
        iconButton("compose", "New chat", onNew, { class: "icon-button accent" }),
      ),
      h("div", { class: "search" }, icon("search"), search),
      this.#list,
      this.#empty,
    );
  }

  /** @param {string} shown the open conversation */
  render(shown) {
    const words = this.#filter.toLowerCase();
    const rows = this.#client.roster.list().map((conversation) => this.#row(conversation, shown)).filter((row) => row.title.toLowerCase().includes(words));
    patch(this.#list, rows, { key: (row) => row.id, sign: (row) => JSON.stringify(row), make: (row) => this.#make(row) });
    this.#empty.hidden = rows.length > 0;
    this.#empty.textContent = words ? "No chat has this name." : "No chats yet. Start one with +.";
  }

  /** @param {string} text */
  #search(text) {
    this.#filter = text;
    this.#client.onChange();
  }

  /** @param {import("../gochat/conversation.js").Conversation} conversation @param {string} shown */
  #row(conversation, shown) {
    const { view, id } = conversation;
    const last = this.#client.outbox.drafts(id).at(-1);
    const said = last ? { ...last, sender_id: this.#client.me.user_id } : conversation.lastMessage;
    const writers = this.#client.presence.writers(id);
    const me = this.#client.me.user_id;
    const isOthers = view.type === "group" && said && said.sender_id !== me && said.type !== "system";
    const text = `${isOthers ? `${nameOf(this.#client.user(said.sender_id))}: ` : ""}${summary(said, (user) => this.#client.user(user), me)}`;
    return {
      id,
      title: titleOf(view),
      avatarId: view.peer?.user_id ?? id,
      url: view.peer?.avatar_url,
      isGroup: view.type === "group",
      online: Boolean(view.peer && this.#client.presence.of(view.peer.user_id)?.online),
      text: writers.length ? "typing…" : text.slice(0, 120),
      isWriting: writers.length > 0,
      at: said ? shortTimeOf(said.created_at) : "",
      unread: conversation.unread,
      muted: view.muted,
      pinned: view.pinned,
      isOpen: id === shown,
    };
  }

  /** @param {any} row */
  #make(row) {
    const unread = row.unread > 99 ? "99+" : row.unread;
    return h(
      "li",
      null,
      h(
        "button",
        { class: "conversation", "data-conversation": row.id, "aria-current": row.isOpen ? "true" : null, onclick: () => this.#open(row.id) },
        avatar({ name: row.title, id: row.avatarId, url: row.url, isGroup: row.isGroup, online: row.online }),
        h(
          "span",
          { class: "what" },
          h("span", { class: "line" }, h("span", { class: "title" }, row.title), row.online && h("span", { class: "sr-only" }, "online"), h("span", { class: "when" }, row.at)),
          h(
            "span",
            { class: "line" },
            h("span", { class: row.isWriting ? "last writing" : "last" }, row.text),
            row.muted && h("span", { class: "sign", title: "Muted" }, icon("bellOff"), h("span", { class: "sr-only" }, "muted")),
            row.pinned && h("span", { class: "sign", title: "Pinned" }, icon("pin"), h("span", { class: "sr-only" }, "pinned")),
            row.unread > 0 && h("span", { class: row.muted ? "badge muted" : "badge" }, unread, h("span", { class: "sr-only" }, " unread")),
          ),
        ),
      ),
    );
  }
}
