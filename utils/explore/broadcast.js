// Two shapes, broadcast. The numbers and words are those of broadcast.py.
const explorer = (() => {
  const { svg, brief } = n2t;
  const MOST_AXES = 5, LARGEST = 999, MOST_CELLS = [5, 12, 12];
  const product = (sizes) => sizes.reduce((total, size) => total * size, 1);

  // ---- reading
  const clipped = (word) => {
    const letters = [...word];
    return letters.length <= 10 ? word : letters.slice(0, 9).join("") + "…";
  };
  // text → {shape, mistake}: one of them is null.
  function parseShape(text) {
    const refuse = (mistake) => ({ shape: null, mistake });
    const trim = (words) => words.replace(/^ +| +$/g, "");
    let inner = trim(text);
    const named = inner.match(/^torch\.Size\((.*)\)$/);
    inner = trim(named ? named[1] : inner);
    if (/^[([]/.test(inner) || /[)\]]$/.test(inner)) {
      if (!/^(\(.*\)|\[.*\])$/.test(inner)) return refuse("A bracket is missing on one side.");
      inner = trim(inner.slice(1, -1));
    }
    if (inner === "") return { shape: [], mistake: null };
    if (/(^|,) *,/.test(inner)) return refuse("A number is missing beside a comma.");
    const sizes = inner.split(/ *, *| +/).filter((word) => word);
    for (const word of sizes) {
      if (/^[-−][0-9]+$/.test(word)) return refuse(`A size cannot be negative, as ${clipped(word)} is.`);
      if (/^[0-9]*\.[0-9]*$/.test(word) && word.length > 1) return refuse(`A size is a whole number; ${clipped(word)} is not.`);
      if (!/^[0-9]+$/.test(word)) return refuse(`“${clipped(word)}” is no size. Write whole numbers, such as 3, 1.`);
      if (word.replace(/^0+/, "").length > String(LARGEST).length) return refuse(`Sizes up to ${LARGEST} can be shown here.`);
    }
    if (sizes.length > MOST_AXES) return refuse(`These are ${sizes.length} axes; up to ${MOST_AXES} can be shown here.`);
    return { shape: sizes.map(Number), mistake: null };
  }

  // ---- computing
  function compute({ a, b }) {
    const read = { a: parseShape(a), b: parseShape(b) };
    const shapes = { a: read.a.shape, b: read.b.shape };
    const state = { mistakes: { a: read.a.mistake, b: read.b.mistake }, shapes, axes: [], result: null, counts: {}, strides: {} };
    if (!shapes.a || !shapes.b) return state;
    const most = Math.max(shapes.a.length, shapes.b.length);
    const padded = (shape) => [...Array(most - shape.length).fill(null), ...shape];
    const [left, right] = [padded(shapes.a), padded(shapes.b)];
    for (let i = 0; i < most; i++) {
      const [one, other] = [left[i] ?? 1, right[i] ?? 1];
      const kind = one === other ? "same" : one === 1 ? "a" : other === 1 ? "b" : "clash";
      const size = kind === "clash" ? null : one === 1 ? other : one;
      state.axes.push({ name: i - most, a: left[i], b: right[i], result: size, kind });
    }
    if (state.axes.every((axis) => axis.kind !== "clash")) {
      state.result = state.axes.map((axis) => axis.result);
      state.counts.result = product(state.result);
    }
    for (const name of ["a", "b"]) {
      state.counts[name] = product(shapes[name]);
      state.strides[name] = expandedStrides(shapes[name], state.result ?? shapes[name]);
    }
    return state;
  }
  const strides = (shape) => shape.map((_, i) => product(shape.slice(i + 1).map((size) => Math.max(size, 1))));
  function expandedStrides(shape, target) {
    const own = strides(shape);
    const found = []; // from the last axis to the first
    for (let offset = 1; offset <= target.length; offset++) {
      const there = offset <= shape.length;
      // A new axis of size 1: its stride is never used, and torch gives it the length so far.
      const length = shape.length ? found[offset - 2] * target[target.length - offset + 1] : 0;
      const [stride, size] = there ? [own[shape.length - offset], shape[shape.length - offset]] : [length, 1];
      found.push(size === target[target.length - offset] ? stride : 0);
    }
    return found.reverse();
  }

  // ---- words
  const shapeWords = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);
  const signed = (name) => `−${-name}`;
  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  const counted = (count) => `${grouped(count)} number${count === 1 ? "" : "s"}`;
  const clashOf = (state) => state.axes.findLast((axis) => axis.kind === "clash");

  function describe(state) {
    const unread = ["a", "b"].filter((name) => state.mistakes[name]).map((name) => `${name}: ${state.mistakes[name]}`);
    if (unread.length) return `Not read yet. ${unread.join(" ")}`;
    const pair = `${shapeWords(state.shapes.a)} and ${shapeWords(state.shapes.b)}`;
    if (!state.result) {
      const clash = clashOf(state);
      return `${pair} are refused: at axis ${signed(clash.name)}, a has ${clash.a} and b has ${clash.b}. ` +
        "They are neither equal nor is one of them 1.";
    }
    const parts = ["a", "b"].flatMap((name) => {
      const along = state.axes.filter((axis) => axis.kind === name).map((axis) => signed(axis.name));
      if (!along.length) return [];
      if (along.length === 1) return [`${name} is stretched along axis ${along[0]}`];
      return [`${name} is stretched along axes ${along.slice(0, -1).join(", ")} and ${along.at(-1)}`];
    });
    const how = parts.length ? parts.join("; ") : "nothing is stretched";
    return `${pair} give ${shapeWords(state.result)}, ${counted(state.counts.result)}: ${how}.`;
  }

  // ---- the picture
  const ROWS = { a: 70, b: 138, result: 212 }; // the upper edges of the rows of boxes
  const TALL = { a: 58, b: 58, result: 44 };

  function draw(picture, now, values, data, view) {
    // What cannot be read leaves the last picture standing, pale: it would flicker at every letter typed.
    const readable = !now.mistakes.a && !now.mistakes.b;
    if (readable) view.memory.last = now;
    const state = readable ? now : view.memory.last;
    if (state) drawAll(picture, state);
    if (readable) return;
    picture.add(svg("rect", { width: picture.width, height: picture.height, fill: "#fff", opacity: state ? 0.72 : 1 }));
    const wrong = ["a", "b"].filter((name) => now.mistakes[name]).join(" and ");
    picture.add(svg("rect", { width: picture.width, height: 42, fill: "#fff" }));
    picture.text(14, 27, `The shape of ${wrong} cannot be read yet.`, {
      weight: 700, size: picture.width < 520 ? 15 : 18, color: "#b3121f",
    });
  }

  function drawAll(picture, state) {
    const { colors } = picture;
    const narrow = picture.width < 520;
    const inks = { a: colors.class0, b: colors.class1, result: colors.accent };
    const pitch = narrow ? 58 : 68;
    const wide = pitch - 8;
    const to = (narrow ? 74 : 92) + pitch * MOST_AXES;
    const left = to - pitch * state.axes.length;

    const sum = `${shapeWords(state.shapes.a)} + ${shapeWords(state.shapes.b)}`;
    const outcome = state.result ? ` → ${shapeWords(state.result)}` : narrow ? ": ✗" : ": refused";
    const size = narrow ? 15 : 18;
    const long = (sum + outcome).length * size * 0.58 > picture.width - 24;
    const title = state.result ? `Result ${shapeWords(state.result)}` : "Refused";
    picture.text(14, 27, long ? title : sum + outcome, { weight: 700, size, color: state.result ? colors.text : "#b3121f" });
    for (const axis of state.axes) {
      const x = to + pitch * axis.name + wide / 2;
      picture.text(x, 60, narrow ? signed(axis.name) : `axis ${signed(axis.name)}`, { size: 14, anchor: "middle", color: colors.muted });
    }
    if (narrow && state.axes.length) picture.text(left - 8, 60, "axis", { size: 14, anchor: "end", color: colors.muted });

    for (const name of ["a", "b", "result"]) {
      const top = ROWS[name];
      const middle = top + TALL[name] / 2;
      const heading = { anchor: "start", weight: 700, size: name === "result" ? 16 : 18 };
      picture.text(14, name === "result" ? middle + 6 : top + 24, name, heading);
      if (name !== "result") picture.text(14, top + 45, "stride", { size: 14, color: colors.muted });
      state.axes.forEach((axis, i) => {
        drawBox(picture, [left + i * pitch, top, wide, TALL[name]], axis, name, inks[name], strideOf(state, name, i), narrow);
      });
      if (!state.axes.length) picture.text(to - wide, middle + 6, "( )", { size: 18, weight: 700, color: colors.muted });
      if (narrow) continue;
      const words = wordsOf(state, name);
      picture.text(to + 8, name === "result" ? middle + 6 : top + 24, words[0], { size: 15, weight: 700, color: words[2] ?? colors.text });
      if (words[1]) picture.text(to + 8, name === "result" ? middle + 24 : top + 45, words[1], { size: 14, color: colors.muted });
    }
    picture.add(svg("line", { x1: 14, x2: to - 8, y1: 204, y2: 204, stroke: colors.text, "stroke-width": 1.5 }));

    let top = 274;
    if (narrow) {
      for (const name of ["a", "b", "result"]) {
        const words = wordsOf(state, name);
        picture.text(14, top + 8, `${name}: ${words.slice(0, 2).filter(Boolean).join(", ")}`, { size: 14 });
        top += 22;
      }
    }
    drawCells(picture, state, inks, [14, top, picture.width - 28, picture.height - top - 12]);
  }

  const amount = (count) => (count < 1e7 ? counted(count) : `${brief(count)} numbers`);
  function wordsOf(state, name) {
    if (name !== "result") return [amount(state.counts[name]), state.result ? "stored once" : ""];
    if (state.result) return [amount(state.counts.result), ""];
    const clash = clashOf(state);
    return [`${clash.a} is not ${clash.b}`, "and neither is 1", "#b3121f"];
  }
  // A stride of the operand as it is now; a shape that is refused has none at its missing axes.
  function strideOf(state, name, i) {
    if (name === "result") return null;
    const all = state.strides[name];
    return all[all.length - state.axes.length + i] ?? null;
  }

  function drawBox(picture, [x, y, width, height], axis, name, ink, stride, narrow) {
    const { colors } = picture;
    const clash = axis.kind === "clash";
    const ghost = name !== "result" && axis[name] === null;
    const stretch = axis.kind === name;
    picture.add(svg("rect", {
      x: x + 1.5, y: y + 1.5, width: width - 3, height: height - 3, rx: 8, fill: clash ? "#fdecee" : ghost ? "#fff" : ink,
      "fill-opacity": clash || ghost ? 1 : 0.2, stroke: clash ? colors.wrong : ghost ? colors.muted : ink, "stroke-width": 2.5,
      "stroke-dasharray": ghost ? "5 4" : null,
    }));
    const roomy = !narrow && String(axis.result).length < 3;
    const words = name === "result" ? String(axis.result ?? "✗")
      : stretch ? `1${roomy ? " → " : "→"}${axis.result}` : String(axis[name] ?? 1);
    const size = (words.length <= 2 || !stretch ? 18 : words.length <= 3 ? 17 : words.length <= 4 ? 15 : 14) - (narrow && stretch ? 1 : 0);
    picture.text(x + width / 2, name === "result" ? y + height / 2 + 6 : y + 25, words, {
      anchor: "middle", weight: 700, size, halo: false, color: clash ? "#b3121f" : ghost ? colors.muted : colors.text,
    });
    if (stride === null) return;
    picture.text(x + width / 2, y + 46, brief(stride, 1e5), {
      anchor: "middle", size: 14, halo: false, weight: stretch ? 700 : 400, color: stretch ? colors.text : colors.muted,
    });
  }

  // Sheets, rows and columns of a shape that can be drawn cell by cell, else null.
  function cells(shape) {
    const start = shape.findIndex((size) => size !== 1);
    const trimmed = start < 0 ? [] : shape.slice(start);
    if (trimmed.length > 3) return null;
    const full = [...Array(3 - trimmed.length).fill(1), ...trimmed];
    return full.every((size, i) => size > 0 && size <= MOST_CELLS[i]) ? full : null;
  }

  const LEAN = 0.5; // how far each sheet behind another is moved, in cells
  function drawCells(picture, state, inks, [left, top, width, height]) {
    const { colors } = picture;
    const note = (words, more = "") => {
      picture.text(left + width / 2, top + height / 2 - 4, words, { anchor: "middle", color: colors.muted });
      if (more) picture.text(left + width / 2, top + height / 2 + 20, more, { anchor: "middle", color: colors.muted });
    };
    const refused = !state.result;
    const own = { a: state.shapes.a, b: state.shapes.b, result: state.result };
    const blocks = ["a", "b", "result"].map((name) => (refused ? name === "result" ? [1, 1, 1] : cells(own[name]) : cells(state.result)));
    if (Object.values(state.counts).includes(0)) return note("An axis of size 0:", "no numbers, so nothing to draw.");
    if (blocks.includes(null)) return note("Too many numbers to draw one by one,", "but the rule is the same.");

    const gap = width < 500 ? 30 : 44;
    const room = (width - 2 * gap) / 3;
    const spans = blocks.map(([sheets, rows, columns]) => [columns + LEAN * (sheets - 1), rows + LEAN * (sheets - 1)]);
    const side = Math.min(38, ...spans.map(([wide]) => room / wide), ...spans.map(([, high]) => (height - 4) / high));
    const used = refused ? spans.map(([wide], i) => (i === 2 ? 84 : wide * side)) : spans.map(([wide]) => wide * side);
    const high = Math.max(...spans.map(([, tall]) => tall)) * side;
    const spare = Math.min(gap * 2, (width - used.reduce((one, other) => one + other, 0)) / 2);
    let x = left + (width - used.reduce((one, other) => one + other, 0) - 2 * spare) / 2;
    const centre = top + height / 2;
    ["a", "b", "result"].forEach((name, i) => {
      if (refused && name === "result") {
        picture.text(x + used[i] / 2, centre + 7, "refused", { anchor: "middle", weight: 700, size: 18, color: "#b3121f" });
      } else {
        const y = centre - (refused ? spans[i][1] * side : high) / 2;
        drawBlock(picture, blocks[i], state.shapes, name, inks[name], [x, y, side]);
      }
      if (i < 2) picture.text(x + used[i] + spare / 2, centre + 8, "+="[i], { anchor: "middle", weight: 700, size: 24 });
      x += used[i] + spare;
    });
    return undefined;
  }

  // Stored numbers in colour, their repetitions pale and dashed. a holds 10, 20, 30 …, b holds 1, 2, 3 …
  function drawBlock(picture, [sheets, rows, columns], shapes, name, ink, [left, top, side]) {
    const own = name === "result" ? [sheets, rows, columns] : [1, 1, 1, ...shapes[name]].slice(-3);
    const lift = LEAN * side * (sheets - 1);
    const gap = side > 10 ? 1.5 : 0.75;
    const speak = sheets === 1 && side >= 26 && Math.max(...Object.values(shapes).map(product)) <= 30;
    const valueAt = (who, r, c) => {
      const sizes = [1, 1, ...shapes[who]].slice(-2);
      return (who === "a" ? 10 : 1) * ((r % sizes[0]) * sizes[1] + (c % sizes[1]) + 1);
    };
    for (let s = sheets - 1; s >= 0; s--) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const stored = s < own[0] && r < own[1] && c < own[2];
          const x = left + c * side + LEAN * s * side;
          const y = top + r * side + lift - LEAN * s * side;
          const box = { x: x + gap, y: y + gap, width: side - 2 * gap, height: side - 2 * gap, rx: Math.min(4, side / 6) };
          picture.add(svg("rect", { ...box, fill: "#fff" }));
          picture.add(svg("rect", {
            ...box, fill: ink, "fill-opacity": stored ? 0.55 : 0.07, stroke: ink, "stroke-width": side > 14 ? 1.75 : 1,
            "stroke-dasharray": stored ? null : "3 3",
          }));
          if (!speak) continue;
          const value = name === "result" ? valueAt("a", r, c) + valueAt("b", r, c) : valueAt(name, r, c);
          picture.text(x + side / 2, y + side / 2 + 5, String(value), {
            anchor: "middle", size: 13.5, halo: false, weight: stored ? 700 : 400, color: stored ? picture.colors.text : picture.colors.muted,
          });
        }
      }
    }
  }

  const only = (shape) => shape.filter((size) => size > 1).length === 1;
  const same = (one, other) => String(one) === String(other);
  return {
    compute, describe, draw, parseShape,
    mistakes: (state) => state.mistakes,
    lines: (width) => (width < 450 ? 6 : 4),
    height: (width) => (width < 520 ? 510 : 500),
    actions: {
      swap: (view) => view.set({ a: view.values.b, b: view.values.a }),
    },
    goals: {
      table: ({ result, shapes }) => same(result, [2, 6]) && only(shapes.a) && only(shapes.b),
      silent: ({ result, counts }) => result !== null && counts.a === 5 && counts.b === 5 && counts.result === 25,
      same_count: ({ result, counts, axes }) => axes.length > 0 && result === null && counts.a === counts.b,
      cube: ({ result, shapes }) => same(result, [4, 3, 2]) && !same(shapes.a, result) && !same(shapes.b, result),
    },
  };
})();
