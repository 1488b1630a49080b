// A kernel slides over a picture. The numbers and words are those of convolution.py.
const explorer = (() => {
  const { svg, short, brief, clamp, KEYS } = n2t;
  const LARGEST = 7, MOST = 1000, ZERO = 1e-9;

  // ---- reading a kernel
  const NUMBER = "[-+−]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:/(?:[0-9]+\\.?[0-9]*|\\.[0-9]+))?";
  const WHOLE = new RegExp(`^${NUMBER}$`);
  const FACTOR = new RegExp(`^(${NUMBER}) *[*×·] *(.*)$`);
  function readNumber(word) {
    if (!WHOLE.test(word)) {
      const letters = [...word];
      const clipped = letters.length <= 10 ? word : `${letters.slice(0, 9).join("")}…`;
      return [0, `“${clipped}” is no number. Write such as 2, -0.5 or 1/9.`];
    }
    const [above, below] = word.replace("−", "-").split("/").map(Number);
    if (below === 0) return [0, `${word} divides by zero.`];
    return [above / (below ?? 1), null];
  }
  // The factor before the rows, and the rows as words.
  function split(text) {
    const trim = (words) => words.replace(/^ +| +$/g, "");
    let inner = trim(text);
    const before = inner.match(FACTOR);
    if (before) inner = trim(before[2]);
    inner = inner.replace(/\] *,? *\[/g, ";").replace(/[[\]]/g, " ");
    inner = trim(inner).replace(/ *; *$/, "");
    return { factor: before?.[1] ?? null, lines: inner ? inner.split(";").map((line) => line.split(/[ ,]+/).filter(Boolean)) : [] };
  }
  const numbers = (count) => `${count} number${count === 1 ? "" : "s"}`;
  function parseKernel(text) {
    const refuse = (mistake) => ({ rows: null, mistake });
    const { factor, lines } = split(text);
    const [scale, wrong] = factor === null ? [1, null] : readNumber(factor);
    if (wrong) return refuse(wrong);
    if (!lines.length) return refuse("Write numbers, with “;” between two rows.");
    const rows = [];
    for (const words of lines) {
      if (!words.length) return refuse(`Row ${rows.length + 1} holds no number.`);
      const row = [];
      for (const word of words) {
        const [value, mistake] = readNumber(word);
        if (mistake) return refuse(mistake);
        if (Math.abs(value * scale) > MOST) return refuse(`Numbers up to ${MOST} can be shown here.`);
        row.push(value * scale);
      }
      rows.push(row);
    }
    const odd = rows.findIndex((row) => row.length !== rows[0].length);
    if (odd > 0) return refuse(`Row 1 holds ${numbers(rows[0].length)}, row ${odd + 1} holds ${numbers(rows[odd].length)}.`);
    if (rows.length > LARGEST || rows[0].length > LARGEST) {
      return refuse(`This is ${rows.length} × ${rows[0].length}; up to ${LARGEST} × ${LARGEST} can be shown here.`);
    }
    return { rows, mistake: null };
  }

  // ---- what the controls give
  const outputSize = (n, kernel, stride, padding, dilation) =>
    Math.floor((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  const pixels = (data, name) => data.pictures[name].map((row) => [...row].map((c) => parseInt(c, 11) / 10));

  function compute({ picture, kernel: text, stride, padding, dilation, row, column }, data) {
    const X = pixels(data, picture);
    const { rows: kernel, mistake } = parseKernel(text);
    const state = { mistake, refused: null, kernel, input: [X.length, X[0].length], out: null, span: null, unseen: null,
      output: null, at: null, patch: null, products: null, total: null, largest: null };
    if (!kernel) return state;
    const shape = [kernel.length, kernel[0].length];
    state.span = shape.map((k) => dilation * (k - 1) + 1);
    state.refused = refusal(state, shape, padding, dilation);
    if (state.refused) return state;
    const pixel = (i, j) => X[i - padding]?.[j - padding] ?? 0;
    state.out = shape.map((k, axis) => outputSize(state.input[axis], k, stride, padding, dilation));
    state.unseen = state.out.map((m, axis) => state.input[axis] + 2 * padding - (m - 1) * stride - state.span[axis]);
    const sumAt = (i, j) => {
      let total = 0;
      for (let a = 0; a < shape[0]; a++) {
        for (let b = 0; b < shape[1]; b++) total += kernel[a][b] * pixel(i * stride + a * dilation, j * stride + b * dilation);
      }
      return total;
    };
    const grid = ([height, width], f) => Array.from({ length: height }, (_, i) => Array.from({ length: width }, (__, j) => f(i, j)));
    state.output = grid(state.out, sumAt);
    state.at = [row, column].map((place, axis) => Math.min(place, state.out[axis] - 1));
    const [top, left] = state.at.map((place) => place * stride);
    state.patch = grid(shape, (a, b) => pixel(top + a * dilation, left + b * dilation));
    state.products = grid(shape, (a, b) => kernel[a][b] * state.patch[a][b]);
    state.total = state.output[state.at[0]][state.at[1]];
    state.largest = state.output.reduce((most, line) => line.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
    return state;
  }
  function refusal(state, shape, padding, dilation) {
    for (const [axis, way] of ["high", "wide"].entries()) {
      const [n, k, span] = [state.input[axis], shape[axis], state.span[axis]];
      const room = n + 2 * padding;
      if (span <= room) continue;
      const kernel = dilation > 1
        ? `With dilation ${dilation}, ${k} numbers reach over ${dilation} · (${k} − 1) + 1 = ${span} pixels` : `The kernel is ${k} pixels ${way}`;
      const there = padding ? `the picture with its padding is only ${n} + 2 · ${padding} = ${room} ${way}` : `the picture is only ${n} ${way}`;
      return `${kernel}, but ${there}: no window fits. Take a smaller kernel${dilation > 1 ? ", less dilation" : ""} or more padding.`;
    }
    return null;
  }

  // ---- words
  const by = ([height, width]) => `${height} × ${width}`;
  const formula = (n, k, { stride, padding, dilation }) =>
    `⌊(${n} + 2·${padding} − ${dilation}·(${k} − 1) − 1) / ${stride}⌋ + 1 = ${outputSize(n, k, stride, padding, dilation)}`.replace(/-/g, "−");
  const shapeOf = (state) => [state.kernel.length, state.kernel[0].length];
  const lines = (count, word) => (count === 1 ? word : `${count} ${word}s`);

  function describe(state, values, data) {
    if (state.mistake) return `Kernel not read yet. ${state.mistake}`;
    if (state.refused) return `Refused. ${state.refused}`;
    const shape = shapeOf(state);
    const count = shape[0] * shape[1];
    const [i, j] = state.at;
    const name = data.names[values.picture];
    const many = count === 1 ? "the one product is" : `the ${count} products sum to`;
    const parts = [`${name[0].toUpperCase()}${name.slice(1)}, ${by(state.input)}, kernel ${by(shape)}: output ${by(state.out)}. ` +
      `At row ${i}, column ${j} ${many} ${short(state.total)}.`];
    const [low, right] = state.unseen;
    const never = [low && lines(low, "row"), right && lines(right, "column")].filter(Boolean);
    if (never.length) parts.push(`No window reaches the last ${never.join(" and ")}.`);
    return parts.join(" ");
  }

  // ---- the picture
  function layout(width) {
    const narrow = width < 480; // a phone: the products go below
    const tight = width < 620;
    const margin = 14, gap = narrow ? 14 : 24;
    const panel = Math.min(narrow ? 176 : 296, Math.floor((width - 2 * margin - gap) / 2));
    const left = (width - 2 * panel - gap) / 2;
    const formulas = 34 + panel + 44; // baseline of the first of three lines
    const sums = formulas + 78; // upper edge of the numbers
    const between = 30;
    const box = narrow ? Math.min(160, (width - 2 * margin - between) / 2) : Math.min(197, (width - 2 * margin - 2 * between) / 3);
    const from = (width - (narrow ? 2 : 3) * box - (narrow ? 1 : 2) * between) / 2;
    const boxes = [[from, sums], [from + box + between, sums], narrow ? [from, sums + box + 34] : [from + 2 * (box + between), sums]];
    return { narrow, tight, panel, input: [left, 34], output: [left + panel + gap, 34], formulas, box, between, boxes,
      height: Math.ceil(boxes[2][1] + box + (narrow ? 14 : 38)) };
  }

  const GREY = (v) => { const g = Math.round(255 - 225 * clamp(v, 0, 1)); return `rgb(${g},${g},${g})`; };
  const signed = (data, v, most) => data.diverging[clamp(Math.round(20 + (20 * v) / (most || 1)), 0, 40)];

  // Cells of one colour in one path each: quick, and no seams between neighbours.
  function mosaic(picture, rows, [left, top], side, color, upto = Infinity) {
    const paths = new Map();
    rows.forEach((row, i) => row.forEach((v, j) => {
      if (i * row.length + j > upto || Math.abs(v) < ZERO) return;
      const ink = color(v);
      const x = (left + j * side).toFixed(2), y = (top + i * side).toFixed(2);
      paths.set(ink, `${paths.get(ink) ?? ""}M${x} ${y}h${side.toFixed(2)}v${side.toFixed(2)}h-${side.toFixed(2)}z`);
    }));
    for (const [fill, d] of paths) picture.add(svg("path", { d, fill, "shape-rendering": "crispEdges" }));
  }
  function mesh(picture, [rows, columns], [left, top], side, color = "#e3e3ea") {
    const across = Array.from({ length: rows + 1 }, (_, i) => `M${left} ${top + i * side}h${columns * side}`);
    const down = Array.from({ length: columns + 1 }, (_, j) => `M${left + j * side} ${top}v${rows * side}`);
    picture.add(svg("path", { d: across.concat(down).join(""), fill: "none", stroke: color, "stroke-width": side > 20 ? 1 : 0.6 }));
  }
  function frameOf(picture, x, y, width, height, { color, dash = null, stroke = 3 }) {
    const box = { x, y, width, height, fill: "none", "stroke-linejoin": "round" };
    picture.add(svg("rect", { ...box, stroke: "#fff", "stroke-width": stroke + 3 }));
    picture.add(svg("rect", { ...box, stroke: color, "stroke-width": stroke, "stroke-dasharray": dash }));
  }

  // A number as large and exact as a cell of this side can hold it, or nothing.
  // Widths in parts of the size of type, of a wide face.
  const wide = (words) => [...words].reduce((sum, c) => sum + (c === "." ? 0.32 : c === "−" ? 0.84 : 0.64), 0);
  function fitted(v, side, weight) {
    for (const digits of [2, 1]) {
      if (digits === 1 && Math.abs(v - Number(v.toFixed(1))) > 0.1 * Math.abs(v)) break; // 0.05 is not 0.1
      const full = Math.abs(v) < 1e4 ? short(v, digits) : brief(v, 1e4);
      for (const words of [full, full.replace(/^(−?)0\./, "$1.")]) {
        const size = Math.min(17, (side - 3) / wide(words) / (weight > 400 ? 1.09 : 1));
        if (size >= 13) return [words, size];
      }
    }
    return null;
  }
  function cellWords(picture, v, x, y, side, { dark = false, weight = 400, color = picture.colors.text } = {}) {
    const found = fitted(v, side, weight);
    if (found) picture.text(x + side / 2, y + side / 2 + found[1] * 0.36, found[0], {
      size: found[1], anchor: "middle", halo: false, weight, color: dark ? "#fff" : color,
    });
  }

  function wrapped(picture, words, x, y, width, look) {
    const size = look.size ?? 16;
    const all = [];
    for (const word of words.split(" ")) {
      const longer = all.length ? `${all.at(-1)} ${word}` : word;
      if (all.length && longer.length * size * 0.54 <= width) all[all.length - 1] = longer;
      else all.push(word);
    }
    all.forEach((line, i) => picture.text(x, y + i * size * 1.35, line, look));
  }

  function draw(picture, now, values, data, view) {
    // What cannot be read leaves the last picture standing, pale: it would flicker at every letter typed.
    if (!now.mistake) view.memory.last = [now, { ...values }];
    const [state, before] = view.memory.last ?? [null, null];
    if (state) drawAll(picture, state, now.mistake ? before : values, data, view);
    if (!now.mistake) return;
    view.memory.place = null;
    picture.add(svg("rect", { width: picture.width, height: picture.height, fill: "#fff", opacity: state ? 0.72 : 1 }));
    picture.add(svg("rect", { width: picture.width, height: 32, fill: "#fff" }));
    picture.text(14, 24, "The kernel cannot be read yet.", { weight: 700, size: picture.width < 480 ? 15 : 17, color: "#b3121f" });
  }

  function drawAll(picture, state, values, data, view) {
    const { colors } = picture;
    const spot = layout(picture.width);
    const place = view.memory.place = { input: null, output: null, kernel: null };
    const { padding, stride, dilation } = values;
    const room = state.input.map((n) => n + 2 * padding);
    const side = spot.panel / Math.max(...room, ...state.span);
    const title = { weight: 600, size: spot.narrow ? 14.5 : 16 };

    // the picture, its padding, the window
    const [left, top] = spot.input.map((edge, axis) => edge + (spot.panel - side * Math.max(room[1 - axis], state.span[1 - axis])) / 2);
    picture.text(spot.input[0], 22, `Input ${by(state.input)}${padding && spot.panel > 240 ? `, padding ${padding}` : ""}`, title);
    if (padding) {
      picture.add(svg("rect", { x: left, y: top, width: side * room[1], height: side * room[0], fill: "#efe9f7" }));
    }
    const inner = [left + padding * side, top + padding * side];
    picture.add(svg("rect", { x: inner[0], y: inner[1], width: side * state.input[1], height: side * state.input[0], fill: "#fff" }));
    const X = pixels(data, values.picture);
    mosaic(picture, X, inner, side, GREY);
    mesh(picture, room, [left, top], side);
    for (let i = -padding; side >= 26 && i < state.input[0] + padding; i++) {
      for (let j = -padding; j < state.input[1] + padding; j++) {
        const v = X[i]?.[j]; // nothing there: a 0 of the padding
        cellWords(picture, v ?? 0, inner[0] + j * side, inner[1] + i * side, side, { dark: v > 0.55,
          color: v === undefined ? colors.muted : colors.text });
      }
    }
    picture.add(svg("rect", { x: inner[0], y: inner[1], width: side * state.input[1], height: side * state.input[0], fill: "none",
      stroke: colors.muted, "stroke-width": 1.5, "stroke-dasharray": padding ? "4 3" : null }));
    drawFormulas(picture, state, values, spot);
    const tint = spot.output;
    if (state.refused) {
      frameOf(picture, left + 1.5, top + 1.5, side * state.span[1] - 3, side * state.span[0] - 3, { color: colors.wrong, dash: "7 5" });
      picture.text(tint[0], 22, "No output", { ...title, color: "#b3121f" });
      picture.add(svg("rect", { x: tint[0], y: tint[1], width: spot.panel, height: spot.panel, fill: "#fdecee", rx: 6 }));
      const axis = state.span.findIndex((span, k) => span > room[k]);
      const words = spot.tight ? `${state.span[axis]} pixels needed, ${room[axis]} there: no window fits.` : state.refused;
      wrapped(picture, words, tint[0] + 12, tint[1] + 30, spot.panel - 24, { size: spot.tight ? 15 : 17, color: "#6d0a15", halo: false });
      drawSums(picture, state, data, spot, place);
      return;
    }
    const [low, right] = state.unseen;
    const never = { fill: colors.muted, opacity: 0.22 };
    if (low) picture.add(svg("rect", { x: left, y: top + side * (room[0] - low), width: side * room[1], height: side * low, ...never }));
    if (right) picture.add(svg("rect", { x: left + side * (room[1] - right), y: top, width: side * right, height: side * (room[0] - low), ...never }));
    const [i, j] = state.at;
    const corner = [left + j * stride * side, top + i * stride * side];
    frameOf(picture, corner[0], corner[1], side * state.span[1], side * state.span[0], { color: colors.accent, dash: dilation > 1 ? "5 3" : null,
      stroke: dilation > 1 ? 2 : 3 });
    if (dilation > 1) {
      const taps = state.kernel.flatMap((line, a) => line.map((_, b) =>
        `M${corner[0] + b * dilation * side} ${corner[1] + a * dilation * side}h${side}v${side}h-${side}z`));
      picture.add(svg("path", { d: taps.join(""), fill: colors.accent, "fill-opacity": 0.2, stroke: colors.accent, "stroke-width": 2 }));
    }
    place.input = { left, top, side, rows: room[0], columns: room[1], corner };

    // the output
    const [height, width] = state.out;
    const from = [tint[0] + (spot.panel - side * width) / 2, tint[1] + (spot.panel - side * height) / 2];
    const index = i * width + j;
    const upto = view.memory.filling ? index : Infinity;
    const count = upto < height * width - 1 ? `, ${index + 1} of ${height * width}` : "";
    picture.text(tint[0], 22, `Output ${by(state.out)}${spot.panel > 240 ? count : ""}`, title);
    mosaic(picture, state.output, from, side, (v) => signed(data, v, state.largest), upto);
    mesh(picture, state.out, from, side);
    if (side >= 26) {
      state.output.forEach((line, a) => line.forEach((v, b) => {
        if (a * width + b > upto) return;
        cellWords(picture, v, from[0] + b * side, from[1] + a * side, side, { dark: Math.abs(v) > 0.7 * state.largest && Math.abs(v) > ZERO });
      }));
    }
    picture.add(svg("rect", { x: from[0], y: from[1], width: side * width, height: side * height, fill: "none", stroke: colors.muted, "stroke-width": 1.5 }));
    frameOf(picture, from[0] + j * side, from[1] + i * side, side, side, { color: colors.accent });
    place.output = { left: from[0], top: from[1], side, rows: height, columns: width };
    drawScale(picture, state, data, spot);
    drawSums(picture, state, data, spot, place);
  }

  // Which colour is how much, below the output.
  function drawScale(picture, state, data, spot) {
    const [left, y] = [spot.output[0], spot.output[1] + spot.panel + 8];
    const most = short(state.largest);
    const words = wide(`−${most}`) * 14 + 8;
    const bar = Math.min(120, spot.panel - 2 * words);
    const from = left + (spot.panel - bar) / 2;
    data.diverging.forEach((fill, k) => picture.add(svg("rect", { x: from + (bar * k) / 41, y, width: bar / 41 + 0.5, height: 10, fill })));
    picture.add(svg("rect", { x: from, y, width: bar, height: 10, fill: "none", stroke: picture.colors.muted }));
    const look = { size: 14, color: picture.colors.muted };
    picture.text(from - 6, y + 10, most === "0" ? "0" : `−${most}`, { ...look, anchor: "end" });
    picture.text(from + bar + 6, y + 10, most, look);
  }

  function drawFormulas(picture, state, values, spot) {
    const shape = shapeOf(state);
    const size = spot.tight ? 14 : 16;
    const alike = state.input[0] === state.input[1] && shape[0] === shape[1];
    const names = alike ? [spot.narrow ? "" : "Height and width: "] : ["Height: ", "Width: "];
    if (state.refused) {
      picture.text(14, spot.formulas, `Window ${by(state.span)}, room ${by(state.input.map((n) => n + 2 * values.padding))}`, { size, color: "#b3121f" });
      return;
    }
    const words = spot.narrow ? "⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1" : "⌊(input + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1";
    picture.text(14, spot.formulas, words, { size, color: picture.colors.muted });
    names.forEach((name, axis) => picture.text(14, spot.formulas + (axis + 1) * 22, name + formula(state.input[axis], shape[axis], values), { size }));
  }

  // The pixels under the window × the kernel = the products, number by number, and their sum.
  function drawSums(picture, state, data, spot, place) {
    const { colors } = picture;
    const [rows, columns] = shapeOf(state);
    const side = Math.min(52, spot.box / Math.max(rows, columns));
    const most = Math.max(...state.kernel.flat().map(Math.abs));
    const tint = (v) => signed(data, 0.62 * v, most);
    const titles = ["pixels under it", "kernel", spot.narrow ? "= products" : "products"];
    [state.patch, state.kernel, state.products].forEach((grid, k) => {
      const [boxLeft, boxTop] = spot.boxes[k];
      const [left, top] = [boxLeft + (spot.box - columns * side) / 2, boxTop + (spot.box - rows * side) / 2];
      picture.text(boxLeft + spot.box / 2, boxTop - 8, titles[k], { size: 15, anchor: "middle", color: colors.muted });
      if (k === 0 || (k === 1 && !spot.narrow)) picture.text(boxLeft + spot.box + spot.between / 2, boxTop + spot.box / 2 + 7, "×="[k], { size: 22, weight: 700, anchor: "middle" });
      if (grid) {
        mosaic(picture, grid, [left, top], side, k ? tint : GREY);
        grid.forEach((line, i) => line.forEach((v, j) =>
          cellWords(picture, v, left + j * side, top + i * side, side, { dark: k === 0 && v > 0.55, weight: k === 1 && side > 34 ? 600 : 400 })));
      }
      mesh(picture, [rows, columns], [left, top], side, "#b9bac4");
      if (k === 1) {
        picture.add(svg("rect", { x: left, y: top, width: columns * side, height: rows * side, fill: "none", stroke: colors.text, "stroke-width": 2 }));
        place.kernel = { left, top, side, rows, columns };
      }
    });
    if (!state.products) return;
    const [boxLeft, boxTop] = spot.boxes[2];
    const goal = `→ output[${state.at.join(", ")}]`;
    if (spot.narrow) {
      const x = boxLeft + spot.box + 14;
      picture.text(x, boxTop + spot.box / 2 - 14, "their sum", { size: 15, color: colors.muted });
      picture.text(x, boxTop + spot.box / 2 + 12, short(state.total), { size: 22, weight: 700, color: colors.accent });
      picture.text(x, boxTop + spot.box / 2 + 34, goal, { size: 14 });
      return;
    }
    const y = boxTop + spot.box + 27;
    const count = rows * columns;
    const all = count > 1 ? terms(state.products) : null;
    const told = all && (all.length + short(state.total).length + 8) * 9.2 + 165 < picture.width ? `Sum: ${all} = `
      : `Sum of the ${count === 1 ? "one product" : `${count} products`}: `;
    picture.text(14, y, told + short(state.total), { weight: 700 });
    picture.text(picture.width - 14, y, goal, { anchor: "end" });
  }
  // The products that are not 0, written as one sum; null where rounding would make it wrong.
  function terms(products) {
    const all = products.flat().filter((v) => Math.abs(v) > ZERO);
    if (all.length < 2 || all.some((v) => Math.abs(v - Number(v.toFixed(2))) > ZERO)) return null;
    return all.map((v, k) => (k === 0 ? short(v) : `${v < 0 ? "−" : "+"} ${short(Math.abs(v))}`)).join(" ");
  }

  // ---- the kernel: ready-made, resized, clicked
  const sameNumbers = (one, other) => one && other && one.length === other.length && one[0].length === other[0].length &&
    one.every((row, i) => row.every((v, j) => v === other[i][j]));
  function nameOf(rows, data, chosen) {
    if (!rows || rows.length !== rows[0].length) return "own";
    const is = (kind) => sameNumbers(rows, parseKernel(data.ready[kind][rows.length - 1]).rows);
    return chosen !== "own" && is(chosen) ? chosen : Object.keys(data.ready).find((kind) => kind !== "own" && is(kind)) ?? "own";
  }
  const write = ({ factor, lines: all }) => (factor === null ? "" : `${factor} * `) + all.map((words) => words.join(" ")).join("; ");
  // Another size of the same kernel: rows and columns of zeros come round it, or its border goes.
  function resized(text, size) {
    const { factor, lines: all } = split(text);
    const shift = (length) => Math.floor((length - 1) / 2) - Math.floor((size - 1) / 2);
    const [down, over] = [shift(all.length), shift(all[0].length)];
    const places = Array.from({ length: size }, (_, k) => k);
    return write({ factor, lines: places.map((i) => places.map((j) => all[i + down]?.[j + over] ?? "0")) });
  }
  function clicked(text, i, j) {
    const parts = split(text);
    const value = readNumber(parts.lines[i][j])[0];
    parts.lines[i][j] = value === 0 ? "1" : value === 1 ? "-1" : "0";
    return write(parts);
  }

  function changed(view, { moved }) {
    const { values, data, frame, memory } = view;
    if (moved === "ready") frame.adopt({ kernel: data.ready[values.ready][values.size - 1] });
    if (moved === "size") {
      const readable = !parseKernel(values.kernel).mistake;
      const own = values.ready === "own" && readable;
      frame.adopt({ kernel: own ? resized(values.kernel, values.size) : data.ready[values.ready][values.size - 1] });
    }
    const { rows } = parseKernel(values.kernel);
    if (rows && moved !== "ready" && moved !== "size") {
      frame.adopt({ size: Math.max(rows.length, rows[0].length), ready: nameOf(rows, data, values.ready) });
    }
    if (!memory.ours) {
      stop(view);
      memory.filling = false;
    }
    const out = sizes(view);
    if (out) {
      frame.slider("row", { maximum: out[0] - 1, hidden: false });
      frame.slider("column", { maximum: out[1] - 1, hidden: false });
      frame.adopt({ row: Math.min(values.row, out[0] - 1), column: Math.min(values.column, out[1] - 1) });
    } else if (rows) for (const name of ["row", "column"]) frame.slider(name, { hidden: true }); // refused: no window to move
    const index = out ? values.row * out[1] + values.column : 0;
    view.button("play", { disabled: !out });
    view.button("step", { disabled: !out || index === out[0] * out[1] - 1 });
    view.button("rewind", { disabled: !out || index === 0 });
  }
  // Height and width of the output, or null where there is none.
  function sizes({ values, data }) {
    const { rows } = parseKernel(values.kernel);
    if (!rows) return null;
    const X = data.pictures[values.picture];
    const out = [[X.length, rows.length], [X[0].length, rows[0].length]]
      .map(([n, k]) => outputSize(n, k, values.stride, values.padding, values.dilation));
    return Math.min(...out) > 0 ? out : null;
  }

  // ---- moving the window
  function go(view, row, column, { settled = true, ours = false } = {}) {
    view.memory.ours = ours;
    view.set({ row, column }, { settled });
    view.memory.ours = false;
  }
  function onward(view, settled) {
    const out = sizes(view);
    if (!out) return false;
    const index = Math.min(view.values.row * out[1] + view.values.column + 1, out[0] * out[1] - 1);
    go(view, Math.floor(index / out[1]), index % out[1], { settled, ours: true });
    return index < out[0] * out[1] - 1;
  }
  function stop(view) {
    if (!view.memory.timer) return;
    clearInterval(view.memory.timer);
    view.memory.timer = null;
    view.button("play", { label: "Play" });
  }
  function play(view) {
    const out = sizes(view);
    if (!out) return;
    const last = view.values.row === out[0] - 1 && view.values.column === out[1] - 1;
    if (!view.memory.filling || last) {
      view.memory.filling = true;
      go(view, 0, 0, { settled: false, ours: true });
    }
    view.button("play", { label: "Pause" });
    // A large output goes quicker: about twenty seconds whatever its size, but nobody waits half a second.
    view.memory.timer = setInterval(() => {
      if (onward(view, false)) return;
      stop(view);
      view.memory.ours = true;
      view.set({});
      view.memory.ours = false;
    }, clamp(20000 / (out[0] * out[1]), 30, 450));
  }

  const cellAt = (grid, [px, py]) => {
    if (!grid) return null;
    const [i, j] = [Math.floor((py - grid.top) / grid.side), Math.floor((px - grid.left) / grid.side)];
    return i >= 0 && j >= 0 && i < grid.rows && j < grid.columns ? [i, j] : null;
  };
  const drag = {
    down(point, view) {
      const place = view.memory.place;
      if (!place) return null;
      if (cellAt(place.output, point)) return { kind: "output" };
      const window = place.input && { left: place.input.corner[0], top: place.input.corner[1], side: place.input.side,
        rows: view.state.span[0], columns: view.state.span[1] };
      const [x, y] = point;
      // The window is taken where it was touched.
      return window && cellAt(window, point) ? { kind: "window", dx: x - window.left, dy: y - window.top } : null;
    },
    move(grip, [x, y], view) {
      const { input, output } = view.memory.place ?? {};
      const out = sizes(view);
      if (!out || !input) return;
      const grid = grip.kind === "output" ? output : input;
      const step = grip.kind === "output" ? 1 : view.values.stride;
      const at = grip.kind === "output" ? [Math.floor((y - grid.top) / grid.side), Math.floor((x - grid.left) / grid.side)]
        : [(y - grip.dy - grid.top) / grid.side / step, (x - grip.dx - grid.left) / grid.side / step].map(Math.round);
      go(view, clamp(at[0], 0, out[0] - 1), clamp(at[1], 0, out[1] - 1), { settled: false });
    },
  };

  function setup(view) {
    const { node } = view.picture;
    for (const [key, value] of Object.entries({ tabindex: 0, ...KEYS })) node.setAttribute(key, value);
    node.style.outlineOffset = "-3px";
    const where = (event) => {
      const box = node.getBoundingClientRect();
      const scale = view.picture.width / box.width;
      return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    node.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse" || event.buttons) return;
      const point = where(event);
      const place = view.memory.place;
      if (cellAt(place?.kernel, point)) node.style.cursor = "pointer";
      const cell = cellAt(place?.output, point);
      if (!cell) return;
      node.style.cursor = "crosshair";
      const { row, column } = view.values;
      if (!view.memory.timer && (cell[0] !== row || cell[1] !== column)) go(view, ...cell, { settled: false });
    });
    const jump = (event) => {
      const cell = cellAt(view.memory.place?.output, where(event));
      if (cell) go(view, ...cell, { settled: false });
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      node.focus({ preventScroll: true });
      // A finger's drag ends when what it touched is drawn anew: it jumps when it is lifted.
      if (event.pointerType !== "touch") jump(event);
    });
    node.addEventListener("pointerup", (event) => {
      if (event.pointerType === "touch") jump(event);
    });
    node.addEventListener("click", (event) => {
      const cell = cellAt(view.memory.place?.kernel, where(event));
      if (cell) view.set({ kernel: clicked(view.values.kernel, ...cell) });
    });
    node.addEventListener("keydown", (event) => {
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      const out = sizes(view);
      if (!way || !out || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      go(view, clamp(view.values.row + way[0], 0, out[0] - 1), clamp(view.values.column + way[1], 0, out[1] - 1));
    });
  }

  // ---- goals
  // By how much the output is the input moved: [rows down, columns right] that each pixel looks; null if it is not.
  function looks({ kernel, out, input }, { stride, padding, dilation }) {
    if (!out || stride !== 1 || out.some((m, axis) => m !== input[axis])) return null;
    const full = kernel.flatMap((line, i) => line.flatMap((v, j) => (v === 0 ? [] : [[i, j, v]])));
    if (full.length !== 1 || Math.abs(full[0][2] - 1) > ZERO) return null;
    return full[0].slice(0, 2).map((place) => place * dilation - padding);
  }
  // The windows on the two bars that see one of them alone: what they give.
  function barSums({ kernel, out, output }, { stride, padding, dilation }, data) {
    const rows = data.pictures.cross;
    const bars = [rows.map((row) => /^a+$/.test(row)), [...rows[0]].map((c) => c === "a")];
    const seen = (start, count, bar) => {
      const taps = Array.from({ length: count }, (_, k) => start * stride - padding + k * dilation);
      return taps.every((tap) => tap >= 0 && tap < bar.length) ? taps.some((tap) => bar[tap]) : null;
    };
    const found = { horizontal: [], vertical: [] };
    for (let i = 0; i < out[0]; i++) {
      for (let j = 0; j < out[1]; j++) {
        const [one, other] = [seen(i, kernel.length, bars[0]), seen(j, kernel[0].length, bars[1])];
        if (one && other === false) found.horizontal.push(output[i][j]);
        if (one === false && other) found.vertical.push(output[i][j]);
      }
    }
    return found;
  }
  const large = ({ out, input }) => out !== null && input[0] === 28 && input[1] === 28;

  return {
    compute, describe, draw, drag, setup, stop, changed, parseKernel, formula, clicked, resized,
    mistakes: (state) => ({ kernel: state.mistake }),
    lines: (width) => (width < 450 ? 6 : 4),
    height: (width) => layout(width).height,
    actions: {
      play(view) {
        if (!view.memory.timer) return play(view);
        stop(view);
        view.memory.ours = true;
        view.set({});
        view.memory.ours = false;
        return undefined;
      },
      step(view) {
        stop(view);
        onward(view, true);
      },
      rewind(view) {
        stop(view);
        view.memory.filling = true;
        go(view, 0, 0, { ours: true });
      },
    },
    goals: {
      vertical(state, values, data) {
        if (values.picture !== "cross" || !state.out) return false;
        const { horizontal, vertical } = barSums(state, values, data);
        return horizontal.length > 0 && horizontal.every((v) => Math.abs(v) < ZERO) && vertical.some((v) => Math.abs(v) > ZERO);
      },
      same: (state) => large(state) && by(shapeOf(state)) === "5 × 5" && by(state.out) === "28 × 28",
      halve: (state) => large(state) && by(shapeOf(state)) === "3 × 3" && by(state.out) === "14 × 14",
      identity: (state, values) => state.out !== null && Math.min(...shapeOf(state)) >= 3 && String(looks(state, values)) === "0,0",
      shift: (state, values) => large(state) && String(looks(state, values)) === "0,-1",
    },
  };
})();
