/** The dialog about oneself: name, notifications, logging out. */

import { pushState, turnPushOff, turnPushOn } from "../gochat/push.js";
import { attempt, showDialog } from "./dialogs.js";
import { h } from "./dom.js";

const PUSH_WORDS = { unsupported: "This browser can't be notified.", denied: "This browser doesn't allow notifications here.", off: "", on: "" };

/** @param {{client: import("../gochat/client.js").Client, session: import("../gochat/session.js").Session}} options */
export async function showSettings({ client, session }) {
  const fault = h("p", { class: "fault", role: "alert" });
  const name = h("input", { id: "own-name", value: client.me.display_name, maxlength: 64, required: true, autocomplete: "name" });
  const rename = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(fault, async () => {
      const { user } = await client.write("PATCH", "/users/me", { display_name: name.value.trim() });
      client.me = user;
      client.roster.know(user);
      dialog.close();
    });
  };
  const state = await pushState();
  const notify = h("input", { type: "checkbox", role: "switch", checked: state === "on", disabled: state === "unsupported" || state === "denied" });
  notify.addEventListener("change", async () => {
    const turn = notify.checked ? turnPushOn : turnPushOff;
    if (!(await attempt(fault, () => turn(client, session.deviceId)))) notify.checked = !notify.checked;
  });
  const leave = (/** @type {boolean} */ everywhere) => attempt(fault, () => session.logout(everywhere)).then(() => dialog.close());
  const dialog = showDialog(
    "Settings",
    h("form", { class: "inline", onsubmit: rename }, h("div", { class: "field" }, h("label", { for: "own-name" }, "Name (as others see it)"), name), h("button", null, "Save")),
    h("p", { class: "quiet" }, `You are @${client.me.username}.`),
    h("label", { class: "toggle" }, h("span", null, "Notifications while GoChat is closed"), notify),
    h("p", { class: "quiet" }, PUSH_WORDS[/** @type {"on"} */ (state)]),
    fault,
    h("button", { type: "button", class: "wide", onclick: () => leave(false) }, "Log out"),
    h("button", { type: "button", class: "wide danger", onclick: () => leave(true) }, "Log out everywhere"),
  );
}
