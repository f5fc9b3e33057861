// Remembers, in this browser only, which chapters were read and which quiz answers were opened.
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

  // Quiz answers stay open when the reader comes back.
  const answers = [...document.querySelectorAll("details.answer")];
  if (chapter && answers.length) {
    const opened = new Set(store.get("answers:" + chapter, []));
    answers.forEach((answer, k) => {
      if (opened.has(k)) answer.open = true;
      answer.addEventListener("toggle", () => {
        if (answer.open) opened.add(k); else opened.delete(k);
        store.set("answers:" + chapter, [...opened]);
      });
    });
    const forget = document.createElement("button");
    forget.type = "button";
    forget.className = "book-button";
    forget.textContent = "Close all answers and start the quiz again";
    forget.addEventListener("click", () => answers.forEach((answer) => { answer.open = false; }));
    answers.at(-1).after(forget);
  }

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
