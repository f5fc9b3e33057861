// Python for a chapter's page: the lab's own Pyodide and packages, in a worker of its own.
let python, known;

const text = (name) => fetch(new URL(`${name}${self.location.search}`, import.meta.url))
  .then((answer) => answer.text());

async function start({ folder, edition, packages, companion, needs, script = "cells.py" }) {
  const [{ loadPyodide }, lock, cells, needed, wheels, later] = await Promise.all([
    import(`${folder}start.mjs?edition=${edition}`),
    fetch(`${folder}pyodide-lock.json?edition=${edition}`).then((answer) => answer.json()),
    text(script), text("needed.py"), text("wheels.py"), text("later.py"),
  ]);
  lock.packages[companion].depends = needs; // the rest comes when a chapter imports it
  known = new Map(Object.entries(lock.packages).flatMap(
    ([name, one]) => one.imports.map((module) => [module, name])));
  python = await loadPyodide({
    indexURL: folder, packageBaseUrl: folder, lockFileContents: lock, packages,
    stdout: () => {}, stderr: () => {}, before: (early) => unpackLater(early, wheels, later),
  });
  python.FS.writeFile("/home/pyodide/needed.py", needed);
  python.globals.set("step", step);
  python.runPython(cells);
}

// A wheel stays as it came; what is imported is read out of it. The companion's is unpacked: it
// names a run by its own sources.
function unpackLater(early, wheels, later) {
  early.FS.writeFile("/home/pyodide/wheels.py", wheels);
  early.FS.writeFile("/home/pyodide/later.py", later);
  early.runPython(`
import later, wheels, os, pyodide._package_loader as loader

def unpack(buffer, *, filename="", extract_dir=None, _unpack=loader.unpack_buffer, **others):
    if not filename.endswith(".whl") or "companion" in filename:
        return _unpack(buffer, filename=filename, extract_dir=extract_dir, **others)
    os.makedirs("/wheels", exist_ok=True)
    path = "/wheels/" + filename.rpartition("/")[2]
    with open(path, "wb", buffering=0) as file:
        buffer.to_file(file)
    wheels.add(path, extract_dir)
    from pyodide.ffi import to_js
    return to_js([])

loader.unpack_buffer = unpack
del unpack
`);
}

// What is known so far goes to the page at once, with the finished runs that it has not got.
const sent = new Set();
function step(text) {
  const folder = "/tables/runs";
  const fresh = python.FS.readdir(folder).filter((name) => name.endsWith(".npz") && !sent.has(name));
  fresh.forEach((name) => sent.add(name));
  const runs = fresh.map((name) => [name, python.FS.readFile(`${folder}/${name}`)]);
  postMessage({ step: JSON.parse(text), runs });
}

// What reads Parquet is loaded when a table is the first such file.
async function parquet() {
  const [{ reader }, code] = await Promise.all([
    import(`./parquet.mjs${self.location.search}`), text("parquet.py"),
  ]);
  python.registerJsModule("parquet_bytes", reader((path) => python.FS.readFile(path)));
  const packages = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.FS.writeFile(`${packages}/parquet.py`, code);
  python.runPython("import importlib; importlib.invalidate_caches()");
}

function put(path, bytes) {
  python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  python.FS.writeFile(path, bytes);
}

// A package that was not foreseen is loaded when its import fails; the cell then runs again.
async function perform(name, ...values) {
  for (const tried = new Set(); ;) {
    const called = python.globals.get(name);
    const done = JSON.parse(called(...values));
    called.destroy(); // what is left to be collected may be so while Python waits, which ends it
    if (done.before) done.outputs.push({ output_type: "stream", text: "(in a cell before this one)\n" });
    const found = done.missing === "parquet" ? done.missing : known.get(done.missing);
    if (!found || tried.has(found)) return done.outputs;
    tried.add(found);
    await (found === "parquet" ? parquet() : python.loadPackage(found));
    if (found !== "parquet" && !python.loadedPackages[found]) throw new Error(`${found} could not be fetched`);
  }
}

// What Python cannot survive, such as a recursion deeper than the browser's, leaves it useless.
function alive() {
  try {
    return python.runPython("True");
  } catch {
    return false;
  }
}

let queue = Promise.resolve();
onmessage = ({ data }) => {
  queue = queue.then(async () => {
    try {
      if (data.do === "start") await start(data);
      const outputs = data.do === "turn"
        ? await perform("turn", data.before, data.cell, JSON.stringify(data.sources), JSON.stringify(data.evidence))
        : data.do === "run" ? await perform("run", JSON.stringify(data.earlier), data.code, JSON.stringify(data.edited))
        : data.do === "call" ? await perform(data.call, JSON.stringify(data.asked))
        : data.do === "put" ? put(data.path, data.bytes)
        : data.do === "load" ? void (await python.loadPackage(data.packages)) : [];
      postMessage({ id: data.id, outputs });
    } catch (error) {
      postMessage({ id: data.id, failed: String(error.message || error), dead: !alive() });
    }
  });
};
