/** The service worker: shows what a push service brings while no page is open; it keeps and intercepts nothing. */

self.addEventListener("push", (event) => {
  const { title, body, tag, silent, badge, conversation_id } = event.data.json();
  navigator.setAppBadge?.(badge);
  event.waitUntil(self.registration.showNotification(title, { body, tag, silent, renotify: !silent, icon: "/icon.svg", data: { conversation_id } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(`/#${event.notification.data?.conversation_id ?? ""}`));
});

/** Brings a page of ours to the front, or opens one. @param {string} url */
async function open(url) {
  const [page] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!page) return self.clients.openWindow(url);
  await page.focus();
  return page.postMessage({ open: url.slice(2) });
}
