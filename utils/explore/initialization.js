// A deep network before its first step. The numbers and words are those of initialization.py.
const explorer = (() => {
  const { number, clamp } = n2t;

  // ---------------------------------------------------------------- random numbers
  // mulberry32 by T. Ettinger, as in initialization.py. One stream for each seed, kept and made longer when needed:
  // uniform numbers, and beside them the normal ones that Box and Muller's rule makes of each pair.
  const streams = new Map();
  function stream(seed, length) {
    let known = streams.get(seed);
    if (!known || known.u.length < length) {
      const size = Math.max(length, known ? 2 * known.u.length : 0);
      const longer = { u: new Float64Array(size), z: new Float64Array(size), done: known?.done ?? 0, normal: known?.normal ?? 0 };
      if (known) { longer.u.set(known.u); longer.z.set(known.z); }
      streams.set(seed, known = longer);
    }
    for (; known.done < length; known.done++) {
      const state = (seed + Math.imul(known.done + 1, 0x6d2b79f5)) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      known.u[known.done] = ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    return known;
  }
  // The lengths asked for are even, so that pairs stay together.
  function normals(seed, length) {
    const known = stream(seed, length);
    for (; known.normal < length; known.normal += 2) {
      const far = Math.sqrt(-2 * Math.log(1 - known.u[known.normal]));
      const turn = 2 * Math.PI * known.u[known.normal + 1];
      known.z[known.normal] = far * Math.cos(turn);
      known.z[known.normal + 1] = far * Math.sin(turn);
    }
    return known.z;
  }

  const UNIFORM = { linear: (width) => 1 / Math.sqrt(width), xavier: (width) => Math.sqrt(6 / (width + width)) };
  const NORMAL = { small: () => 0.01, tenth: () => 0.1, one: () => 1, kaiming: (width) => Math.sqrt(2 / width) };

  // The weights of all layers in one array, (depth, out, in).
  function firstWeights({ scheme, gain, depth, width, seed }, data) {
    const weights = new Float64Array(depth * width * width);
    const skip = 2 * data.batch * width;
    if (scheme === "ones") weights.fill(gain);
    if (scheme in UNIFORM) {
      const { u } = stream(seed, skip + weights.length);
      const size = gain * UNIFORM[scheme](width);
      for (let k = 0; k < weights.length; k++) weights[k] = (2 * u[skip + k] - 1) * size;
    }
    if (scheme in NORMAL) {
      const z = normals(seed, skip + weights.length);
      const size = gain * NORMAL[scheme](width);
      for (let k = 0; k < weights.length; k++) weights[k] = z[skip + k] * size;
    }
    return weights;
  }

  // ---------------------------------------------------------------- the network, by hand
  // Values lie example by example: a[n * width + unit]. The width is a multiple of 4, so four units go at once.
  function multiply(weights, at, from, to, width) {
    for (let n = 0; n < from.length; n += width) {
      for (let o = 0; o < width; o += 4) {
        let [s0, s1, s2, s3] = [0, 0, 0, 0];
        const [r0, r1, r2, r3] = [at + o * width, at + (o + 1) * width, at + (o + 2) * width, at + (o + 3) * width];
        for (let i = 0; i < width; i++) {
          const x = from[n + i];
          s0 += weights[r0 + i] * x;
          s1 += weights[r1 + i] * x;
          s2 += weights[r2 + i] * x;
          s3 += weights[r3 + i] * x;
        }
        to[n + o] = s0;
        to[n + o + 1] = s1;
        to[n + o + 2] = s2;
        to[n + o + 3] = s3;
      }
    }
  }
  // The way back: by Wᵀ.
  function multiplyBack(weights, at, from, to, width) {
    for (let n = 0; n < from.length; n += width) {
      for (let o = 0; o < width; o += 4) {
        const [d0, d1, d2, d3] = [from[n + o], from[n + o + 1], from[n + o + 2], from[n + o + 3]];
        const [r0, r1, r2, r3] = [at + o * width, at + (o + 1) * width, at + (o + 2) * width, at + (o + 3) * width];
        for (let i = 0; i < width; i++) {
          to[n + i] += weights[r0 + i] * d0 + weights[r1 + i] * d1 + weights[r2 + i] * d2 + weights[r3 + i] * d3;
        }
      }
    }
  }

  // Each unit gets mean 0 and variance 1 over the batch, in place; returns what each was divided by.
  function normalise(z, width, batch, eps) {
    const divisors = new Float64Array(width);
    for (let i = 0; i < width; i++) {
      let [mean, square] = [0, 0];
      for (let k = i; k < z.length; k += width) mean += z[k];
      mean /= batch;
      for (let k = i; k < z.length; k += width) square += (z[k] - mean) * (z[k] - mean);
      divisors[i] = Math.sqrt(square / batch + eps);
      for (let k = i; k < z.length; k += width) z[k] = (z[k] - mean) / divisors[i];
    }
    return divisors;
  }
  // normal holds the normalised z; d the gradient by it, which becomes the gradient by z.
  function normaliseBack(d, normal, divisors, width, batch) {
    for (let i = 0; i < width; i++) {
      let [mean, along] = [0, 0];
      for (let k = i; k < d.length; k += width) {
        mean += d[k];
        along += d[k] * normal[k];
      }
      mean /= batch;
      along /= batch;
      for (let k = i; k < d.length; k += width) d[k] = (d[k] - mean - normal[k] * along) / divisors[i];
    }
  }

  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
  const BEND = {
    tanh: Math.tanh, relu: (z) => (z > 0 ? z : 0), sigmoid, identity: (z) => z,
  };
  // The slope, from the activation itself.
  const SLOPE = {
    tanh: (a) => 1 - a * a, relu: (a) => (a > 0 ? 1 : 0), sigmoid: (a) => a * (1 - a), identity: () => 1,
  };

  // The activations of inputs and layers, and the gradient of Σ g · a_last by each of them.
  function run(values, data) {
    const { activation, depth, width, norm, seed } = values;
    const size = data.batch * width;
    const z = normals(seed, 2 * size);
    const weights = firstWeights(values, data);
    const answers = [z.slice(0, size)];
    const [inner, divisors] = [[], []];
    const [bend, slope] = [BEND[activation], SLOPE[activation]];
    for (let layer = 0; layer < depth; layer++) {
      const next = new Float64Array(size);
      multiply(weights, layer * width * width, answers[layer], next, width);
      if (norm) {
        divisors.push(normalise(next, width, data.batch, data.eps));
        inner.push(next.slice());
      }
      for (let k = 0; k < size; k++) next[k] = bend(next[k]);
      answers.push(next);
    }
    const gradients = [z.slice(size, 2 * size)];
    for (let layer = depth - 1; layer >= 0; layer--) {
      const d = gradients[0].slice();
      const a = answers[layer + 1];
      for (let k = 0; k < size; k++) d[k] *= slope(a[k]);
      if (norm) normaliseBack(d, inner[layer], divisors[layer], width, data.batch);
      const before = new Float64Array(size);
      multiplyBack(weights, layer * width * width, d, before, width);
      gradients.unshift(before);
    }
    return { answers, gradients };
  }

  // ---------------------------------------------------------------- what is shown
  function histogram(values, { limit, bins }) {
    const counts = new Array(bins + 2).fill(0);
    for (const value of values) counts[Math.floor(clamp(((value + limit) / (2 * limit)) * bins, -1, bins)) + 1] += 1;
    return counts;
  }
  const largest = (values) => {
    let top = 0;
    for (const value of values) top = Math.max(top, Math.abs(value));
    return top;
  };
  function spread(values) {
    const top = largest(values);
    if (top === 0) return 0;
    let [mean, square] = [0, 0];
    for (const value of values) mean += value / top;
    mean /= values.length;
    for (const value of values) square += (value / top - mean) ** 2;
    const found = Math.sqrt(square / values.length);
    return found > 1e-12 ? found * top : 0;
  }
  const share = (values, met) => values.reduce((sum, value) => sum + (met(value) ? 1 : 0), 0) / values.length;

  function compute(values, data) {
    const { activation, width, depth } = values;
    const { answers, gradients } = run(values, data);
    const last = answers[depth];
    let [silent, apart] = [0, 0];
    for (let i = 0; i < width; i++) {
      let dead = true;
      for (let n = 0; n < last.length; n += width) {
        if (last[n + i] !== 0) dead = false;
        apart = Math.max(apart, Math.abs(last[n + i] - last[n]));
      }
      silent += dead ? 1 : 0;
    }
    const flat = {
      tanh: (a) => Math.abs(a) > data.saturated, sigmoid: (a) => Math.abs(2 * a - 1) > data.saturated,
    }[activation];
    const spreads = { a: answers.map(spread), g: gradients.map(spread) };
    const far = Math.max(...[...spreads.a, ...spreads.g].map((s) => (s ? Math.abs(Math.log10(s)) : 0)));
    return {
      spreads,
      counts: { a: answers.map((a) => histogram(a, data)), g: gradients.map((g) => histogram(g, data)) },
      silent: silent / width, alike: apart <= 1e-9 * largest(last),
      flat: flat ? share(last, flat) : 0, reach: data.reaches.find((reach) => far <= reach) ?? data.reaches.at(-1),
    };
  }

  // ---------------------------------------------------------------- words
  const raised = (power) => String(power).replace(/[-0-9]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
  function amount(x, digits = 1) {
    if (x === 0) return "0";
    if (x >= 0.01 && x < 1000) return number(x, x < 9.995 ? 2 : 0);
    const [lead, power] = x.toExponential(digits).split("e");
    return `${lead}×10${raised(Number(power))}`;
  }

  function verdict(state, activation, { names, band }) {
    const percent = (part) => `${number(100 * part, 0)}%`;
    if (state.silent === 1) return "The last layer answers 0 to every input, and no gradient comes back.";
    if (state.alike) return "All units of a layer give the same answer: they are one unit, many times over.";
    if (state.flat > 0.5) return `${percent(state.flat)} of the last layer's answers lie where ${names[activation]} is flat.`;
    if (state.silent > 0) return `${percent(state.silent)} of the last layer's units answer 0 to every input.`;
    const both = [...state.spreads.a, ...state.spreads.g];
    const [low, high] = [Math.min(...both), Math.max(...both)];
    if (low >= band[0] && high <= band[1]) return "Every spread lies between 0.5 and 2.";
    return `The smallest spread is ${amount(low)}, the largest ${amount(high)}.`;
  }

  function describe(state, { scheme, gain, activation, depth, width, norm }, data) {
    const { a, g } = state.spreads;
    const times = gain === 1 || scheme === "zeros" ? "" : `, times ${number(gain)}`;
    return [
      `${depth === 1 ? "1 layer" : `${depth} layers`} of ${width} units, ${data.names[activation]}` +
        `${norm ? ", batch norm" : ""}; weights: ${data.schemes[scheme]}${times}.`,
      `Spread of the activations: ${amount(a[0])} at the inputs, ${amount(a[depth])} at layer ${depth}.`,
      `Of the gradients: ${amount(g[depth])} at layer ${depth}, ${amount(g[0])} at the inputs.`,
      verdict(state, activation, data),
    ].join(" ");
  }

  // ---------------------------------------------------------------- the picture
  const narrowAt = (width) => width < 480;
  const LEFT = 54;
  function layout(width) {
    const tall = narrowAt(width) ? 104 : 128;
    const box = (top, height) => [LEFT, top, width - LEFT - 14, height];
    const upper = box(34, tall);
    const middle = box(upper[1] + tall + 62, tall);
    const lower = box(middle[1] + tall + 66, narrowAt(width) ? 120 : 140);
    return { upper, middle, lower, height: lower[1] + lower[3] + 46 };
  }

  // The layers that get words below them: 0, the last, and as many between as there is room for.
  function named(depth, width, room) {
    const step = [1, 2, 5, 10].find((s) => (width * s) / (depth + 1) >= room) ?? 15;
    const found = [];
    for (let layer = 0; layer + step / 2 < depth; layer += step) found.push(layer);
    if (found.length > 1 && ((depth - found.at(-1)) * width) / (depth + 1) < room) found.pop();
    return [...found, depth];
  }

  function drawHistograms(picture, box, counts, spreads, { limit, bins }, color, title) {
    const depth = counts.length - 1;
    const high = (2 * limit) / bins;
    const plot = picture.plot(box, [-0.6, depth + 0.6], [-limit - high, limit + high]);
    picture.text(box[0] - 8, box[1] - 12, title, { weight: 600 });
    plot.axes({ xticks: [], yticks: [-2, 0, 2], ywords: ["−2", "0", "2"] });
    const rest = [];
    const inside = [];
    counts.forEach((row, layer) => {
      const most = Math.max(...row);
      row.forEach((count, bin) => {
        if (!count) return;
        const half = (0.42 * count) / most;
        const low = -limit + (bin - 1) * high;
        const [x0, x1] = [plot.px(layer - half), plot.px(layer + half)];
        // Ever so few are still seen.
        const [left, wide] = x1 - x0 < 1 ? [plot.px(layer) - 0.5, 1] : [x0, x1 - x0];
        (bin === 0 || bin === bins + 1 ? rest : inside).push(
          `M${left.toFixed(1)} ${plot.py(low).toFixed(1)}h${wide.toFixed(1)}V${plot.py(low + high).toFixed(1)}h${(-wide).toFixed(1)}Z`,
        );
      });
    });
    plot.draw("path", { d: inside.join(""), fill: color });
    plot.draw("path", { d: rest.join(""), fill: picture.colors.text });
    for (const layer of named(depth, box[2], 62)) {
      const words = amount(spreads[layer], 0);
      const half = words.length * 4.2;
      const x = Math.min(plot.px(layer), picture.width - 4 - half);
      picture.text(x, box[1] + box[3] + 19, words, { size: 14, anchor: "middle", weight: 600 });
    }
  }

  function draw(picture, state, values, data) {
    const { colors } = picture;
    const { upper, middle, lower } = layout(picture.width);
    const narrow = narrowAt(picture.width);
    const { depth } = values;
    const [blue, red] = [colors.class0, colors.gradient];
    drawHistograms(picture, upper, state.counts.a, state.spreads.a, data, blue, "activations →");
    drawHistograms(picture, middle, state.counts.g, state.spreads.g, data, red, "← gradients");
    for (const box of [upper, middle]) {
      picture.text(box[0] + box[2], box[1] - 12, narrow ? "spread below" : "each layer's spread stands below it", {
        anchor: "end", size: 14, color: colors.muted,
      });
    }
    const { reach } = state;
    const plot = picture.plot(lower, [-0.6, depth + 0.6], [-reach, reach]);
    const [low, high] = data.band.map(Math.log10);
    plot.area([[-1, low], [depth + 1, low], [depth + 1, high], [-1, high]], { color: colors.muted, opacity: 0.22 });
    const layers = named(depth, lower[2], 34);
    const steps = [-reach, -reach / 2, 0, reach / 2, reach];
    plot.axes({
      xlabel: "layer (0: the inputs)", xticks: layers, xwords: layers.map(String),
      yticks: steps, ywords: steps.map((power) => (power === 0 ? "1" : `10${raised(power)}`)),
    });
    picture.text(lower[0] - 8, lower[1] - 12, "spread", { weight: 600 });
    let x = lower[0] + 64;
    for (const [words, color] of [["activations", blue], ["gradients", red]]) {
      picture.add(n2t.svg("line", { x1: x, x2: x + 26, y1: lower[1] - 17, y2: lower[1] - 17, stroke: color, "stroke-width": 3 }));
      picture.text(x + 32, lower[1] - 12, words, { size: 14 });
      x += 124;
    }
    if (!narrow) picture.text(lower[0] + lower[2], lower[1] - 12, "grey: 0.5 to 2", { size: 14, anchor: "end", color: colors.muted });
    const power = (s) => clamp(s ? Math.log10(s) : -reach, -reach, reach);
    for (const [key, color, marker] of [["a", blue, "o"], ["g", red, "s"]]) {
      const points = state.spreads[key].map((s, layer) => [layer, power(s)]);
      plot.line(points, { color, width: 2.5 });
      for (const point of points) plot.point(point, { color, marker, size: depth > 20 ? 3.5 : 4.5, edgeWidth: 1 });
    }
  }

  const within = (state, [low, high]) => [...state.spreads.a, ...state.spreads.g].every((s) => s >= low && s <= high);
  return {
    compute, describe, draw, run,
    height: (width) => layout(width).height,
    lines: (width) => (narrowAt(width) ? 8 : 5),
    goals: {
      vanish: (state) => state.spreads.g[0] > 0 && state.spreads.g[0] < 1e-6,
      explode: (state) => state.spreads.g[0] > 1e6,
      dead: (state, values) => values.activation === "relu" && state.silent === 1,
      keep: (state, values, data) => values.activation === "tanh" && values.depth >= 20 && !values.norm && within(state, data.band),
    },
  };
})();
