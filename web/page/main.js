/** Starts the page: one login, one client, one conversation shown at a time. */

import { Client, STORES } from "../gochat/client.js";
import { renewPush } from "../gochat/push.js";
import { Rest } from "../gochat/rest.js";
import { Session } from "../gochat/session.js";
import { IndexedDbStorage } from "../gochat/storage.js";
import { becomeActive } from "../gochat/tabs.js";
import { showChatInfo } from "./chat-info.js";
import { setMediaBase } from "./media.js";
import { showNewChat } from "./new-chat.js";
import { showSettings } from "./settings.js";
import { Shell } from "./shell.js";
import { showPassive, showSignIn } from "./signin.js";

const root = /** @type {Element} */ (document.getElementById("app"));
const ENDINGS = { revoked: "Your login has ended. Log in again.", logout: "" };

/** @type {Client | null} */
let client = null;
/** @type {Shell | null} */
let shell = null;

async function boot() {
  const config = await (await fetch("/config.json", { cache: "no-store" })).json();
  setMediaBase(config.api_url);
  const storage = new IndexedDbStorage();
  const takeOver = becomeActive({
    onActive: () => enter(config, storage),
    onPassive: async () => {
      await leave();
      showPassive(root, takeOver);
    },
  });
}

/** @param {{api_url: string}} config @param {IndexedDbStorage} storage @param {string} [note] */
async function enter(config, storage, note = "") {
  const session = new Session({ rest: new Rest({ apiUrl: config.api_url }), storage });
  if (!(await session.restore())) {
    await storage.clear(STORES);
    return showSignIn(root, { session, note, onDone: () => start(config, storage, session) });
  }
  return start(config, storage, session);
}

/** @param {{api_url: string}} config @param {IndexedDbStorage} storage @param {Session} session */
async function start(config, storage, session) {
  const current = new Client({ session, storage });
  client = current;
  session.onEnded = async (reason) => {
    await current.forget();
    if (client === current) await leave();
    await enter(config, storage, ENDINGS[/** @type {"logout"} */ (reason)] ?? "");
  };
  shell = new Shell({
    client: current,
    onNew: () => showNewChat(current, (id) => shell?.open(id)),
    onInfo: (conversation) => showChatInfo(current, conversation, () => shell?.open("")),
    onSettings: () => showSettings({ client: current, session }),
  });
  root.replaceChildren(shell.element);
  await current.start();
  renewPush(current, session.deviceId).catch(() => {}); // the next start tries again
}

async function leave() {
  const former = client;
  client = null;
  shell?.close();
  shell = null;
  await former?.stop();
}

addEventListener("online", () => client?.link.nudge());
addEventListener("offline", () => client?.link.drop());
navigator.serviceWorker?.addEventListener("message", ({ data }) => data?.open && shell?.open(data.open));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") client?.link.nudge();
  client?.onChange();
});

await boot();
