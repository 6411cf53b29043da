/** Web push: lets the browser tell of messages while no page is open (docs/push.md). */

/** Whether this browser can be pushed to, and is: `unsupported`, `denied`, `off` or `on`. */
export async function pushState() {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis)) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ? "on" : "off";
}

/** The page's policy lets a script's URL come from nowhere but here. */
const workerUrl = () => {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  return trustedTypes ? trustedTypes.createPolicy("gochat", { createScriptURL: () => "/sw.js" }).createScriptURL("") : "/sw.js";
};

/** Subscribes and registers the subscription; asks the user first. @param {import("./client.js").Client} client @param {string} deviceId */
export async function turnPushOn(client, deviceId) {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("This browser doesn't allow notifications here.");
  const registration = await navigator.serviceWorker.register(workerUrl());
  await navigator.serviceWorker.ready;
  const { public_key: applicationServerKey } = await client.api("GET", "/push/vapid-key");
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  await register(client, deviceId, subscription);
}

/** @param {import("./client.js").Client} client @param {string} deviceId */
export async function turnPushOff(client, deviceId) {
  const registration = await navigator.serviceWorker.getRegistration();
  await client.api("DELETE", `/devices/${deviceId}/push-token`);
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** Registers what there is again, at every start: browsers replace subscriptions. @param {import("./client.js").Client} client @param {string} deviceId */
export async function renewPush(client, deviceId) {
  if ((await pushState()) !== "on") return;
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription) await register(client, deviceId, subscription);
}

/** @param {import("./client.js").Client} client @param {string} deviceId @param {PushSubscription} subscription */
const register = (client, deviceId, subscription) =>
  client.api("PUT", `/devices/${deviceId}/push-token`, {
    body: { provider: "webpush", token: JSON.stringify(subscription) },
    idempotencyKey: crypto.randomUUID(),
  });
