// Your own stream: a table is read and compared in this page, by the command's own functions.
// Nothing is loaded before the first touch.
const root = document.querySelector(".yours");
const here = new URL(".", import.meta.url);
const folder = new URL("../../lab/static/pyodide/", here).href;
const ours = (name) => new URL(`${name}?e=${root.dataset.edition}`, here);
const by = (name) => document.getElementById(`yours-${name}`);
const form = by("form");
const FEW = 8; // strategies that are listed at first
const CUTS = [5_000, 20_000, 50_000]; // rows; more than the last are cut unless asked for
const LONG = 120; // seconds
const LARGEST = 100e6; // bytes, unpacked: more would not fit into the page's memory

const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};
function say(node, text, bad = false) {
  node.classList.toggle("yours-bad", bad);
  node.textContent = text;
}

// ---------------------------------------------------------------- Python, in a worker

let mine, about, STOPPED;
async function start() {
  const { python, STOPPED: stopped } = await import(ours("python.mjs"));
  STOPPED = stopped;
  mine ??= python(ours("worker.mjs"), stepped);
  await mine.start(async () => {
    about ??= await fetch(ours("yours.json")).then((answer) => answer.json());
    return { ...about, folder, script: "yours.py" };
  });
}
async function call(name, asked) {
  const said = await mine.ask({ do: "call", call: name, asked });
  if (said?.memory) throw new Error("out of memory");
  return said;
}

// What Python cannot go on from. Its memory is free again when its worker has ended.
function fail(error, where = by("status")) {
  if (!/memory|alloc|abort|fatal/i.test(error.message)) {
    return say(where, `Python could not run here: ${error.message.trim().split("\n").at(-1)}.`, true);
  }
  turn++;
  mine.stop();
  rest();
  by("read").hidden = by("result").hidden = true;
  tooLarge(table.name, "this table has used up the page's memory; give fewer rows or columns");
}

function tooLarge(name, why) {
  const quoted = `'${name.replaceAll("'", "'\\''")}'`;
  say(by("status"), `${name}: ${why}, or use the command line:`, true);
  instead(by("status"), `companion compare ${quoted} --target COLUMN --quick`);
}
const instead = (where, command) => where.append(" ", make("code", "yours-instead", command));

// ---------------------------------------------------------------- a table

let table; // its name and bytes, the finished runs, and the strategies that are done
let turn = 0; // a later table makes the answers about an earlier one void
let opening = false; // until it has been described

// A packed file says at its end how long it is; one that was cut short says anything, so it is counted.
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.length;
  const parts = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  let size = 0;
  try {
    for (let part; size <= LARGEST && !(part = await parts.read()).done;) size += part.value.length;
    if (size > LARGEST) await parts.cancel();
  } catch { /* Python says what is wrong with it */ }
  const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  return size > LARGEST ? Math.max(size, said) : size;
}
const fits = (name, bytes) => bytes <= LARGEST || tooLarge(name,
  `${Math.ceil(bytes / 1e6).toLocaleString("en")} MB are more than the page can hold (${LARGEST / 1e6}); give fewer rows or columns`);

async function open(name, bytes, note = "") {
  const mineNow = ++turn;
  if (running || opening) stop(); // a broken file may keep Python busy without end
  opening = false;
  rest();
  table = { name, bytes, note, runs: new Map(), done: [] };
  by("read").hidden = by("result").hidden = true;
  say(by("takes"), "");
  if (!fits(name, await unpacked(bytes)) || mineNow !== turn) return;
  try {
    say(by("status"), mine?.up ? "Reading …" : "Python is starting …");
    await start();
    if (mineNow !== turn) return;
    opening = true;
    await mine.ask({ do: "put", path: `/tables/${name}`, bytes });
    say(by("status"), "Reading …");
    const guess = await call("columns", { file: name });
    if (mineNow !== turn) return;
    if (guess.refused) return say(by("status"), guess.refused, true);
    offer(guess);
    await read();
  } catch (error) {
    if (mineNow === turn) fail(error);
  } finally {
    if (mineNow === turn) opening = false;
  }
}

function choices(select, names, chosen, none) {
  const options = names.map((name) => new Option(name, `=${name}`, false, name === chosen));
  if (none) options.unshift(new Option(none, "", false, chosen === null));
  select.replaceChildren(...options);
}
const chosen = (name) => form.elements[name].value.slice(1) || null;

