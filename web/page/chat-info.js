/** The dialog about one chat: mute, pin, delete; for groups the members, who comes in, and leaving. */

import { attempt, peopleSearch, personButton, showDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { titleOf } from "./sidebar.js";

/** @param {import("../gochat/client.js").Client} client @param {import("../gochat/conversation.js").Conversation} conversation @param {() => void} onGone */
export function showChatInfo(client, conversation, onGone) {
  const { view, id } = conversation;
  const fault = h("p", { class: "fault", role: "alert" });
  const change = async (/** @type {any} */ changed) => {
    const isDone = await attempt(fault, async () => {
      const answer = await client.write("PATCH", `/conversations/${id}`, changed);
      client.roster.put(answer.conversation);
      client.onChange();
    });
    if (!isDone) dialog.close();
  };
  const hide = () =>
    attempt(fault, async () => {
      await client.write("DELETE", `/conversations/${id}`);
      client.roster.remove(id);
      dialog.close();
      onGone();
    });
  const toggle = (/** @type {string} */ label, /** @type {"muted" | "pinned"} */ field) =>
    h("label", { class: "toggle" }, h("span", null, label), h("input", { type: "checkbox", role: "switch", checked: view[field], onchange: (/** @type {any} */ event) => change({ [field]: event.target.checked }) }));
  const members = view.group_id ? h("div", { class: "group", "aria-busy": "true" }, h("p", { class: "quiet" }, "Loading the members …")) : null;
  const dialog = showDialog(
    titleOf(view),
    toggle("Mute", "muted"),
    toggle("Pin to the top", "pinned"),
    members,
    fault,
    h("button", { type: "button", class: "wide danger", onclick: hide }, "Delete chat for me"),
  );
  if (members) showGroup(client, view.group_id, { members, fault, leave: () => (dialog.close(), client.roster.remove(id), onGone()) });
}

/**
 * @param {import("../gochat/client.js").Client} client @param {string} groupId
 * @param {{members: HTMLElement, fault: HTMLElement, leave: () => void}} parts
 */
async function showGroup(client, groupId, { members, fault, leave }) {
  const path = `/groups/${groupId}`;
  const again = () => showGroup(client, groupId, { members, fault, leave });
  const act = async (/** @type {() => Promise<any>} */ work, /** @type {() => void} */ then) => (await attempt(fault, work)) && then();
  await attempt(fault, async () => {
    const [{ group }, { members: page, next_cursor }] = await Promise.all([client.api("GET", path), client.api("GET", `${path}/members?limit=100`)]);
    page.forEach((/** @type {any} */ member) => client.roster.know(member.user));
    const own = page.find((/** @type {any} */ member) => member.user.user_id === client.me.user_id);
    const mayManage = own?.role === "owner" || own?.role === "admin";
    const name = h("input", { id: "group-name", value: group.name, maxlength: 100, required: true });
    const rename = (/** @type {Event} */ event) => (event.preventDefault(), act(() => client.write("PATCH", path, { name: name.value.trim() }), again));
    const invite = (/** @type {any} */ user) => act(() => client.write("POST", `${path}/members`, { user_ids: [user.user_id] }), again);
    const remove = (/** @type {string} */ userId, /** @type {() => void} */ then) => act(() => client.write("DELETE", `${path}/members/${userId}`), then);
    const isDissolved = Boolean(group.dissolved_at);
    members.removeAttribute("aria-busy");
    members.replaceChildren(
      ...[
        mayManage && !isDissolved && h("form", { class: "inline", onsubmit: rename }, h("div", { class: "field" }, h("label", { for: "group-name" }, "Name of the group"), name), h("button", null, "Rename")),
        h("h3", null, `${group.member_count} members`),
        h("ul", { class: "people" }, page.map((/** @type {any} */ member) => memberRow(member, { client, mayRemove: mayManage && !isDissolved && member.role === "member", remove: () => remove(member.user.user_id, again) }))),
        next_cursor && h("p", { class: "quiet" }, "The first 100 are shown."),
        !isDissolved && peopleSearch(client, { label: "Invite by username", choose: invite }),
        isDissolved && h("p", { class: "quiet" }, "This group was dissolved."),
        !isDissolved && own?.role !== "owner" && h("button", { type: "button", class: "wide danger", onclick: () => remove(client.me.user_id, leave) }, "Leave group"),
        !isDissolved && own?.role === "owner" && h("button", { type: "button", class: "wide danger", onclick: () => act(() => client.write("DELETE", path), again) }, "Dissolve group"),
      ].filter((part) => part instanceof Node),
    );
  });
}

/** @param {any} member @param {{client: import("../gochat/client.js").Client, mayRemove: boolean, remove: () => void}} options */
const memberRow = ({ user, role }, { client, mayRemove, remove }) =>
  h(
    "li",
    { class: "member" },
    personButton(user, { disabled: true }, h("span", { class: "role" }, role === "member" ? "" : role)),
    mayRemove && user.user_id !== client.me.user_id && h("button", { type: "button", class: "link", onclick: remove }, "Remove"),
  );
