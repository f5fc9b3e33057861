// The live book: what a page does before the first touch. It loads nothing; work.mjs does the rest.
const panel = document.querySelector("form.live");
const work = () => import(new URL(`work.mjs?e=${panel.dataset.edition}`, import.meta.url));

export const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
};
export const button = (text, press) => {
  const node = make("button", "book-button", text);
  node.type = "button";
  node.addEventListener("click", press);
  return node;
};

// ---------------------------------------------------------------- knobs

export const fields = [...panel.elements].filter((field) => field.name);
export const at = (field) => (field.type === "checkbox"
  ? (field.checked ? +field.dataset.true : 1 - field.dataset.true) : +field.value);
export const original = (field) => (field.type === "checkbox"
  ? (field.defaultChecked ? +field.dataset.true : 1 - field.dataset.true)
  : field.type === "range" ? +field.defaultValue
    : [...field.options].findIndex((option) => option.defaultSelected));
const stops = (field) => (field.type === "range" ? field.dataset.stops.split("|")
  : field.type === "checkbox" ? (field.dataset.true === "1" ? ["no", "yes"] : ["yes", "no"])
    : [...field.options].map((option) => option.text));
export const word = (field, k = at(field)) => stops(field)[k];
export const turned = () => fields.filter((field) => at(field) !== original(field));

export function showValues() {
  for (const field of fields) {
    if (field.type !== "range") continue;
    field.nextElementSibling.textContent = word(field);
    field.setAttribute("aria-valuetext", word(field));
  }
  const link = new URLSearchParams(turned().map((field) => [field.name, word(field)])).toString();
  history.replaceState(history.state, "", link ? `#${link}` : location.pathname + location.search);
}

const touched = async () => { showValues(); (await work()).turn(); };
const start = panel.querySelector("[data-do=start]");
start.addEventListener("click", touched);
panel.addEventListener("submit", (event) => event.preventDefault());
panel.addEventListener("pointerdown", async (event) => event.target.name && (await work()).warm());
panel.addEventListener("input", touched);

// A link with values sets all knobs, those that it does not name to the book's; it loads nothing.
function fromLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const named = fields.filter((field) => link.has(field.name));
  if (!named.length && (location.hash.length > 1 || !turned().length)) return; // a section's, or none
  const odd = [];
  panel.reset();
  for (const field of named) {
    const k = stops(field).indexOf(link.get(field.name));
    if (k < 0) odd.push(`${field.name}=${link.get(field.name)}`);
    else if (field.type === "checkbox") field.checked = k === +field.dataset.true;
    else field.value = k;
  }
  showValues();
  panel.scrollIntoView({ block: "center" });
  if (start.hidden && !odd.length) return touched(); // Python is up
  const status = panel.querySelector(".live-status");
  if (odd.length) status.textContent = `This link asks for what the knobs do not have: ${odd.join(", ")}. `;
  else if (turned().length) status.textContent = "This link has set the knobs. Press “Turn the knobs here” to see its world.";
}
fromLink();
addEventListener("hashchange", fromLink);

// ---------------------------------------------------------------- edit and run

export const cells = [...document.querySelectorAll(".bd-article .cell")].filter(
  (cell) => cell.querySelector(".cell_input pre"));
for (const [k, cell] of cells.entries()) {
  const answer = cell.classList.contains("tag_solution");
  const bar = make("div", "live-bar");
  bar.append(button(answer ? "Answer here" : "Edit and run", async () => (await work()).edit(k, bar)));
  if (answer) cell.before(bar);
  else cell.querySelector(".cell_input").append(bar);
}

// ---------------------------------------------------------------- offline

// What saves the page is loaded when it is asked for, or when the page has been saved.
const keep = panel.querySelector("[data-keep]");
const keeping = () => import(new URL(`keep.mjs?e=${panel.dataset.edition}`, import.meta.url));
if (navigator.serviceWorker && self.caches) {
  const saved = (await caches.keys()).some((name) => name.startsWith(`page ${location.pathname} `));
  if (saved) keeping();
  else {
    keep.textContent = `Save this page for offline use (${keep.dataset.saving} MB)`;
    keep.addEventListener("click", async () => { await keeping(); keep.click(); }, { once: true });
    keep.hidden = false;
  }
}
