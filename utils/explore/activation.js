// An activation function, its slope, and the gradient that survives n layers. The numbers are those of activation.py.
const explorer = (() => {
  const { number, snap, clamp } = n2t;
  const LOW = -8, HIGH = 8, SATURATED = 0.01, FLOOR = -20, LEAK = 0.01;

  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

  // JavaScript has no erf. A power series near 0, Lentz's continued fraction of erfc further out: good to 1e-15.
  function erfc(x) {
    if (x < 0) return 2 - erfc(-x);
    if (x < 2.5) {
      let term = x, sum = x;
      for (let k = 1; k < 80; k++) {
        term *= (-x * x) / k;
        sum += term / (2 * k + 1);
      }
      return 1 - (2 / Math.sqrt(Math.PI)) * sum;
    }
    let below = x;
    for (let k = 60; k > 0; k--) below = x + k / 2 / below;
    return Math.exp(-x * x) / (below * Math.sqrt(Math.PI));
  }

  // kind → z → [f(z), f′(z)]
  const functions = {
    step: (z) => [z >= 0 ? 1 : 0, 0],
    sigmoid: (z) => [sigmoid(z), sigmoid(z) * sigmoid(-z)],
    tanh: (z) => [Math.tanh(z), (1 / Math.cosh(z)) ** 2],
    relu: (z) => [Math.max(z, 0), z > 0 ? 1 : 0],
    leaky_relu: (z) => [z > 0 ? z : LEAK * z, z > 0 ? 1 : LEAK],
    elu: (z) => [z > 0 ? z : Math.expm1(z), z > 0 ? 1 : Math.exp(z)],
    gelu: (z) => {
      const below = 0.5 * erfc(-z / Math.SQRT2);
      return [z * below, below + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)];
    },
    silu: (z) => {
      const s = sigmoid(z);
      return [z * s, s * (1 + z * sigmoid(-z))];
    },
    identity: (z) => [z, 1],
  };

  const slopeless = ["step", "relu"]; // where these are flat, they are quite flat

  const grid = Array.from({ length: 321 }, (_, i) => LOW + (i * (HIGH - LOW)) / 320);
  const flat = (slope, largest) => slope === 0 || Math.abs(slope) < SATURATED * largest;

  const curves = {}; // drawn again and again, computed once
  function curve(kind) {
    if (curves[kind]) return curves[kind];
    const points = grid.map((z) => [z, ...functions[kind](z)]);
    const largest = Math.max(...points.map(([, , slope]) => Math.abs(slope)));
    const zones = [];
    let open = false;
    for (const [z, , slope] of points) {
      const isFlat = flat(slope, largest);
      if (isFlat && open) zones[zones.length - 1][1] = z;
      else if (isFlat) zones.push([z, z]);
      open = isFlat;
    }
    curves[kind] = { points, largest, zones: zones.filter(([from, to]) => to > from) };
    return curves[kind];
  }

  function compute({ kind, z, n }) {
    const [value, slope] = functions[kind](z);
    const { largest, zones } = curve(kind);
    const surviving = Array.from({ length: n }, (_, k) => Math.abs(slope) ** (k + 1));
    return { value, slope, largest, saturated: flat(slope, largest), surviving, zones };
  }

  const raised = (power) => [...String(power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
  function amount(x) {
    if (x === 0) return "exactly 0";
    if (x >= 0.001 && x < 1000) return number(x, x < 10 ? 3 : 1);
    let power = Math.floor(Math.log10(x));
    let lead = x / 10 ** power;
    if (lead >= 9.95) { lead /= 10; power += 1; }
    return `${number(lead, 1)}×10${raised(power)}`;
  }
  function slopeWords(slope) {
    if (slope === 0) return "0";
    return Math.abs(slope) >= 0.001 ? number(slope, 3) : (slope < 0 ? "−" : "") + amount(Math.abs(slope));
  }
  const nameOf = (view, kind) => view.declaration.controls[0].options.find(([value]) => value === kind)[1];

  function describe(state, { kind, z, n }, data, view) {
    const here = `${nameOf(view, kind)} at z = ${number(z)}: value ${number(state.value, 3)}, slope ${slopeWords(state.slope)}`;
    if (kind === "step") return `${here}. A step is flat everywhere, and at z = 0 it jumps: no gradient ever passes it.`;
    const low = state.saturated ? ` (saturated: below 1% of its largest, ${number(state.largest, 2)})` : "";
    const left = state.surviving[n - 1];
    const layers = n === 1 ? "1 layer" : `${n} layers`;
    return `${here}${low}. Of a gradient of 1, ${amount(left)} is left after ${layers}.`;
  }

  function draw(picture, state, { kind, z, n }, data, view) {
    const { colors } = picture;
    const left = 58, width = picture.width - left - 18;
    const { points, zones } = curve(kind);
    const boxes = { f: [left, 34, width, 186], slope: [left, 258, width, 96], bars: [left, 436, width, 100] };
    view.boxes = boxes;

    // f with its tangent
    const top = picture.plot(boxes.f, [LOW, HIGH], data.view[kind]);
    view.plot = top;
    top.axes({ xwords: Array(9).fill(""), xticks: [-8, -6, -4, -2, 0, 2, 4, 6, 8], ylabel: "f(z)" });
    shade(top, zones, colors);
    if (kind === "step") {
      top.line([[LOW, 0], [0, 0]], { width: 3 }).line([[0, 1], [HIGH, 1]], { width: 3 });
      top.point([0, 1], { color: colors.text, size: 4.5 }).point([0, 0], { color: "#fff", size: 4.5, edge: colors.text, edgeWidth: 2 });
    } else {
      top.line(points.map(([x, f]) => [x, f]), { width: 3 });
    }
    const reach = 2.2;
    const jump = kind === "step" && z === 0; // no tangent there
    if (!jump) top.line([[z - reach, state.value - reach * state.slope], [z + reach, state.value + reach * state.slope]], { color: colors.gradient });
    top.line([[z, data.view[kind][0]], [z, state.value]], { color: colors.accent, dash: "3 5", width: 2 });
    top.point([z, state.value], { color: colors.accent, size: 8, edgeWidth: 2 });
    picture.text(left + width, 22, `slope ${slopeWords(state.slope)}`, { anchor: "end", weight: 700, color: "#c01626" });

    // its slope
    const low = picture.plot(boxes.slope, [LOW, HIGH], [-0.25, 1.3]);
    low.axes({ xlabel: "z", xticks: [-8, -6, -4, -2, 0, 2, 4, 6, 8], yticks: [0, 0.5, 1], ywords: ["0", "0.5", "1"],
      xwords: ["−8", "−6", "−4", "−2", "0", "2", "4", "6", "8"], ylabel: "slope f′(z)" });
    shade(low, zones, colors);
    low.line(points.map(([x, , slope]) => [x, slope]), { color: colors.gradient, width: 3 });
    low.line([[z, -0.25], [z, 1.3]], { color: colors.accent, dash: "3 5", width: 2 });
    low.point([z, state.slope], { color: colors.accent, size: 7, edgeWidth: 2 });
    if (zones.length) {
      const [from, to] = zones.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] ? b : a));
      if (to - from > 2) low.label([(from + to) / 2, 0.95], slopeless.includes(kind) ? "no slope" : "saturated", { anchor: "middle", size: 15, color: colors.muted });
    }

    drawBars(picture, boxes.bars, state, n, colors);
  }

  function shade(plot, zones, colors) {
    for (const [from, to] of zones) {
      plot.draw("rect", { x: plot.px(from), y: plot.top, width: plot.px(to) - plot.px(from), height: plot.height, fill: colors.muted, opacity: 0.15 });
    }
  }

  // |f′(z)|ᵏ for each layer k, on a log scale that never moves.
  function drawBars(picture, box, state, n, colors) {
    const many = Math.max(n, 10);
    const plot = picture.plot(box, [0.4, many + 0.6], [FLOOR, 3]);
    const every = many > 20 ? 5 : many > 12 ? 2 : 1;
    const layers = Array.from({ length: many }, (_, i) => i + 1).filter((k) => k === 1 || k % every === 0);
    plot.axes({ xlabel: "layers", xticks: layers, xwords: layers.map(String), yticks: [-20, -10, 0],
      ywords: ["10⁻²⁰", "10⁻¹⁰", "1"], ylabel: "gradient left", grid: false });
    state.surviving.forEach((left, i) => {
      const height = left > 0 ? clamp(Math.log10(left), FLOOR, 3) : FLOOR;
      const [x0, x1] = [plot.px(i + 1 - 0.36), plot.px(i + 1 + 0.36)];
      if (height <= FLOOR + 0.2) {
        // Too small for a bar, or nothing: a mark on the ground.
        plot.draw("rect", { x: x0, y: plot.py(FLOOR) - 3, width: x1 - x0, height: 3, fill: colors.muted });
        return;
      }
      plot.draw("rect", { x: x0, y: plot.py(height), width: x1 - x0, height: plot.py(FLOOR) - plot.py(height), rx: 2,
        fill: i === n - 1 ? colors.gradient : "#f3929a" });
    });
    plot.line([[0.4, 0], [many + 0.6, 0]], { color: colors.muted, width: 1.5, dash: "4 4" });
    const words = `after ${n}: ${amount(state.surviving[n - 1])}`;
    picture.text(box[0] + box[2], box[1] - 12, words, { anchor: "end", weight: 700, color: "#c01626" });
  }

  return {
    compute, describe, draw, amount, functions, erfc,
    drag: {
      scroll: "pan-y", // a finger that goes up or down still scrolls the page
      down([px, py], view) {
        const box = view.boxes?.f;
        const inside = box && px >= box[0] && px <= box[0] + box[2] && py >= box[1] && py <= 354;
        if (!inside) return null;
        return {};
      },
      move(grip, [px], view) {
        const [z] = view.plot.data(px, 0);
        view.set({ z: snap(z, view.declaration.controls[1]) }, { settled: false });
      },
    },
    goals: {
      steepest: (state, values) => values.kind === "sigmoid" && state.slope > 0.2499,
      dead: (state, values) => values.kind === "relu" && state.slope === 0,
      keep: (state, values) => values.kind === "tanh" && values.n >= 20 && state.surviving[values.n - 1] >= 0.5,
    },
  };
})();
