/** Writes times, names and sizes as people read them. */

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY_MS = 86_400_000;

const startOfDay = (/** @type {Date} */ at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
const daysAgo = (/** @type {string} */ at) => Math.round((startOfDay(new Date()) - startOfDay(new Date(at))) / DAY_MS);

/** @param {string} at */
export const timeOf = (at) => time.format(new Date(at));

/** @param {string} at */
export const fullTimeOf = (at) => full.format(new Date(at));

/** @param {string} at */
export function dayOf(at) {
  const ago = daysAgo(at);
  return ago === 0 ? "Today" : ago === 1 ? "Yesterday" : day.format(new Date(at));
}

/** Gives a time as a list has room for. @param {string} at */
export function shortTimeOf(at) {
  const ago = daysAgo(at);
  return ago <= 0 ? timeOf(at) : ago < 7 ? weekday.format(new Date(at)) : date.format(new Date(at));
}

/** @param {{online: boolean, last_seen: string | null} | undefined} state */
export function presenceOf(state) {
  if (!state) return "";
  if (state.online) return "online";
  return state.last_seen ? `last seen ${daysAgo(state.last_seen) ? `${shortTimeOf(state.last_seen)}, ` : ""}${timeOf(state.last_seen)}` : "";
}

/** @param {number} bytes */
export function sizeOf(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3);
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${units[power]}`;
}

/** What one calls a user; erased accounts have no name. @param {any} user */
export const nameOf = (user) => (user ? user.display_name || user.username || "Deleted account" : "…");

/** @param {string} name */
export const initialsOf = (name) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join("") || "?";

/** One of 10 colours, always the same for the same text. @param {string} text */
export const hueOf = (text) => [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7) % 10;
