// The live book: what a page does before the first touch. It loads nothing; work.mjs does the rest.
const panel = document.querySelector("form.live");
const status = panel.querySelector(".live-status");
const work = () => import(new URL(`work.mjs?e=${panel.dataset.edition}`, import.meta.url)).catch((error) => {
  status.textContent = `What turns the knobs could not be fetched (${error.message}). Try again.`;
});

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

export const link = { odd: "" }; // what a link asks for in vain
const touched = async () => { showValues(); (await work())?.turn(); };
const start = panel.querySelector("[data-do=start]");
start.addEventListener("click", touched);
panel.addEventListener("submit", (event) => event.preventDefault());

// A finger on a slider may only want to scroll: it turns the knob once it moves along it, or leaves.
let finger;
const settle = () => {
  const { field, was } = finger;
  finger = undefined;
  if (field.value !== was) touched();
};
panel.addEventListener("pointerdown", async ({ target, pointerType, clientX }) => {
  if (!target.name) return;
  if (pointerType !== "touch") (await work())?.warm();
  else if (target.type === "range") finger = { field: target, was: target.value, x: clientX };
});
panel.addEventListener("pointermove", ({ clientX }) => finger && Math.abs(clientX - finger.x) > 8 && settle());
panel.addEventListener("pointerup", () => finger && settle());
panel.addEventListener("pointercancel", () => {
  if (finger) finger.field.value = finger.was;
  finger = undefined;
});
panel.addEventListener("input", () => {
  link.odd = "";
  if (!finger) touched();
});

// A link with values sets all knobs, those that it does not name to the book's; it loads nothing.
function fromLink() {
  const asked = location.hash.includes("=") ? [...new URLSearchParams(location.hash.slice(1))] : [];
  if (!asked.length && (location.hash.length > 1 || !turned().length)) return; // a section's, or none
  const odd = [];
  panel.reset();
  for (const [name, value] of asked) {
    const field = fields.find((one) => one.name === name);
    const k = field ? stops(field).findIndex((stop) => same(stop, value)) : -1;
    if (k < 0) odd.push(`${name}=${value}`);
    else if (field.type === "checkbox") field.checked = k === +field.dataset.true;
    else field.value = k;
  }
  showValues();
  panel.scrollIntoView({ block: "center" });
  link.odd = odd.length ? `This link asks for what the knobs do not have: ${odd.join(", ")}. ` : "";
  if (start.hidden) return touched(); // Python is up
  const rest = turned().length
    ? `This link has set the ${odd.length ? "others" : "knobs"}. Press “Turn the knobs here” to see its world.` : "";
  if (link.odd || rest) status.textContent = link.odd + rest;
}
const same = (stop, value) => stop === value || (value.trim() !== "" && Number(stop) === Number(value));
fromLink();
addEventListener("hashchange", fromLink);

// ---------------------------------------------------------------- edit and run

export const cells = [...document.querySelectorAll(".bd-article .cell")].filter(
  (cell) => cell.querySelector(".cell_input pre"));
for (const [k, cell] of cells.entries()) {
  const answer = cell.classList.contains("tag_solution");
  const bar = make("div", "live-bar");
  bar.append(button(answer ? "Answer here" : "Edit and run", async () => (await work())?.edit(k, bar)));
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
