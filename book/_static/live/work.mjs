// The live book after the first touch: knobs turn and cells run in the page.
const here = new URL(".", import.meta.url);
const panel = document.querySelector("form.live");
const { at, button, cells, link, make, original, showValues, turned, word } =
  await import(document.querySelector('script[src*="live/page.mjs"]').src);
const folder = new URL("../../lab/static/pyodide/", here).href;
const ours = (name) => new URL(`${name}?e=${panel.dataset.edition}`, here);
const EVIDENCE = "application/vnd.companion.evidence+json";
let code;
const book = () => (code ??= fetch(ours(`${panel.dataset.live}.json`)).then((found) => found.json())
  .catch((error) => { code = undefined; throw error; })); // whoever asks next fetches it anew

// ---------------------------------------------------------------- Python, in a worker

const { python, STOPPED } = await import(ours("python.mjs"));
const mine = python(ours("worker.mjs"));
const { ask, stop } = mine;
const start = () => mine.start(async () => {
  const { packages, companion, needs, edition } = await book();
  return { folder, edition, packages, companion, needs };
});

// ---------------------------------------------------------------- what a cell shows

function shown(outputs) {
  const box = make("div", "live-shown");
  for (const one of outputs) {
    const data = one.data ?? {};
    if (data[EVIDENCE]) continue;
    const holder = make("div", "output");
    if (one.output_type === "error") {
      holder.className = "live-error";
      holder.append(make("strong", "", one.evalue), make("pre", "", one.lines.join("\n")));
    } else if (data["image/png"]) {
      const image = make("img");
      image.src = `data:image/png;base64,${data["image/png"]}`;
      image.alt = one.metadata?.["image/png"]?.alt ?? "A figure";
      holder.append(image);
    } else if (data["text/html"]) {
      holder.classList.add("text_html");
      holder.innerHTML = data["text/html"];
      for (const script of holder.querySelectorAll("script")) { // such are not run as they stand
        queueMicrotask(() => script.replaceWith(make("script", "", script.textContent)));
      }
    } else holder.append(make("pre", "", one.text ?? data["text/plain"]));
    box.append(holder);
  }
  requestAnimationFrame(() => { // what scrolls can be scrolled by keyboard
    for (const one of box.querySelectorAll("pre, .output")) {
      if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    }
  });
  return box;
}

// Numbers that are not the book's are marked, line by line or cell by cell.
function compared(box, stored) {
  const parts = (root) => root.querySelectorAll("table").length
    ? new Map([...root.querySelectorAll("tr")].map((row) => [row.cells[0].textContent, [...row.cells]]))
    : null;
  const mine = parts(box), theirs = parts(stored), changes = [];
  if (mine && theirs) {
    for (const [name, cells] of mine) cells.forEach((cell, k) => {
      const was = theirs.get(name)?.[k]?.textContent;
      if (k === 1 && was !== undefined) changes.push(`${name} ${cell.textContent}${was === cell.textContent ? "" : `, was ${was}`}`);
      if (was !== undefined && was !== cell.textContent) cell.classList.add("live-new");
    });
    changes.shift(); // the heading
    return changes.join("; ");
  }
  const old = (stored.querySelector("pre") ?? stored).textContent.trim().split(/\s+/);
  const whole = [...box.querySelectorAll("pre")];
  const text = whole.map((pre) => pre.textContent).join("\n");
  if (whole.length === 1 && text.trim().split(/\s+/).length === old.length) {
    let k = 0;
    whole[0].replaceChildren(...text.split(/(\s+)/).map((word) =>
      (word.trim() && word !== old[k++] ? make("mark", "live-new", word) : word)));
  }
  const marked = box.querySelectorAll("mark").length;
  const said = make("span", "", !marked ? "see below. "
    : marked === 1 ? "1 value is not the book’s. " : `${marked} values are not the book’s. `);
  said.append(make("span", "visually-hidden", text.replace(/\s+/g, " ").slice(0, 400)));
  return said;
}

// A table's first column of numbers, by row; of printed lines the first number of each, by its name:
// what stands before two spaces, or else before a colon.
const number = (text) => Number(text?.replaceAll(",", ""));
function rows(root) {
  const table = [...root.querySelectorAll("tbody tr")].map(({ cells: [name, value] }) =>
    [name.textContent, number(value?.textContent)]);
  if (table.length) return table;
  const lines = [...root.querySelectorAll("pre")].flatMap((pre) => pre.textContent.split("\n"));
  for (const shape of [/^(\p{L}.*?)\s{2,}\D*?(-?\d[\d,.]*)/u, /^(\p{L}[^:]*):\D*?(-?\d[\d,.]*)/u]) {
    const found = lines.map((line) => line.match(shape)).filter(Boolean)
      .map(([, name, value]) => [name, number(value.replace(/[,.]$/, ""))]);
    if (found.length > 1 && new Set(found.map(([name]) => name)).size === found.length) return found;
  }
  return [];
}