function offer({ columns, target, time, key }) {
  form.reset();
  choices(form.elements.target, columns, target);
  choices(form.elements.time, columns, time, "the file");
  choices(form.elements.key, columns, key, "nobody: all rows are alike");
  by("cut").hidden = true;
  form.elements.newest.replaceChildren(new Option("all", ""));
}

const roles = () => ({
  file: table.name, target: chosen("target"), time: chosen("time"), key: chosen("key"),
  task: form.elements.task.value, time_format: form.elements.time_format.value.trim() || null,
});
const newest = () => Number(form.elements.newest.value) || null;
const how = () => ({
  quick: form.elements.quick.value === "1", delay: form.elements.delay.value.trim() || "0",
});
const prices = () => Object.fromEntries(["cost_of_error", "cost_of_update", "cost_of_label"]
  .filter((name) => form.elements[name].value !== "")
  .map((name) => [name, Number(form.elements[name].value)]));

let reading = 0;
async function read() {
  const mineNow = ++reading;
  table.runs.clear();
  by("result").hidden = true;
  by("run").disabled = true;
  say(by("takes"), "");
  const said = await call("describe", { ...roles(), newest: newest() });
  if (mineNow !== reading) return;
  opening = false;
  by("read").hidden = false;
  say(by("progress"), "");
  by("pairs").replaceChildren();
  by("target").replaceChildren();
  if (said.refused) return say(by("status"), said.refused, true);
  if (cuts(said.all)) return read();
  by("pairs").replaceChildren(pairs(said.pairs));
  drawTarget(said);
  say(by("status"), `${table.name} is read${table.note && `. ${table.note}`}.`);
  by("run").disabled = false;
  await mine.ask({ do: "load", packages: about.later });
  await tellTime(mineNow);
}

// Large tables offer a contiguous cut; very large ones begin with one.
function cuts(all) {
  const select = form.elements.newest;
  if (select.dataset.all === `${turn} ${all}`) return false;
  select.dataset.all = `${turn} ${all}`;
  const sizes = CUTS.filter((rows) => rows < all);
  by("cut").hidden = !sizes.length;
  select.replaceChildren(new Option(`all ${all.toLocaleString("en")}`, ""),
    ...sizes.map((rows) => new Option(`the newest ${rows.toLocaleString("en")}`, rows)));
  if (all <= CUTS.at(-1)) return false;
  select.value = CUTS[1];
  return true;
}

async function tellTime(mineNow) {
  if (running) return;
  const takes = await call("estimate", how());
  if (mineNow !== reading || running) return;
  if (takes.refused) return say(by("progress"), takes.refused, true);
  say(by("progress"), "");
  say(by("takes"), `${takes.strategies} strategies, about ${takes.said}.`);
  if (takes.seconds <= LONG && !newest()) return;
  const { command } = await call("recipes", { ...roles(), ...how(), prices: prices() });
  if (mineNow !== reading || running) return;
  by("takes").append(" All rows on the command line, which is quicker:");
  instead(by("takes"), command);
}

function pairs(list) {
  const box = make("table", "yours-pairs"), body = make("tbody");
  for (const [word, said] of list) {
    const row = make("tr"), head = make("th", "", word);
    head.scope = "row";
    row.append(head, make("td", "", said));
    body.append(row);
  }
  box.append(body);
  return box;
}

// ---------------------------------------------------------------- the comparison

let running = false, latest;

async function run(names = null) {
  const mineNow = turn;
  work();
  table.asked = names ? table.asked : { ...how(), prices: prices() };
  by("stop").hidden = Boolean(names);
  if (!names) {
    table.done = [];
    table.part = false;
    latest = undefined;
    by("result").hidden = by("away").hidden = true;
    by("worlds").hidden = true;
    for (const name of ["words", "table", "errors", "costs", "others"]) by(name).replaceChildren();
    say(by("progress"), "The models are loading …");
  }
  try {
    if (names) await again();
    await mine.ask({ do: "load", packages: about.later });
    const said = await call("run", { ...table.asked, names });
    if (mineNow !== turn) return;
    if (said.refused) say(by("progress"), said.refused, true);
    else await whole(said);
  } catch (error) {
    if (mineNow !== turn) return;
    if (error !== STOPPED) fail(error, by("progress"));
    else if (names || !table.done.length) say(by("progress"), "Stopped.");
    else {
      table.part = true;
      return await run(table.done);
    }
  } finally {
    if (mineNow === turn) rest();
  }
}
function work() {
  running = true;
  by("run").disabled = by("worlds-run").disabled = true;
  form.setAttribute("aria-busy", "true");
}
function rest() {
  running = false;
  by("run").disabled = by("worlds-run").disabled = false;
  by("stop").hidden = by("worlds-stop").hidden = true;
  form.removeAttribute("aria-busy");
}
const stop = () => mine.stop();

