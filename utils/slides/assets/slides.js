// Makes each slide fit its 1280 by 720, then starts the show.
(() => {
  "use strict";

  // Size of text and of code, in pixels, from the one we like to the smallest that can be read from the last row.
  const ROOMY = [[32, 24], [30, 22], [28, 22]]; // where no figure needs the room
  const SIZES = [[26, 20], [24, 20], [24, 18], [24, 16], [22, 16], [22, 15], [20, 15], [20, 14], [18, 14]];
  const FIGURES = [400, 330, 260]; // least height of a figure: rather smaller text than a figure nobody can read
  const LARGEST = 1.6; // a figure is not blown up further than this
  const BELOW = 24; // what stays free at the lower edge

  const frames = [...document.querySelectorAll(".course-slide")];
  const answers = (frame) => [...frame.querySelectorAll("details")];

  // By how many pixels a slide is too wide and too high, whichever of its answers is open.
  function excess(frame) {
    const folded = answers(frame);
    const states = folded.length ? folded : [null];
    let [wide, high] = [0, 0];
    for (const open of states) {
      folded.forEach((answer) => { answer.open = answer === open; });
      wide = Math.max(wide, frame.scrollWidth - frame.clientWidth);
      high = Math.max(high, frame.scrollHeight - frame.clientHeight);
      const box = frame.getBoundingClientRect();
      const scale = box.width / frame.offsetWidth || 1;
      for (const part of frame.querySelectorAll("pre, table, mjx-container, img, p, li")) {
        if (part.closest("details:not([open])")) continue; // Chromium gives sizes even of what is folded
        const edge = part.getBoundingClientRect();
        wide = Math.max(wide, (edge.right - box.right) / scale + 20);
        high = Math.max(high, (edge.bottom - box.bottom) / scale + 8);
        if (part.matches("pre")) wide = Math.max(wide, part.scrollWidth - part.clientWidth);
      }
    }
    folded.forEach((answer) => { answer.open = false; });
    return { wide: Math.ceil(wide), high: Math.ceil(high) };
  }

  const fits = (frame) => {
    const { wide, high } = excess(frame);
    return wide <= 0 && high <= 0;
  };

  const setText = (frame, size) => frame.style.setProperty("--text", `${size}px`);

  function setSizes(frame, [text, code], figure) {
    setText(frame, text);
    frame.style.setProperty("--code", `${code}px`);
    for (const image of frame.querySelectorAll("img")) setHeight(image, figure);
  }

  function setHeight(image, height) {
    const widest = 1200 * image.naturalHeight / image.naturalWidth;
    image.style.height = `${Math.floor(Math.min(height, widest, Math.max(260, LARGEST * image.naturalHeight)))}px`;
  }

  function choose(frame, images) {
    const sizes = images.length ? SIZES : [...ROOMY, ...SIZES];
    const large = sizes.filter(([, code]) => code >= 18);
    const stages = [[large, false, false], [large, true, false], [sizes, false, false], [sizes, true, true]];
    for (const [tried, code, printed] of stages) { // a broken line of code is better than one too small to read
      frame.classList.toggle("course-wrapped-code", code);
      frame.classList.toggle("course-wrapped-output", printed); // but it would spoil a printed table
      for (const figure of images.length ? FIGURES : [0]) {
        for (const pair of tried) {
          setSizes(frame, pair, figure);
          if (fits(frame)) return;
        }
      }
    }
  }

  function fit(frame) {
    const images = [...frame.querySelectorAll("img")];
    choose(frame, images);
    // What room is left belongs to the figures.
    for (let step = 64; images.length && step >= 4; step /= 2) {
      for (let go = true; go;) {
        const before = images.map((image) => image.style.height);
        images.forEach((image) => setHeight(image, image.offsetHeight + step));
        go = fits(frame) && images.some((image, i) => image.style.height !== before[i]);
        if (!fits(frame)) images.forEach((image, i) => { image.style.height = before[i]; });
      }
    }
    growText(frame);
    breakLines(frame);
    place(frame);
  }

  // Code and figures may leave room that they cannot use, since one line or the figure is as wide as the slide.
  function growText(frame) {
    if (!frame.querySelector(".course-text, .jp-RenderedHTMLCommon")) return;
    const size = parseFloat(frame.style.getPropertyValue("--text"));
    for (const narrow of [false, true]) { // a formula as wide as the slide may be smaller than the text
      frame.classList.toggle("course-narrow-formulas", narrow);
      for (const larger of [32, 30, 28, 26, 24].filter((each) => each > size + (narrow ? 2 : 0))) {
        setText(frame, larger);
        if (fits(frame)) return;
      }
      if (!frame.querySelector('mjx-container[display="true"]')) break;
    }
    frame.classList.remove("course-narrow-formulas");
    setText(frame, size);
  }

  // Printed text of one long line each is no table: it may be broken rather than be too small to read.
  function breakLines(frame) {
    const printed = [...frame.querySelectorAll(".jp-RenderedText pre")];
    const size = parseFloat(frame.style.getPropertyValue("--code"));
    if (size >= 18 || !printed.length || printed.some((part) => part.textContent.trim().includes("\n"))) return;
    frame.classList.add("course-wrapped-output");
    for (const larger of [20, 18, size]) {
      frame.style.setProperty("--code", `${larger}px`);
      if (fits(frame)) return;
    }
  }

  // What does not fill a slide stands a little above its middle: all below the line with the section's name,
  // and below a heading with its text only a figure. Answers need the room when they open.
  function place(frame) {
    if (frame.matches(".course-title") || answers(frame).length) return;
    const parts = [...frame.children].filter((part) => !part.matches(".course-running"));
    const headed = parts[0].querySelector("h1, h2, h3, h4");
    const moved = parts.slice(headed ? 1 : 0).find((part) => !headed || part.querySelector("img"));
    const free = 720 - BELOW - Math.max(...parts.map((part) => part.offsetTop + part.offsetHeight));
    if (moved && free > 0) moved.style.marginTop = `${Math.round(0.4 * free + parseFloat(getComputedStyle(moved).marginTop))}px`;
  }

  // An answer opens as a fragment, at a key press, or by a click; only one is open.
  function show(answer) {
    const frame = answer.closest(".course-slide");
    answers(frame).forEach((other) => { other.open = other === answer; });
  }

  async function start() {
    await MathJax.startup.promise;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    frames.forEach(fit);
    document.querySelector(".reveal").classList.remove("course-fitting");
    Reveal.on("fragmentshown", ({ fragment }) => { if (fragment.matches("details")) show(fragment); });
    Reveal.on("fragmenthidden", ({ fragment }) => { if (fragment.matches("details")) fragment.open = false; });
    document.addEventListener("click", (event) => {
      const answer = event.target.closest("summary")?.parentElement;
      if (answer && !answer.open) answers(answer.closest(".course-slide")).forEach((other) => { other.open = false; });
    });
    await Reveal.initialize({
      width: 1280, height: 720, margin: 0, minScale: 0.2, maxScale: 4, center: false,
      hash: true, slideNumber: "c/t", transition: "none", controls: false, pdfSeparateFragments: false,
      plugins: [RevealNotes],
    });
  }

  window.course = { frames, excess, started: start() };
})();
