/** Makes elements; text only ever becomes text nodes, so nothing that somebody wrote can become markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Makes an element: `on…` are listeners, `class` and `data-…` and `aria-…` attributes, booleans are set or left out.
 * @param {string} tag @param {Record<string, any> | null} [props] @param {...(Child | Child[])} children @returns {any}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") /** @type {any} */ (element).value = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return element;
}

/** @param {any} child */
const asNode = (child) => (child instanceof Node ? child : String(child));

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a 24 px grid, drawn with the text's colour. @type {Record<string, string>} */
const PATHS = {
  attach: "M21 11.5 12.5 20a5.7 5.7 0 0 1-8-8L13 3.500a3.800 3.800 0 0 1 5.400 5.400l-8.500 8.500a1.900 1.900 0 0 1-2.700-2.700L15 7",
  back: "M15 5l-7 7 7 7",
  bellOff: "M6 6.500A6 6 0 0 0 6 9v4l-2 3h12M10 20a2 2 0 0 0 4 0M9 3.700A6 6 0 0 1 18 9v4M3 3l18 18",
  check: "M5 12.500l4.500 4.500L19 7.500",
  checks: "M2 12.500 6.500 17 15 7.500M11.500 15.500 13 17l9-9.500",
  clock: "M12 7v5l3 2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M12 5v14M5 12h14",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  down: "M12 5v14M6 13l6 6 6-6",
  file: "M14 3H6v18h12V7zM14 3v4h4",
  group: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14a6.500 6.500 0 0 1 3.500 6",
  pin: "M9 3h6l-1 7 4 4H6l4-4zM12 14v7",
  reply: "M10 5l-6 6 6 6M4 11h9a7 7 0 0 1 7 7v1",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
  send: "M4 12 20 4l-5 16-4-7zM11 13l9-9",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  warning: "M12 8v5M12 16.500h.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z",
};

/** Draws an icon, for the eye alone; whoever can't see it reads the label of what holds it. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}

/** A button that shows an icon and says a word. @param {string} name @param {string} label @param {(event: Event) => void} onclick @param {any} [props] */
export const iconButton = (name, label, onclick, props = {}) =>
  h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));

/** @type {WeakMap<Element, Map<string, {sign: string, node: HTMLElement}>>} */
const rowsOf = new WeakMap();

/**
 * Makes a list show these items with as few changes as it takes, so that focus and scrolling survive.
 * @template T
 * @param {Element} parent @param {T[]} items
 * @param {{key: (item: T) => string, sign: (item: T) => string, make: (item: T) => HTMLElement}} how
 */
export function patch(parent, items, { key, sign, make }) {
  const known = rowsOf.get(parent) ?? new Map();
  const rows = new Map();
  for (const item of items) {
    const row = known.get(key(item));
    const signature = sign(item);
    rows.set(key(item), row?.sign === signature ? row : { sign: signature, node: remade(row?.node, make(item)) });
  }
  for (const [name, { node }] of known) if (!rows.has(name)) node.remove();
  let at = parent.firstElementChild;
  for (const { node } of rows.values()) {
    if (at === node) at = node.nextElementSibling;
    else parent.insertBefore(node, at);
  }
  rowsOf.set(parent, rows);
}

/** Puts a node in place of an older one, and the focus where it was. @param {HTMLElement | undefined} old @param {HTMLElement} node */
function remade(old, node) {
  if (!old) return node;
  const focused = old.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  const name = focused?.getAttribute("data-focus");
  old.replaceWith(node);
  if (focused) /** @type {any} */ (name ? node.querySelector(`[data-focus="${name}"]`) : (node.querySelector("button") ?? node))?.focus();
  return node;
}
