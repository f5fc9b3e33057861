// Compile modules on the lab's own Python, from the archives in which they come:
// node compiled.mjs PYODIDE_FOLDER MODULES.json OUT_FOLDER PACKAGE[,PACKAGE...]
// MODULES.json lists names; what the packages import, which are the lab's kernel, is added. OUT_FOLDER
// then holds a folder for each archive, in which each file lies where Python looks for it.
import { mkdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, modules, out, packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({
  indexURL: `${folder}/`, packages: packages.split(","), stdout: () => {}, stderr: () => {},
});
mkdirSync(out, { recursive: true });
for (const [place, root] of [["/shipped", folder], ["/out", out]]) {
  python.FS.mkdir(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, place);
}
python.globals.set("names", readFileSync(modules, "utf8"));
python.globals.set("kernel", packages);
python.runPython(`
import importlib, importlib.util, json, py_compile, sys, zipfile
from pathlib import Path

for package in kernel.split(","):
    importlib.import_module(package.replace("-", "_"))
wanted = {*json.loads(names), *sys.modules}
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH  # what lies beside it is as it was
source = Path("/tmp/module.py")
for archive in sorted([*Path("/shipped").glob("*.whl"), Path("/shipped/python_stdlib.zip")]):
    opened = zipfile.ZipFile(archive)
    for name in sorted(opened.namelist()):
        module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if name.endswith(".py") and module in wanted:
            source.write_bytes(opened.read(name))
            zipped = archive.suffix == ".zip"
            place = f"{name}c" if zipped else importlib.util.cache_from_source(name)
            target = Path("/out", archive.name, place)
            target.parent.mkdir(parents=True, exist_ok=True)
            py_compile.compile(source, target, dfile=name, doraise=True, invalidation_mode=unchecked)
`);
