// Queries look for keys. The numbers and words are those of attention.py.
const explorer = (() => {
  const { svg, number, short, clamp, KEYS } = n2t;
  const STEP = 0.1;

  // ---- reading and writing rows
  const NUMBER = /^[-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/;
  function parseRows(text, { words: names, reach }) {
    const refuse = (mistake) => ({ rows: null, mistake });
    const trim = (words) => words.replace(/^ +| +$/g, "");
    const inner = trim(text.replace(/\] *,? *\[/g, ";").replace(/[[\]]/g, " ")).replace(/ *; *$/, "");
    const rows = [];
    for (const line of inner ? inner.split(";") : []) {
      const words = line.split(/[ ,]+/).filter(Boolean);
      const odd = words.find((word) => !NUMBER.test(word));
      if (odd !== undefined) {
        const letters = [...odd];
        return refuse(`“${letters.length <= 10 ? odd : `${letters.slice(0, 9).join("")}…`}” is no number.`);
      }
      if (words.length !== 2) return refuse(`Row ${rows.length + 1} holds ${words.length} number${words.length === 1 ? "" : "s"}, not 2.`);
      const row = words.map((word) => Number(word.replace("−", "-")));
      if (Math.max(...row.map(Math.abs)) > reach) return refuse(`Numbers from −${short(reach)} to ${short(reach)} fit into the picture.`);
      rows.push(row);
    }
    if (rows.length !== names.length) return refuse(`${rows.length} row${rows.length === 1 ? "" : "s"} for ${names.length} words.`);
    return { rows, mistake: null };
  }
  const write = (rows) => rows.map((row) => row.map((v) => String(v === 0 ? 0 : v)).join(" ")).join("; ");

  // ---- attention
  const MAY = { none: () => true, causal: (i, j) => j <= i, others: (i, j) => i !== j };
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  function attend(queries, keys, values, may, temperature) {
    const divisor = Math.sqrt(keys[0].length) * temperature;
    const dots = queries.map((q) => keys.map((k) => sum(q.map((v, c) => v * k[c]))));
    const scaled = dots.map((row) => row.map((s) => s / divisor));
    const masked = scaled.map((row, i) => row.map((s, j) => (may[i][j] ? s : null)));
    const weights = masked.map((row) => {
      const most = Math.max(...row.filter((s) => s !== null));
      const powers = row.map((s) => (s === null ? 0 : Math.exp(s - most)));
      const total = sum(powers);
      return powers.map((p) => p / total);
    });
    const output = weights.map((row) => values[0].map((_, c) => sum(row.map((w, j) => w * values[j][c]))));
    return { dots, scaled, masked, weights, output };
  }
  const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
  const argmin = (indices, by) => indices.reduce((best, j) => (by(j) < by(best) ? j : best));

  function compute({ word, mask, temperature, queries, keys }, data) {
    const [Q, K] = [parseRows(queries, data), parseRows(keys, data)];
    const row = data.words.indexOf(word);
    const state = { mistakes: { queries: Q.mistake, keys: K.mistake }, row };
    if (!Q.rows || !K.rows) return state;
    const may = data.words.map((_, i) => data.words.map((__, j) => MAY[mask](i, j)));
    const steps = attend(Q.rows, K.rows, data.values, may, 10 ** temperature);
    const seen = data.words.map((_, j) => j).filter((j) => may[row][j]);
    return {
      ...state, ...steps, queries: Q.rows, keys: K.rows, may,
      nearest: argmin(seen, (j) => distance(Q.rows[row], K.rows[j])),
      top: argmin(seen, (j) => -steps.weights[row][j]),
      off: distance(steps.output[row], data.star),
    };
  }

  // ---- words
  const divisorOf = (temperature) => Math.sqrt(2) * 10 ** temperature;
  const percent = (weight) => `${number(100 * weight, 0)}%`;
  function listed(words) {
    const quoted = words.map((word) => `“${word}”`);
    return quoted.length === 1 ? quoted[0] : `${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)}`;
  }
  function describe(state, { word, temperature, stage }, data) {
    const { words } = data;
    const wrong = Object.entries(state.mistakes).filter(([, mistake]) => mistake);
    if (wrong.length) return `The ${wrong.map(([name]) => name).join(" and ")} cannot be read yet: ${wrong[0][1]}`;
    const { row } = state;
    if (stage === "dots" || stage === "scaled") {
      const scores = state[stage][row];
      const best = scores.indexOf(Math.max(...scores));
      const name = stage === "dots" ? "Dot products" : `Scores (divided by ${short(divisorOf(temperature))})`;
      return `${name} of the query of “${word}” with all keys: the largest is ${number(scores[best])}, ` +
        `with “${words[best]}”, the smallest ${number(Math.min(...scores))}.`;
    }
    const hidden = words.filter((_, j) => !state.may[row][j]);
    const cut = hidden.length ? ` It may not look at ${listed(hidden)}.` : "";
    if (stage === "masked") {
      return `“${word}” looks at ${words.length - hidden.length} of ${words.length} words.${cut}` +
        (hidden.length ? " Hidden scores become −∞." : " Nothing is hidden from it.");
    }
    const weights = state.weights[row];
    const rounded = weights.map((w) => Number(w.toFixed(9)));
    const [first, second] = words.map((_, j) => j).sort((a, b) => rounded[b] - rounded[a] || a - b);
    const also = weights[second] >= 0.005 ? `, then “${words[second]}” ${percent(weights[second])}` : "";
    const [x, y] = state.output[row];
    return `“${word}” gives “${words[first]}” ${percent(weights[first])} of its weight${also}.${cut} Output (${number(x)}, ${number(y)}).`;
  }

  // ---- the picture
  const CELL = 28;
  function layout(width, count) {
    const beside = width >= 480; // the planes
    const room = width - 34 - 14 - (beside ? 40 : 0);
    const side = Math.round(beside ? room * 0.56 : Math.min(room, 300));
    const plane = [34, 36, side, side];
    const output = beside ? [34 + side + 40, 36, room - side, side] : [34, 36 + side + 66, side, 240];
    const top = output[1] + output[3] + 78;
    const left = 12 + 64; // names of the steps
    if (width < 556) {
      const cell = (width - left - 12) / count;
      const second = top + 4 * CELL + 58;
      return {
        plane, output, steps: { left, top, cell, size: 14 }, all: { left, top: second, cell, size: 14 },
        titles: [12, 12], height: second + count * CELL + 12,
      };
    }
    const cell = Math.min(50, (width - left - 14 - 50 - 10) / (2 * count));
    const size = cell < 46 ? 13.2 : 14;
    const right = width - 10 - count * cell;
    return {
      plane, output, steps: { left, top, cell, size }, all: { left: right, top, cell, size },
      titles: [12, right - 50], height: top + count * CELL + 12,
    };
  }

  const mix = (color, share) => {
    const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return `rgb(${parts.map((part) => Math.round(255 + (part - 255) * clamp(share, 0, 1))).join(" ")})`;
  };
  const AXES = { xticks: [-2, 0, 2], yticks: [-2, 0, 2], xwords: ["−2", "0", "2"], ywords: ["−2", "0", "2"] };

  function draw(picture, now, values, data, view) {
    // What cannot be read leaves the last picture standing, pale: it would flicker at every letter typed.
    const bad = now.weights === undefined;
    if (!bad) view.memory.last = [now, { ...values }];
    const [state, before] = view.memory.last ?? [null, null];
    view.memory.place = null;
    if (state) drawAll(picture, state, bad ? before : values, data, view);
    if (!bad) return;
    view.memory.place = null;
    picture.add(svg("rect", { width: picture.width, height: picture.height, fill: "#fff", opacity: state ? 0.72 : 1 }));
    picture.add(svg("rect", { width: picture.width, height: 32, fill: "#fff" }));
    picture.text(14, 23, "The numbers cannot be read yet.", { weight: 700, color: "#b3121f" });
  }

  function drawAll(picture, state, values, data, view) {
    const spot = layout(picture.width, data.words.length);
    const plane = drawPlane(picture, state, values, data, spot.plane);
    drawOutput(picture, state, values, data, spot.output);
    const { row } = state;
    const names = Object.keys(data.stages);
    const shown = names.slice(0, names.indexOf(values.stage) + 1);
    const steps = names.map((name) => (shown.includes(name) ? state[name][row] : null));
    const words = Object.values(data.stages);
    words[0] = "q · k";
    words[1] = `÷ ${short(divisorOf(values.temperature))}`;
    picture.text(spot.titles[0], spot.steps.top - 30, `“${values.word}”, step by step`, { weight: 600 });
    drawTable(picture, steps, words, data, spot.steps, 3);
    picture.text(spot.titles[1], spot.all.top - 30, `All words: ${data.stages[values.stage]}`, { weight: 600 });
    drawTable(picture, state[values.stage], data.words, data, spot.all, values.stage === "weights" ? 0 : 9, row);
    view.memory.place = { plane, all: spot.all };
  }

  function drawPlane(picture, state, { word, grip, stage }, data, box) {
    const { colors } = picture;
    const plot = picture.plot(box, [-3.3, 3.3], [-3.3, 3.3]);
    plot.axes(AXES);
    const q = state.queries[state.row];
    const length = Math.hypot(...q);
    const veiled = (j) => (stage === "masked" || stage === "weights") && !state.may[state.row][j];
    plot.line([[-3.3, 0], [3.3, 0]], { color: "#c9c9d2", width: 1 }).line([[0, -3.3], [0, 3.3]], { color: "#c9c9d2", width: 1 });
    if (length > 0.05) {
      // Where each key's shadow falls on the line of the query: times its length, that is the dot product.
      plot.line([-9, 9].map((t) => q.map((v) => (v * t) / length)), { color: colors.accent, width: 1, opacity: 0.5 });
      state.keys.forEach((key, j) => {
        if (veiled(j)) return;
        const t = state.dots[state.row][j] / length ** 2;
        plot.line([key, q.map((v) => v * t)], { color: colors.muted, width: 1.5, dash: "2 4" });
      });
    }
    state.keys.forEach((key, j) => {
      const gone = veiled(j);
      const share = stage === "weights" ? state.weights[state.row][j] : 0.35;
      plot.point(key, { marker: "s", size: 8, color: colors.class0, fill: gone ? "#fff" : mix(colors.class0, share),
        edge: gone ? "#b9b9c3" : colors.class0, edgeWidth: 2.5 });
    });
    if (length > 0.01) plot.arrow([0, 0], q, { color: colors.accent });
    else plot.point([0, 0], { color: colors.accent, size: 5 });
    state.keys.forEach((key, j) => plot.label(key, data.words[j], { dx: 13, dy: -10, size: 15, weight: 600,
      color: veiled(j) ? "#8a8a94" : colors.text }));
    const held = grip === "query" ? q : state.keys[data.words.indexOf(grip)];
    plot.ring(held, { color: colors.text, size: 15, width: 2, dash: "4 3" });
    heading(picture, box, [["query", `query of “${word}”`, colors.accent], ["key", "keys", colors.class0]]);
    return plot;
  }

  // Small signs with their names above a plane.
  function heading(picture, [left, top], signs) {
    let x = left;
    const y = top - 14;
    for (const [kind, words, color] of signs) {
      if (kind === "query") picture.add(svg("path", { d: `M${x} ${y - 5}h10m0 -6l11 6l-11 6z`, stroke: color, fill: color, "stroke-width": 3 }));
      if (kind === "key") picture.add(svg("rect", { x: x + 4, y: y - 11, width: 12, height: 12, fill: mix(color, 0.35), stroke: color, "stroke-width": 2 }));
      if (kind === "value") picture.add(svg("path", { d: `M${x + 10} ${y - 13}l8 8l-8 8l-8 -8z`, fill: color }));
      if (kind === "output") picture.add(svg("circle", { cx: x + 9, cy: y - 5, r: 7, fill: color }));
      picture.text(x + 26, y, words, { size: 15, weight: 600 });
      x += 26 + words.length * 8.2 + 18;
    }
  }

  function star([x, y], r) {
    const corners = Array.from({ length: 10 }, (_, k) => {
      const [angle, far] = [(k * Math.PI) / 5 - Math.PI / 2, k % 2 ? 0.45 * r : r];
      return `${(x + far * Math.cos(angle)).toFixed(2)} ${(y + far * Math.sin(angle)).toFixed(2)}`;
    });
    return `M${corners.join("L")}Z`;
  }

  function drawOutput(picture, state, { word, stage }, data, box) {
    const { colors } = picture;
    const half = (3.3 * box[2]) / box[3];
    const plot = picture.plot(box, [-half, half], [-3.3, 3.3]); // the same scale on both axes
    plot.axes(AXES);
    plot.area(data.hull.map((j) => data.values[j]), { color: colors.class1, opacity: 0.12 });
    plot.draw("path", { d: star([plot.px(data.star[0]), plot.py(data.star[1])], 11), fill: "#fff", stroke: colors.text, "stroke-width": 1.5 });
    const at = state.output[state.row];
    if (stage === "weights") {
      data.values.forEach((value, j) => {
        const width = 11 * state.weights[state.row][j];
        if (width > 0.15) plot.line([value, at], { color: colors.class1, width, opacity: 0.75 });
      });
    }
    data.values.forEach((value, j) => {
      plot.point(value, { marker: "D", size: 6.5, color: colors.class1 });
      plot.label(value, data.words[j], { dy: value[1] < 0 ? 24 : -13, anchor: "middle", size: 15, weight: 600 });
    });
    if (stage === "weights") plot.point(at, { color: colors.accent, size: 8, edgeWidth: 2 });
    heading(picture, box, [["output", "output", colors.accent], ["value", "values", colors.class1]]);
  }

  const cellWords = (v) => (v === null ? "−∞" : number(v, Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : 0));
  // Signed numbers about zero; weights, from row `from` on, in blue.
  function drawTable(picture, rows, names, data, { left, top, cell, size }, from, ringed = null) {
    const { colors } = picture;
    const { diverging, words } = data;
    const most = Math.max(...rows.slice(0, from).flatMap((row) => row ?? []).map((v) => Math.abs(v ?? 0)), 1e-9);
    words.forEach((word, j) => picture.text(left + (j + 0.5) * cell, top - 7, word, { size, anchor: "middle", color: colors.muted }));
    rows.forEach((row, i) => {
      const y = top + i * CELL;
      const on = ringed === null ? row !== null : i === ringed;
      picture.text(left - 8, y + 19, names[i], { size, anchor: "end", weight: on ? 600 : 400, color: on ? colors.text : colors.muted });
      words.forEach((_, j) => {
        const v = row?.[j] ?? null;
        const tint = v === null ? "#fff" : i >= from ? mix(colors.class0, v)
          : diverging[Math.round(((v / most + 1) / 2) * (diverging.length - 1))];
        picture.add(svg("rect", { x: left + j * cell, y, width: cell, height: CELL, fill: tint, stroke: "#e3e3ea" }));
        if (row) picture.text(left + (j + 0.5) * cell, y + 19, cellWords(v), { size, anchor: "middle", halo: false,
          color: v === null ? colors.muted : colors.text });
      });
    });
    if (ringed === null) return;
    picture.add(svg("rect", { x: left, y: top + ringed * CELL, width: words.length * cell, height: CELL, fill: "none",
      stroke: colors.accent, "stroke-width": 3 }));
  }

  // ---- moving
  const heldBy = ({ grip, word }, { words }) => (grip === "query" ? ["queries", words.indexOf(word)] : ["keys", words.indexOf(grip)]);
  const tidy = (v, reach) => clamp(Math.round(v / STEP) * STEP, -reach, reach);
  function put(view, at, { settled, ...more }) {
    const values = { ...view.values, ...more };
    const [name, index] = heldBy(values, view.data);
    const rows = view.state[name].map((row, i) => (i === index ? at.map((v) => Number(tidy(v, view.data.reach).toFixed(1))) : row));
    view.set({ ...more, [name]: write(rows) }, { settled });
  }
  const rowAt = (view, [px, py]) => {
    const all = view.memory.place?.all;
    const count = view.data.words.length;
    if (!all || px < all.left - 60 || px > all.left + count * all.cell) return null;
    const i = Math.floor((py - all.top) / CELL);
    return i >= 0 && i < count ? i : null;
  };
  const drag = {
    down([px, py], view, finger) {
      const plot = view.memory.place?.plane;
      if (!plot) return null;
      const { state, data } = view;
      const things = [["query", state.queries[state.row]], ...data.words.map((word, j) => [word, state.keys[j]])];
      const away = things.map(([, [x, y]]) => Math.hypot(px - plot.px(x), py - plot.py(y)));
      // What the arrow keys move comes first where two lie on each other.
      const mine = things.findIndex(([name]) => name === view.values.grip);
      const near = away[mine] < 10 ? mine : away.indexOf(Math.min(...away));
      if (away[near] >= (finger ? 30 : 17)) return null;
      const [x, y] = things[near][1];
      return { grip: things[near][0], dx: px - plot.px(x), dy: py - plot.py(y) };
    },
    move({ grip, dx, dy }, [px, py], view) {
      const plot = view.memory.place?.plane;
      if (plot) put(view, plot.data(px - dx, py - dy), { settled: false, grip });
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
      if (!event.buttons && rowAt(view, where(event)) !== null) node.style.cursor = "pointer";
    });
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      node.focus({ preventScroll: true });
      view.memory.taken = drag.down(where(event), view, event.pointerType === "touch")?.grip;
    });
    // A tap takes hold as well. Not before the end: to draw anew under a finger that comes down would lose it.
    node.addEventListener("pointerup", () => {
      const grip = view.memory.taken;
      if (grip && grip !== view.values.grip) view.set({ grip });
    });
    node.addEventListener("click", (event) => {
      const row = view.memory.taken ? null : rowAt(view, where(event)); // what was dragged there chooses nothing
      if (row !== null) view.set({ word: view.data.words[row] });
    });
    node.addEventListener("keydown", (event) => {
      const way = { ArrowUp: [0, STEP], ArrowDown: [0, -STEP], ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0] }[event.key];
      if (!way || !view.state.keys || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [name, index] = heldBy(view.values, view.data);
      put(view, view.state[name][index].map((v, axis) => v + way[axis]), { settled: true });
    });
  }

  // ---- goals, all of them judged when the weights are seen
  const plain = ({ temperature }) => Math.abs(temperature) < 1e-9;
  const seen = (state, values) => values.stage === "weights" && state.weights !== undefined;
  const same = (one, other) => one.every((row, i) => row.every((v, c) => v === other[i][c]));

  return {
    compute, describe, draw, drag, setup, parseRows, write,
    mistakes: (state) => state.mistakes,
    lines: (width) => (width < 480 ? 4 : 3),
    height: (width, values, data) => layout(width, data.words.length).height,
    actions: {
      step(view) {
        const names = Object.keys(view.data.stages);
        view.set({ stage: names[(names.indexOf(view.values.stage) + 1) % names.length] });
      },
    },
    goals: {
      focus: (state, values, data) => seen(state, values) && values.word === "it" && plain(values) &&
        state.weights[state.row][data.words.indexOf("cat")] > 0.95,
      even: (state, values) => seen(state, values) && plain(values) &&
        state.weights[state.row].every((w) => Math.abs(w - 0.2) < 0.005),
      far: (state, values) => seen(state, values) && state.weights[state.row][state.top] > state.weights[state.row][state.nearest] + 0.05,
      blind: (state, values) => seen(state, values) && values.mask === "causal" && state.row === 0,
      star: (state, values, data) => seen(state, values) && values.word === "it" && values.mask === "none" && plain(values) &&
        same(state.keys, data.keys) && state.off < 0.15,
    },
  };
})();