// The same as bars: the reader's world, and where the book's ends.
function bars(box, stored) {
  const mine = rows(box), theirs = new Map(rows(stored));
  const all = [...mine.map(([, value]) => value), ...theirs.values()];
  const most = Math.max(...all);
  if (!mine.length || !(most > 0) || Math.min(...all) < 0) return [];
  const svg = (name, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    return node;
  };
  const picture = svg("svg", { viewBox: `0 0 330 ${mine.length * 36 + 4}`, role: "img", class: "live-bars" });
  picture.append(svg("title", {}, mine.map(([name, value]) =>
    `${name} ${value}${theirs.has(name) ? `, in the book ${theirs.get(name)}` : ""}`).join("; ")));
  mine.forEach(([name, value], k) => {
    const y = k * 36 + 18, was = theirs.get(name);
    picture.append(svg("text", { x: 1, y: y - 5 }, `${name}: ${value}`),
      svg("rect", { x: 1, y, width: 326 * value / most, height: 12, class: "live-mine" }));
    if (was !== undefined) picture.append(svg("line", { x1: 1 + 326 * was / most, x2: 1 + 326 * was / most, y1: y - 3, y2: y + 15 }));
  });
  const what = box.querySelector("tbody tr") ? "" : "The first number of each line. ";
  return [picture, make("p", "live-turned", `${what}Bars: your world. Upright lines: the book.`)];
}

// ---------------------------------------------------------------- knobs

const cell = panel.closest(".cell");
const stored = cell.querySelector(".cell_output");
const status = panel.querySelector(".live-status");
const [startButton] = panel.querySelectorAll("[data-do=start]");
const world = make("section", "live-world");
world.hidden = true;
stored.before(world);
const reset = button("Book’s values", () => { panel.reset(); link.odd = ""; showValues(); turn(); });
const stopButton = button("Stop", stop);
reset.hidden = stopButton.hidden = true;
startButton.after(reset, stopButton);

let busy = false, wanted = false;
export async function turn() {
  wanted = true;
  if (busy) return;
  busy = true;
  const slow = setTimeout(() => { stopButton.hidden = false; }, 500);
  reset.hidden = false;
  if (document.activeElement === startButton) reset.focus(); // it would be lost with the button
  startButton.hidden = true;
  panel.querySelector(".live-cost").hidden = true;
  panel.setAttribute("aria-busy", "true");
  try {
    if (!mine.up) status.textContent = "Python is starting …";
    await start();
    const { before, cell: code, sources, evidence } = await book();
    while (wanted) {
      wanted = false;
      const values = Object.fromEntries(turned().map((field) => [field.name, sources[field.name][at(field)]]));
      const words = turned().map((field) => `${field.labels[0].textContent.trim()}: ${word(field)} (book: ${word(field, original(field))})`);
      if (!mine.up) break;
      const long = setTimeout(() => { status.textContent = "Running …"; }, 500);
      const outputs = await ask({ do: "turn", before, cell: code, sources: values, evidence })
        .finally(() => clearTimeout(long));
      if (!wanted) draw(outputs, words);
    }
  } catch (error) {
    status.textContent = error === STOPPED ? "Stopped. Turn a knob to begin again."
      : `Python could not run here: ${error.message}. The book’s values stand below.`;
    startButton.hidden = false;
  }
  clearTimeout(slow);
  if (document.activeElement === stopButton) (startButton.hidden ? reset : startButton).focus();
  stopButton.hidden = true;
  panel.removeAttribute("aria-busy");
  busy = false;
}

// What each comparison says of a claim, and what it says in the book where that differs.
const SAYS = { for: "speaks for the claim", against: "speaks against it", unclear: "is unclear" };
function weighed({ mine, book: theirs }) {
  const list = make("ul", "live-claims"), turns = [];
  mine.forEach((one, k) => {
    const was = theirs[k], item = make("li");
    item.append(make("strong", "", `Claim ${one.claim}.`), ` ${one.line}.`);
    if (was.line !== one.line) item.append(make("span", "live-was", ` In the book: ${was.line.slice(was.what.length + 2)}.`));
    if (was.speaks !== one.speaks) {
      item.className = "live-turns";
      turns.push(`Claim ${one.claim}: ${one.what} ${SAYS[one.speaks]}; in the book it ${SAYS[was.speaks]}.`);
    }
    list.append(item);
  });
  const note = make("p", "live-turned", "One comparison at a time, from these numbers alone. The chapter’s verdict weighs more, and stays the book’s.");
  return { turns, nodes: [make("p", "live-title", "What this says of the claims, in your world"), list, note] };
}

