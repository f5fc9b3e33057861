// The claims ledger: show the claims of a part, with a verdict, on some data. Without it all stand there.
(() => {
  const form = document.querySelector("[data-ledger-filter]");
  if (!form) return;
  const cards = [...document.querySelectorAll("ol.ledger > li")];
  const names = { part: "Part", verdict: "Verdict", data: "Data" };
  const chosen = Object.entries(JSON.parse(form.dataset.choices)).map(([key, options]) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.name = key;
    [["", "all"], ...options].forEach(([value, text]) => select.add(new Option(text, value)));
    label.append(names[key] + " ", select);
    form.append(label);
    return [key, select];
  });
  const again = Object.assign(document.createElement("button"), { type: "button", className: "book-button", textContent: "Show all" });
  const count = document.createElement("p");
  count.setAttribute("role", "status");
  form.append(again, count);
  const show = () => {
    cards.forEach((card) => {
      card.hidden = chosen.some(([key, select]) => select.value && !card.dataset[key].split(" ").includes(select.value));
    });
    count.textContent = `${cards.filter((card) => !card.hidden).length} of ${cards.length} claims`;
  };
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  again.addEventListener("click", () => { chosen.forEach(([, select]) => { select.value = ""; }); show(); });
  form.hidden = false;
  show();
})();

// The map of the claims: how fast the world moves and how late labels come, and what then holds.
(() => {
  const form = document.querySelector("[data-claims-map]");
  if (!form) return;
  const words = JSON.parse(form.dataset.claimsMap);
  const kinds = { for: ["supported", "holds"], some: ["only", "in part"], not: ["not", "does not hold"] };
  const claims = [...form.querySelectorAll("li")].map((item) => ({
    item, id: item.dataset.id, places: JSON.parse(item.dataset.places),
    said: item.querySelector(".map-said"), here: item.querySelector(".map-here"),
  }));
  const { speed, delay } = form.elements;
  const show = () => {
    for (const knob of [speed, delay]) {
      const word = words[knob.name][knob.value];
      knob.previousElementSibling.textContent = word;
      knob.setAttribute("aria-valuetext", word);
    }
    const told = claims.map(({ id, places, said, here }) => {
      const [kind, count, total] = places[delay.value][speed.value];
      const [look, word] = kinds[kind];
      said.className = `map-said outcome outcome-${look}`;
      said.textContent = `${word}: ${count} of ${total} for it`;
      said.hidden = false;
      here.setAttribute("x", 14 * speed.value);
      here.setAttribute("y", 14 * delay.value);
      here.setAttribute("visibility", "visible");
      return kind === "for" ? id : "";
    }).filter(Boolean);
    form.querySelector("[role=status]").textContent =
      `The world ${words.speed[speed.value]}, labels come ${words.delay[delay.value]}: ${told.length ? `${told.join(", ")} hold${told.length > 1 ? "" : "s"}` : "none of the claims holds whole"}.`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector(".map-knobs").hidden = false;
  show();
})();
