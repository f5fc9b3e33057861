// A page that a reader has saved: the network answers first, and without one what was saved.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async (lost) => {
    const saved = await caches.match(event.request, { ignoreVary: true });
    if (saved) return saved;
    throw lost;
  }));
});
