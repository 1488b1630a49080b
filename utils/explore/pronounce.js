// A word is typed, the kernel says it, and the map shows which letters each sound looks at (see pronounce.py).

const explorer = (() => {
  const { svg, clamp } = n2t;

  const spelled = (text) => text.trim().toLowerCase();
  // The same words as mistake() in pronounce.py.
  function mistake(text, longest) {
    const word = spelled(text);
    if (!word) return "Type a word, with the letters a to z.";
    const other = word.match(/[^a-z]/u);
    if (other) {
      const sign = other[0] === " " ? "a space" : `“${other[0]}”`;
      return `The model knows the letters a to z only, and ${sign} is none of them.`;
    }
    return word.length > longest ? `At most ${longest} letters: this word has ${word.length}.` : null;
  }

  // ---- the picture
  const TOP = 122;
  function layout(width, height, letters, sounds) {
    const narrow = width < 480;
    const left = 52;
    const right = narrow ? 12 : 112;
    return {
      narrow, left, top: TOP, wide: Math.min(62, (width - left - right) / letters),
      tall: Math.min(46, (height - TOP - 14) / Math.max(1, sounds)),
    };
  }
  const clipped = (words, room) => (words.length <= room ? words : `${words.slice(0, Math.max(1, room - 1))}…`);

  function draw(picture, reading, at, refused) {
    const { colors, width, height } = picture;
    const { word, phonemes, weights } = reading;
    const { narrow, left, top, wide, tall } = layout(width, height, word.length, phonemes.length);
    const soft = "#6b6b74";
    picture.text(14, 28, `“${word}”`, { size: 18, weight: 700 });
    const spoken = phonemes.join(" ") + (reading.more ? " …" : "");
    picture.text(14, 55, clipped(spoken || "nothing at all", Math.floor((width - 28) / 10.6)), { size: 18, weight: 700, color: "#6a1bc4" });
    const mark = reading.right === null ? "" : reading.right ? "✓ " : "✗ ";
    picture.text(14, 80, clipped(mark + reading.verdict, Math.floor((width - 28) / 7.6)), {
      size: 15, color: reading.right === null ? soft : reading.right ? "#0b6b4b" : "#b3121f",
    });
    [...word].forEach((letter, i) => {
      picture.text(left + (i + 0.5) * wide, top - 9, letter, { size: 18, weight: 600, anchor: "middle" });
    });
    phonemes.forEach((phoneme, k) => {
      const y = top + k * tall;
      const chosen = k === at - 1;
      picture.text(left - 8, y + tall / 2 + 5, phoneme, { size: tall < 20 ? 13 : 16, anchor: "end", weight: chosen ? 700 : 400 });
      weights[k].forEach((weight, i) => {
        const x = left + i * wide;
        picture.add(svg("rect", { x, y, width: wide, height: tall, fill: colors.accent, "fill-opacity": clamp(weight, 0, 1), stroke: "#e1e1e8" }));
      });
      if (chosen) {
        weights[k].forEach((weight, i) => {
          if (weight < 0.05) return;
          const ink = weight > 0.55 ? "#fff" : colors.text;
          picture.text(left + (i + 0.5) * wide, y + tall / 2 + 5, `${Math.round(100 * weight)}${wide < 36 ? "" : "%"}`, {
            size: tall < 20 || wide < 24 ? 13 : 14, anchor: "middle", color: ink, halo: false, weight: wide < 24 ? 400 : 600,
          });
        });
      }
      if (!narrow) {
        picture.text(left + word.length * wide + 10, y + tall / 2 + 5, reading.heard[k], { size: tall < 20 ? 13 : 14, color: chosen ? colors.text : soft });
      }
    });
    if (phonemes[at - 1] !== undefined) {
      picture.add(svg("rect", {
        x: left, y: top + (at - 1) * tall, width: word.length * wide, height: tall, fill: "none", stroke: colors.text, "stroke-width": 2.5,
      }));
    }
    if (!refused) return;
    // What was read last stays, faintly, until the word can be read again.
    picture.add(svg("rect", { width, height, fill: "#fff", opacity: 0.75 }));
    picture.add(svg("rect", { width, height: 42, fill: "#fff" }));
    picture.text(14, 28, "This cannot be read yet.", { size: 18, weight: 700, color: "#b3121f" });
  }

  return {
    mistake,
    render({ model, el }) {
      const declaration = model.get("declaration");
      const { first, longest } = model.get("data");
      const frame = n2t.frame(el, declaration, { change });
      const picture = new n2t.Picture(frame.stage, declaration);
      let reading = first; // the last answer
      let refused = null; // why what is typed cannot be read

      const width = () => clamp(frame.stage.clientWidth || declaration.width, 320, declaration.width);
      function words() {
        if (refused) return `Not read: ${refused}`;
        return [reading.whole, reading.looks[frame.values.at - 1]].filter(Boolean).join(" ");
      }
      function paint() {
        frame.lines(width() < 480 ? 7 : 4);
        const count = Math.max(1, reading.phonemes.length);
        if (frame.values.at > count) frame.adopt({ at: count });
        frame.slider("at", { maximum: count });
        picture.begin(width(), declaration.height);
        draw(picture, reading, frame.values.at, refused);
        picture.end(words());
        frame.say(words());
      }

      const line = kernel.link(model, frame, {
        question: () => ({ values: { ...frame.values } }),
        answer(content) {
          const other = content.reading.word !== reading.word;
          reading = content.reading;
          if (other) frame.adopt({ at: 1 });
          kernel.hearGoals(model, frame, content);
          paint();
        },
      });
      function change(values, { settled, moved }) {
        refused = mistake(values.word, longest);
        frame.mistake("word", refused);
        paint();
        if (refused) return;
        // The sound that is looked at is the browser's matter; a word that came to rest may reach a goal.
        if (spelled(values.word) !== reading.word || (settled && moved !== "at")) line.ask(settled);
        else if (settled) model.set("values", { ...frame.values });
      }

      // Pointing at a row chooses its sound.
      picture.node.addEventListener("pointermove", (event) => {
        if (refused) return;
        const box = picture.node.getBoundingClientRect();
        const { top, tall } = layout(picture.width, picture.height, reading.word.length, reading.phonemes.length);
        const row = Math.floor((((event.clientY - box.top) / box.height) * picture.height - top) / tall);
        if (row < 0 || row >= reading.phonemes.length || row + 1 === frame.values.at) return;
        frame.adopt({ at: row + 1 });
        paint();
      });

      for (const id of model.get("reached") || []) frame.reach(id);
      const kept = model.get("values") || {};
      frame.adopt(Object.fromEntries(Object.entries(kept).filter(([name]) => name in frame.values)));
      refused = mistake(frame.values.word, longest);
      frame.mistake("word", refused);
      // The first answer came with the cell: it is there even while the kernel is busy with the cells below.
      paint();
      frame.alive();
      if (!refused && spelled(frame.values.word) !== reading.word) line.ask(false);

      let wide = frame.stage.clientWidth;
      const watch = new ResizeObserver(() => {
        const now = frame.stage.clientWidth;
        if (now && now !== wide) { wide = now; paint(); }
      });
      watch.observe(frame.stage);
      return () => { watch.disconnect(); line.stop(); frame.destroy(); };
    },
  };
})();
