/** A round picture of somebody, or their initials. */

import { h, icon } from "./dom.js";
import { hueOf, initialsOf } from "./format.js";
import { ownMedia } from "./media.js";

/** @param {{name: string, id: string, url?: string | null, isGroup?: boolean, online?: boolean}} whose */
export function avatar({ name, id, url, isGroup = false, online = false }) {
  const src = ownMedia(url);
  const picture = src ? h("img", { src, alt: "", loading: "lazy", referrerpolicy: "no-referrer" }) : isGroup ? icon("group") : initialsOf(name);
  return h("span", { class: `avatar hue-${hueOf(id)}`, "aria-hidden": "true" }, picture, online && h("span", { class: "online-dot" }));
}
