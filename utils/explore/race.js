// Seven optimizers race down one surface. The numbers and words are those of race.py and surfaces.py.
const explorer = (() => {
  const { html, svg, number, short, snap, clamp } = n2t;
  const STEPS = 200, FAR = 100, NEAR = 0.05, PAUSE = 20, CREEP = 0.02, LARGEST = 1e12;
  const TICK = 45; // milliseconds for a step while playing

  // ---- surfaces: name → f(x, y) and its gradient
  const beale = (x, y) => [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y];
  const plateau = (x, y, [px, py] = [2, -1]) => [x - px, y - py, 1 + (x - px) * (x - px) + (y - py) * (y - py)];
  const surfaces = {
    ravine: {
      f: (x, y) => 0.5 * (x * x + 25 * y * y),
      gradient: (x, y) => [x, 25 * y],
    },
    turned: {
      f: (x, y) => 6.5 * x * x - 12 * x * y + 6.5 * y * y,
      gradient: (x, y) => [13 * x - 12 * y, 13 * y - 12 * x],
    },
    saddle: {
      f: (x, y) => 0.5 * x * x - 0.5 * y * y + 0.25 * y * y * y * y,
      gradient: (x, y) => [x, y * y * y - y],
    },
    rosenbrock: {
      f: (x, y) => (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x),
      gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
    },
    beale: {
      f: (x, y) => beale(x, y).reduce((sum, part) => sum + part * part, 0),
      gradient: (x, y) => {
        const [a, b, c] = beale(x, y);
        return [2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1), 2 * a * x + 4 * b * x * y + 6 * c * x * y * y];
      },
    },
    plateau: {
      f: (x, y) => 1 - 1 / plateau(x, y)[2] ** 2,
      gradient: (x, y) => {
        const [dx, dy, q] = plateau(x, y);
        const cube = q * q * q;
        return [(4 * dx) / cube, (4 * dy) / cube];
      },
    },
    two_minima: {
      f: (x, y) => (x * x * x * x) / 8 - (x * x * x) / 12 - x * x + x + 10 / 3 + 0.5 * y * y,
      gradient: (x, y) => [0.5 * (x + 2) * (x - 0.5) * (x - 2), y],
    },
  };

  // ---- optimizers: each gives the new coordinate; m and v are its memory
  const adam = (value, g, m, v, i, t, lr, beta) => {
    m[i] += (1 - beta) * (g - m[i]);
    v[i] = 0.999 * v[i] + (1 - 0.999) * g * g;
    const root = Math.sqrt(v[i]) / Math.sqrt(1 - 0.999 ** t) + 1e-8;
    return value - (lr / (1 - beta ** t)) * (m[i] / root);
  };
  const heavy = (g, m, i, beta) => (m[i] = beta * m[i] + g);
  const optimizers = {
    sgd: (value, g, m, v, i, t, lr) => value - lr * g,
    momentum: (value, g, m, v, i, t, lr, beta) => value - lr * heavy(g, m, i, beta),
    nesterov: (value, g, m, v, i, t, lr, beta) => value - lr * (g + beta * heavy(g, m, i, beta)),
    adagrad(value, g, m, v, i, t, lr) {
      v[i] += g * g;
      return value - (lr * g) / (Math.sqrt(v[i]) + 1e-10);
    },
    rmsprop(value, g, m, v, i, t, lr, beta) {
      v[i] = beta * v[i] + (1 - beta) * g * g;
      return value - (lr * g) / (Math.sqrt(v[i]) + 1e-8);
    },
    adam,
    adamw: (value, g, m, v, i, t, lr, beta) => adam(value * (1 - lr * 0.01), g, m, v, i, t, lr, beta),
  };

  function run(surface, optimizer, start, lr, beta, steps = STEPS, far = Infinity) {
    const { gradient } = surfaces[surface];
    const step = optimizers[optimizer];
    let point = [...start];
    const [m, v, path] = [[0, 0], [0, 0], [point]];
    for (let t = 1; t <= steps; t++) {
      const slope = gradient(...point);
      point = point.map((value, i) => step(value, slope[i], m, v, i, t, lr, beta));
      if (!point.every(Number.isFinite)) break;
      path.push(point);
      if (Math.hypot(...point) > far) break;
    }
    return path;
  }

  const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);

  // From which step on a whole run stays beside a minimum.
  function arrival(facts, path) {
    if (path.length <= STEPS) return null;
    for (const [local, minima] of [[false, facts.minima], [true, facts.local]]) {
      for (const at of minima) {
        let step = STEPS + 1;
        while (step > 0 && distance(path[step - 1], at) <= NEAR) step -= 1;
        if (step <= STEPS) return { step, local, at };
      }
    }
    return null;
  }

  function compute(values, data) {
    const { surface, lr, beta, steer, steps, x, y } = values;
    const facts = data.surfaces[surface];
    const runs = Object.keys(data.optimizers).filter((name) => values[name]).map((name) => {
      const steered = steer === "all" || steer === name;
      const rate = steered ? 10 ** lr : facts.best[name];
      const memory = steered ? beta : data.usual_beta[name] ?? 0;
      const path = run(surface, name, [x, y], rate, memory, STEPS, FAR);
      const last = path.length - 1;
      const away = last < STEPS ? last : null;
      const gaps = path.map(([px, py]) => {
        const gap = surfaces[surface].f(px, py) - facts.lowest;
        return Number.isFinite(gap) ? clamp(gap, 0, LARGEST) : LARGEST;
      });
      const one = { name, lr: rate, beta: memory, steered, path: [...path], gaps, away, arrival: arrival(facts, path) };
      if (away !== null) one.path[last] = cut(path);
      [one.status, one.since] = statusOf(facts, one, steps);
      return one;
    });
    return { start: [x, y], runs };
  }

  // The last point, drawn in along the last step, so that no number is too large for a picture.
  function cut(path) {
    const last = path[path.length - 1];
    if (path.length < 2) return last;
    const before = path[path.length - 2];
    const share = Math.min(1, FAR / distance(last, before));
    return before.map((value, i) => value + share * (last[i] - value));
  }

  function statusOf(facts, one, n) {
    if (one.away !== null) {
      if (n >= one.away) return ["diverged", one.away];
      if (one.gaps[n] > one.gaps[0]) return ["diverging", null];
    }
    if (one.arrival && n >= one.arrival.step) return [one.arrival.local ? "higher" : "arrived", one.arrival.step];
    if (n >= PAUSE && one.path.slice(n - PAUSE, n).every((past) => distance(one.path[n], past) < CREEP)) {
      return [facts.saddles.some((at) => distance(one.path[n], at) < NEAR) ? "saddle" : "slow", null];
    }
    return ["way", null];
  }

  // ---- words
  const raised = (power) => [...String(power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
  function amount(loss) {
    if (loss === 0) return "0";
    if (loss >= 0.001 && loss < 10000) return loss < 1 ? short(loss, 3) : number(loss, loss < 10 ? 1 : 0);
    let power = Math.floor(Math.log10(loss));
    let lead = loss / 10 ** power;
    if (lead >= 9.95) { lead /= 10; power += 1; }
    return `${number(lead, 1)}×10${raised(power)}`;
  }
  const rateWords = (value) => String(Number(value.toPrecision(3)));

  function describe(state, { surface, lr, steer, steps }, data) {
    const { label } = data.surfaces[surface];
    if (!state.runs.length) return `${label}: no optimizer runs. Switch one on.`;
    const others = steer === "all" ? "" : ` for ${data.optimizers[steer]}, others at their best`;
    const rates = steer === "none" ? "each at its best lr of a grid" : `lr ${rateWords(10 ** lr)}${others}`;
    const parts = [`${label}, ${steps === 1 ? "1 step" : `${steps} steps`}, ${rates}.`];
    for (const [status, words] of Object.entries(data.groups)) {
      const found = state.runs.filter((one) => one.status === status);
      if (found.length) parts.push(`${words}: ${found.map((one) => oneWords(one, steps, data)).join(", ")}.`);
    }
    return parts.join(" ");
  }
  function oneWords(one, n, data) {
    const name = data.optimizers[one.name];
    if (one.since !== null) return `${name} (${one.status === "diverged" ? "at" : "since"} step ${one.since})`;
    return one.status === "saddle" ? name : `${name} (loss ${amount(one.gaps[n])})`;
  }

  // ---- contour lines: closed loops around all that lies below a level (marching squares)
  function loops(f, [x0, x1], [y0, y1], level, columns = 120, rows = 75) {
    const [dx, dy] = [(x1 - x0) / columns, (y1 - y0) / rows];
    // A ring of high ground outside the window closes every loop.
    const high = [];
    for (let j = -1; j <= rows + 1; j++) {
      const line = [];
      for (let i = -1; i <= columns + 1; i++) {
        const outside = i < 0 || j < 0 || i > columns || j > rows;
        line.push(outside ? 1 : f(x0 + i * dx, y0 + j * dy) - level);
      }
      high.push(line);
    }
    const at = (i, j) => high[j + 1][i + 1];
    const next = new Map();
    const places = new Map();
    // The crossing on the edge from corner a to corner b, named so that two cells share it.
    function crossing(a, b) {
      const [[i, j], [k, l]] = a[0] + a[1] < b[0] + b[1] ? [a, b] : [b, a];
      const key = `${i},${j},${k > i ? "h" : "v"}`;
      if (!places.has(key)) {
        const [u, v] = [at(i, j), at(k, l)];
        const t = u / (u - v);
        places.set(key, [x0 + (i + t * (k - i)) * dx, y0 + (j + t * (l - j)) * dy]);
      }
      return key;
    }
    for (let j = -1; j <= rows; j++) {
      for (let i = -1; i <= columns; i++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const below = corners.map(([a, b]) => at(a, b) < 0);
        if (below.every((one) => one === below[0])) continue;
        // Going round the cell, a line enters where ground rises above the level and leaves where it falls.
        const out = [], into = [];
        corners.forEach((corner, k) => {
          const after = (k + 1) % 4;
          if (below[k] && !below[after]) out.push(crossing(corner, corners[after]));
          if (!below[k] && below[after]) into.push(crossing(corner, corners[after]));
        });
        // Two corners below, opposite each other: each is cut off for itself.
        if (out.length === 2 && !below[0]) into.push(into.shift());
        out.forEach((key, k) => next.set(key, into[k]));
        if (out.length === 2 && below[0]) { next.set(out[0], into[1]); next.set(out[1], into[0]); }
      }
    }
    const found = [];
    while (next.size) {
      const loop = [];
      let [key] = next.keys();
      while (next.has(key)) {
        loop.push(places.get(key));
        const follow = next.get(key);
        next.delete(key);
        key = follow;
      }
      found.push(loop);
    }
    return found;
  }

  // The ground under the paths is drawn once for each surface and size and then only put in its place.
  function ground(view, plot, name) {
    const { left, top, width, height } = plot;
    const key = [name, left, top, width, height].join();
    if (view.memory.key !== key) {
      const facts = view.data.surfaces[name];
      const [xs, ys] = view.data.window;
      const { f } = surfaces[name];
      const node = svg("g", {}, svg("rect", { x: left, y: top, width, height, fill: facts.bands[facts.bands.length - 1] }));
      for (let k = facts.levels.length - 1; k >= 0; k--) {
        const d = loops((x, y) => f(x, y) - facts.lowest, xs, ys, facts.levels[k]).map((loop) => plot.path(loop, { close: true }));
        node.append(svg("path", { d: d.join(""), fill: facts.bands[k], "fill-rule": "evenodd", stroke: "#94a1b5", "stroke-width": 1 }));
      }
      view.memory.key = key;
      view.memory.ground = node;
    }
    plot.layer.append(view.memory.ground);
  }

  // ---- markers
  const CORNERS = {
    s: [[45, 135, 225, 315], 1.2], D: [[0, 90, 180, 270], 1.25], "^": [[-90, 30, 150], 1.3], v: [[90, 210, 330], 1.3],
    p: [[-90, -18, 54, 126, 198], 1.15],
  };
  function badge(x, y, { color, shape }, size) {
    const look = { fill: color, stroke: "#fff", "stroke-width": 1.5, "stroke-linejoin": "round" };
    if (shape === "o") return svg("circle", { cx: x, cy: y, r: size, ...look });
    const star = shape === "*";
    const [turns, grow] = star ? [Array.from({ length: 10 }, (_, i) => -90 + 36 * i), 1.6] : CORNERS[shape];
    const corners = turns.map((turn, i) => {
      const r = size * grow * (star && i % 2 ? 0.45 : 1);
      return `${(x + r * Math.cos((turn * Math.PI) / 180)).toFixed(2)} ${(y + r * Math.sin((turn * Math.PI) / 180)).toFixed(2)}`;
    });
    return svg("path", { d: `M${corners.join("L")}Z`, ...look });
  }

  // ---- the picture: contour lines and paths, who is where, and the losses
  const narrowAt = (width) => width < 520;
  function layout(width) {
    const narrow = narrowAt(width);
    const left = 46, wide = width - left - 16;
    const tall = (wide * 5) / 8; // one scale both ways
    const plane = [left, 40, wide, tall];
    const columns = narrow ? 2 : width < 620 ? 3 : 4;
    const legend = 40 + tall + 48;
    const losses = [left, legend + Math.ceil(7 / columns) * 24 + 18, wide, narrow ? 110 : 120];
    return { narrow, plane, columns, legend, losses, height: Math.ceil(losses[1] + losses[3] + 46) };
  }

  function draw(picture, state, values, data, view) {
    const { colors } = picture;
    const place = layout(picture.width);
    const facts = data.surfaces[values.surface];
    const n = values.steps;
    const title = place.narrow || facts.formula.length > 45 ? facts.label : facts.formula;
    picture.text(place.narrow ? 12 : place.plane[0], 24, title, { weight: 600, size: place.narrow ? 16 : 17 });
    picture.text(picture.width - 16, 24, `step ${n}`, { anchor: "end", weight: 700, size: 17 });

    const plot = picture.plot(place.plane, ...data.window);
    view.plot = plot;
    plot.axes({ grid: false, xticks: [-4, -2, 0, 2, 4], xwords: ["−4", "−2", "0", "2", "x"],
      yticks: [-2, -1, 0, 1, 2, 3], ywords: ["−2", "−1", "0", "1", "2", "y"] });
    ground(view, plot, values.surface);
    for (const at of facts.minima) target(plot, at, colors.text, true);
    for (const at of facts.local) target(plot, at, colors.text, false);
    for (const [x, y] of facts.saddles) {
      const [px, py] = [plot.px(x), plot.py(y)];
      for (const [color, width] of [["#fff", 6], [colors.text, 2.5]]) {
        plot.draw("path", { d: `M${px - 6} ${py - 6}l12 12m0 -12l-12 12`, stroke: color, "stroke-width": width, "stroke-linecap": "round" });
      }
    }
    for (const one of state.runs) {
      const { color } = data.looks[one.name];
      const points = one.path.slice(0, n + 1);
      plot.line(points, { color: "#fff", width: 6 }).line(points, { color, width: 2.5 });
      const dots = points.map(([x, y]) => `M${plot.px(x).toFixed(2)} ${plot.py(y).toFixed(2)}h0`).join("");
      plot.draw("path", { d: dots, stroke: color, "stroke-width": 6, "stroke-linecap": "round" });
    }
    for (const one of state.runs) {
      const [x, y] = one.path[Math.min(n, one.path.length - 1)];
      plot.layer.append(badge(plot.px(x), plot.py(y), data.looks[one.name], 7.5));
    }
    startMark(plot, state.start, colors.text);
    // Room for the longest sentence, so that nothing below it moves.
    view.frame.root.querySelector(".n2t-say").style.minHeight = place.narrow ? "12em" : "7.3em";
    legend(picture, state, data, place);
    lossCurves(picture, state, values, data, place);
  }

  function target(plot, at, color, lowest) {
    plot.point(at, { color: "#fff", size: lowest ? 9 : 7.5, edge: color, edgeWidth: 2 });
    if (lowest) plot.point(at, { color, size: 3.5, edgeWidth: 0 });
  }

  function startMark(plot, [x, y], color) {
    const [px, py] = [plot.px(x), plot.py(y)];
    plot.draw("circle", { cx: px, cy: py, r: 11, fill: "#fff", "fill-opacity": 0.01, stroke: "#fff", "stroke-width": 6 });
    plot.draw("circle", { cx: px, cy: py, r: 11, fill: "none", stroke: color, "stroke-width": 2.5 });
    plot.label([x, y], "start", { dx: px > plot.left + plot.width - 70 ? -18 : 18, dy: 5, size: 15, weight: 700,
      anchor: px > plot.left + plot.width - 70 ? "end" : "start" });
  }

  // Every optimizer that runs, with the step at which it arrived ✓ or was lost ✗.
  function legend(picture, state, data, { columns, legend: top, plane }) {
    const { colors } = picture;
    if (!state.runs.length) {
      picture.text(plane[0] + plane[2] / 2, plane[1] + 30, "No optimizer runs: switch one on.", { anchor: "middle", weight: 700 });
    }
    const wide = picture.width - 28;
    state.runs.forEach((one, k) => {
      const [x, y] = [22 + ((k % columns) * wide) / columns, top + Math.floor(k / columns) * 24];
      picture.add(badge(x, y - 5, data.looks[one.name], 6.5));
      const end = { arrived: ` ✓ ${one.since}`, higher: ` ○ ${one.since}`, diverging: " ↑", diverged: ` ✗ ${one.since}` }[one.status] ?? "";
      picture.text(x + 14, y, data.optimizers[one.name] + end, { size: 15, color: colors.text });
    });
  }

  function lossCurves(picture, state, { steps: n }, data, { losses, narrow }) {
    const { colors } = picture;
    const plot = picture.plot(losses, [0, STEPS], [-6, 4]);
    plot.axes({ xlabel: "step", ylabel: narrow ? "loss above the minimum" : "loss above the minimum, log scale",
      xticks: [0, 50, 100, 150, 200], xwords: ["0", "50", "100", "150", "200"], yticks: [-6, -4, -2, 0, 2, 4],
      ywords: ["10⁻⁶", "10⁻⁴", "10⁻²", "1", "10²", "10⁴"] });
    plot.line([[n, -6], [n, 4]], { color: colors.muted, width: 1.5, dash: "3 4" });
    const level = (gap) => Math.max(Math.log10(Math.max(gap, 1e-12)), -7);
    for (const one of state.runs) {
      const points = one.gaps.slice(0, n + 1).map((gap, k) => [k, level(gap)]);
      plot.line(points, { color: "#fff", width: 5 }).line(points, { color: data.looks[one.name].color, width: 2.5 });
    }
    for (const one of state.runs) {
      const last = Math.min(n, one.gaps.length - 1);
      const y = clamp(level(one.gaps[last]), -5.9, 3.9);
      plot.layer.append(badge(plot.px(last), plot.py(y), data.looks[one.name], 5.5));
    }
  }

  // ---- playing
  function stop(view) {
    clearInterval(view.memory.timer);
    view.memory.timer = null;
    view.button("play", { label: "Play" });
  }
  function play(view) {
    if (view.values.steps >= STEPS) view.set({ steps: 0 }, { settled: false });
    view.button("play", { label: "Pause" });
    view.memory.timer = setInterval(() => {
      const steps = Math.min(view.values.steps + 1, STEPS);
      if (steps === STEPS) stop(view);
      // Goals are looked at whenever somebody arrives or is lost, not at every step.
      const news = view.state.runs.some((one) => one.arrival?.step === steps || one.away === steps);
      view.set({ steps }, { settled: news || steps === STEPS });
    }, TICK);
  }
  function go(view, steps) {
    stop(view);
    view.set({ steps: clamp(steps, 0, STEPS) });
  }

  // ---- the start, by mouse and finger
  const control = (view, name) => view.declaration.controls.find((one) => one.name === name);
  const inside = ({ left, top, width, height }, [px, py]) => px >= left && px <= left + width && py >= top && py <= top + height;
  function startAt(view, point, settled) {
    const [x, y] = view.plot.data(...point);
    view.set({ x: snap(x, control(view, "x")), y: snap(y, control(view, "y")) }, { settled });
  }
  const drag = {
    down(point, view, finger) {
      if (!view.plot || !inside(view.plot, point)) return null;
      // A finger beside the start scrolls the page; its tap moves the start all the same.
      const { x, y } = view.values;
      const away = Math.hypot(point[0] - view.plot.px(x), point[1] - view.plot.py(y));
      return finger && away > 34 ? null : {};
    },
    move: (grip, point, view) => startAt(view, point, false),
  };

  // The switches stand together in two columns, each with the marker of its path.
  function setup(view) {
    const { root } = view.frame;
    const box = html("div", { class: "n2t-radios", style: "display: grid; grid-template-columns: auto auto; justify-content: space-between; gap: 0 4px; font-size: 15px" });
    const group = html("fieldset", {}, html("legend", {}, "Who runs"), box);
    const lines = Object.keys(view.data.optimizers).map((name) => root.querySelector(`[name=${name}]`).closest("label"));
    lines[0].before(group);
    lines.forEach((line, i) => {
      const mark = svg("svg", { viewBox: "-12 -12 24 24", width: 18, height: 18, "aria-hidden": "true", style: "flex: none" });
      mark.append(badge(0, 0, Object.values(view.data.looks)[i], 7));
      line.style.gap = "3px";
      line.querySelector("input").style.margin = "0";
      line.querySelector("input").after(mark);
      box.append(line);
    });
    // A mouse moves the start when its button goes down (and drags it on from there), a finger by a tap.
    const node = view.picture.node;
    const jump = (event, settled) => {
      const frame = node.getBoundingClientRect();
      const scale = view.picture.width / frame.width;
      const point = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
      if (view.plot && inside(view.plot, point)) startAt(view, point, settled);
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch" && event.button === 0) jump(event, false);
    });
    node.addEventListener("click", (event) => jump(event, true));
  }

  const shown = (one, values, below = STEPS + 1) => one.arrival && one.arrival.step < below && values.steps >= one.arrival.step;

  return {
    compute, describe, draw, drag, setup, stop, run, amount, loops, surfaces,
    reset: stop,
    height: (width) => layout(width).height,
    changed(view, { moved }) {
      const { memory, values, data } = view;
      if (memory.timer && moved === "steps") stop(view); // a hand on the slider stops the player
      if (moved === "surface") {
        // Another surface begins where it should, at a rate with which plain SGD is safe.
        const { start: [x, y], log_lr: lr } = data.surfaces[values.surface];
        view.frame.adopt({ x, y, lr });
      }
      view.button("step", { disabled: values.steps === STEPS });
      view.button("rewind", { disabled: values.steps === 0 });
    },
    actions: {
      play(view) {
        if (!view.memory.timer) return play(view);
        stop(view);
        return view.set({});
      },
      step: (view) => go(view, view.values.steps + 1),
      rewind: (view) => go(view, 0),
    },
    goals: {
      diverge: (state, values) => values.surface === "ravine" && state.runs.some((one) => one.name === "sgd" && one.steered &&
        one.lr > 0.08 && one.lr < 0.088 && ["diverging", "diverged"].includes(one.status)),
      saddle: (state, values) => values.surface === "saddle" && Math.abs(values.x) >= 1 && Math.abs(values.y) <= 0.1 + 1e-9 &&
        state.runs.some((one) => shown(one, values)),
      both(state, values, data, view) {
        if (values.surface !== "two_minima") return false;
        const seen = (view.memory.seen ||= {});
        return state.runs.filter((one) => shown(one, values)).some((one) => {
          const key = [one.name, values.x, values.y].join();
          seen[key] = { ...seen[key], [one.arrival.at[0]]: true };
          return Object.keys(seen[key]).length === 2;
        });
      },
      fast: (state, values, data) => values.surface === "ravine" && state.runs.some((one) => one.steered && shown(one, values, 50)) &&
        [values.x, values.y].every((value, i) => value === data.surfaces.ravine.start[i]),
    },
  };
})();
