// Evaluated in an open page of slides: what is wrong with each of them, in pixels of a slide of 1280 by 720.
() => {
  const LEAST = { code: 14, text: 18, figure: 260, full: 1150 };
  const holder = document.querySelector(".reveal");
  const shownAs = holder.className;
  holder.classList.add("course-fitting"); // all slides at once, unscaled
  const smallest = (frame, inCode) => {
    let least = Infinity;
    const walker = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const around = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || around.closest("mjx-container, .notes")) continue;
      if (Boolean(around.closest("pre, code")) !== inCode) continue;
      least = Math.min(least, parseFloat(getComputedStyle(around).fontSize));
    }
    return least;
  };
  const found = course.frames.map((frame) => {
    const wrong = [];
    const { wide, high } = course.excess(frame);
    if (high > 0) wrong.push(`${high} pixels too high`);
    if (wide > 0) wrong.push(`${wide} pixels too wide`);
    for (const [kind, inCode] of [["text", false], ["code", true]]) {
      const size = smallest(frame, inCode);
      if (size < LEAST[kind]) wrong.push(`${kind} of ${size} pixels, ${LEAST[kind]} are the least`);
    }
    for (const image of frame.querySelectorAll("img")) {
      const { width, height } = image.getBoundingClientRect();
      if (!image.naturalWidth) wrong.push("a figure that cannot be loaded");
      else if (height < LEAST.figure && width < LEAST.full) {
        wrong.push(`a figure ${Math.round(height)} pixels high, ${LEAST.figure} are the least`);
      }
    }
    if (frame.textContent.includes("$$") || frame.querySelector("[data-mml-node=merror]")) wrong.push("a formula is not typeset");
    const head = frame.querySelector("h1, h2, h3, .course-running");
    return { title: head ? head.textContent.replace("¶", "").trim() : "", cell: frame.dataset.cell, wrong };
  });
  holder.className = shownAs;
  return found;
}
