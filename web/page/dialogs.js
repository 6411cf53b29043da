/** The frame of every dialog, and the search for people that several of them need. */

import { avatar } from "./avatar.js";
import { h, iconButton } from "./dom.js";
import { nameOf } from "./format.js";
import { refusal } from "./texts.js";

/** Opens a dialog; it is gone once it is closed. @param {string} title @param {...any} content @returns {HTMLDialogElement} */
export function showDialog(title, ...content) {
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h("header", null, h("h2", { id: "dialog-title" }, title), iconButton("close", "Close", () => dialog.close())),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (/** @type {Event} */ event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Runs what a dialog does; a refusal is shown where `fault` stands.
 * @param {HTMLElement} fault @param {() => Promise<any>} work @returns {Promise<boolean>} whether it was done
 */
export async function attempt(fault, work) {
  fault.textContent = "";
  try {
    await work();
    return true;
  } catch (failure) {
    fault.textContent = refusal(failure);
    return false;
  }
}

/** Lets something run once at a time: a second click makes no second group. @template {any[]} A @param {(...given: A) => Promise<any>} work */
export function alone(work) {
  let isRunning = false;
  return async (/** @type {A} */ ...given) => {
    if (isRunning) return;
    isRunning = true;
    await work(...given).finally(() => (isRunning = false));
  };
}

/** @param {any} user @param {any} [props] @param {...any} more */
export const personButton = (user, props = {}, ...more) =>
  h(
    "button",
    { type: "button", class: "person", ...props },
    avatar({ name: nameOf(user), id: user.user_id, url: user.avatar_url }),
    h("span", { class: "names" }, h("strong", null, nameOf(user)), h("small", null, `@${user.username}`)),
    ...more,
  );

/**
 * A field that finds people by the beginning of their username.
 * @param {import("../gochat/client.js").Client} client
 * @param {{label: string, choose: (user: any) => void, isChosen?: (user: any) => boolean}} options
 */
export function peopleSearch(client, { label, choose, isChosen = () => false }) {
  const fault = h("p", { class: "fault", role: "alert" });
  const found = h("ul", { class: "people", "aria-label": "People" });
  const input = h("input", { type: "search", id: "people-search", autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "Username", oninput: () => search() });
  let asked = "";

  async function search() {
    const words = input.value.trim().replace(/^@/, "");
    asked = words;
    if (!words) return found.replaceChildren();
    await attempt(fault, async () => {
      const { users } = await client.api("GET", `/users/search?limit=20&q=${encodeURIComponent(words)}`);
      if (asked !== words) return; // a later answer is the one that counts
      const others = users.filter((/** @type {any} */ user) => user.user_id !== client.me.user_id);
      others.forEach((/** @type {any} */ user) => client.roster.know(user));
      const rows = others.map((/** @type {any} */ user) => h("li", null, personButton(user, { "aria-pressed": isChosen(user) ? "true" : null, onclick: () => (choose(user), search()) })));
      found.replaceChildren(...(rows.length ? rows : [h("li", { class: "quiet" }, "Nobody has a username that begins so.")]));
    });
  }

  return h("div", { class: "field" }, h("label", { for: "people-search" }, label), input, fault, found);
}