// A new Python gets the table and the finished runs, and need not run them again.
async function again() {
  say(by("progress"), "Stopped. Python puts together what is known …");
  await start();
  await mine.ask({ do: "put", path: `/tables/${table.name}`, bytes: table.bytes });
  for (const [name, bytes] of table.runs) {
    await mine.ask({ do: "put", path: `/tables/runs/${name}`, bytes });
  }
  await call("describe", { ...roles(), newest: newest() });
}

function stepped({ step, runs }) {
  if (step.world) return say(by("worlds-said"), `Running: ${step.world} …`);
  for (const [name, bytes] of runs) table.runs.set(name, bytes);
  table.done = step.done;
  if (step.cells) grow(step);
  by("result").hidden = false;
  say(by("title"), "So far");
  say(by("progress"), `${step.done.length} of ${step.names.length} strategies are done …`);
}

function grow(step) {
  latest = step;
  tables(by("table"), step.headline, step.cells, step.failures);
  drawErrors(step);
}

async function whole(said) {
  grow(said);
  by("result").hidden = false;
  say(by("title"), table.part ? "The answer so far" : "The answer");
  inWords(said);
  say(by("progress"), `${table.part ? `Stopped with ${table.done.length} strategies done` : "Done"}: ${said.sentences[0]}`);
  await takeaways();
}

async function takeaways() {
  const recipe = await call("recipes", { ...roles(), newest: newest(), ...table.asked });
  by("command").textContent = recipe.command;
  table.script = recipe.script;
  by("away").hidden = false;
}

function inWords(said) {
  by("words").replaceChildren(...said.sentences.map((sentence) => make("p", "", sentence)));
  drawCosts(said.costs);
  inWorlds(said.worlds);
  by("others").replaceChildren(...said.others.map(([title, cells]) => {
    const fold = make("details"), box = make("div", "yours-scroll");
    fold.append(make("summary", "", title), box);
    tables(box, title, cells, {});
    return fold;
  }));
}

// How the lead fares in other worlds: some are known at once, the others are run when asked for.
function inWorlds(panel) {
  by("worlds").hidden = !panel;
  if (!panel) return;
  say(by("worlds-title"), panel.title);
  tables(by("worlds-table"), "The winner's lead in other worlds, with 95 % intervals", panel.cells, {});
  by("worlds-run").hidden = !panel.takes;
  say(by("worlds-said"), panel.takes ? `About ${panel.takes}.` : "");
}

async function worlds() {
  const mineNow = turn;
  work();
  by("worlds-stop").hidden = false;
  try {
    const panel = await call("worlds", {});
    if (mineNow !== turn) return;
    inWorlds(panel);
    say(by("worlds-said"), `Done: ${panel.title}.`);
    await takeaways();
  } catch (error) {
    if (mineNow !== turn) return;
    if (error !== STOPPED) fail(error, by("worlds-said"));
    else return await run(table.done);
  } finally {
    if (mineNow === turn) rest();
  }
}

function tables(box, caption, [heads, ...rows], failures) {
  const one = make("table", "companion-table"), top = make("tr"), body = make("tbody");
  one.append(make("caption", "", caption));
  for (const head of heads) {
    const cell = make("th", "", head);
    cell.scope = "col";
    top.append(cell);
  }
  rows.forEach(([name, ...cells], k) => {
    const row = make("tr", k >= FEW && !cells.includes("reference") ? "yours-more" : k ? "" : "yours-first");
    const head = make("th"), link = make("a", "", name);
    head.scope = "row";
    link.href = about.explained.find(([pattern]) => new RegExp(pattern).test(name))[1];
    head.append(box === by("worlds-table") ? name : link);
    row.append(head, ...cells.map((cell) => make("td", "", cell)));
    body.append(row);
  });
  const thead = make("thead");
  thead.append(top);
  one.append(thead, body);
  box.replaceChildren(one, ...Object.entries(failures).map(([name, why]) => make("p", "", `${name} failed: ${why}`)));
  if (box === by("table")) {
    by("all").hidden = box.classList.contains("yours-whole") || !box.querySelector(".yours-more");
    by("all").textContent = `Show all ${rows.length} strategies`;
  } else box.classList.add("yours-whole");
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}

// ---------------------------------------------------------------- figures

const number = (value) => (Math.abs(value) < 1e-12 ? 0 : value).toLocaleString("en", { maximumSignificantDigits: 4 });

