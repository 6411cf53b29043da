/** The open conversation: who it is with, its messages, and the line to write on. */

import { avatar } from "./avatar.js";
import { Composer } from "./composer.js";
import { h, iconButton, patch } from "./dom.js";
import { nameOf, presenceOf } from "./format.js";
import { upload } from "./media.js";
import { showMenu } from "./menus.js";
import { messageRow } from "./message-row.js";
import { rowsOf } from "./rows.js";
import { titleOf } from "./sidebar.js";
import { refusal, summary } from "./texts.js";

const NEAR_PX = 80;

/** Shows one conversation; made anew for each that is opened. */
export class Thread {
  #client;
  #conversation;
  #say;
  #unreadAfter;
  #atEnd = true;
  #loading = false;
  /** The last message that was read out. */
  #announced;
  #head = h("div", { class: "who" });
  #list = h("ol", { class: "messages", "aria-label": "Messages", tabindex: 0, onscroll: () => this.#scrolled() });
  #live = h("div", { class: "sr-only", "aria-live": "polite" });
  #toEnd;
  #composer;

  /**
   * @param {{client: import("../gochat/client.js").Client, conversation: import("../gochat/conversation.js").Conversation,
   *   say: (text: string) => void, back: () => void, info: () => void, draft: string}} options
   */
  constructor({ client, conversation, say, back, info, draft }) {
    this.#client = client;
    this.#conversation = conversation;
    this.#say = say;
    this.#unreadAfter = conversation.unread ? conversation.view.read_seq : 0;
    this.#announced = conversation.high;
    this.#toEnd = iconButton("down", "To the latest message", () => this.#scrollToEnd(), { class: "icon-button to-end", hidden: true });
    this.#composer = new Composer({
      send: (text, replyTo) => this.#send(text, replyTo),
      edit: (message, text) => this.#act("message.edit", { seq: message.seq, content: { text } }),
      attach: (file) => this.#attach(file),
      typed: () => client.presence.tellWriting(conversation.id),
      lastOwn: () => conversation.messages().findLast((one) => one.sender_id === client.me.user_id && one.type === "text" && !one.recalled),
      userOf: (id) => client.user(id),
      me: client.me.user_id,
    });
    this.#composer.text = draft;
    const title = titleOf(conversation.view);
    this.element = h(
      "section",
      { class: "thread", "aria-label": `Chat with ${title}` },
      h("header", { class: "bar" }, iconButton("back", "Back to the chats", back, { class: "icon-button back" }), this.#head, iconButton("dots", "About this chat", info)),
      h("div", { class: "scroller" }, this.#list, this.#toEnd),
      this.#live,
      this.#composer.element,
    );
  }

  get conversation() {
    return this.#conversation;
  }

  get draft() {
    return this.#composer.text;
  }

  focus() {
    this.#composer.focus();
  }

  /** Shows the conversation as it is now. */
  render() {
    this.#renderHead();
    const { me } = this.#client;
    const drafts = this.#client.outbox.drafts(this.#conversation.id);
    const rows = rowsOf(this.#conversation, { drafts, me: me.user_id, unreadAfter: this.#unreadAfter });
    const top = this.#list.firstElementChild;
    const offset = top?.getBoundingClientRect().top ?? 0;
    const height = this.#list.scrollHeight;
    patch(this.#list, rows, { key: (row) => row.key, sign: (row) => this.#sign(row), make: (row) => messageRow(row, this.#acts) });
    if (this.#atEnd) this.#scrollToEnd();
    // What came in above moved what is being read: move back, where the browser has not done so itself.
    else if (top?.isConnected && this.#list.scrollHeight !== height) this.#list.scrollTop += top.getBoundingClientRect().top - offset;
    this.#announce();
    this.#markRead();
    if (this.#list.scrollHeight <= this.#list.clientHeight + NEAR_PX) this.#loadEarlier();
  }

  /** Everything that a row shows, names included. @param {any} row */
  #sign(row) {
    const ids = [row.message?.sender_id, row.replied?.sender_id, row.message?.content?.actor_id, ...(row.message?.content?.user_ids ?? [])];
    return JSON.stringify([row, ids.map((id) => id && nameOf(this.#client.user(id)))]);
  }

  #acts = {
    userOf: (/** @type {string} */ id) => this.#client.user(id),
    me: "",
    menu: (/** @type {Event} */ event, /** @type {any} */ message) => this.#menu(event, message),
    jump: (/** @type {number} */ seq) => this.#jump(seq),
    react: (/** @type {any} */ message, /** @type {string} */ emoji, /** @type {boolean} */ on) => this.#react(message, emoji, on),
    retry: (/** @type {string} */ id) => this.#client.outbox.retry(id),
    discard: (/** @type {string} */ id) => this.#client.outbox.discard(id),
  };

  #renderHead() {
    const { view } = this.#conversation;
    this.#acts.me = this.#client.me.user_id;
    const title = titleOf(view);
    const writers = this.#client.presence.writers(view.conversation_id).map((id) => nameOf(this.#client.user(id)));
    const presence = view.peer ? presenceOf(this.#client.presence.of(view.peer.user_id)) : `${view.member_count} members`;
    const status = writers.length ? `${view.type === "group" ? `${writers.join(", ")} ` : ""}typing…` : presence;
    const online = Boolean(view.peer && this.#client.presence.of(view.peer.user_id)?.online);
    const sign = JSON.stringify([title, status, online, view.peer?.avatar_url]);
    if (this.#head.dataset.sign === sign) return;
    this.#head.dataset.sign = sign;
    this.#head.replaceChildren(
      avatar({ name: title, id: view.peer?.user_id ?? view.conversation_id, url: view.peer?.avatar_url, isGroup: view.type === "group", online }),
      h("div", null, h("h1", null, title), h("p", { class: writers.length ? "status writing" : "status" }, status)),
    );
  }

  /** Reads new messages of others out, but not the history. */
  #announce() {
    const fresh = this.#conversation.messages().filter((one) => one.seq > this.#announced && one.sender_id !== this.#client.me.user_id);
    this.#announced = Math.max(this.#announced, this.#conversation.high);
    if (!fresh.length) return;
    const userOf = (/** @type {string} */ id) => this.#client.user(id);
    const aloud = (/** @type {any} */ one) => (one.type === "system" ? "" : `${nameOf(userOf(one.sender_id))}: `) + summary(one, userOf, this.#client.me.user_id);
    this.#live.textContent = fresh.map(aloud).join(". ");
  }

  /** What stands on the screen is read. */
  #markRead() {
    const isSeen = this.#atEnd && document.visibilityState === "visible";
    this.#client.show(isSeen ? this.#conversation.id : "");
    this.#toEnd.hidden = this.#atEnd;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#markRead();
    if (scrollTop < NEAR_PX * 3) this.#loadEarlier();
  }

  #scrollToEnd() {
    this.#atEnd = true;
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  async #loadEarlier() {
    if (this.#loading || this.#conversation.atStart || this.#conversation.low === null) return;
    this.#loading = true;
    try {
      await this.#client.sync.loadBefore(this.#conversation);
      this.#loading = false;
      this.#client.onChange();
    } catch {
      setTimeout(() => (this.#loading = false), 2000); // scrolling on tries again
    }
  }

  /** @param {number} seq */
  async #jump(seq) {
    while (!this.#conversation.atStart && this.#conversation.low !== null && seq < this.#conversation.low) {
      const { low } = this.#conversation;
      await this.#client.sync.loadBefore(this.#conversation);
      if (this.#conversation.low === low) return;
    }
    this.#atEnd = false;
    this.render();
    const row = this.#list.querySelector(`[data-seq="${seq}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("pointed");
    setTimeout(() => row?.classList.remove("pointed"), 1500);
  }

  /** @param {string} text @param {any} replyTo */
  async #send(text, replyTo) {
    this.#atEnd = true;
    this.#unreadAfter = 0;
    this.#client.presence.doneWriting();
    await this.#client.outbox.post(this.#conversation.id, { content: { text }, reply_to_seq: replyTo?.seq ?? null });
  }

  /** @param {File} file */
  async #attach(file) {
    try {
      this.#say(`Uploading ${file.name} …`);
      await this.#client.outbox.post(this.#conversation.id, await upload(this.#client, file));
      this.#say("");
    } catch (failure) {
      this.#say(refusal(failure));
    }
  }

  /** @param {any} message @param {string} emoji @param {boolean} on */
  #react(message, emoji, on) {
    return this.#act(on ? "reaction.add" : "reaction.remove", { seq: message.seq, emoji });
  }

  /** @param {string} action @param {any} data */
  async #act(action, data) {
    try {
      await this.#client.act(action, { conversation_id: this.#conversation.id, ...data });
    } catch (failure) {
      this.#say(refusal(failure));
    }
  }

  /** @param {Event} event @param {any} message */
  #menu(event, message) {
    const isMine = message.sender_id === this.#client.me.user_id;
    showMenu(/** @type {HTMLElement} */ (event.currentTarget), {
      emoji: (emoji) => this.#react(message, emoji, !message.reactions.some((/** @type {any} */ one) => one.emoji === emoji && one.mine)),
      items: [
        ["Reply", () => this.#composer.replyTo(message)],
        message.type === "text" && ["Copy text", () => navigator.clipboard?.writeText(message.content.text)],
        isMine && message.type === "text" && ["Edit", () => this.#composer.edit(message)],
        (isMine || this.#conversation.view.type === "group") && ["Recall", () => this.#act("message.recall", { seq: message.seq }), "danger"],
      ],
    });
  }
}
