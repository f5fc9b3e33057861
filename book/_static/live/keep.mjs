// Save a page for offline use: its files go into the browser's own store, and offline.js, at the
// site's root, takes them from there when there is no network. Nothing happens before the button.
// Python's files are kept once for all saved pages.
const button = document.querySelector("[data-keep]"), note = button.nextElementSibling;
const site = new URL("../../", import.meta.url);
const page = location.href.split(/[?#]/)[0];
const PAGES = "page ", PYTHON = "python ";
const mine = `${PAGES}${new URL(page).pathname} `;
const folder = new URL("lab/static/pyodide/", site).href;
const stores = async (beginning) => (await caches.keys()).filter((name) => name.startsWith(beginning));
const about = () => fetch(new URL(button.dataset.keep, import.meta.url)).then((answer) => answer.json());

// What the page itself loads: styles, scripts, fonts, and pictures that it has not come to yet. What
// Python loads is listed by the build.
const own = () => [
  ...performance.getEntriesByType("resource").map((one) => one.name),
  ...[...document.images].map((image) => image.src),
  ...[...document.querySelectorAll("picture source")].map((one) => new URL(one.srcset, page).href),
].map((address) => address.split("#")[0]).filter((address) => address.startsWith(site.href));

async function save() {
  const { saved, edition, files } = await about();
  const ours = await caches.open(mine + saved), python = await caches.open(PYTHON + edition);
  const sizes = new Map(own().map((address) => [address, 0]));
  for (const [path, bytes] of files) sizes.set(new URL(path, site).href, bytes);
  sizes.set(page, 0); // the last: a copy that is not whole does not open
  const all = Math.round(files.reduce((sum, [, bytes]) => sum + bytes, 0) / 1e6);
  let done = 0;
  for (const [address, bytes] of sizes) {
    note.textContent = `Saving: ${Math.round(done / 1e6)} of ${all} MB …`;
    const store = address.startsWith(folder) ? python : ours;
    if (store === ours || !await store.match(address)) {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(`${new URL(address).pathname} is not there`);
      await store.put(address, answer);
    }
    done += bytes;
  }
  // Two small scopes: this page and its Python. The book's other pages are left alone.
  for (const scope of [page, new URL("_static/live/worker.mjs", site)]) {
    await navigator.serviceWorker.register(new URL("offline.js", site), { scope });
  }
  for (const old of await stores(mine)) if (old !== mine + saved) await caches.delete(old);
  await navigator.storage.persist?.();
}

async function remove() {
  for (const name of await stores(mine)) await caches.delete(name);
  const last = !(await stores(PAGES)).length;
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    if (one.active?.scriptURL !== new URL("offline.js", site).href) continue;
    if (last || one.scope === page) await one.unregister();
  }
  for (const name of last ? await stores(PYTHON) : []) await caches.delete(name);
}

async function show() {
  const names = await stores(mine);
  const current = names.length ? mine + (await about()).saved : "";
  const whole = names.includes(current) && Boolean(await caches.match(page, { cacheName: current }));
  button.dataset.saved = whole ? "1" : "";
  button.textContent = whole ? "Remove the saved copy"
    : `Save this page for offline use (${button.dataset.saving} MB)`;
  note.textContent = whole ? "Saved: this page opens and runs without a network." : "";
}

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await (button.dataset.saved ? remove() : save());
    await show();
  } catch (error) {
    note.textContent = error.name === "QuotaExceededError"
      ? "The page was not saved: this browser has no room left for it; free some and try again."
      : `The page was not saved (${error.message}); go online and try again.`;
  }
  button.disabled = false;
});

if (navigator.serviceWorker && self.caches) {
  await show();
  button.hidden = false;
} else note.textContent = "To save the page for offline use, open it over https.";
