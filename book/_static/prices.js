// Price the verdict: the cheapest strategy on each stream of the record, at the reader's prices.
(async () => {
  const form = document.querySelector("[data-prices]");
  if (!form) return;
  // The guide holds the record; a chapter asks for it when its verdict comes near.
  const held = document.getElementById("priced");
  if (!held) await new Promise((near) => {
    new IntersectionObserver((seen) => { if (seen[0].isIntersecting) near(); }, { rootMargin: "600px" }).observe(form.parentElement);
  });
  const worlds = held ? JSON.parse(held.textContent) : await fetch(form.dataset.prices).then((answer) => answer.json());
  const T95 = { 2: 4.303, 9: 2.262 }; // Student's, by degrees of freedom: 3 streams, or 10
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const money = (value) => value.toLocaleString("en", { maximumFractionDigits: 0 }).replace("-", "−").replace(/^−0$/, "0");
  const stop = (knob) => knob.dataset.stops.split(",")[knob.value];
  const knobs = [...form.elements].filter((field) => field.name);
  const before = {};

  // The cheapest strategy and the next, and what lies between them, stream by stream.
  const cheapest = (strategies, prices) => {
    const costs = Object.entries(strategies).map(([name, streams]) => {
      const each = streams.map((counts) => counts.reduce((sum, count, k) => sum + count * prices[k], 0));
      return { name, each, cost: mean(each) };
    }).sort((a, b) => a.cost - b.cost);
    const [first, next] = costs;
    const between = next.each.map((cost, k) => cost - first.each[k]);
    const spared = mean(between);
    const freedom = between.length - 1;
    const spread = Math.sqrt(between.reduce((sum, one) => sum + (one - spared) ** 2, 0) / freedom / (freedom + 1));
    const half = freedom ? T95[freedom] * spread : NaN;
    return { name: first.name, next: next.name, spared, low: spared - half, high: spared + half };
  };
  const cell = (row, tag, text) => { row.append(Object.assign(document.createElement(tag), { textContent: text })); };

  const show = () => {
    for (const knob of knobs) {
      knob.previousElementSibling.textContent = stop(knob);
      knob.setAttribute("aria-valuetext", stop(knob));
    }
    const prices = ["error", "retraining", "label"].map((name) => +stop(form.elements[name]));
    const counted = {};
    const rows = Object.entries(worlds).map(([world, delays]) => {
      const best = cheapest(delays[form.elements.delay.value], prices);
      const sure = best.low > 0;
      if (sure) counted[best.name] = (counted[best.name] || 0) + 1;
      const row = document.createElement("tr");
      cell(row, "th", world);
      row.firstChild.scope = "row";
      cell(row, "td", sure || Number.isNaN(best.low) ? best.name : `${best.name}, or ${best.next}`);
      cell(row, "td", Number.isNaN(best.low) ? `${money(best.spared)} against ${best.next}; one stream, no interval`
        : `${money(best.spared)} (${money(best.low)} to ${money(best.high)}) against ${best.next}${sure ? "" : ": cannot tell"}`);
      if (before[world] && before[world] !== best.name) row.className = "price-changed";
      before[world] = best.name;
      return row;
    });
    form.querySelector("tbody").replaceChildren(...rows);
    const said = Object.entries(counted).sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} on ${count}`);
    form.querySelector("[role=status]").textContent = `Surely cheapest: ${said.join(", ") || "nothing anywhere"}; of ${rows.length} streams.`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