function svg(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function ticks(low, high, count = 4) {
  const rough = (high - low || 1) / count, size = 10 ** Math.floor(Math.log10(rough));
  const step = size * [1, 2, 5, 10].find((k) => k * size >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
  return found;
}

function when(seconds, span) {
  const text = new Date(seconds * 1000).toISOString();
  if (span < 3 * 86400) return text.slice(5, 16).replace("T", " ");
  return span < 700 * 86400 ? text.slice(0, 10) : text.slice(0, 7);
}

// Lines over time or price, each with its name at its end, or below where the page is narrow.
function draw(figure, lines, { caption, alt, x, dated = false, zero = false, marks = [] }) {
  figure.replaceChildren();
  const points = lines.flatMap((line) => line.points).filter(([, y]) => y !== null);
  if (points.length < 2) return;
  const wide = Math.max(300, Math.min(820, figure.clientWidth || root.clientWidth));
  const longest = Math.max(...lines.map((line) => line.name.length));
  const beside = lines.length > 1 && wide > 560 && longest < 45;
  const left = 58, right = beside ? 18 + 6.7 * longest : 18, top = 14, bottom = x ? 44 : 30, high = 270;
  const [x0, x1] = [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))];
  const ys = points.map((p) => p[1]);
  const spread = Math.max(...ys) - Math.min(...ys) || 1;
  const y0 = zero ? 0 : Math.min(...ys) - 0.05 * spread, y1 = Math.max(...ys) + 0.05 * spread;
  const at = (px) => left + (wide - left - right) * (px - x0) / (x1 - x0 || 1);
  const up = (py) => high - bottom - (high - top - bottom) * (py - y0) / (y1 - y0 || 1);
  const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": alt });
  for (const y of ticks(y0, y1)) {
    picture.append(svg("line", { x1: left, x2: wide - right, y1: up(y), y2: up(y), class: "grid" }),
      svg("text", { x: left - 7, y: up(y) + 4, "text-anchor": "end", class: "tick" }, number(y)));
  }
  const places = dated ? [0, 1, 2, 3].map((k) => x0 + (x1 - x0) * (k + 0.25) / 3.5) : ticks(x0, x1);
  for (const place of places) {
    picture.append(svg("text", { x: at(place), y: high - bottom + 18, "text-anchor": "middle", class: "tick" },
      dated ? when(place, x1 - x0) : number(place)));
  }
  if (x) picture.append(svg("text", { x: (left + wide - right) / 2, y: high - 8, "text-anchor": "middle", class: "tick" }, x));
  for (const mark of marks) {
    picture.append(svg("line", { x1: at(mark), x2: at(mark), y1: top, y2: high - bottom, class: "mark" }));
  }
  const seen = new Set();
  const drawn = lines.map((line) => {
    const group = svg("g", { class: `k-${line.kind ?? "static"}` });
    const known = line.points.filter(([, y]) => y !== null);
    const path = known.map(([px, py], k) => `${k ? "L" : "M"}${at(px).toFixed(1)} ${up(py).toFixed(1)}`).join("");
    group.append(svg("path", { d: path, class: seen.has(line.kind) ? "again" : "" }));
    seen.add(line.kind);
    picture.append(group);
    return { ...line, group, end: up(known.at(-1)?.[1] ?? 0) };
  });
  figure.append(picture);
  if (beside) {
    let place = Infinity;
    for (const line of [...drawn].sort((a, b) => b.end - a.end)) {
      place = Math.min(line.end, place - 16);
      line.group.append(svg("text", { x: wide - right + 8, y: place + 4, class: "name" }, line.name));
    }
  } else if (lines.length > 1) {
    const key = make("p", "yours-key");
    for (const line of drawn) {
      const sample = svg("svg", { viewBox: "0 0 26 10", class: "yours-swatch", "aria-hidden": "true" });
      const group = svg("g", { class: line.group.getAttribute("class") });
      group.append(svg("path", { d: "M2 5H24", class: line.group.firstChild.getAttribute("class") }));
      sample.append(group);
      const item = make("span");
      item.append(sample, ` ${line.name}`);
      key.append(item);
    }
    figure.append(key);
  }
  figure.append(make("figcaption", "", caption));
}

