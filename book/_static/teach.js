// Helps on the instructor's pages; without it everything is there, only unfiltered.
(() => {
  // The question bank: show what fits the chosen chapter, outcome, level and place.
  const filter = document.querySelector("[data-bank-filter]");
  if (filter) {
    const cards = [...document.querySelectorAll(".bank-card")];
    const chapters = [...document.querySelectorAll("section:has(> .bank-card)")];
    const field = (name, label, options) => {
      const box = document.createElement("label");
      const select = document.createElement("select");
      select.name = name;
      options.forEach(([value, text]) => select.add(new Option(text, value)));
      box.append(label + " ", select);
      filter.append(box);
      return select;
    };
    const values = (key) => [...new Set(cards.map((card) => card.dataset[key]))];
    const byChapter = values("chapter").map((n) => [n, `chapter ${n}`]);
    const byOutcome = values("outcome")
      .sort((a, b) => a.split(".")[0] - b.split(".")[0] || a.split(".")[1] - b.split(".")[1])
      .map((n) => [n, n]);
    const chosen = {
      chapter: field("chapter", "Chapter", [["", "all"], ...byChapter]),
      outcome: field("outcome", "Outcome", [["", "all"], ...byOutcome]),
      level: field("level", "Level", [["", "all"], ["1", "1 recognise"], ["2", "2 explain or apply"], ["3", "3 carry over or weigh"]]),
      place: field("place", "Stands in", [["", "both"], ["quiz", "the chapter's quiz"], ["bank", "only the bank"]]),
    };
    const count = document.createElement("p");
    count.setAttribute("role", "status");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "book-button";
    again.textContent = "Show all";
    filter.append(again, count);
    const show = () => {
      [...chosen.outcome.options].forEach((option) => {
        option.hidden = Boolean(chosen.chapter.value && option.value && option.value.split(".")[0] !== chosen.chapter.value);
      });
      if (chosen.outcome.selectedOptions[0].hidden) chosen.outcome.value = "";
      let shown = 0;
      cards.forEach((card) => {
        card.hidden = Object.entries(chosen).some(([key, select]) => select.value && select.value !== card.dataset[key]);
        if (!card.hidden) shown += 1;
      });
      chapters.forEach((part) => { part.hidden = !part.querySelector(".bank-card:not([hidden])"); });
      count.textContent = `${shown} of ${cards.length} questions`;
    };
    filter.addEventListener("change", show);
    filter.addEventListener("submit", (event) => event.preventDefault());
    again.addEventListener("click", () => { Object.values(chosen).forEach((select) => { select.value = ""; }); show(); });
    filter.hidden = false;
    show();
  }

  // A class's saved quizzes, joined: what each student answered first.
  const joined = document.querySelector("[data-class-answers]");
  if (joined) {
    const add = (parent, tag, textContent = "") => parent.appendChild(Object.assign(document.createElement(tag), { textContent }));
    const label = add(joined, "label", "Files of answers ");
    const input = label.appendChild(Object.assign(document.createElement("input"), { type: "file", multiple: true, accept: ".json" }));
    const status = add(joined, "p");
    status.setAttribute("role", "status");
    const table = document.createElement("table");
    table.className = "companion-table";
    const box = add(joined, "div");
    box.className = "pst-scrollable-table-container";
    const UNKNOWN = "unknown here";
    const read = async (file) => {
      let found = null;
      try { found = JSON.parse(await file.text()); } catch { /* said below */ }
      if (found?.format !== "static-vs-dynamic quiz 1" || !Array.isArray(found.answers)
        || !found.answers.every((one) => typeof one?.question === "string")) throw new Error(file.name);
      const answers = [...new Map(found.answers.toReversed().map((one) => [one.question, one])).values()];
      return { answers, predicted: found.predicted, predictions: Object.entries(found.predictions ?? {}) };
    };
    input.addEventListener("change", async () => {
      const done = await Promise.allSettled([...input.files].map(read));
      const refused = done.filter((one) => one.reason).map((one) => one.reason.message);
      const all = done.flatMap((one) => one.value?.answers ?? []);
      const predicted = done.map((one) => one.value?.predicted).filter((name) => typeof name === "string" && name);
      const counts = [...new Set(predicted)].sort().map((name) => `${name} ${predicted.filter((one) => one === name).length}`);
      const rows = [...new Set(all.map((one) => one.question))].map((question) => {
        const some = all.filter((one) => one.question === question);
        const wrong = {};
        for (const one of some) if (!one.right) wrong[one.answer] = (wrong[one.answer] ?? 0) + 1;
        const [letter, times] = Object.entries(wrong).sort((a, b) => b[1] - a[1])[0] ?? ["none", 0];
        const right = some.filter((one) => one.right).length;
        const known = Boolean(document.getElementById(question)?.matches(".bank-card"));
        return { question, known, outcome: known ? some[0].outcome : UNKNOWN, right, count: some.length, wrong: times ? `${letter}, ${times} of ${some.length}` : letter };
      }).sort((a, b) => b.known - a.known || a.right / a.count - b.right / b.count);
      table.replaceChildren();
      const head = add(add(table, "thead"), "tr");
      for (const name of ["Question", "Outcome", "Right at first", "Wrong answer that most chose"]) add(head, "th", name).scope = "col";
      const body = add(table, "tbody");
      for (const row of rows) {
        const line = add(body, "tr");
        const first = add(line, "th");
        first.scope = "row";
        if (row.known) add(first, "a", row.question.toUpperCase()).href = `#${row.question}`;
        else first.textContent = row.question.slice(0, 16);
        for (const text of [row.outcome, `${row.right} of ${row.count}`, row.wrong]) add(line, "td", text);
      }
      const said = done.flatMap((one) => one.value?.predictions ?? []).filter(([, one]) => one?.words);
      const list = document.createElement("ul");
      for (const [chapter, one] of said.sort()) add(list, "li", `Chapter ${parseInt(chapter, 10)}: “${one.words}”`);
      const words = said.length ? [add(document.createElement("div"), "p", "What they predicted in the chapters:"), list] : [];
      box.replaceChildren(...(rows.length ? [table] : []), ...words);
      const whole = done.length - refused.length;
      const others = rows.filter((row) => !row.known).length;
      status.textContent = `${whole} of ${done.length} files read, ${rows.length} questions${others ? `, ${others} of them ${UNKNOWN} (another edition of the book?)` : ""}.${refused.length ? ` Not files of saved answers: ${refused.join(", ")}.` : ""}${counts.length ? ` Predicted on the cover: ${counts.join(", ")}.` : ""}`;
    });
    joined.addEventListener("submit", (event) => event.preventDefault());
    joined.hidden = false;
  }

  // The hub's links: put the reader's own hub into them.
  const form = document.querySelector("[data-hub-form]");
  if (form) {
    const links = [...document.querySelectorAll("a[data-hub]")];
    const first = links.map((link) => link.getAttribute("href"));
    const box = document.createElement("label");
    const input = document.createElement("input");
    input.type = "url";
    input.placeholder = new URL(first[0]).origin;
    box.append("Address of your hub ", input);
    form.append(box);
    input.addEventListener("input", () => {
      const hub = input.value.trim().replace(/\/+$/, "");
      const known = /^https?:\/\/[^\s/]+/.test(hub);
      links.forEach((link, k) => {
        link.setAttribute("href", known ? first[k].replace(new URL(first[k]).origin, hub) : first[k]);
      });
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }
})();
