// A polynomial fitted to a few points, and its errors over the degree. The numbers and words are those of capacity.py.
const explorer = (() => {
  const { number, short, clamp } = n2t;

  // ---- points
  // mulberry32 by T. Ettinger, as in playground.py
  function uniform(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }
  // Van der Corput's numbers 0, 1/2, 1/4, 3/4, … fill 0 to 1 ever more evenly.
  function halves(index) {
    let [value, step] = [0, 0.5];
    for (; index; index >>= 1, step /= 2) value += step * (index & 1);
    return value;
  }
  function sample(seed, count) {
    const source = uniform(seed);
    const shift = source();
    const [x, noise] = [[], []];
    for (let i = 0; i < count; i++) {
      const place = halves(i) + shift + (source() - 0.5) / 16;
      x.push(2 * (place - Math.floor(place)) - 1);
      let total = 0;
      for (let k = 0; k < 12; k++) total += source();
      noise.push(total - 6);
    }
    return { x, noise };
  }
  const truth = (x) => Math.sin(Math.PI * x);

  // ---- Legendre's polynomials 0 … degree at x
  function terms(x, degree) {
    const found = [1, x];
    for (let k = 1; k < degree; k++) found.push(((2 * k + 1) * x * found[k] - k * found[k - 1]) / (k + 1));
    return found.slice(0, degree + 1);
  }
  const dot = (a, b) => { let total = 0; for (let i = 0; i < a.length; i++) total += a[i] * b[i]; return total; };
  const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

  // The singular value decomposition by Jacobi's rotations of pairs of columns: columns · V = W, whose columns are
  // orthogonal. Changes `columns` into W and returns V's columns.
  function orthogonalise(columns) {
    const V = columns.map((_, i) => columns.map((_, k) => (i === k ? 1 : 0)));
    const largest = Math.max(...columns.map((column) => dot(column, column)));
    for (let round = 0; round < 40; round++) {
      let turned = false;
      for (let i = 0; i < columns.length; i++) {
        for (let k = i + 1; k < columns.length; k++) {
          const [a, b, c] = [dot(columns[i], columns[i]), dot(columns[k], columns[k]), dot(columns[i], columns[k])];
          // Columns that are only rounding (their size is below 1e-14 of the largest) are left as they are.
          if (Math.abs(c) <= 1e-15 * Math.sqrt(a * b) || Math.min(a, b) <= 1e-28 * largest) continue;
          turned = true;
          const zeta = (b - a) / (2 * c);
          const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
          const cos = 1 / Math.hypot(1, t);
          turn(columns[i], columns[k], cos, cos * t);
          turn(V[i], V[k], cos, cos * t);
        }
      }
      if (!turned) break;
    }
    return V;
  }
  function turn(one, other, cos, sin) {
    for (let i = 0; i < one.length; i++) {
      const [a, b] = [one[i], other[i]];
      one[i] = cos * a - sin * b;
      other[i] = sin * a + cos * b;
    }
  }

  // Coefficients c₀ … c_degree that minimise MSE + penalty · (c₁² + … + c_degree²); if several do, the smallest.
  function fit(x, y, degree, penalty) {
    const level = mean(y);
    if (degree === 0) return [level];
    const rows = x.map((at) => terms(at, degree).slice(1));
    const middle = rows[0].map((_, k) => mean(rows.map((row) => row[k])));
    const centred = rows.map((row) => row.map((value, k) => value - middle[k]));
    const rest = y.map((value) => value - level);
    const n = x.length;
    const c = Array(degree).fill(0);
    // The smaller side is turned: A = W Vᵀ if there are at least as many points as coefficients, else Aᵀ = W Vᵀ.
    const tall = n >= degree;
    const W = tall ? middle.map((_, k) => centred.map((row) => row[k])) : centred;
    const V = orthogonalise(W);
    const sizes = W.map((column) => dot(column, column));
    const least = 1e-20 * Math.max(...sizes);
    sizes.forEach((size, j) => {
      if (size <= least) return;
      const share = dot(tall ? W[j] : V[j], rest) / (size + n * penalty);
      const along = tall ? V[j] : W[j];
      for (let k = 0; k < degree; k++) c[k] += share * along[k];
    });
    return [level - dot(middle, c), ...c];
  }
  const value = (x, coefficients) => dot(terms(x, coefficients.length - 1), coefficients);
  const error = (x, y, coefficients) => Math.sqrt(mean(x.map((at, i) => (value(at, coefficients) - y[i]) ** 2)));

  // The fits of all degrees, kept until anything but the degree changes.
  let kept = { key: null };
  function everyDegree({ points, noise, penalty, seed }, data) {
    const key = [points, noise, penalty, seed].join();
    if (kept.key === key) return kept;
    const training = sample(data.seeds.draw + seed, points);
    const unseen = sample(data.seeds.validation, data.unseen);
    const y = training.x.map((x, i) => truth(x) + noise * training.noise[i]);
    const vy = unseen.x.map((x, i) => truth(x) + noise * unseen.noise[i]);
    const fits = Array.from({ length: data.most + 1 }, (_, d) => fit(training.x, y, d, Number(penalty)));
    const validation = fits.map((c) => error(unseen.x, vy, c));
    kept = {
      key, fits, x: training.x, y, vx: unseen.x, vy, train: fits.map((c) => error(training.x, y, c)),
      validation, best: validation.indexOf(Math.min(...validation)),
    };
    return kept;
  }
  function compute(values, data) {
    const { fits, key, ...found } = everyDegree(values, data);
    return { ...found, coefficients: fits[values.degree] };
  }

  // ---- words
  function amount(size) {
    if (size < 1e-6) return "0";
    if (size < 0.001) return "under 0.001";
    if (size >= 99999.5) return "over 100,000";
    if (size >= 9.995) return number(size, 0).replace(/\B(?=(\d{3})+$)/g, ",");
    return number(size, size < 0.0995 ? 3 : 2);
  }
  function describe(state, { degree, points, noise, penalty }, data) {
    const free = `${degree + 1} coefficient${degree === 0 ? "" : "s"}`;
    const [train, validation] = [state.train[degree], state.validation[degree]];
    const parts = [`Degree ${degree} (${free}), ${points} points, penalty ${penalty}.`,
      `Training error ${amount(train)}, validation error ${amount(validation)}; noise ${short(noise)}.`];
    if (train < data.exact) parts.push("The curve goes through every training point.");
    parts.push(state.best === degree ? "No other degree has a smaller validation error."
      : `The smallest validation error is at degree ${state.best}: ${amount(state.validation[state.best])}.`);
    return parts.join(" ");
  }

  // ---- the picture
  const narrowAt = (width) => width < 480;
  function layout(width) {
    const tall = narrowAt(width) ? 210 : 262;
    const fitted = [58, 44, width - 74, tall];
    const errors = [58, 44 + tall + 84, width - 74, narrowAt(width) ? 170 : 190];
    return { fitted, errors, height: errors[1] + errors[3] + 48 };
  }
  const SIDES = 2.5; // curves are cut this many heights away: nobody sees further

  function draw(picture, state, values, data, view) {
    const place = layout(picture.width);
    drawFit(picture, state, values, data, place.fitted);
    drawErrors(picture, state, values, data, place.errors, view);
  }

  function drawFit(picture, state, { degree, unseen }, data, box) {
    const { colors } = picture;
    const narrow = narrowAt(picture.width);
    const plot = picture.plot(box, [-1.05, 1.05], data.y);
    plot.axes({ xlabel: "x", xticks: [-1, -0.5, 0, 0.5, 1], xwords: ["−1", "−0.5", "0", "0.5", "1"],
      yticks: [-2, -1, 0, 1, 2], ywords: ["−2", "−1", "0", "1", "2"] });
    const across = Array.from({ length: 401 }, (_, i) => i / 200 - 1);
    const reach = data.y[1] * 2 * SIDES;
    if (unseen) {
      state.vx.forEach((x, i) => plot.point([x, state.vy[i]], { color: colors.validation, marker: "s", size: 2.6, edgeWidth: 0 }));
    }
    plot.line(across.map((x) => [x, truth(x)]), { color: colors.muted, width: 2.5, dash: "7 6" });
    const curve = across.map((x) => [x, clamp(value(x, state.coefficients), -reach, reach)]);
    plot.line(curve, { color: "#fff", width: 6.5 });
    plot.line(curve, { color: colors.accent, width: 4 });
    const size = state.x.length > 50 ? 4.5 : 7;
    state.x.forEach((x, i) => plot.point([x, state.y[i]], { color: colors.train, size }));
    // Which line is which, above the picture.
    const key = (x, color, dash, words) => {
      picture.add(n2t.svg("line", { x1: x, x2: x + 28, y1: 21, y2: 21, stroke: color, "stroke-width": 4, "stroke-dasharray": dash }));
      picture.text(x + 35, 26, words, { weight: 600 });
    };
    key(16, colors.accent, null, `degree ${degree}`);
    key(narrow ? 164 : 190, colors.muted, "7 5", narrow ? "truth" : "truth: sin(πx)");
    if (!narrow) picture.text(box[0] + box[2], 26, `● ${state.x.length} training points`, { anchor: "end", color: "#2d66d2", weight: 600 });
  }

  function drawErrors(picture, state, { degree, noise }, data, box, view) {
    const { colors } = picture;
    const narrow = narrowAt(picture.width);
    const [low, high] = data.errors.map(Math.log10);
    const plot = picture.plot(box, [-0.5, data.most + 0.5], [low - 0.12, high + 0.12]);
    view.errors = plot;
    const xticks = Array.from({ length: data.most + 1 }, (_, d) => d).filter((d) => !narrow || d % 3 === 0);
    plot.axes({ xlabel: "degree", xticks, xwords: xticks.map(String), yticks: [-2, -1, 0, 1, 2, 3], ywords: ["≤0.01", "0.1", "1", "10", "100", "≥1000"] });
    plot.draw("rect", { x: plot.px(degree - 0.42), y: box[1], width: plot.px(degree + 0.42) - plot.px(degree - 0.42),
      height: box[3], fill: colors.accent, opacity: 0.16 });
    if (Math.log10(noise) > low) {
      plot.line([[-0.5, Math.log10(noise)], [data.most + 0.5, Math.log10(noise)]], { color: colors.muted, width: 2, dash: "7 6" });
    }
    const at = (size) => Math.log10(clamp(size, ...data.errors));
    for (const [name, marker] of [["train", "o"], ["validation", "s"]]) {
      const points = state[name].map((size, d) => [d, at(size)]);
      plot.line(points, { color: colors[name], width: 3 });
      points.forEach((point, d) => plot.point(point, { color: colors[name], marker, size: d === degree ? 8.5 : 5 }));
    }
    if (Math.log10(noise) > low) {
      plot.label([-0.5, Math.log10(noise)], "noise", { dx: 5, dy: 19, size: 15, color: colors.muted });
    }
    // The two numbers of the chosen degree, in the colours of their lines.
    const top = box[1] - 15;
    const brief = (size) => amount(size).replace("under ", "<").replace("over ", ">");
    picture.text(narrow ? 8 : 16, top, `● training ${brief(state.train[degree])}`, { color: "#2d66d2", weight: 700, size: narrow ? 15 : 17 });
    picture.text(box[0] + box[2], top, `■ validation ${brief(state.validation[degree])}`, {
      color: "#a85c00", weight: 700, size: narrow ? 15 : 17, anchor: "end",
    });
    if (picture.width > 600) picture.text(box[0] + box[2] * 0.43, top, `error at degree ${degree}`, { anchor: "middle", color: colors.muted });
  }

  // ---- a degree chosen in the picture
  const degreeAt = (px, view) => clamp(Math.round(view.errors.data(px, 0)[0]), 0, view.data.most);
  const drag = {
    scroll: "pan-y",
    down([px, py], view) {
      const plot = view.errors;
      const inside = plot && px > plot.left - 6 && px < plot.left + plot.width + 6 && py > plot.top && py < plot.top + plot.height;
      return inside ? {} : null;
    },
    move(_, [px], view) { view.set({ degree: degreeAt(px, view) }, { settled: false }); },
  };
  // A click without a move is enough.
  function clicked(event, view) {
    const box = view.picture.node.getBoundingClientRect();
    const scale = view.picture.width / box.width;
    const at = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    const degree = degreeAt(at[0], view);
    if (drag.down(at, view) && degree !== view.values.degree) view.set({ degree });
  }

  const noisy = (values, least) => values.noise >= least - 1e-9;

  return {
    compute, describe, draw, drag,
    setup(view) { view.picture.node.addEventListener("pointerup", (event) => clicked(event, view)); },
    height: (width) => layout(width).height,
    lines: (width) => (narrowAt(width) ? 6 : width < 600 ? 4 : 3),
    actions: { again: (view) => view.set({ seed: (view.values.seed % 50) + 1 }) },
    goals: {
      memorise: (state, values, data) => noisy(values, 0.1) && state.train[values.degree] < data.exact &&
        state.validation[values.degree] > 10 * values.noise,
      more: (state, values) => noisy(values, 0.1) && values.degree === 15 && values.penalty === "0" &&
        state.validation[15] < 1.25 * values.noise,
      second: (state, values) => {
        const peak = state.validation.indexOf(Math.max(...state.validation));
        return noisy(values, 0.1) && values.penalty === "0" && values.points === 10 && values.degree > peak &&
          state.validation[values.degree] < state.validation[peak] / 5;
      },
      tame: (state, values) => noisy(values, 0.2) && values.degree === 15 && values.points === 15 && values.penalty !== "0" &&
        state.validation[15] < 0.3,
    },
  };
})();
