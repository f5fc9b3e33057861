// The quiz, in this browser only: which answers were right, the score, what to try again later.
(() => {
  const line = document.querySelector("[data-quiz]");
  const answers = [...document.querySelectorAll("details.answer")];
  if (!line || !answers.length) return;
  const PREFIX = "static-vs-dynamic:";
  const LATER = 20 * 3600 * 1000; // a missed question is asked again on another day
  const load = (key, otherwise) => {
    try { return JSON.parse(localStorage.getItem(PREFIX + key)) ?? otherwise; } catch { return otherwise; }
  };
  const save = (key, value) => {
    try { localStorage.setItem(PREFIX + key, JSON.stringify(value)); } catch { /* private window */ }
  };
  const add = (parent, tag, options = {}) => parent.appendChild(Object.assign(document.createElement(tag), options));

  // Answers that follow each other belong to one question.
  const chapter = line.dataset.chapter;
  const opened = new Set(load("answers:" + chapter, []));
  const records = load("quiz", {});
  const questions = [];
  answers.forEach((answer) => {
    if (!answer.previousElementSibling?.matches("details.answer")) {
      questions.push({ ...JSON.parse(line.dataset.quiz)[questions.length], answers: [] });
    }
    questions.at(-1).answers.push(answer);
  });
  const recordOf = (question) => (records[question.id] ??= { outcome: question.outcome, now: null, tries: [] });
  // Another tab may have answered meanwhile: only this chapter's questions are written anew.
  const keep = () => save("quiz", { ...load("quiz", {}),
    ...Object.fromEntries(questions.map((question) => [question.id, recordOf(question)])) });
  const isRight = (answer) => /^\s*Right\b/.test(answer.querySelector("summary ~ *")?.textContent ?? "");
  const letterOf = (answer) => answer.querySelector("summary").textContent.trim()[0];

  const mark = (answer) => {
    const right = isRight(answer);
    answer.classList.toggle("answer-right", answer.open && right);
    answer.classList.toggle("answer-wrong", answer.open && !right);
    answer.querySelector(".answer-mark")?.remove();
    if (answer.open) {
      add(answer.querySelector("summary"), "span", { className: "answer-mark", textContent: right ? " ✓ right" : " ✗ not right" });
    }
  };
  const reset = (some) => {
    some.forEach((question) => {
      recordOf(question).now = null;
      question.answers.forEach((answer) => { answer.open = false; });
    });
    keep();
    show();
  };

  // Below the quiz: the score, the outcomes, and what to do next.
  const panel = document.createElement("section");
  panel.className = "quiz-panel";
  panel.setAttribute("aria-label", "Your quiz");
  const score = add(panel, "p", { className: "quiz-score" });
  score.setAttribute("role", "status");
  const list = add(panel, "ul", { className: "quiz-outcomes" });
  const button = (text, act) => {
    const made = add(panel, "button", { type: "button", className: "book-button", textContent: text });
    made.addEventListener("click", act);
    return made;
  };
  const last = (question) => recordOf(question).tries.at(-1);
  const missed = () => questions.filter((question) => recordOf(question).now && !last(question).right);
  const focusFirst = (some) => some[0]?.answers[0].querySelector("summary").focus();
  const again = button("Try the missed questions again", () => {
    const some = missed();
    reset(some);
    focusFirst(some);
  });
  button("Close all answers and start the quiz again", () => reset(questions));
  button("Save my answers as a file", () => {
    const rows = Object.entries(load("quiz", records)).flatMap(([question, record]) =>
      record.tries.map((one) => ({ question, outcome: record.outcome, ...one })));
    let predicted = null, predictions = {}; // on the cover, and in the chapters
    try {
      predicted = localStorage.getItem(PREFIX + "cover");
      const { never, ...said } = load("predict", {});
      predictions = said;
    } catch { /* private window */ }
    const file = new Blob([JSON.stringify({ format: "static-vs-dynamic quiz 1", predicted, predictions, answers: rows }, null, 1)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "quiz-answers.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  add(panel, "p", { className: "quiz-note", textContent: "Kept in this browser only; nothing is sent." });

  const goals = [...document.querySelectorAll(".bd-article section > ol.arabic.simple")][0]?.children ?? [];
  const wordsOf = (outcome) => {
    const [number, goal] = outcome.split(".");
    const words = Number(number) === Number(chapter.slice(0, 2)) ? goals[goal - 1]?.textContent.trim().replace(/[;.]$/, "") : "";
    return words ? `${outcome}, ${words}` : outcome;
  };
  function show() {
    const done = questions.filter((question) => recordOf(question).now);
    const right = done.filter((question) => last(question).right).length;
    score.textContent = done.length
      ? `${right} right of ${done.length} answered; the quiz has ${questions.length} questions.`
      : `The quiz has ${questions.length} questions. The first answer that you open counts.`;
    again.hidden = missed().length === 0;
    list.replaceChildren();
    [...new Set(questions.map((question) => question.outcome))].sort().forEach((outcome) => {
      const some = questions.filter((question) => question.outcome === outcome);
      const held = some.filter((question) => last(question)?.right).length;
      add(list, "li", { textContent: `Outcome ${wordsOf(outcome)}: ${held} of ${some.length} right` });
    });
  }

  questions.forEach((question) => {
    const record = recordOf(question);
    const tried = record.tries.at(-1);
    if (record.now && !tried.right && Date.now() - Date.parse(tried.at) > LATER) {
      record.now = null;
      question.answers.forEach((answer) => opened.delete(answers.indexOf(answer)));
      const note = document.createElement("p");
      note.className = "quiz-note";
      note.textContent = "You missed this one last time. Try again.";
      question.answers[0].before(note);
    }
    question.answers.forEach((answer) => {
      const k = answers.indexOf(answer);
      if (opened.has(k)) answer.open = true;
      mark(answer);
      answer.addEventListener("toggle", () => {
        if (answer.open) opened.add(k); else opened.delete(k);
        save("answers:" + chapter, [...opened]);
        if (answer.open && !record.now) {
          record.now = letterOf(answer);
          record.tries.push({ answer: record.now, right: isRight(answer), at: new Date().toISOString() });
          keep();
        }
        mark(answer);
        show();
      });
    });
  });
  answers.at(-1).after(panel);
  show();
})();
