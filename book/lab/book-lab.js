/* The bar above the lab: what is going on, what it costs, how to start over. */
(() => {
  const script = document.currentScript;
  const lab = new URL(".", script.src);
  const book = new URL("..", lab);
  const path = new URLSearchParams(location.search).get("path") || "";
  const [, folder, name] = /^(\w+)\/([^/]+)\.ipynb$/.exec(path) || [];
  const chapter = folder === "notebooks" && /^\d/.test(name);
  const page = {
    notebooks: chapter ? `notebooks/${name}.html` : "book/your_stream.html",
    assignments: "book/assignments.html", capstone: `notebooks/capstone/${name}.html`,
  }[folder] || "index.html";

  // Hosts that isolate their pages would make the kernel talk by shared memory, which loses messages
  // (coincident in JupyterLite 0.8); the way that works everywhere works there too.
  Object.defineProperty(window, "crossOriginIsolated", { value: false });

  const bar = document.createElement("section");
  bar.id = "book-lab";
  bar.setAttribute("aria-label", "The lab");
  bar.innerHTML = '<a></a><p role="status"></p><span><button type="button">Run all</button>' +
    '<button type="button">Add a file</button><button type="button">Start over</button></span>' +
    '<a class="made">Licences</a>';
  const [back, status, buttons, made] = bar.children;
  made.href = new URL("licences/index.html", lab).href;
  made.title = "What the lab is made of, and the licences";
  const [run, add, reset] = buttons.children;
  back.textContent = chapter ? "← Back to the chapter" : "← Back to the book";
  back.href = new URL(page, book).href;
  buttons.hidden = !name;
  run.disabled = add.disabled = reset.disabled = true;
  document.body.prepend(bar);

  const say = (text, busy) => {
    if (status.textContent !== text) status.textContent = text;
    bar.classList.toggle("busy", busy);
  };
  // The rest of the page begins below the bar, however many lines it takes.
  new ResizeObserver(() => {
    document.body.style.setProperty("--book-lab-height", `${bar.offsetHeight}px`);
    window.dispatchEvent(new Event("resize"));
  }).observe(bar);

  // Links to the site's pages start at its root, which may be anywhere.
  const mend = (link) => { link.href = new URL(link.getAttribute("href").slice(1), book).href; };
  let describe = () => {};
  const links = 'a[href^="/book/"], a[href^="/notebooks/"]';
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (node.nodeType === 1) {
          if (node.matches(links)) mend(node);
          node.querySelectorAll(links).forEach(mend);
          node.querySelectorAll(".jp-RenderedImage img").forEach((image) => describe(image));
        }
      }
    }
  }).observe(document.body, { childList: true, subtree: true });

  // JupyterLab's shortcuts leave alone the keys of what the chapters let readers open and move.
  const own = ".companion-frames .controls, .jp-RenderedMarkdown summary, .jp-RenderedMarkdown a";
  window.addEventListener("keydown", (event) => {
    if (event.target.closest?.(own)) event.stopPropagation();
  }, true);

  if (location.protocol === "file:") {
    say("The lab cannot run from a file. Serve the book's folder, for example with " +
        "“python3 -m http.server”, and open the address that it prints.", false);
    return;
  }
  say("Loading Python and its libraries into your browser: about " +
      `${script.dataset.megabytes} MB the first time. Nothing you do here leaves it.`, true);

  const soon = () => new Promise((resolve) => setTimeout(resolve, 100));
  const when = async (get) => {
    let found;
    while (!(found = get())) await soon();
    return found;
  };
  const kept = "Your changes are kept in this browser.";
  let newer = "";
  let leaving = false;

  const start = async () => {
    const app = await when(() => window.jupyterapp);
    if (!name) {
      await app.restored;
      say(kept, false);
      return;
    }
    const panel = await when(() => app.shell.currentWidget?.context && app.shell.currentWidget);
    await panel.context.ready;
    add.disabled = reset.disabled = false;
    add.addEventListener("click", () => addFiles(app));
    reset.addEventListener("click", async () => {
      if (!confirm("Throw away your changes to this notebook and start again from the book's copy?"))
        return;
      leaving = true;
      panel.context.model.dirty = false;
      await app.serviceManager.contents.delete(path);
      location.reload();
    });
    run.addEventListener("click", async () => {
      // JupyterLab would leave the reader at the last cell; let it be where it was.
      const notebook = panel.content;
      const place = notebook.activeCellIndex;
      notebook.scrollToItem = async () => {};
      await app.commands.execute("runmenu:run-all");
      notebook.activeCellIndex = place;
      setTimeout(() => delete notebook.scrollToItem, 300);
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && !leaving && panel.context.model.dirty) panel.context.save();
    });
    compare(panel);
    // What is folded says what it holds, as on the chapter's page.
    for (const cell of panel.content.widgets) {
      if ((cell.model.getMetadata("tags") || []).includes("hide-input")) cell.addClass("book-code");
    }
    // JupyterLab drops what a figure says to those who cannot see it.
    describe = (image) => {
      const cell = panel.content.widgets.find((one) => one.node.contains(image));
      const child = image.closest(".jp-OutputArea-child");
      const place = child ? [...child.parentNode.children].indexOf(child) : -1;
      const alt = cell?.model.outputs?.get(place)?.metadata["image/png"]?.alt;
      if (alt) image.alt = alt;
    };
    panel.node.querySelectorAll(".jp-RenderedImage img").forEach(describe);
    const session = panel.sessionContext;
    await session.ready;
    let known = null;
    let pause = null;
    const follow = async () => {
      const kernel = session.session?.kernel;
      if (!kernel) return;
      clearTimeout(pause);
      if (run.disabled === false && /starting$/.test(kernel.status)) {
        known = null;
        run.disabled = true;
        say("Starting Python again …", true);
      }
      if (/starting$/.test(kernel.status)) return;
      if (kernel !== known) {
        known = kernel;
        // The kernel says that it is idle before Python has come; an empty cell waits for it.
        await kernel.requestExecute({ code: "", silent: true, store_history: false }).done;
        run.disabled = false;
      }
      if (run.disabled) return;
      if (kernel.status === "busy") say("Running …", true);
      else pause = setTimeout(() => say(`Python is ready. ${newer || kept}`, false), 800);
    };
    session.kernelChanged.connect(follow);
    session.statusChanged.connect(follow);
    await follow();
  };

  // A file of the reader's own goes beside the notebook, where a cell reads it by its name.
  const addFiles = (app) => {
    const field = Object.assign(document.createElement("input"), { type: "file", multiple: true });
    const text = (file) => new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(file);
    });
    field.addEventListener("change", async () => {
      const names = [];
      try {
        for (const file of field.files) {
          await app.serviceManager.contents.save(`${folder}/${file.name}`, {
            type: "file", format: "base64", content: await text(file),
            mimetype: file.type || "application/octet-stream", name: file.name,
          });
          names.push(`“${file.name}”`);
        }
        say(`${names.join(", ")} ${names.length > 1 ? "lie" : "lies"} beside this notebook; ` +
          "a cell reads it by its name.", false);
      } catch (error) {
        say(`The file was not added: ${error.message || error}`, false);
      }
    });
    field.click();
  };

  // A notebook that was changed in the book since the reader first saved it here.
  const compare = async (panel) => {
    const answer = await fetch(new URL(`files/${path}`, lab));
    const published = answer.ok ? (await answer.json()).metadata?.companion?.source : null;
    const mine = panel.context.model.getMetadata("companion")?.source;
    if (published && mine && published !== mine)
      newer = "The book has a newer copy of this notebook; “Start over” takes it.";
  };

  start().catch((error) => say(`The lab did not start: ${error.message || error}`, false));
})();
