// One point moves, and each loss answers in its own way. The numbers and words are those of outlier.py.
const explorer = (() => {
  const { number, short, snap, clamp } = n2t;
  const ON_THE_LINE = 1e-9, MSE_PULL = 20;

  // ---- fitting a line [slope, intercept]
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const clip = (r, delta) => Math.max(-delta, Math.min(delta, r));

  function leastSquares(points) {
    const n = points.length;
    const [meanX, meanY] = [0, 1].map((axis) => sum(points.map((p) => p[axis])) / n);
    const spread = sum(points.map(([x]) => (x - meanX) * (x - meanX)));
    const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
    return [slope, meanY - slope * meanX];
  }

  // Among the best lines there is always one through two of the points; of several, the middle.
  function leastAbsolute(points) {
    const lines = [];
    points.forEach(([x0, y0], i) => points.slice(i + 1).forEach(([x1, y1]) => {
      if (x0 === x1) return;
      const slope = (y1 - y0) / (x1 - x0);
      lines.push([slope, y0 - slope * x0]);
    }));
    const totals = lines.map(([a, b]) => sum(points.map(([x, y]) => Math.abs(y - a * x - b))));
    const enough = Math.min(...totals) + ON_THE_LINE;
    const apart = [];
    lines.forEach(([a, b], i) => {
      if (totals[i] > enough) return;
      if (apart.every(([c, d]) => Math.abs(a - c) > ON_THE_LINE || Math.abs(b - d) > ON_THE_LINE)) apart.push([a, b]);
    });
    return [0, 1].map((axis) => sum(apart.map((line) => line[axis])) / apart.length);
  }

  // Newton's method with an exact line search.
  function leastHuber(points, delta) {
    let [a, b] = leastSquares(points);
    for (let round = 0; round < 200; round++) {
      const residuals = points.map(([x, y]) => y - a * x - b);
      const ga = sum(points.map(([x], i) => x * clip(residuals[i], delta)));
      const gb = sum(residuals.map((r) => clip(r, delta)));
      if (Math.abs(ga) + Math.abs(gb) < 1e-11) break;
      const curved = points.filter((_, i) => Math.abs(residuals[i]) <= delta).map(([x]) => x);
      const saa = 1e-7 + sum(curved.map((x) => x * x));
      const sab = sum(curved);
      const sbb = 1e-7 + curved.length;
      const determinant = saa * sbb - sab * sab;
      const [da, db] = [(sbb * ga - sab * gb) / determinant, (saa * gb - sab * ga) / determinant];
      const step = bestStep(points, residuals, da, db, delta);
      if (step * (Math.abs(da) + Math.abs(db)) < 1e-15) break;
      a += step * da;
      b += step * db;
    }
    return [a, b];
  }

  // The slope of the loss along the step is piecewise linear and never falls: find where it passes 0.
  function bestStep(points, residuals, da, db, delta) {
    const moves = points.map(([x]) => da * x + db);
    const slope = (t) => -sum(residuals.map((r, i) => clip(r - t * moves[i], delta) * moves[i]));
    const bends = residuals.flatMap((r, i) => (moves[i] === 0 ? [] : [(r - delta) / moves[i], (r + delta) / moves[i]]))
      .filter((t) => t > 0).sort((one, other) => one - other);
    let [low, atLow] = [0, slope(0)];
    if (atLow >= 0) return 0;
    for (const t of bends) {
      const at = slope(t);
      if (at >= 0) return low + ((t - low) * atLow) / (atLow - at);
      [low, atLow] = [t, at];
    }
    return low;
  }

  function fit(loss, points, delta) {
    if (loss === "mse") return leastSquares(points);
    return loss === "mae" ? leastAbsolute(points) : leastHuber(points, delta);
  }

  function pull(loss, residual, delta) {
    if (Math.abs(residual) < ON_THE_LINE) return 0;
    if (loss === "mse") return 2 * residual;
    return loss === "mae" ? Math.sign(residual) : clip(residual, delta);
  }

  function compute({ loss, compare, delta, point, x, y }, data) {
    const points = data.points.map((home, i) => (i === point - 1 ? [x, y] : [...home]));
    const shown = compare === "none" || compare === loss ? [loss] : [loss, compare];
    const lines = Object.fromEntries(shown.map((name) => [name, fit(name, points, delta)]));
    const home = Object.fromEntries(shown.map((name) => [name, fit(name, data.points, delta)]));
    const [a, b] = lines[loss];
    const residuals = points.map(([px, py]) => py - a * px - b);
    const [hx, hy] = data.points[point - 1];
    return {
      points, lines, home, residuals, pulls: residuals.map((r) => pull(loss, r, delta)),
      moved: Math.hypot(x - hx, y - hy), reach: { mse: MSE_PULL, mae: 1.4, huber: 1.4 * delta }[loss],
    };
  }

  // ---- words
  function equation([a, b]) {
    return `ŷ = ${number(a)}x ${number(b).startsWith("−") ? "−" : "+"} ${number(Math.abs(b))}`;
  }
  function was(state, name) {
    const [now, before] = [number(state.lines[name][0]), number(state.home[name][0])];
    return now === before ? "" : `, was ${before}`;
  }
  function describe(state, { loss, compare, delta, point }, data) {
    const [r, own] = [state.residuals[point - 1], state.pulls[point - 1]];
    const others = Math.max(...state.pulls.filter((_, k) => k !== point - 1).map(Math.abs));
    const name = loss === "huber" ? `Huber (δ = ${short(delta)})` : data.losses[loss];
    const parts = [`${name}: slope ${number(state.lines[loss][0])}${was(state, loss)}.`];
    if (own === 0) parts.push(`Point ${point} lies on the line, which it helps to hold.`);
    else {
      const [way, side] = own > 0 ? ["up", "above"] : ["down", "below"];
      parts.push(`Point ${point}, ${number(Math.abs(r))} ${side} the line, pulls ${way} with ${number(Math.abs(own))}; ` +
        `the strongest other pulls with ${number(others)}.`);
    }
    if (compare === loss) parts.push("Compare it with another loss.");
    else if (compare !== "none") parts.push(`${data.losses[compare]}: slope ${number(state.lines[compare][0])}${was(state, compare)}.`);
    return parts.join(" ");
  }

  // ---- the picture
  const ACROSS = { xticks: [0, 2, 4, 6, 8, 10], xwords: ["0", "2", "4", "6", "8", "10"] };
  const narrowAt = (width) => width < 480;
  function layout(width) {
    const tall = narrowAt(width) ? 250 : 300;
    const plane = [48, 78, width - 64, tall];
    const pulls = [48, 78 + tall + 60, width - 64, narrowAt(width) ? 130 : 176];
    return { plane, pulls, height: pulls[1] + pulls[3] + 46 };
  }

  function draw(picture, state, values, data, view) {
    const { colors } = picture;
    const { loss, compare, point } = values;
    const place = layout(picture.width);
    const narrow = narrowAt(picture.width);
    const shown = Object.entries(state.lines);
    // Which line is which, in words above the picture.
    shown.forEach(([name, line], k) => {
      const y = 24 + 24 * k;
      picture.add(n2t.svg("line", { x1: 14, x2: 44, y1: y - 5, y2: y - 5, stroke: data.looks[name], "stroke-width": 4,
        "stroke-dasharray": name === loss ? null : "8 5" }));
      picture.text(52, y, `${data.losses[name]}: ${equation(line)}`, { weight: name === loss ? 700 : 600, size: narrow ? 15 : 17 });
    });
    if (shown.length === 1 && compare !== "none") picture.text(52, 48, "Choose another loss to compare.", { size: 15, color: colors.muted });
    if (!narrow) {
      picture.add(n2t.svg("line", { x1: picture.width - 250, x2: picture.width - 220, y1: 19, y2: 19, stroke: colors.muted,
        "stroke-width": 2.5, "stroke-dasharray": "2 5" }));
      picture.text(picture.width - 212, 24, `${data.losses[loss]}, no point moved`, { size: 15, color: colors.muted });
    }

    const plot = picture.plot(place.plane, data.x, data.y);
    view.plot = plot;
    plot.axes({ ylabel: "y", ...ACROSS });
    view.frame.root.querySelector(".n2t-say").style.minHeight = narrow ? "8.8em" : "4.4em";
    const ends = ([a, b]) => data.x.map((x) => [x, a * x + b]);
    plot.line(ends(state.home[loss]), { color: colors.muted, width: 2.5, dash: "2 5" });
    for (const [name, line] of [...shown].reverse()) {
      plot.line(ends(line), { color: "#fff", width: 6 });
      plot.line(ends(line), { color: data.looks[name], width: 4, dash: name === loss ? null : "10 6" });
    }
    const [a, b] = state.lines[loss];
    state.points.forEach(([x, y]) => plot.line([[x, y], [x, a * x + b]], { color: colors.muted, width: 1.5 }));
    state.points.forEach((at) => plot.point(at, { color: colors.text, size: 7 }));
    const at = state.points[point - 1];
    plot.point(at, { color: colors.text, size: 7 }).ring(at, { color: colors.wrong, size: 12.5, width: 3 });
    const high = plot.py(at[1]) < plot.top + 40;
    plot.label(at, `point ${point}`, { dy: high ? 32 : -20, anchor: "middle", size: 15, weight: 700, color: "#c01626" });

    drawPulls(picture, state, values, data, place.pulls);
  }

  function drawPulls(picture, state, { loss, point, delta }, data, box) {
    const { colors } = picture;
    const { reach } = state;
    const plot = picture.plot(box, data.x, [-reach, reach]);
    const top = loss === "mse" ? reach : loss === "mae" ? 1 : delta;
    const limit = loss === "mae" ? "1" : short(top);
    picture.text(box[0] - 8, box[1] - 14, "pull of each point", { weight: 600 });
    picture.text(box[0] + box[2], box[1] - 14, `point ${point}: ${number(state.pulls[point - 1], 1)}`, {
      anchor: "end", weight: 700, color: "#c01626",
    });
    plot.axes({ xlabel: "x", ...ACROSS, yticks: [-top, 0, top], ywords: [`−${limit}`, "0", limit] });
    plot.line([[data.x[0], 0], [data.x[1], 0]], { color: colors.text, width: 1.5 });
    const order = state.points.map((_, k) => k).filter((k) => k !== point - 1).concat(point - 1);
    for (const k of order) {
      const x = state.points[k][0];
      const color = k === point - 1 ? colors.wrong : data.looks[loss];
      const tip = clamp(state.pulls[k], -reach, reach);
      plot.point([x, 0], { color, size: 3, edgeWidth: 0 });
      // A shaft that is seen however short, and a head that leaves half of it free.
      const [from, to] = [plot.py(0), plot.py(tip)];
      const head = Math.min(12, Math.abs(to - from) * 0.5) * Math.sign(to - from);
      plot.draw("path", { d: `M${plot.px(x)} ${from}V${to - head}`, stroke: color, "stroke-width": 4 });
      plot.draw("path", { d: `M${plot.px(x)} ${to}l-${Math.abs(head) * 0.6} ${-head}h${Math.abs(head) * 1.2}Z`, fill: color });
    }
  }

  // ---- moving
  const control = (view, name) => view.declaration.controls.find((one) => one.name === name);
  const drag = {
    down([px, py], view, finger) {
      const { state, plot } = view;
      if (!plot || !state) return null;
      const away = state.points.map(([x, y]) => Math.hypot(px - plot.px(x), py - plot.py(y)));
      const index = away.indexOf(Math.min(...away));
      return away[index] < (finger ? 30 : 16) ? { index } : null;
    },
    move({ index }, point, view) {
      const [x, y] = view.plot.data(...point);
      view.set({ point: index + 1, x: snap(x, control(view, "x")), y: snap(y, control(view, "y")) }, { settled: false });
    },
  };
  const homeOf = (view) => {
    const [x, y] = view.data.points[view.values.point - 1];
    return { x, y };
  };

  const both = (values, one, other) => [values.loss, values.compare].sort().join() === [one, other].sort().join();

  return {
    compute, describe, draw, drag, fit,
    height: (width) => layout(width).height,
    changed(view, { moved }) {
      // Another point moves from where it stands; the one before goes home.
      if (moved === "point") view.frame.adopt(homeOf(view));
      view.frame.slider("delta", { hidden: ![view.values.loss, view.values.compare].includes("huber") });
      view.button("home", { disabled: view.values.x === homeOf(view).x && view.values.y === homeOf(view).y });
    },
    actions: { home: (view) => view.set(homeOf(view)) },
    goals: {
      still: (state, values) => values.loss === "mae" && state.moved >= 3 - 1e-9 &&
        state.lines.mae.every((value, i) => Math.abs(value - state.home.mae[i]) < 1e-6),
      alike: (state, values) => both(values, "huber", "mse") && Math.max(...state.residuals.map(Math.abs)) >= 4 &&
        state.lines.huber.every((value, i) => Math.abs(value - state.lines.mse[i]) < 1e-6),
      flip: (state, values) => both(values, "mse", "mae") && state.lines.mse[0] < 0 &&
        Math.abs(state.lines.mae[0] - state.home.mae[0]) <= 0.05,
    },
  };
})();
