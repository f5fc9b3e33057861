// Starts a deck. Nothing moves by itself, and every key of a presenter's remote works at any time.
(() => {
  Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t",
    transition: "none", backgroundTransition: "none", navigationMode: "linear",
    controlsTutorial: false, pdfMaxPagesPerSlide: 1, scrollActivationWidth: null,
    plugins: [RevealNotes],
  });

  const figure = () => Reveal.getCurrentSlide()?.querySelector(".companion-frames");
  Reveal.addKeyBinding({ keyCode: 77, key: "M", description: "Move the figure, or stop it" }, () => {
    figure()?.querySelector("button").click();
  });

  // A figure that was left playing stops, and gives the keys back to the deck.
  Reveal.on("slidechanged", ({ previousSlide }) => {
    const button = previousSlide?.querySelector(".companion-frames button");
    if (button?.textContent === "Pause") button.click();
    if (previousSlide?.contains(document.activeElement)) document.activeElement.blur();
  });
  document.addEventListener("keydown", (event) => {
    const page = { PageDown: () => Reveal.next(), PageUp: () => Reveal.prev() }[event.key];
    if (page && event.target.matches?.(".companion-frames input")) {
      event.preventDefault();
      event.stopPropagation();
      event.target.blur();
      page();
    }
  }, true);
})();
