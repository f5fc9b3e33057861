// Pyodide as it was published, quicker to start: its `loadPyodide`, with what `before` does to
// Python ahead of the first package.
import { loadPyodide as published } from "./pyodide.mjs";
export { version } from "./pyodide.mjs";

export async function loadPyodide({ packages = [], before, ...options }) {
  const python = await published(options);
  putAside(python._module.GOT);
  // A library is loaded when something imports it. Pyodide would load all that a package has.
  python.runPython("import pyodide._package_loader as loader; loader.get_dynlibs = lambda *_: []; del loader");
  await before?.(python);
  await python.loadPackage(packages);
  return python;
}

// With each library that it loads, Pyodide looks once more at every name of those before, to find
// what is still unknown. Names that are known are put where they are found, but not listed.
function putAside(names) {
  const known = {}, { entries } = Object;
  Object.setPrototypeOf(names, known);
  Object.entries = (of) => {
    const listed = entries(of);
    if (of !== names) return listed;
    return listed.filter(([name, one]) => {
      if (one.value === -1) return true;
      known[name] = one;
      delete names[name];
    });
  };
}
