// Predict first: what came out is folded until the reader has said what they expect, or skips.
(() => {
  const box = document.querySelector(".predict");
  if (!box) return;
  const KEY = "static-vs-dynamic:predict", chapter = box.dataset.chapter, page = document.documentElement;
  const form = box.querySelector("form"), status = box.querySelector("[role=status]");
  const curve = box.querySelector("svg"), knots = [...form.querySelectorAll("[type=range]")];
  // What came out, and the rest of the section, which speaks of it.
  const waiting = [...document.querySelectorAll(".tag_predict > .cell_output, .cell:has(.predict) ~ :not(section)")];
  const load = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; }
  };
  const save = (change) => {
    try { localStorage.setItem(KEY, JSON.stringify({ ...load(), ...change })); } catch { /* private window */ }
  };
  const number = (value) => (+value).toLocaleString("en");

  function draw() {
    if (!curve) return;
    const { first, top, height } = curve.dataset;
    const points = [first.split(","), ...knots.map((knot) => [knot.dataset.x, knot.value])];
    curve.querySelector(".predict-mine").setAttribute("points",
      points.map(([x, value]) => `${x},${height * (1 - value / top)}`).join(" "));
    for (const knot of knots) knot.previousElementSibling.textContent = number(knot.value);
  }

  // The reader's words stay above what came out, and a drawn curve under the truth.
  function show({ words, drawn } = {}) {
    page.classList.add("predicted");
    drawn?.forEach((value, k) => { knots[k].value = value; });
    draw();
    curve?.classList.toggle("drawn", Boolean(drawn));
    const said = words ? [`You said: “${words}”.`] : [];
    if (drawn) said.push(`You drew ${knots.map((knot) => `${number(knot.value)} for ${knot.dataset.when} (it was ${number(knot.dataset.truth)})`).join(", ")}. Dashed: you. The other line: what came out.`);
    status.textContent = said.join(" ");
  }
  function open(told) {
    save({ [chapter]: told });
    show(told);
    waiting[0].tabIndex = -1;
    waiting[0].focus({ preventScroll: true });
    box.scrollIntoView();
  }

  let touched = false;
  form.addEventListener("input", (event) => { touched ||= knots.includes(event.target); draw(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open({ words: form.elements.words.value.trim(), drawn: touched ? knots.map((knot) => +knot.value) : undefined });
  });
  const acts = {
    skip: () => open({}),
    never: () => { save({ never: true }); open({}); },
    again: () => {
      save({ [chapter]: undefined, never: undefined });
      page.classList.remove("predicted");
      status.textContent = "";
      form.elements.words.focus();
    },
  };
  box.addEventListener("click", (event) => acts[event.target.dataset.do]?.());
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") acts.skip(); });

  // The pointer sets the knot that is next to it.
  const point = (event) => {
    if (page.classList.contains("predicted") || (event.type === "pointermove" && !event.buttons)) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(curve.getScreenCTM().inverse());
    const { top, height } = curve.dataset;
    const next = knots.reduce((a, b) => (Math.abs(b.dataset.x - at.x) < Math.abs(a.dataset.x - at.x) ? b : a));
    next.value = top * (1 - at.y / height);
    touched = true;
    draw();
  };
  curve?.addEventListener("pointerdown", point);
  curve?.addEventListener("pointermove", point);

  // A link to what waits opens it.
  const linked = () => {
    const target = document.querySelector(":target");
    if (target && waiting.some((one) => one.contains(target))) show();
  };
  draw();
  if (page.classList.contains("predicted")) show(load()[chapter]);
  linked();
  addEventListener("hashchange", linked);
})();
