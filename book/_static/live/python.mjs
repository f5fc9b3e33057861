// Python in a worker of its own, and what is asked of it.
export const STOPPED = new Error("stopped");

export function python(address, step = () => {}) {
  let worker, ready, number = 0;
  const waiting = new Map();

  function ask(message) {
    return new Promise((resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      worker.postMessage({ ...message, id: number });
    });
  }

  function end(reason) {
    worker?.terminate();
    worker = ready = undefined;
    for (const asked of waiting.values()) asked.reject(reason);
    waiting.clear();
  }

  // `about` says what to load; it is asked for only once.
  function start(about) {
    return (ready ??= (async () => {
      const what = await about();
      worker = new Worker(address, { type: "module" });
      worker.onmessage = ({ data }) => {
        if (data.step) return step(data);
        const asked = waiting.get(data.id);
        waiting.delete(data.id);
        if (data.failed) {
          asked?.reject(new Error(data.failed));
          if (data.dead) end(new Error(data.failed)); // whoever asks next begins anew
        }
        else asked?.resolve(data.outputs);
      };
      worker.onerror = (error) => end(new Error(error.message || "its files could not be loaded"));
      await ask({ do: "start", ...what });
    })().catch((error) => { end(error); throw error; }));
  }

  const stop = () => end(STOPPED);
  addEventListener("pagehide", stop);
  return { ask, start, stop, get up() { return Boolean(worker); } };
}
