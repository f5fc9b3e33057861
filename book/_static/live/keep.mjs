// Save this page for offline use: its files go into the browser's own store, and offline.js, at the
// site's root, takes them from there when there is no network. Nothing happens before the button.
const root = document.querySelector(".yours");
const by = (name) => document.getElementById(`yours-${name}`);
const site = new URL("../../", import.meta.url);
const STORE = "your-stream ";
const page = location.href.split("#")[0];
const stores = async () => (await caches.keys()).filter((name) => name.startsWith(STORE));
const about = () => fetch(new URL(`yours.json?e=${root.dataset.edition}`, import.meta.url))
  .then((answer) => answer.json());

// What the page itself has loaded: styles, scripts, fonts. What Python loads is listed by the build.
const own = () => performance.getEntriesByType("resource").map((one) => one.name.split("#")[0])
  .filter((address) => address.startsWith(site.href));

async function save() {
  const { saved, files } = await about(), store = await caches.open(STORE + saved);
  const sizes = new Map(own().map((address) => [address, 0]));
  for (const [path, bytes] of files) sizes.set(new URL(path, site).href, bytes);
  sizes.set(page, 0); // the last: a copy that is not whole does not open
  const all = Math.round(files.reduce((sum, [, bytes]) => sum + bytes, 0) / 1e6);
  let done = 0;
  for (const [address, bytes] of sizes) {
    by("kept").textContent = `Saving: ${Math.round(done / 1e6)} of ${all} MB …`;
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${new URL(address).pathname} is not there`);
    await store.put(address, answer);
    done += bytes;
  }
  // Two small scopes: this page and its Python. The book's other pages are left alone.
  for (const scope of [page, new URL("_static/live/worker.mjs", site)]) {
    await navigator.serviceWorker.register(new URL("offline.js", site), { scope });
  }
  for (const old of await stores()) if (old !== STORE + saved) await caches.delete(old);
  await navigator.storage.persist?.();
}

async function remove() {
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    if (one.active?.scriptURL === new URL("offline.js", site).href) await one.unregister();
  }
  for (const name of await stores()) await caches.delete(name);
}

async function show() {
  const names = await stores();
  const current = names.length ? STORE + (await about()).saved : "";
  const whole = names.includes(current) && Boolean(await caches.match(page, { cacheName: current }));
  by("keep").dataset.saved = whole ? "1" : "";
  by("keep").textContent = whole ? "Remove the saved copy"
    : `Save this page for offline use (${root.dataset.saving} MB)`;
  by("kept").textContent = whole ? "Saved: this page opens and runs without a network." : "";
}

by("keep").addEventListener("click", async () => {
  by("keep").disabled = true;
  try {
    await (by("keep").dataset.saved ? remove() : save());
    await show();
  } catch (error) {
    by("kept").textContent = error.name === "QuotaExceededError"
      ? "The page was not saved: this browser has no room left for it; free some and try again."
      : `The page was not saved (${error.message}); go online and try again.`;
  }
  by("keep").disabled = false;
});

if (navigator.serviceWorker && self.caches) {
  await show();
  by("keep").hidden = false;
} else by("kept").textContent = "To save the page for offline use, open it over https.";