function draw(outputs, words) {
  const box = shown(outputs);
  const said = compared(box, stored);
  const found = outputs.map((one) => one.data?.[EVIDENCE]).find(Boolean);
  const { turns, nodes } = found ? weighed(found) : { turns: [], nodes: [] };
  const star = box.querySelector(".live-new") ? [make("p", "live-turned", "* not the book’s.")] : [];
  const failed = outputs.some((one) => one.output_type === "error");
  const title = failed ? "An error in your world"
    : words.length ? "In your world" : "In your world, with the book’s values";
  const list = make("ul", "live-turned");
  list.append(...words.map((text) => make("li", "", text)));
  world.replaceChildren(make("p", "live-title", title), ...(words.length ? [list] : []), box,
    ...star, ...bars(box, stored), ...nodes, make("p", "live-title", "In the book"));
  world.hidden = false;
  status.replaceChildren(`${link.odd}${title}: `, ...turns.map((text) => make("strong", "", `${text} `)), said);
}

export const warm = () => start().catch(() => {});

// ---------------------------------------------------------------- edit and run

const editors = cells.map((one) => {
  const answer = one.classList.contains("tag_solution");
  const text = answer ? one.dataset.answer : one.querySelector(".cell_input pre").textContent;
  return { one, answer, text, code: () => (answer ? "" : text) };
});

export function edit(k, bar) {
  const me = editors[k], { one, answer, text } = me;
  const [open] = bar.children;
  const area = make("textarea", "live-code");
  area.value = text;
  area.rows = Math.max(3, text.trimEnd().split("\n").length);
  area.spellcheck = false;
  area.setAttribute("aria-label", answer ? "Your answer, in Python" : `Code of cell ${k + 1}`);
  me.code = () => area.value;
  const result = make("section", answer ? "live-world live-answer" : "live-world");
  const note = make("p", "live-status");
  note.setAttribute("role", "status");
  const halt = button("Stop", stop);
  halt.hidden = true;
  const go = button("Run (Ctrl+Enter)", () => run(k, { go, halt, note, put, result }));
  const input = one.querySelector(".cell_input"), old = one.querySelector(".cell_output");
  const back = button(answer ? "Take away" : "Book’s code and output", () => {
    if (go.ariaDisabled === "true") stop(); // what comes late would stand in the book's place
    for (const node of [area, result, note]) node.remove();
    input.classList.remove("live-open");
    old?.classList.remove("live-old");
    bar.replaceChildren(open);
    me.code = () => (answer ? "" : text);
    open.focus();
  });
  function put(outputs) {
    result.replaceChildren(make("p", "live-title", "Run in this page"), shown(outputs));
    note.after(result);
    if (!answer) old?.classList.add("live-old");
    if (one === cell) world.hidden = true; // it stands beside the book's output
  }
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    go.click();
  });
  if (!answer) input.classList.add("live-open");
  bar.before(area);
  bar.replaceChildren(go, halt, back);
  bar.after(note);
  area.focus();
}

// Runs a cell after what it needs of the cells before it, as they stand in the page now.
async function run(k, { go, halt, note, put, result }) {
  if (go.ariaDisabled === "true") return;
  go.ariaDisabled = "true"; // a disabled button would lose the focus
  halt.hidden = false;
  try {
    if (!mine.up) note.textContent = "Python is starting …";
    await start();
    note.textContent = "Running …";
    const before = editors.slice(0, k).filter((one) => one.code());
    const edited = [...before.keys()].filter((n) => before[n].code() !== before[n].text);
    const outputs = await ask({ do: "run", earlier: before.map((one) => one.code()), edited, code: editors[k].code() });
    put(outputs);
    const error = outputs.find((one) => one.output_type === "error");
    const where = error?.cell === undefined ? "" : ` in the code of cell ${editors.indexOf(before[error.cell]) + 1}`;
    note.textContent = error ? `An error${where}: ${error.evalue}`
      : outputs.length ? "Done; what it shows is below." : "Done; it shows nothing.";
  } catch (error) {
    result.remove(); // of other code
    note.textContent = error === STOPPED ? "Stopped. Run it again to start Python anew." : `Not run: ${error.message}.`;
  }
  go.ariaDisabled = null;
  if (document.activeElement === halt) go.focus();
  halt.hidden = true;
}
