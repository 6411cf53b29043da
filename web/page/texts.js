/** Says what a message says: its text, what it carries, or what happened in the group. */

import { nameOf } from "./format.js";

const KINDS = { image: "Photo", audio: "Audio", video: "Video", file: "File", location: "Location", custom: "Message" };

/** @param {any} message @param {(userId: string) => any} userOf @param {string} me */
export function summary(message, userOf, me) {
  if (!message) return "";
  if (message.type === "system") return systemText(message, userOf, me);
  const who = message.sender_id === me ? "You: " : "";
  if (message.recalled) return `${who}message recalled`;
  if (message.type === "text") return `${who}${message.content.text}`;
  return `${who}${message.content.name || KINDS[/** @type {"file"} */ (message.type)] || "Message"}`;
}

/** @param {any} message @param {(userId: string) => any} userOf @param {string} me */
export function systemText({ content, sender_id }, userOf, me) {
  const name = (/** @type {string} */ id) => (id === me ? "you" : nameOf(userOf(id)));
  const actorId = content.actor_id ?? sender_id;
  const actor = actorId === me ? "You" : nameOf(userOf(actorId));
  const others = (content.user_ids ?? []).map(name).join(", ");
  switch (content.event) {
    case "group.created":
      return `${actor} created the group`;
    case "group.member_joined":
      return `${actor} added ${others}`;
    case "group.member_left":
      return (content.user_ids ?? [])[0] === actorId ? `${actor} left the group` : `${actor} removed ${others}`;
    case "group.dissolved":
      return `${actor} dissolved the group`;
    case "group.updated":
      return content.name ? `${actor} named the group “${content.name}”` : `${actor} changed the group`;
    default:
      return "The group changed";
  }
}

/** Words for the codes that a person meets (docs/errors.md). @type {Record<string, string>} */
const REFUSALS = {
  blocked: "This person doesn't take messages from you.",
  not_friends: "Only friends may write to each other here.",
  muted: "You are muted in this group.",
  forbidden: "This is not allowed.",
  group_dissolved: "This group was dissolved.",
  group_full: "The group has no room for so many.",
  conversation_not_found: "You are not in this conversation any more.",
  message_not_found: "This message isn't there any more.",
  invalid_credentials: "Wrong username or password.",
  too_many_attempts: "Too many attempts. Try again later.",
  username_taken: "Somebody has this username already.",
  rate_limited: "Too fast. Try again in a moment.",
  payload_too_large: "This is too large.",
  unavailable: "The service is busy. Try again in a moment.",
};

/** @param {any} failure an error of the client library, or a code */
export function refusal(failure) {
  if (typeof failure === "string") return REFUSALS[failure] ?? "It was refused.";
  if (failure?.errors?.length) return failure.errors.map((/** @type {any} */ one) => `${one.field}: ${one.message}`).join("; ");
  return REFUSALS[failure?.code] ?? failure?.message ?? "It did not work.";
}
