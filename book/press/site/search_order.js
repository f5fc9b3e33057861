// Sphinx calls score() with each result; the numbers it gives by itself are 5 to 15.
var Scorer = ((keyTerms, known, synonyms) => {
  const words = (text) => text.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word.length > 2);
  let asked = [];
  const bonus = ([term, rank]) => {
    const its = words(term);
    const both = its.filter((word) => asked.includes(word)).length;
    return (20 * both) / Math.max(its.length, asked.length, 1) / rank;
  };

  // How many letters two words differ by: one left out, put in, changed, or swapped with the next.
  const distance = (a, b) => {
    let [twoAgo, last] = [[], [...Array(b.length + 1).keys()]];
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++) {
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] !== b[j - 1]));
        if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], twoAgo[j - 2] + 1);
      }
      [twoAgo, last] = [last, row];
    }
    return last[b.length];
  };
  const mended = (word) => {
    const written = word.toLowerCase();
    const terms = { ...Search._index.terms, ...Search._index.titleterms };
    const inBook = written.length < 4 || /\d/.test(written) || stopwords.includes(written)
      || Object.keys(terms).some((term) => term.startsWith(new Stemmer().stemWord(written)));
    if (inBook) return word;
    const away = known.map((other) => distance(written, other));
    const least = Math.min(...away);
    return least <= (written.length < 8 ? 1 : 2) ? known[away.indexOf(least)] : word;
  };
  const translated = (query) => {
    const all = ` ${query.toLowerCase().split(/[^a-z0-9]+/).join(" ")} `;
    const theirs = Object.keys(synonyms).find((words) => all.includes(` ${words} `));
    return theirs ? all.replace(` ${theirs} `, ` ${synonyms[theirs]} `).trim() : query;
  };

  // A full-text result leads to the section of the page that holds all of the words most often.
  const section = (html, keywords) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    let [best, most] = [null, 0];
    page.querySelectorAll(".bd-article section section[id]").forEach((one) => {
      const own = [...one.children].filter((child) => child.tagName !== "SECTION");
      const text = own.map((child) => child.textContent).join(" ").toLowerCase();
      const times = Math.min(...[...keywords].map((word) => text.split(word).length - 1));
      if (times > most) [best, most] = [one, times];
    });
    return best;
  };
  const link = (one, item) => {
    const page = item.querySelector("a");
    const to = document.createElement("a");
    to.className = "search-section";
    to.href = `${page.getAttribute("href")}#${one.id}`;
    to.textContent = one.firstElementChild.textContent.replace(/#$/, "");
    page.after(" › ", to);
  };

  // Sphinx's own script comes before this one.
  {
    const { _parseQuery, makeSearchSummary } = Search;
    Search._parseQuery = (query) => {
      const right = query.split(/(\s+)/).map((word) => (word.trim() ? mended(word) : word)).join("");
      const ours = translated(right);
      asked = words(ours);
      if (ours !== query && Search.output) {
        const note = document.createElement("p");
        note.setAttribute("role", "status");
        note.className = "search-note";
        note.textContent = `Results for “${ours}”`;
        Search.output.before(note);
      }
      return _parseQuery(ours);
    };
    Search.makeSearchSummary = (html, keywords, anchor) => {
      const best = anchor ? null : section(html, keywords);
      const summary = makeSearchSummary(html, keywords, best ? `#${CSS.escape(best.id)}` : anchor);
      if (best) queueMicrotask(() => link(best, summary.parentElement));
      return summary;
    };
  }

  const others = { "book/glossary": 0.5, "book/bibliography": 0.02 }; // and a chapter has 10 or more
  return {
    score: ([page, title, anchor, about, score]) => {
      const terms = keyTerms[page];
      if (!terms) return page.startsWith("book/") ? Math.min(9, score * (others[page] ?? 0.1)) : score;
      return score + 10 + Math.max(...terms.map(bonus));
    },
    objNameMatch: 11, objPartialMatch: 6, objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
    title: 15, partialTitle: 7, term: 5, partialTerm: 2,
  };
})(TERMS, WORDS, SYNONYMS);
