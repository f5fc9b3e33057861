// Run a notebook on the lab's own Python, without a browser:
// node node.mjs PYODIDE_FOLDER NOTEBOOK.ipynb OUT.json PACKAGE[,PACKAGE...]
// OUT.json then holds, for each code cell, what it printed and showed, and the seconds it took.
// Copies of the files beside the notebook lie beside it here, too.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, notebook, out, packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/start.mjs`));
const start = performance.now();
const python = await loadPyodide({
  indexURL: `${folder}/`, packages: packages.split(","), stdout: () => {}, stderr: () => {},
});
python.runPython(`
import pyodide_kernel
shell, kernel, shown = pyodide_kernel.ipython_shell, pyodide_kernel.kernel_instance, []

def stream(name, text):
    if shown and shown[-1].get("name") == name:
        shown[-1]["text"] += text
    else:
        shown.append({"output_type": "stream", "name": name, "text": text})

def display(data, metadata, transient=None):
    shown.append({"output_type": "display_data", "data": dict(data)})

pyodide_kernel.stdout_stream.publish_stream_callback = stream
pyodide_kernel.stderr_stream.publish_stream_callback = stream
shell.display_pub.display_data_callback = display
shell.displayhook.publish_execution_result = lambda count, data, metadata: display(data, metadata)

async def run(code):
    import json
    shown.clear()
    result = await kernel.run(code)
    if result["status"] == "error":
        shown.append({"output_type": "error", "evalue": f"{result['ename']}: {result['evalue']}"})
    return json.dumps(shown)
`);
for (const file of readdirSync(dirname(notebook), { withFileTypes: true }))
  if (file.isFile() && !file.name.endsWith(".ipynb"))
    python.FS.writeFile(file.name, readFileSync(join(dirname(notebook), file.name)));
const run = python.globals.get("run");
const ready = performance.now();
const cells = [];
for (const cell of JSON.parse(readFileSync(notebook, "utf8")).cells) {
  if (cell.cell_type !== "code") continue;
  const before = performance.now();
  const outputs = JSON.parse(await run([].concat(cell.source).join("")));
  cells.push({ seconds: (performance.now() - before) / 1000, outputs });
  if (outputs.some((output) => output.output_type === "error")) break;
}
const end = performance.now();
writeFileSync(out, JSON.stringify({
  start: (ready - start) / 1000, run: (end - ready) / 1000, cells,
}));
