/** One message as a row: who, what, when, how far it has come, and what can be done with it. */

import { avatar } from "./avatar.js";
import { h, icon, iconButton } from "./dom.js";
import { fullTimeOf, nameOf, sizeOf, timeOf } from "./format.js";
import { ownMedia } from "./media.js";
import { refusal, summary, systemText } from "./texts.js";

const STATES = {
  queued: ["clock", "Sending"],
  sent: ["clock", "Sending"],
  waiting: ["clock", "Sending"],
  accepted: ["clock", "Sending"],
  failed: ["warning", "Not sent"],
  stored: ["check", "Sent"],
  delivered: ["checks", "Delivered"],
  read: ["checks", "Read"],
};

/** @param {any} row @param {any} acts */
export function messageRow(row, acts) {
  if (row.kind === "day") return h("li", { class: "day" }, h("span", null, row.text));
  if (row.kind === "unread") return h("li", { class: "unread-line" }, h("span", null, "New messages"));
  const { message } = row;
  if (message.type === "system") return h("li", { class: "system" }, h("span", null, systemText(message, acts.userOf, acts.me)));
  const sender = nameOf(acts.userOf(message.sender_id));
  const classes = ["message", row.isMine ? "mine" : "theirs", row.follows && "follows", message.recalled && "recalled", row.state === "failed" && "failed"];
  return h(
    "li",
    { class: classes.filter(Boolean).join(" "), "data-seq": message.seq, "data-client-msg-id": message.client_msg_id, "data-state": row.state },
    !row.isMine && row.isGroup && (row.follows ? h("span", { class: "avatar none" }) : avatar({ name: sender, id: message.sender_id, url: acts.userOf(message.sender_id)?.avatar_url })),
    h(
      "div",
      { class: "stack" },
      !row.isMine && row.isGroup && !row.follows && h("span", { class: "sender" }, sender),
      h("span", { class: "sr-only" }, row.isMine ? "You: " : `${sender}: `),
      h("div", { class: "bubble" }, quote(row.replied, acts), body(message), meta(row)),
      reactions(message, acts),
      row.state === "failed" && failed(row, acts),
    ),
    message.seq && !message.recalled && iconButton("dots", `Actions for the message “${summary(message, acts.userOf, acts.me).slice(0, 40)}”`, (event) => acts.menu(event, message), { class: "icon-button more", "aria-haspopup": "menu", "data-focus": "more" }),
  );
}

/** @param {any} replied @param {any} acts */
function quote(replied, acts) {
  if (!replied) return null;
  if (replied.isAway) return h("span", { class: "quote" }, "An earlier message");
  const text = replied.recalled ? "Message recalled" : summary({ ...replied, sender_id: "" }, acts.userOf, acts.me);
  return h(
    "button",
    { type: "button", class: "quote", onclick: () => acts.jump(replied.seq) },
    h("strong", null, replied.sender_id === acts.me ? "You" : nameOf(acts.userOf(replied.sender_id))),
    h("span", null, text.slice(0, 160)),
  );
}

/** @param {any} message */
function body({ type, content, recalled }) {
  if (recalled) return h("p", { class: "text" }, "Message recalled");
  if (type === "text") return h("p", { class: "text", dir: "auto" }, linked(content.text));
  const link = safeUrl(content.url);
  const own = ownMedia(content.url);
  if (type === "image" && own) {
    return h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, h("img", { class: "picture", src: own, alt: content.name ?? "Photo", loading: "lazy", width: content.width, height: content.height }));
  }
  if (type === "audio" && own) return h("audio", { controls: true, src: own, preload: "none" });
  if (type === "video" && own) return h("video", { class: "picture", controls: true, src: own, preload: "metadata" });
  if (link) {
    return h("a", { class: "file", href: link, target: "_blank", rel: "noopener noreferrer" }, icon("file"), h("span", null, h("strong", null, content.name ?? "File"), h("small", null, sizeOf(content.size))));
  }
  if (type === "location") return h("p", { class: "text" }, content.name ?? `${content.latitude}, ${content.longitude}`);
  return h("p", { class: "text" }, "This message can't be shown here.");
}

/** Only what a browser opens as a page or a picture: never `javascript:`. @param {unknown} url */
const safeUrl = (url) => (typeof url === "string" && /^https?:\/\//i.test(url) ? url : null);

const LINK = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/gi;

/** @param {string} text */
const linked = (text) =>
  text.split(LINK).map((part, index) => (index % 2 ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part));

/** @param {any} row */
function meta({ message, state, isMine }) {
  const [sign, label] = STATES[/** @type {"stored"} */ (state)] ?? [];
  return h(
    "span",
    { class: "meta" },
    message.edited_at && !message.recalled && h("span", null, "edited"),
    h("time", { datetime: message.created_at, title: fullTimeOf(message.created_at) }, timeOf(message.created_at)),
    isMine && sign && h("span", { class: `state ${state}`, title: label }, icon(sign), h("span", { class: "sr-only" }, label)),
  );
}

/** @param {any} message @param {any} acts */
function reactions(message, acts) {
  if (!message.reactions.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((/** @type {any} */ one) =>
      h(
        "button",
        {
          type: "button",
          class: one.mine ? "reaction mine" : "reaction",
          "aria-pressed": String(one.mine),
          "aria-label": `${one.emoji} ${one.count}`,
          title: one.user_ids.map((/** @type {string} */ id) => (id === acts.me ? "You" : nameOf(acts.userOf(id)))).join(", "),
          "data-focus": one.emoji,
          onclick: () => acts.react(message, one.emoji, !one.mine),
        },
        one.emoji,
        h("span", null, one.count),
      ),
    ),
  );
}

/** @param {any} row @param {any} acts */
const failed = ({ message, code }, acts) =>
  h(
    "div",
    { class: "failed-note", role: "alert" },
    h("span", null, refusal(code)),
    h("button", { type: "button", class: "link", onclick: () => acts.retry(message.client_msg_id) }, "Try again"),
    h("button", { type: "button", class: "link", onclick: () => acts.discard(message.client_msg_id) }, "Discard"),
  );
