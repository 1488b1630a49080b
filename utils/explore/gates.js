// One LSTM cell of one unit, gate by gate, and the gradient back through time. Numbers and words are those of gates.py.
const explorer = (() => {
  const { svg, number, short, brief, clamp } = n2t;
  const MOST_STEPS = 40, MOST = 10, FAR = 20, FLOOR = -12, CEILING = 12;

  // ---- reading a sequence
  const ITEM = /^(?:([0-9]{1,6})[*×·])?([-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))$/;
  const WORDS = /^[A-Za-z][A-Za-z '’-]*$/;
  function parseSequence(text) {
    const refuse = (mistake) => ({ xs: null, marks: null, mistake });
    const inner = text.replace(/^ +| +$/g, "");
    const xs = [], marks = [];
    if (WORDS.test(inner)) {
      for (const c of inner) {
        xs.push(/[aeiou]/i.test(c) ? 1 : /[a-z]/i.test(c) ? -1 : 0);
        marks.push(c === " " ? "␣" : c);
      }
    } else {
      const items = inner.split(/[ ,;]+/).filter(Boolean);
      if (!items.length) return refuse("Write some numbers, or a word.");
      for (const item of items) {
        const found = item.match(ITEM);
        if (!found) {
          const letters = [...item];
          const clipped = letters.length <= 10 ? item : `${letters.slice(0, 9).join("")}…`;
          return refuse(`“${clipped}” is no number. Write such as 1, -0.5 or 20*0; or letters alone.`);
        }
        const value = Number(found[2].replace("−", "-"));
        if (Math.abs(value) > MOST) return refuse(`Numbers from −${MOST} to ${MOST} can be shown here.`);
        const count = Number(found[1] ?? 1);
        if (count === 0) return refuse(`“${item}” is nothing: write at least 1 before the *.`);
        for (let k = 0; k < Math.min(count, MOST_STEPS + 1); k++) {
          xs.push(value);
          marks.push(short(value));
        }
      }
    }
    if (xs.length > MOST_STEPS) return refuse(`Up to ${MOST_STEPS} steps can be shown here.`);
    return { xs, marks, mistake: null };
  }

  // ---- what the controls give
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const slope = (z) => 1 / Math.cosh(z) ** 2; // of tanh

  function compute({ sequence, forget, input, weight, output, recurrent, step }) {
    const { xs, marks, mistake } = parseSequence(sequence);
    const names = ["i", "f", "g", "o", "c", "h", "plain", "rnn_factors", "lstm_factors"];
    const state = { mistake, x: xs, marks };
    for (const name of [...names, "rnn_gradient", "lstm_gradient"]) state[name] = xs ? [] : null;
    state.at = xs ? Math.min(step, xs.length) : null;
    if (!xs) return state;
    let h = 0, c = 0, plain = 0;
    const [f, o] = [sigmoid(forget), sigmoid(output)];
    xs.forEach((x, k) => {
      const i = sigmoid(weight * x + input);
      const z = x + recurrent * h;
      const g = Math.tanh(z);
      // h = o·tanh(c) reads c alone, so c feels the c before through f and through g's own h.
      const throughH = i * slope(z) * recurrent * o * slope(c);
      const own = x + recurrent * plain;
      c = f * c + i * g;
      h = o * Math.tanh(c);
      plain = Math.tanh(own);
      const factors = k ? [recurrent * slope(own), f + throughH] : [null, null];
      [i, f, g, o, c, h, plain, ...factors].forEach((value, place) => state[names[place]].push(value));
    });
    state.rnn_gradient = products(state.rnn_factors);
    state.lstm_gradient = products(state.lstm_factors);
    return state;
  }
  // For each step the product of the factors of all later steps: 1 at the last.
  function products(factors) {
    const found = [1];
    for (let k = factors.length - 1; k > 0; k--) found.push(found.at(-1) * factors[k]);
    return found.reverse();
  }
  const exponent = (value) => (value === 0 ? FLOOR : clamp(Math.log10(Math.abs(value)), FLOOR, CEILING));

  // ---- words
  const raised = (whole) => String(whole).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  function power(value) {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 1e-99) return "below 10⁻⁹⁹";
    if (size >= 0.01 && size < 1000) return short(value, size >= 0.1 ? 2 : 3);
    const [digits, whole] = value.toExponential(1).split("e");
    return `${digits.replace("-", "−")}·10${raised(Number(whole))}`;
  }
  function describe(state, { view }) {
    if (state.mistake) return `Sequence not read yet. ${state.mistake}`;
    const [t, last] = [state.at, state.x.length];
    const k = t - 1;
    let words = `Step ${t} of ${last}, x = ${short(state.x[k])}: `;
    if (view === "gradient") {
      words += `h of the plain RNN is ${number(state.plain[k])}`;
      if (k) words += `, and the factor w·tanh′ is ${power(state.rnn_factors[k])}`;
      words += ".";
      if (last > 1) {
        words += ` From step ${last} back to step 1 the gradient is ${power(state.rnn_gradient[0])} in the plain RNN ` +
          `and ${power(state.lstm_gradient[0])} along c of the LSTM.`;
      }
      return words;
    }
    words += `i = ${number(state.i[k])}, f = ${number(state.f[k])}, g = ${number(state.g[k])}, o = ${number(state.o[k])}. ` +
      `c goes from ${number(k ? state.c[k - 1] : 0)} to ${number(state.c[k])}; h is ${number(state.h[k])}.`;
    if (last > 1) {
      words += ` c is ${number(state.c[0])} after step 1 and ${number(state.c.at(-1))} after step ${last}; ` +
        `the gradient between them is ${power(state.lstm_gradient[0])}.`;
    }
    return words;
  }
  // The chosen step with its numbers, in lines that fit a phone.
  function arithmetic(state, { view, input, weight, recurrent }) {
    const k = state.at - 1;
    const two = (value) => number(value);
    const x = short(state.x[k]);
    if (view === "gradient") {
      const last = state.x.length;
      if (!k) return ["Step 1 has no step before it: no factor.", `Gradient from step ${last}:`,
        `plain RNN ${power(state.rnn_gradient[0])}, LSTM ${power(state.lstm_gradient[0])}`, ""];
      const h = state.plain[k];
      return [
        `RNN: h = tanh(${x} + ${two(recurrent)}·${two(state.plain[k - 1])}) = ${two(h)}`,
        `factor w·(1 − h²) = ${two(recurrent)}·(1 − ${two(h * h)}) = ${power(state.rnn_factors[k])}`,
        `LSTM: factor f + what goes through h = ${power(state.lstm_factors[k])}`,
        `Gradient from step ${last}: RNN ${power(state.rnn_gradient[k])}, LSTM ${power(state.lstm_gradient[k])}`,
      ];
    }
    const [c, h] = k ? [state.c[k - 1], state.h[k - 1]] : [0, 0];
    return [
      `i = σ(${short(weight)}·${x} + ${short(input)}) = ${two(state.i[k])}`,
      `g = tanh(${x} + ${two(recurrent)}·${two(h)}) = ${two(state.g[k])}`,
      `c = f·c + i·g = ${two(state.f[k])}·${two(c)} + ${two(state.i[k])}·${two(state.g[k])} = ${two(state.c[k])}`,
      `h = o·tanh(c) = ${two(state.o[k])}·${two(Math.tanh(state.c[k]))} = ${two(state.h[k])}`,
    ].map((line) => line.replace(/·(−[0-9.]+)/g, "·($1)").replace(/ \+ −/g, " − "));
  }

  // ---- the picture
  const narrowAt = (width) => width < 480;
  const DARK = { class5: "#5b14ad", class1: "#8a4d00" }; // the lines' colours, dark enough for words
  function layout(width) {
    const narrow = narrowAt(width);
    const top = 32, bars = 56, row = 27;
    const strip = top + bars + 28;
    const plot = strip + 4 * row + 52;
    const tall = narrow ? 150 : 180;
    const words = plot + tall + 74;
    return { narrow, left: 76, right: 14, top, bars, row, strip, plot, tall, words, line: narrow ? 23 : 25,
      height: words + 3 * (narrow ? 23 : 25) + 16 };
  }
  const sideOf = (width, count) => Math.min(72, (width - 90) / count);

  const wide = (words) => [...words].reduce((sum, c) => sum + (c === "." ? 0.32 : c === "−" ? 0.84 : 0.64), 0);
  // Letters as large as leave some room between cells; at 13 pixels a cell of 20 or more may be filled to its
  // edges, but narrower ones would become a row of digits.
  const sizeIn = (side, words) => Math.max(Math.min(15, (side - 3) / wide(words)),
    side >= 20 ? Math.min(13.6, (side + 0.6) / wide(words)) : 0);
  // A number as exact as a cell of this width can hold it, or nothing.
  function fitted(value, side) {
    for (const digits of [2, 1]) {
      if (digits === 1 && Math.abs(value - Number(value.toFixed(1))) > 0.1 * Math.abs(value)) return null;
      const whole = Math.abs(value - Math.round(value)) < 0.005;
      const full = Math.abs(value) >= 1e4 ? brief(value, 1e4) : number(value, whole ? 0 : digits);
      for (const words of [full, full.replace(/^(−?)0\./, "$1.")]) {
        const size = sizeIn(side, words);
        if (size >= 13) return [words, size];
      }
    }
    return null;
  }

  // Name, numbers, and tones from −1 (blue) to 1 (red): below 1 a factor shrinks the gradient, above 1 it grows it.
  function rows(view, state) {
    const tone = (v) => (v === null ? 0 : v === 0 ? -1 : clamp(Math.log2(Math.abs(v)), -1, 1));
    if (view === "gates") return ["i", "f", "g", "o"].map((name) => [name, state[name], state[name]]);
    return [["h, RNN", state.plain, state.plain], ["× RNN", state.rnn_factors, state.rnn_factors.map(tone)],
      ["h, LSTM", state.h, state.h], ["× LSTM", state.lstm_factors, state.lstm_factors.map(tone)]];
  }

  function draw(picture, now, values, data, view) {
    // What cannot be read leaves the last picture standing, pale: it would flicker at every letter typed.
    if (!now.mistake) view.memory.last = [now, { ...values }];
    const [state, before] = view.memory.last ?? [null, null];
    if (state) drawAll(picture, state, now.mistake ? before : values, data, view);
    if (!now.mistake) return;
    view.memory.place = null;
    picture.add(svg("rect", { width: picture.width, height: picture.height, fill: "#fff", opacity: state ? 0.72 : 1 }));
    picture.add(svg("rect", { width: picture.width, height: 30, fill: "#fff" }));
    picture.text(14, 22, "The sequence cannot be read yet.", { weight: 700, color: "#b3121f" });
  }

  function drawAll(picture, state, values, data, view) {
    const { colors } = picture;
    const spot = layout(picture.width);
    const count = state.x.length;
    const side = sideOf(picture.width, count);
    const { left } = spot;
    const gradient = values.view === "gradient";
    view.memory.place = { left, side, count, top: spot.top, bottom: spot.plot + spot.tall };
    const middle = (k) => left + (k + 0.5) * side;
    const right = left + count * side;

    // the inputs
    picture.text(14, 22, gradient ? "What the last state feels of each step" : "What the gates let through", { weight: 600 });
    const most = Math.max(1, ...state.x.map(Math.abs));
    const zero = spot.top + spot.bars / 2;
    picture.text(left - 10, zero + 5, "x", { anchor: "end", weight: 600 });
    state.x.forEach((x, k) => {
      const tall = (Math.abs(x) / most) * (spot.bars / 2 - 2);
      picture.add(svg("rect", { x: middle(k) - side * 0.36, y: x > 0 ? zero - tall : zero, width: side * 0.72, height: tall,
        fill: x > 0 ? "#a43a33" : "#2f6ca3" }));
      const words = state.marks[k].replace(/^(−?)0\./, "$1.");
      const size = sizeIn(side + 1, words);
      if (size >= 13) picture.text(middle(k), spot.top + spot.bars + 17, words, { size, anchor: "middle" });
    });
    picture.add(svg("line", { x1: left, x2: right, y1: zero, y2: zero, stroke: colors.text, "stroke-width": 1 }));

    // the strip
    rows(values.view, state).forEach(([name, numbers, tones], j) => {
      const y = spot.strip + j * spot.row;
      picture.text(left - 10, y + spot.row / 2 + 5, name, { anchor: "end", weight: 600, size: name.length > 2 ? 14 : 16 });
      numbers.forEach((value, k) => {
        const tint = data.diverging[clamp(Math.round(20 + tones[k] * 13), 0, 40)];
        picture.add(svg("rect", { x: left + k * side, y, width: side, height: spot.row, fill: value === null ? "#fff" : tint,
          stroke: "#d4d4dc", "stroke-width": 0.7 }));
        const found = value === null ? null : fitted(value, side);
        if (found) picture.text(middle(k), y + spot.row / 2 + 5, found[0], { size: found[1], anchor: "middle", halo: false });
      });
    });

    const box = [left, spot.plot, count * side, spot.tall];
    if (gradient) drawGradient(picture, state, box, spot);
    else drawState(picture, state, box, spot);

    // the chosen step
    const x = left + (state.at - 1) * side;
    for (const [y, end] of [[spot.top - 2, spot.strip + 4 * spot.row], [spot.plot, spot.plot + spot.tall]]) {
      const frame = { x, y, width: side, height: end - y, fill: "none", rx: 3 };
      picture.add(svg("rect", { ...frame, stroke: "#fff", "stroke-width": 4, opacity: 0.6 }));
      picture.add(svg("rect", { ...frame, stroke: colors.accent, "stroke-width": 2.5 }));
    }
    arithmetic(state, values).forEach((line, k) => {
      picture.text(14, spot.words + k * spot.line, line, { size: spot.narrow ? 14 : 16 });
    });
    picture.text(14, spot.words - spot.line - 1, `Step ${state.at}`, { weight: 700, color: colors.accent });
  }

  // Which line is which, in words above the plot.
  function legend(picture, entries, y) {
    let x = 14;
    for (const { words, color, ink, marker, dash, band } of entries) {
      if (band) picture.add(svg("rect", { x, y: y - 13, width: 24, height: 14, fill: color, opacity: 0.22 }));
      else if (marker) {
        picture.add(svg("line", { x1: x, x2: x + 26, y1: y - 5, y2: y - 5, stroke: color, "stroke-width": 3, "stroke-dasharray": dash }));
        picture.add(marker === "o" ? svg("circle", { cx: x + 13, cy: y - 5, r: 5, fill: color })
          : svg("rect", { x: x + 8.5, y: y - 9.5, width: 9, height: 9, fill: color }));
      } else picture.add(svg("path", { d: `M${x + 6} ${y - 10}h13l-6.5 11z`, fill: "#fff", stroke: color, "stroke-width": 2 }));
      picture.text(x + 32, y, words, { size: 15, weight: 600, color: ink });
      x += 32 + words.length * 8.8 + 18;
    }
  }
  function axesOf(picture, box, yrange, look) {
    const { count, ...rest } = look;
    const plot = picture.plot(box, [0.5, count + 0.5], yrange);
    const every = [1, 2, 5, 10].find((step) => (box[2] / count) * step >= 26);
    const xticks = Array.from({ length: count }, (_, k) => k + 1)
      .filter((t) => (every <= 2 ? (t - 1) % every === 0 : t === 1 || t % every === 0));
    return plot.axes({ ...rest, xticks, xwords: xticks.map(String) });
  }
  function drawState(picture, state, box, spot) {
    const { colors } = picture;
    const all = [0, ...state.c, ...state.h];
    let [low, high] = [Math.min(...all), Math.max(...all)];
    if (high - low < 1) [low, high] = high > -low ? [low, low + 1] : [high - 1, high];
    const edge = 0.08 * (high - low);
    const plot = axesOf(picture, box, [low - edge, high + edge], { count: state.x.length });
    const first = state.c[0];
    const band = state.c.length > 1 && Math.abs(first) >= 0.1;
    if (band) {
      const end = state.c.length;
      plot.area([[1, 0.9 * first], [end, 0.9 * first], [end, 1.1 * first], [1, 1.1 * first]], { color: colors.accent, opacity: 0.16 });
    }
    plot.line([[0.5, 0], [state.x.length + 0.5, 0]], { color: colors.muted, width: 1.2 });
    curve(plot, state.h, { color: colors.class1, marker: "s", dash: "6 4" });
    curve(plot, state.c, { color: colors.class5, marker: "o" });
    legend(picture, [
      { words: spot.narrow ? "state c" : "c, the cell’s state", color: colors.class5, ink: DARK.class5, marker: "o" },
      { words: spot.narrow ? "h" : "h, what it shows", color: colors.class1, ink: DARK.class1, marker: "s", dash: "6 4" },
      ...(band ? [{ words: picture.width < 640 ? "c₁ ± 10%" : "c of step 1, ± 10%", color: colors.accent, ink: colors.text, band }] : []),
    ], spot.plot - 18);
  }
  function drawGradient(picture, state, box, spot) {
    const { colors } = picture;
    const powers = { rnn: state.rnn_gradient.map(exponent), lstm: state.lstm_gradient.map(exponent) };
    const all = [...powers.rnn, ...powers.lstm];
    const [low, high] = [Math.min(-2, Math.floor(Math.min(...all))), Math.max(1, Math.ceil(Math.max(...all)))];
    const every = [1, 2, 3, 4, 6].find((step) => (high - low) / step <= 5.5) ?? 6;
    const yticks = [];
    for (let k = Math.ceil(low / every) * every; k <= high; k += every) yticks.push(k);
    const plot = axesOf(picture, box, [low - 0.06 * (high - low), high + 0.06 * (high - low)],
      { count: state.x.length, yticks, ywords: yticks.map((k) => (k === 0 ? "1" : k === 1 ? "10" : `10${raised(k)}`)) });
    plot.line([[0.5, 0], [state.x.length + 0.5, 0]], { color: colors.muted, width: 1.5, dash: "4 4" });
    curve(plot, powers.rnn, { color: colors.class1, marker: "s", dash: "6 4", floor: FLOOR });
    curve(plot, powers.lstm, { color: colors.class5, marker: "o", floor: FLOOR });
    legend(picture, [
      { words: spot.narrow ? "LSTM" : "LSTM, along c", color: colors.class5, ink: DARK.class5, marker: "o" },
      { words: "plain RNN", color: colors.class1, ink: DARK.class1, marker: "s", dash: "6 4" },
      ...(Math.min(...all) <= FLOOR ? [{ words: `below 10${raised(FLOOR)}`, color: colors.muted, ink: colors.text }] : []),
    ], spot.plot - 18);
  }
  // A line through all steps; what lies at the floor stands there as an empty triangle, for it is lower still.
  function curve(plot, values, { color, marker, dash = null, floor = -Infinity }) {
    const points = values.map((value, k) => [k + 1, value]);
    plot.line(points.filter(([, value]) => value > floor), { color: "#fff", width: 5.5 });
    plot.line(points.filter(([, value]) => value > floor), { color, width: 3, dash });
    const size = values.length > 24 ? 3.6 : 5;
    for (const point of points) {
      if (point[1] > floor) plot.point(point, { color, marker, size, edgeWidth: 1 });
      else plot.draw("path", { d: `M${plot.px(point[0]) - 5} ${plot.py(point[1]) - 5}h10l-5 9z`, fill: "#fff", stroke: color, "stroke-width": 2 });
    }
  }

  // ---- choosing a step
  function stepAt(view, [x, y]) {
    const place = view.memory.place;
    if (!place || y < place.top || y > place.bottom) return null;
    const k = Math.floor((x - place.left) / place.side);
    return k >= 0 && k < place.count ? k + 1 : null;
  }
  const drag = {
    scroll: "pan-y",
    down: (point, view) => (stepAt(view, point) ? {} : null),
    move(_, [x], view) {
      const { left, side, count } = view.memory.place;
      view.set({ step: clamp(Math.floor((x - left) / side) + 1, 1, count) }, { settled: false });
    },
  };
  function setup(view) {
    const { node } = view.picture;
    node.addEventListener("pointerdown", (event) => {
      const box = node.getBoundingClientRect();
      const scale = view.picture.width / box.width;
      const step = event.button === 0 && stepAt(view, [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]);
      if (step) view.set({ step }, { settled: false });
    });
  }
  function changed(view) {
    const { values, frame } = view;
    const { xs } = parseSequence(values.sequence);
    if (!xs) return;
    frame.slider("step", { maximum: xs.length });
    frame.adopt({ step: Math.min(values.step, xs.length) });
  }

  // ---- goals
  const lost = (value) => Math.abs(value - 1) >= 0.1;
  function carried({ c, lstm_gradient: gradient }, withGradient) {
    if (!c || c.length !== FAR + 1 || Math.abs(c[0]) < 0.1) return false;
    return !lost(c[FAR] / c[0]) && !(withGradient && lost(gradient[0]));
  }
  const far = (state) => (state.rnn_gradient?.length > FAR ? Math.abs(state.rnn_gradient.at(-1 - FAR)) : null);
  return {
    compute, describe, draw, drag, setup, changed, parseSequence, power, arithmetic,
    mistakes: (state) => ({ sequence: state.mistake }),
    lines: (width) => (width < 450 ? 6 : 4),
    height: (width) => layout(width).height,
    goals: {
      keep: (state) => carried(state, false) && state.x[0] === 1 && state.x.slice(1).every((x) => x === 0),
      count: (state) => state.x?.length === 5 && state.x.every((x) => x === 1) && state.c[4] > 3,
      explode: (state, values) => values.view === "gradient" && far(state) !== null && far(state) > 1000,
      flat: (state, values) => values.view === "gradient" && Math.abs(values.recurrent) >= 1.5 - 1e-9 &&
        far(state) !== null && far(state) < 1e-6,
      // The noise of the preset, however it is written.
      noise: (state, values, data) => carried(state, true) && String(state.x) === String(parseSequence(data.noise).xs),
    },
  };
})();
