/** The first page: log in, or make an account. */

import { h } from "./dom.js";
import { refusal } from "./texts.js";

/** @param {Element} root @param {{session: import("../gochat/session.js").Session, note?: string, onDone: () => void}} options */
export function showSignIn(root, { session, note = "", onDone }) {
  let isNew = false;
  const username = h("input", { id: "username", name: "username", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false", maxlength: 32 });
  const display = h("input", { id: "display-name", name: "name", autocomplete: "name", maxlength: 64 });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, minlength: 8, maxlength: 128 });
  const displayField = h("div", { class: "field", hidden: true }, h("label", { for: "display-name" }, "Name (as others see it)"), display);
  const submit = h("button", { class: "primary wide" }, "Log in");
  const other = h("button", { type: "button", class: "link", onclick: turn }, "New here? Create an account");
  const title = h("h1", null, "Welcome to GoChat");
  const fault = h("p", { class: "fault", role: "alert" }, note);

  function turn() {
    isNew = !isNew;
    title.textContent = isNew ? "Create an account" : "Welcome to GoChat";
    submit.textContent = isNew ? "Create account" : "Log in";
    other.textContent = isNew ? "Have an account? Log in" : "New here? Create an account";
    password.autocomplete = isNew ? "new-password" : "current-password";
    displayField.hidden = !isNew;
    fault.textContent = "";
    username.focus();
  }

  /** @param {Event} event */
  async function enter(event) {
    event.preventDefault();
    fault.textContent = "";
    submit.disabled = true;
    try {
      if (isNew) await session.register(username.value.trim(), password.value, display.value.trim());
      else await session.login(username.value.trim(), password.value);
      onDone();
    } catch (failure) {
      fault.textContent = refusal(failure);
      submit.disabled = false;
    }
  }

  const form = h(
    "form",
    { class: "card signin", onsubmit: enter },
    h("img", { src: "/icon.svg", alt: "", class: "logo", width: 56, height: 56 }),
    title,
    h("div", { class: "field" }, h("label", { for: "username" }, "Username"), username),
    displayField,
    h("div", { class: "field" }, h("label", { for: "password" }, "Password"), password),
    fault,
    submit,
    other,
  );
  root.replaceChildren(h("main", { class: "centred" }, form));
  username.focus();
}

/** Another page of this browser is the client. @param {Element} root @param {() => void} takeOver */
export function showPassive(root, takeOver) {
  root.replaceChildren(
    h(
      "main",
      { class: "centred" },
      h(
        "div",
        { class: "card signin", role: "status" },
        h("img", { src: "/icon.svg", alt: "", class: "logo", width: 56, height: 56 }),
        h("h1", null, "GoChat is open in another tab"),
        h("p", { class: "quiet" }, "One tab at a time keeps your messages in one place."),
        h("button", { class: "primary wide", onclick: takeOver }, "Use it here"),
      ),
    ),
  );
}
