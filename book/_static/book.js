// Remembers, in this browser only, which chapters were read.
(() => {
  const PREFIX = "static-vs-dynamic:";
  const store = {
    get(key, otherwise) {
      try { return JSON.parse(localStorage.getItem(PREFIX + key)) ?? otherwise; } catch { return otherwise; }
    },
    set(key, value) {
      try { localStorage.setItem(PREFIX + key, JSON.stringify(value)); } catch { /* private window */ }
    },
  };
  const nameOf = (path) => path.split("/").pop().replace(/\.html$/, "");
  const chapter = document.querySelector("[data-chapter]")?.dataset.chapter;

  // Chapters that were read carry a mark in the contents and on the landing page.
  const read = new Set(store.get("read", []));
  const show = () => {
    document.querySelectorAll('.bd-links a[href$=".html"], a[data-card]').forEach((link) => {
      const name = nameOf(link.getAttribute("href"));
      const known = read.has(name);
      link.querySelector(".read-mark")?.remove();
      if (known) {
        const mark = document.createElement("span");
        mark.className = "read-mark";
        mark.textContent = " ✓";
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", "read");
        link.append(mark);
      }
    });
    const bar = document.querySelector("[data-progress]");
    if (bar) {
      const all = document.querySelectorAll("a[data-card]").length;
      const some = [...document.querySelectorAll("a[data-card]")]
        .filter((link) => read.has(nameOf(link.getAttribute("href")))).length;
      bar.hidden = some === 0;
      bar.textContent = `You have marked ${some} of ${all} chapters as read.`;
    }
  };
  if (chapter) {
    const button = document.createElement("button");
    const label = () => {
      button.setAttribute("aria-pressed", String(read.has(chapter)));
      button.textContent = read.has(chapter) ? "Read ✓ (undo)" : "Mark this chapter as read";
    };
    button.type = "button";
    button.className = "book-button book-read";
    button.addEventListener("click", () => {
      if (read.has(chapter)) read.delete(chapter); else read.add(chapter);
      store.set("read", [...read]);
      label();
      show();
    });
    label();
    document.querySelector(".prev-next-footer, .bd-footer-article")?.before(button);
  }
  show();
})();

// A figure that is pressed opens as large as its letters need (book.css), for readers on phones.
(() => {
  let dialog = null;
  const open = (image) => {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.innerHTML = '<button type="button" class="book-button">Close</button><img alt="">';
      dialog.querySelector("button").addEventListener("click", () => dialog.close());
      document.body.append(dialog);
    }
    dialog.className = "figure-large";
    dialog.setAttribute("aria-label", "The figure, enlarged");
    const large = dialog.querySelector("img");
    large.src = image.src || image.currentSrc; // the wide one, on a phone too
    large.alt = image.alt;
    // Drawn at 144 dots an inch, moving ones at 100; letters have 9 points or more, so 88 pixels an inch.
    const wide = image.getAttribute("width") || image.naturalWidth;
    const inches = wide / (image.closest(".companion-frames") ? 100 : 144);
    dialog.style.setProperty("--readable", `${Math.ceil(88 * inches)}px`);
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const image = event.target.closest(".figure-link")?.querySelector("img")
      || event.target.closest(".bd-article .cell_output img");
    if (!image || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(image);
  });
})();

// The cover waits for a guess, then its lines run on; a guess made once is remembered.
(() => {
  const pick = document.querySelector(".cover-pick");
  if (!pick) return;
  const KEY = "static-vs-dynamic:cover";
  const run = (guess) => {
    document.documentElement.classList.add("cover-runs");
    const said = pick.querySelector(`[data-pick="${guess}"]`)?.textContent;
    const status = pick.querySelector("[role=status]");
    for (const one of pick.querySelectorAll("[data-pick]")) one.setAttribute("aria-pressed", String(one.dataset.pick === guess));
    status.textContent = `${guess && said ? `You said: ${said.toLowerCase()}. ` : ""}${status.dataset.truth}`;
  };
  pick.addEventListener("click", (event) => {
    const guess = event.target.dataset.pick;
    if (guess === undefined) return;
    try { localStorage.setItem(KEY, guess); } catch { /* private window */ }
    run(guess);
  });
  try { const known = localStorage.getItem(KEY); if (known !== null) run(known); } catch { /* private window */ }
})();

// A chapter is read as a story without code, or with all code open; the choice is remembered.
(() => {
  const buttons = [...document.querySelectorAll(".code-switch [data-code]")];
  if (!buttons.length) return;
  const KEY = "static-vs-dynamic:code";
  const folds = document.querySelectorAll(".bd-article .tag_hide-input > details");
  const use = (wanted) => {
    document.documentElement.dataset.code = wanted;
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.code === wanted));
    for (const fold of folds) fold.open = wanted === "code";
  };
  for (const one of buttons) {
    one.addEventListener("click", () => {
      const wanted = one.getAttribute("aria-pressed") === "true" ? "" : one.dataset.code;
      const at = one.getBoundingClientRect().top;
      use(wanted);
      scrollBy({ top: one.getBoundingClientRect().top - at, behavior: "instant" });
      try { localStorage.setItem(KEY, wanted); } catch { /* private window */ }
    });
  }
  let known = "";
  try { known = localStorage.getItem(KEY) ?? ""; } catch { /* private window */ }
  if (known) use(known);
})();

// What scrolls sideways is reached by keyboard, and nothing else; all boxes are read, then written.
(() => {
  const watch = new ResizeObserver((seen) => {
    const scrolls = seen.map(({ target }) => target.scrollWidth > target.clientWidth);
    seen.forEach(({ target }, k) => {
      if (scrolls[k]) target.tabIndex = 0; else target.removeAttribute("tabindex");
    });
  });
  const boxes = ".bd-article pre, .bd-article .cell_output > .output, .pst-scrollable-table-container";
  for (const box of document.querySelectorAll(boxes)) watch.observe(box);
})();