function drawTarget({ lines, dated, classes, rows }) {
  const each = Math.round(rows / lines[0].points.length);
  const mean = each > 1 ? `, each point the mean of about ${each.toLocaleString("en")} rows` : "";
  const what = classes ? `Share of ${lines.map((line) => line.name).join(", ")}` : lines[0].name || "The target";
  const kinds = ["static", "online", "hybrid", "scheduled"];
  const ends = lines.map(({ name, points }) => `${name} from ${number(points[0][1])} to ${number(points.at(-1)[1])}`);
  draw(by("target"), lines.map((line, k) => ({ ...line, kind: kinds[k] })), {
    caption: `${what} over time${mean}.`, alt: `${what} over time: ${ends.join("; ")}.`,
    x: dated ? "" : "row", dated, zero: classes,
  });
}

function drawErrors({ lines, window, dated, unit, changes = [], reference }) {
  const ends = lines.map(({ name, points }) => `${name} ends at ${number(points.at(-1)[1])}`);
  draw(by("errors"), lines, {
    caption: `Error over time${unit ? ` in ${unit}` : ""}: the mean of the last ${window.toLocaleString("en")} rows.${
      changes.length ? ` Dotted: where ADWIN finds a change of level in ${reference}.` : ""}`,
    alt: `Error over time, mean of the last ${window} rows: ${ends.join("; ")}.`,
    x: dated ? "" : "row", dated, zero: true, marks: changes,
  });
}

function drawCosts(costs) {
  by("costs").replaceChildren();
  if (!costs) return;
  const [[, first], ...later] = costs.cheapest;
  const said = [`${first} is the cheapest while a retraining costs nothing`,
    ...later.map(([price, name]) => `${name} from ${number(price)} on`)].join("; ");
  draw(by("costs"), costs.lines, {
    caption: `Cost of 1,000 rows over the price of a retraining, with an error at ${number(costs.error)}: ${said}.`,
    alt: `Cost over the price of a retraining: ${said}.`, x: "price of one retraining",
  });
}

// ---------------------------------------------------------------- take it away

function save(name, text, type) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function away(what) {
  const stem = table.name.replace(/\.(csv|tsv|txt|parquet|pq)?(\.gz)?$/i, "") || "table";
  if (what === "script") return save(`${stem}.py`, table.script, "text/x-python");
  say(by("progress"), "Python is writing …");
  const text = await call("take_away", { what, prices: table.asked.prices });
  if (text.refused) return say(by("progress"), text.refused, true);
  say(by("progress"), "Written.");
  if (what === "table") save(`${stem}-table.csv`, text, "text/csv");
  else save(`${stem}-report.html`, text, "text/html");
}

// ---------------------------------------------------------------- what the reader does

const file = by("file");
by("choose").addEventListener("click", () => file.click());
const take = async (one) => one && fits(one.name, one.size)
  && open(one.name, new Uint8Array(await one.arrayBuffer()));
file.addEventListener("change", () => { take(file.files[0]); file.value = ""; });
const area = document.querySelector(".yours-open");
area.addEventListener("dragover", (event) => { event.preventDefault(); area.classList.add("over"); });
area.addEventListener("dragleave", () => area.classList.remove("over"));
area.addEventListener("drop", (event) => {
  event.preventDefault();
  area.classList.remove("over");
  take(event.dataTransfer.files[0]);
});
for (const sample of root.querySelectorAll("[data-sample]")) {
  sample.addEventListener("click", async () => {
    const bytes = await fetch(ours(sample.dataset.sample)).then((answer) => answer.arrayBuffer());
    open(sample.dataset.sample, new Uint8Array(bytes), sample.dataset.note);
  });
}
by("paste").addEventListener("click", () =>
  open("pasted.csv", new TextEncoder().encode(by("pasted").value)));
form.addEventListener("submit", (event) => { event.preventDefault(); if (!running) run(); });
by("stop").addEventListener("click", stop);
by("worlds-run").addEventListener("click", worlds);
by("worlds-stop").addEventListener("click", stop);
by("all").addEventListener("click", () => {
  by("table").classList.add("yours-whole");
  by("all").hidden = true;
});
form.addEventListener("change", ({ target: { name } }) => {
  if (!running) changed(name).catch(fail);
});
async function changed(name) {
  if (name.startsWith("cost_")) {
    if (by("away").hidden) return;
    const said = await call("answer_again", { prices: prices() });
    if (said.refused) return say(by("progress"), said.refused, true);
    table.asked.prices = prices();
    inWords(said);
    return say(by("progress"), `At these prices: ${said.sentences.at(-1)}`);
  }
  if (name === "delay" || name === "quick") { by("result").hidden = true; await tellTime(reading); }
  else await read();
}
for (const one of root.querySelectorAll("[data-away]")) {
  one.addEventListener("click", () => away(one.dataset.away));
}
