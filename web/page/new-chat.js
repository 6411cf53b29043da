/** The dialog that begins a chat with somebody, or a group. */

import { alone, attempt, peopleSearch, showDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { nameOf } from "./format.js";

/** @param {import("../gochat/client.js").Client} client @param {(conversationId: string) => void} open */
export function showNewChat(client, open) {
  const fault = h("p", { class: "fault", role: "alert" });
  const begin = alone(async (/** @type {any} */ user) => {
    const isDone = await attempt(fault, async () => {
      const { conversation } = await client.write("POST", "/conversations/create", { type: "single", member_ids: [user.user_id] });
      client.roster.put(conversation);
      client.presence.watch([user.user_id]);
      open(conversation.conversation_id);
    });
    if (isDone) dialog.close();
  });
  const toGroup = () => {
    dialog.close();
    showNewGroup(client, open);
  };
  const dialog = showDialog(
    "New chat",
    peopleSearch(client, { label: "Find somebody by username", choose: begin }),
    fault,
    h("button", { type: "button", class: "wide", onclick: toGroup }, "New group"),
  );
}

/** @param {import("../gochat/client.js").Client} client @param {(conversationId: string) => void} open */
function showNewGroup(client, open) {
  /** @type {Map<string, any>} */
  const members = new Map();
  const fault = h("p", { class: "fault", role: "alert" });
  const chosen = h("ul", { class: "chips", "aria-label": "Members" });
  const name = h("input", { id: "group-name", maxlength: 100, required: true, autocomplete: "off" });
  const choose = (/** @type {any} */ user) => {
    if (!members.delete(user.user_id)) members.set(user.user_id, user);
    chosen.replaceChildren(...[...members.values()].map((one) => h("li", null, nameOf(one), h("button", { type: "button", "aria-label": `Leave ${nameOf(one)} out`, onclick: () => choose(one) }, "×"))));
  };
  const make = alone(async () => {
    const isDone = await attempt(fault, async () => {
      const { conversation } = await client.write("POST", "/groups/create", { name: name.value.trim(), member_ids: [...members.keys()] });
      client.roster.put(conversation);
      open(conversation.conversation_id);
    });
    if (isDone) dialog.close();
  });
  const dialog = showDialog(
    "New group",
    h(
      "form",
      { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), make()) },
      h("div", { class: "field" }, h("label", { for: "group-name" }, "Name of the group"), name),
      chosen,
      peopleSearch(client, { label: "Add people by username", choose, isChosen: (user) => members.has(user.user_id) }),
      fault,
      h("button", { class: "primary wide" }, "Create group"),
    ),
  );
  name.focus();
}
