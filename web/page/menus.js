/** The menu of a message: a row of emoji, and what else can be done with it. */

import { h } from "./dom.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🎉"];
const GAP_PX = 6;

/**
 * Opens a menu beside a button; Escape and a click elsewhere close it, arrows walk through it.
 * @param {HTMLElement} button
 * @param {{emoji: (emoji: string) => void, items: (false | (string | (() => void))[])[]}} options each item: label, what it does, class
 */
export function showMenu(button, { emoji, items }) {
  const choose = (/** @type {() => void} */ act) => () => {
    menu.hidePopover();
    act();
  };
  const menu = h(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": "Message actions" },
    h("div", { class: "emoji", role: "group", "aria-label": "React" }, EMOJI.map((one) => h("button", { type: "button", role: "menuitem", "aria-label": `React with ${one}`, onclick: choose(() => emoji(one)) }, one))),
    items.filter(Boolean).map((item) => {
      const [label, act, kind = ""] = /** @type {any[]} */ (item);
      return h("button", { type: "button", role: "menuitem", class: kind, onclick: choose(act) }, label);
    }),
  );
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => walk(event, [...menu.querySelectorAll("button")]));
  menu.addEventListener("toggle", (/** @type {any} */ event) => event.newState === "closed" && menu.remove());
  (button.closest("section") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  menu.querySelector("button").focus();
}

/** @param {HTMLElement} menu @param {DOMRect} near */
function place(menu, near) {
  const { width, height } = menu.getBoundingClientRect();
  const below = near.bottom + GAP_PX;
  const top = below + height > innerHeight ? Math.max(GAP_PX, near.top - height - GAP_PX) : below;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.min(Math.max(GAP_PX, near.left + near.width / 2 - width / 2), innerWidth - width - GAP_PX)}px`;
}

/** @param {KeyboardEvent} event @param {HTMLElement[]} buttons */
function walk(event, buttons) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  buttons[(at + step + buttons.length) % buttons.length]?.focus();
}
