// A neural network trained live. The numbers and words are those of playground.py.
const explorer = (() => {
  const { html, KEYS, number, short, clamp, calm } = n2t;

  const BUDGET = 16; // milliseconds of training between two pictures: the page answers in between
  const GEAR = 1.05; // each picture shows so many times the steps of the one before: slow where much happens
  const TOP_GEAR = 60; // steps a picture, so that a small network is not trained in a wink
  const MOST_STEPS = 20000; // at one press of Train
  const CALM = 300; // milliseconds between pictures for those who asked for less motion; the sentence is not read aloud meanwhile
  const CELLS = 60; // the plane is computed on so many squares each way; a unit's picture on half as many
  const KEPT = 400; // points of the loss curves that are kept
  const NAMES = { tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid", identity: "identity" };

  // ---------------------------------------------------------------- the network, by hand
  // All parameters lie in one array: W (out × in, row by row), then b, layer after layer. Activations lie unit
  // by unit: the values of one unit at all points stand together, so that the inner loops run along them.
  const sizesOf = ({ layers, units }) => [2, ...Array(layers).fill(units), 1];
  const count = (sizes) => sizes.slice(1).reduce((sum, outs, k) => sum + sizes[k] * outs + outs, 0);

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

  function firstWeights(sizes, seed) {
    const source = uniform(seed);
    const params = new Float64Array(count(sizes));
    let at = 0;
    for (let k = 1; k < sizes.length; k++) {
      const bound = 1 / Math.sqrt(sizes[k - 1]);
      for (const end = at + (sizes[k - 1] + 1) * sizes[k]; at < end; at++) params[at] = (2 * source() - 1) * bound;
    }
    return params;
  }

  // Room for the activations (and, if asked for, the gradients) of n points in every layer.
  function room(sizes, n, gradients = false) {
    const arrays = () => sizes.map((units) => new Float64Array(units * n));
    return { n, a: arrays(), d: gradients ? arrays() : null };
  }

  function bend(a, activation) {
    if (activation === "tanh") for (let p = 0; p < a.length; p++) a[p] = Math.tanh(a[p]);
    else if (activation === "relu") for (let p = 0; p < a.length; p++) a[p] = a[p] > 0 ? a[p] : 0;
    else if (activation === "sigmoid") for (let p = 0; p < a.length; p++) a[p] = sigmoid(a[p]);
  }
  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

  // where.a[0] holds the points; fills the other layers and returns the outputs z.
  function forward(sizes, params, where, activation) {
    const { n, a } = where;
    let at = 0;
    for (let k = 1; k < sizes.length; k++) {
      const [ins, outs] = [sizes[k - 1], sizes[k]];
      const [from, to] = [a[k - 1], a[k]];
      for (let o = 0; o < outs; o++) {
        const start = o * n;
        to.fill(params[at + outs * ins + o], start, start + n);
        for (let i = 0; i < ins; i++) {
          const w = params[at + o * ins + i];
          for (let p = 0, q = i * n; p < n; p++, q++) to[start + p] += w * from[q];
        }
      }
      if (k < sizes.length - 1) bend(to, activation);
      at += (ins + 1) * outs;
    }
    return a[a.length - 1];
  }

  // The mean cross-entropy of sigmoid(z), in the form in which nothing overflows, and the part that is right.
  function judge(z, y) {
    let loss = 0, right = 0;
    for (let p = 0; p < y.length; p++) {
      loss += Math.max(z[p], 0) - z[p] * y[p] + Math.log1p(Math.exp(-Math.abs(z[p])));
      right += (z[p] > 0) === (y[p] === 1) ? 1 : 0;
    }
    return { loss: loss / y.length, accuracy: right / y.length };
  }

  // After forward(): the gradient of loss + l2 / 2 · Σ w² by every parameter, layer by layer from the last.
  function backward(sizes, params, where, y, activation, l2, gradient) {
    const { n, a, d } = where;
    const last = sizes.length - 1;
    for (let p = 0; p < n; p++) d[last][p] = (sigmoid(a[last][p]) - y[p]) / n;
    let at = params.length;
    for (let k = last; k > 0; k--) {
      const [ins, outs] = [sizes[k - 1], sizes[k]];
      at -= (ins + 1) * outs;
      const [from, upstream, down] = [a[k - 1], d[k], d[k - 1]];
      if (k > 1) down.fill(0);
      for (let o = 0; o < outs; o++) {
        const start = o * n;
        let sum = 0;
        for (let p = start; p < start + n; p++) sum += upstream[p];
        gradient[at + outs * ins + o] = sum;
        for (let i = 0; i < ins; i++) {
          const w = params[at + o * ins + i];
          let slope = 0;
          for (let p = 0, q = i * n; p < n; p++, q++) slope += upstream[start + p] * from[q];
          gradient[at + o * ins + i] = slope + l2 * w;
          if (k > 1) for (let p = 0, q = i * n; p < n; p++, q++) down[q] += w * upstream[start + p];
        }
      }
      if (k > 1) unbend(from, down, activation);
    }
    return gradient;
  }
  function unbend(a, d, activation) {
    if (activation === "tanh") for (let p = 0; p < a.length; p++) d[p] *= 1 - a[p] * a[p];
    else if (activation === "relu") for (let p = 0; p < a.length; p++) d[p] = a[p] > 0 ? d[p] : 0;
    else if (activation === "sigmoid") for (let p = 0; p < a.length; p++) d[p] *= a[p] * (1 - a[p]);
  }

  // ---------------------------------------------------------------- one training
  // run: {key, seed, sizes, activation, params, step, diverged, train, test, plane, history …}
  const keyOf = (values) => [values.data, values.layers, values.units, values.activation].join();

  function begin(values, data, seed) {
    const sizes = sizesOf(values);
    const params = firstWeights(sizes, seed);
    const all = data.points[values.data].y.length;
    const run = {
      key: keyOf(values), seed, sizes, activation: values.activation, params, sound: params.slice(),
      gradient: new Float64Array(params.length), step: 0, diverged: false, stale: true, limit: data.diverged,
      train: room(sizes, data.training, true), test: room(sizes, all - data.training), plane: room(sizes, CELLS * CELLS),
      history: [], every: 1,
    };
    const y = Float64Array.from(data.points[values.data].y);
    run.train.y = y.subarray(0, data.training);
    run.test.y = y.subarray(data.training);
    const cell = (k) => ((k + 0.5) / CELLS) * 2 * data.half - data.half;
    for (let p = 0; p < CELLS * CELLS; p++) {
      run.plane.a[0][p] = cell(p % CELLS);
      run.plane.a[0][CELLS * CELLS + p] = cell(Math.floor(p / CELLS));
    }
    place(run, values, data);
    return run;
  }

  // Noise moves every point along its own push, so the slider moves them smoothly.
  function place(run, values, data) {
    const { X, push } = data.points[values.data];
    run.noise = values.noise;
    run.fresh = false;
    for (let i = 0; i < 2; i++) {
      for (let p = 0; p < X.length; p++) {
        const x = X[p][i] + values.noise * push[p][i];
        if (p < run.train.n) run.train.a[0][i * run.train.n + p] = x;
        else run.test.a[0][i * run.test.n + p - run.train.n] = x;
      }
    }
    run.stale = true;
  }

  // One step of gradient descent. Where the loss is lost, the last sound weights come back and training is over.
  function step(run, lr, l2) {
    const { sizes, params, sound, gradient, train, activation } = run;
    if (!run.fresh) forward(sizes, params, train, activation);
    backward(sizes, params, train, train.y, activation, l2, gradient);
    sound.set(params);
    for (let i = 0; i < params.length; i++) params[i] -= lr * gradient[i];
    // Needed for the loss, and again by the next step.
    const { loss } = judge(forward(sizes, params, train, activation), train.y);
    run.fresh = loss <= run.limit; // false for NaN, too
    run.stale = true;
    if (!run.fresh) {
      params.set(sound);
      run.diverged = true;
      return;
    }
    run.step += 1;
    if (run.step % run.every === 0) remember(run, loss);
  }

  function remember(run, loss) {
    const test = judge(forward(run.sizes, run.params, run.test, run.activation), run.test.y).loss;
    run.history.push([run.step, loss, test]);
    if (run.history.length > KEPT) {
      // Every second point goes, and from here on only every second one is taken.
      run.history = run.history.filter((_, i) => i % 2 === 0);
      run.every *= 2;
    }
  }

  function assess(run) {
    const { sizes, params, activation } = run;
    run.scores = {
      train: judge(forward(sizes, params, run.train, activation), run.train.y),
      test: judge(forward(sizes, params, run.test, activation), run.test.y),
    };
    forward(sizes, params, run.plane, activation);
    if (!run.history.length) run.history.push([0, run.scores.train.loss, run.scores.test.loss]);
    run.stale = false;
  }

  function compute(values, data, view) {
    const memory = (view.memory ??= {});
    memory.seed ??= 1;
    if (memory.run?.key !== keyOf(values) || memory.run.seed !== memory.seed) {
      memory.run = begin(values, data, memory.seed);
      Object.assign(memory, { gear: 1, stopAt: MOST_STEPS });
    }
    const run = memory.run;
    if (run.noise !== values.noise) place(run, values, data);
    if (run.stale) assess(run);
    return { sizes: run.sizes, parameters: run.params.length, step: run.step, diverged: run.diverged, ...run.scores };
  }

  // ---------------------------------------------------------------- words
  const lossWords = (loss) => number(loss, loss < 100 ? 3 : 0);
  const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
  const percent = ({ accuracy }) => `${short(100 * accuracy, 1)}%`;

  function describe(state, values, data) {
    const what = values.data === "xor" ? "XOR" : values.data[0].toUpperCase() + values.data.slice(1);
    const hidden = values.layers === 1 ? "1 hidden layer" : `${values.layers} hidden layers`;
    const each = values.units === 1 ? "1 unit" : `${values.units} units`;
    const penalty = values.l2 === "0" ? "" : `, L2 ${values.l2}`;
    const network = `${what}, noise ${short(values.noise)}: ${hidden} of ${each} with ${NAMES[values.activation]}, ` +
      `${state.parameters} parameters, learning rate ${values.lr}${penalty}.`;
    const both = [["training", state.train], ["test", state.test]]
      .map(([word, part]) => `${word} loss ${lossWords(part.loss)}, ${percent(part)} right`).join("; ");
    if (state.diverged) {
      return `${network} Training broke down at step ${thousands(state.step + 1)}: the steps are too long, and the loss ` +
        `grew beyond ${thousands(data.diverged)}. Choose a smaller learning rate; Train then starts again.`;
    }
    if (state.step === 0) return `${network} Not trained yet: ${both}.`;
    return `${network} After ${thousands(state.step)} ${state.step === 1 ? "step" : "steps"}: ${both}.`;
  }

  // ---------------------------------------------------------------- where everything stands
  const wideEnough = (width) => width >= 560;
  const UNIT = 34, PITCH = 39;

  // Depends on the width alone, so that no control makes the picture jump.
  function geometry(width) {
    if (wideEnough(width)) {
      const side = clamp(Math.round(0.43 * width), 240, 300);
      const middle = 218;
      return {
        answer: [width - side - 14, middle - side / 2, side], net: [34, width - side - 14], middle,
        loss: [50, 424, width - 50 - 210, 96], values: [width - 186, 440], net_title: [12, 26], height: 566,
        output: false,
      };
    }
    const side = Math.min(width - 44, 330);
    const top = 58, net = top + side + 50;
    return {
      answer: [Math.max(30, (width - side) / 2), top, side], net: [30, width - UNIT - 10], middle: net + 34 + 4 * PITCH,
      loss: [46, net + 404, width - 46 - 28, 96], values: [46, net + 560], net_title: [12, net + 6],
      height: net + 600, output: true,
    };
  }

  // The squares of all units: columns[k][i] = [x, y] of the upper left corner; column 0 holds the inputs.
  function columnsOf({ net: [from, to], middle, output }, sizes) {
    const shown = sizes.slice(0, output ? sizes.length : -1);
    const gap = output ? (to - from) / (shown.length - 1) : (to - from) / shown.length;
    return shown.map((units, k) => Array.from({ length: units }, (_, i) =>
      [from + k * gap, middle + (i - units / 2) * PITCH + (PITCH - UNIT) / 2]));
  }

  // ---------------------------------------------------------------- pictures of the plane
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  // value −1 … 1 → blue, white, orange: the sides of class 0 and of class 1
  function paintPlane(pixels, cells, valueAt, colors, strength) {
    const ends = [rgb(colors.class0), rgb(colors.class1)];
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        const value = clamp(valueAt(column, row), -1, 1) * strength;
        const end = ends[value < 0 ? 0 : 1];
        const part = Math.abs(value);
        const at = 4 * ((cells - 1 - row) * cells + column);
        for (let c = 0; c < 3; c++) pixels[at + c] = 255 + part * (end[c] - 255);
        pixels[at + 3] = 255;
      }
    }
  }

  // A unit's values over the plane, brought to −1 … 1. tanh and sigmoid keep their own scale.
  function unitValues(run, k, i) {
    const n = CELLS * CELLS;
    const values = run.plane.a[k].subarray(i * n, (i + 1) * n);
    let top = 1;
    if (k === 0 || run.activation === "relu" || run.activation === "identity") {
      top = 1e-9;
      for (let p = 0; p < n; p++) top = Math.max(top, Math.abs(values[p]));
    }
    return { values, top };
  }

  function canvasOf(cells) {
    const canvas = html("canvas", { width: cells, height: cells });
    const pen = canvas.getContext("2d");
    return { canvas, pen, image: pen.createImageData(cells, cells) };
  }

  function showUnit(memory, run, k, i, colors, cells, paper, strength = 1) {
    const { values, top } = unitValues(run, k, i);
    const skip = CELLS / cells;
    const output = k === run.sizes.length - 1;
    const at = (column, row) => values[Math.floor(row * skip) * CELLS + Math.floor(column * skip)];
    paintPlane(paper.image.data, cells, output ? (c, r) => Math.tanh(at(c, r) / 2) : (c, r) => at(c, r) / top, colors, strength);
    paper.pen.putImageData(paper.image, 0, 0);
    return paper.canvas;
  }

  // The line z = 0, square by square.
  function border(pen, z, [left, top, side]) {
    const at = (column, row) => z[row * CELLS + column];
    const px = (column) => left + ((column + 0.5) / CELLS) * side;
    const py = (row) => top + side - ((row + 0.5) / CELLS) * side;
    pen.beginPath();
    for (let row = 0; row < CELLS - 1; row++) {
      for (let column = 0; column < CELLS - 1; column++) {
        const corners = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)];
        const signs = corners.map((value) => value > 0);
        if (signs.every((sign) => sign === signs[0])) continue;
        const crossings = [];
        for (let edge = 0; edge < 4; edge++) {
          const next = (edge + 1) % 4;
          if (signs[edge] === signs[next]) continue;
          const part = corners[edge] / (corners[edge] - corners[next]);
          const [x0, y0] = [[0, 0], [1, 0], [1, 1], [0, 1]][edge];
          const [x1, y1] = [[0, 0], [1, 0], [1, 1], [0, 1]][next];
          crossings.push([px(column + x0 + part * (x1 - x0)), py(row + y0 + part * (y1 - y0))]);
        }
        for (let c = 0; c + 1 < crossings.length; c += 2) {
          pen.moveTo(...crossings[c]);
          pen.lineTo(...crossings[c + 1]);
        }
      }
    }
    pen.stroke();
  }

  function mark(pen, x, y, marker, size) {
    pen.beginPath();
    if (marker === "o") pen.arc(x, y, size, 0, 2 * Math.PI);
    else pen.rect(x - 0.88 * size, y - 0.88 * size, 1.76 * size, 1.76 * size);
  }

  function drawPoints(pen, part, [left, top, side], data, { colors, markers }, hollow) {
    const size = side < 280 ? 3.6 : 4;
    for (let p = 0; p < part.n; p++) {
      const x = left + ((part.a[0][p] + data.half) / (2 * data.half)) * side;
      const y = top + side - ((part.a[0][part.n + p] + data.half) / (2 * data.half)) * side;
      const kind = part.y[p];
      mark(pen, x, y, markers[kind], hollow ? size - 0.4 : size);
      pen.fillStyle = hollow ? "#fff" : colors[`class${kind}`];
      pen.strokeStyle = hollow ? colors.text : "#fff";
      pen.lineWidth = hollow ? 1.3 : 1;
      pen.fill();
      pen.stroke();
    }
  }

  // ---------------------------------------------------------------- the picture
  function draw(picture, state, values, data, view) {
    const { memory } = view;
    const run = memory.run;
    const { colors } = picture;
    const place = geometry(picture.width);
    const columns = columnsOf(place, run.sizes);
    const chosen = chosenUnit(memory, run);
    drawWords(picture, state, values, data, place, columns, chosen, run);

    const paper = memory.paper;
    if (!paper) return; // without a canvas (a test of words and numbers) there is nothing more
    const dense = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(picture.width * dense), Math.round(picture.height * dense)];
    if (paper.width !== wide || paper.height !== high) Object.assign(paper, { width: wide, height: high });
    const pen = paper.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, picture.width, picture.height);
    pen.imageSmoothingEnabled = true;

    drawLinks(pen, run, columns, place, colors);
    columns.forEach((column, k) => column.forEach(([x, y], i) => {
      pen.drawImage(showUnit(memory, run, k, i, colors, CELLS / 2, memory.small), x, y, UNIT, UNIT);
      const large = chosen && chosen[0] === k && chosen[1] === i;
      pen.lineWidth = large ? 3 : 1.2;
      pen.strokeStyle = large ? colors.accent : colors.text;
      pen.strokeRect(x, y, UNIT, UNIT);
    }));

    const [left, top, side] = place.answer;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, side, side);
    pen.clip();
    const [k, i] = chosen ?? [run.sizes.length - 1, 0];
    pen.drawImage(showUnit(memory, run, k, i, colors, CELLS, memory.large, chosen ? 0.85 : 0.6), left, top, side, side);
    if (!chosen) {
      pen.strokeStyle = colors.boundary;
      pen.lineWidth = 2.5;
      pen.lineCap = "round";
      border(pen, run.plane.a[run.sizes.length - 1], place.answer);
    }
    drawPoints(pen, run.train, place.answer, data, picture, false);
    if (values.tested) drawPoints(pen, run.test, place.answer, data, picture, true);
    pen.restore();
    pen.lineWidth = chosen ? 3 : 1.2;
    pen.strokeStyle = chosen ? colors.accent : colors.text;
    pen.strokeRect(left, top, side, side);
    unitButtons(view, columns, picture, run);
  }

  function drawLinks(pen, run, columns, place, colors) {
    const { sizes, params } = run;
    let at = 0;
    pen.lineCap = "butt";
    for (let k = 1; k < sizes.length; k++) {
      const [ins, outs] = [sizes[k - 1], sizes[k]];
      for (let o = 0; o < outs; o++) {
        // On a wide picture the large one is the output: the last links lead there.
        const [x1, y1] = columns[k] ? [columns[k][o][0], columns[k][o][1] + UNIT / 2] : [place.answer[0], place.middle];
        for (let i = 0; i < ins; i++) {
          const w = params[at + o * ins + i];
          const [x0, y0] = [columns[k - 1][i][0] + UNIT, columns[k - 1][i][1] + UNIT / 2];
          const bow = (x1 - x0) * 0.45;
          pen.beginPath();
          pen.moveTo(x0, y0);
          pen.bezierCurveTo(x0 + bow, y0, x1 - bow, y1, x1, y1);
          pen.strokeStyle = w > 0 ? colors.class1 : colors.class0;
          pen.globalAlpha = clamp(0.25 + 0.5 * Math.abs(w), 0, 0.9);
          pen.lineWidth = clamp(0.5 + 1.3 * Math.abs(w), 0.5, 7);
          pen.stroke();
        }
      }
      at += (ins + 1) * outs;
    }
    pen.globalAlpha = 1;
  }

  function drawWords(picture, state, values, data, place, columns, chosen, run) {
    const { colors } = picture;
    const [left, top, side] = place.answer;
    const title = chosen ? unitName(chosen) : "Output: which class?";
    picture.text(left, Math.min(26, top - 32), title, { weight: 700, size: 16 });
    picture.text(left, Math.min(26, top - 32) + 19, chosen ? rangeWords(run, chosen) : "blue: class 0, orange: class 1", { size: 14, color: colors.muted });
    picture.text(left + side, top + side + 20, "x₁ →", { anchor: "end", size: 15 });
    picture.text(left, top + side + 20, "↑ x₂", { size: 15 });
    const [tx, ty] = place.net_title;
    picture.text(tx, ty, `${state.parameters} parameters`, { weight: 700 });
    picture.text(tx, ty + 19, "weights: blue below 0, orange above", { size: 14, color: colors.muted });
    columns[0].forEach(([x, y], i) => picture.text(x - 6, y + UNIT / 2 + 5, ["x₁", "x₂"][i], { anchor: "end", size: 15 }));

    // the two losses
    const all = run.history.concat([[run.step, state.train.loss, state.test.loss]]);
    const last = niceEnd(run.step);
    const tallest = all.reduce((most, [, a, b]) => Math.max(most, a, b), 0);
    const high = [0.8, 1.6, 4, 10, 100, 1000].find((end) => end >= tallest) ?? 1000;
    const plot = picture.plot(place.loss, [0, last], [0, high]);
    plot.axes({
      xlabel: "step", ylabel: "loss", xticks: [0, last / 2, last], xwords: ["0", thousands(last / 2), thousands(last)],
      yticks: [0, high / 2, high], ywords: [0, high / 2, high].map((y) => short(y, 1)),
    });
    plot.line(all.map(([x, , b]) => [x, b]), { color: colors.test, dash: "6 4" });
    plot.line(all.map(([x, a]) => [x, a]), { color: colors.train, width: 3 });
    const [vx, vy] = place.values;
    [["training", state.train, colors.train, null], ["test", state.test, colors.test, "6 4"]].forEach(([word, part, color, dash], row) => {
      const y = vy + row * (place.output ? 26 : 46);
      plot.picture.add(n2t.svg("path", { d: `M${vx} ${y - 5}h22`, stroke: color, "stroke-width": row ? 2.5 : 3, "stroke-dasharray": dash }));
      if (place.output) picture.text(vx + 28, y, `${word}: loss ${lossWords(part.loss)}, ${percent(part)} right`, { size: 15 });
      else {
        picture.text(vx + 28, y, `${word}: ${percent(part)}`, { weight: 700, size: 16 });
        picture.text(vx + 28, y + 19, `loss ${lossWords(part.loss)}`, { size: 15 });
      }
    });
    if (state.diverged) {
      const [x, y, w] = place.loss;
      picture.text(x + w / 2, y + 54, "training broke down", { anchor: "middle", weight: 700, size: 17, color: "#c01626" });
    }
  }

  // 100, 200, 500, 1000, …: the first that leaves room.
  function niceEnd(step) {
    for (let end = 100; ; end *= 10) for (const times of [1, 1.5, 2, 3, 4, 6, 8]) if (end * times >= step) return end * times;
  }

  const unitName = ([k, i]) => (k === 0 ? `Input ${["x₁", "x₂"][i]}` : `Layer ${k}, unit ${i + 1}`);
  function rangeWords(run, [k, i]) {
    const { values } = unitValues(run, k, i);
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    return `from ${short(low)} to ${short(high)} over the plane`;
  }

  // ---------------------------------------------------------------- one unit, large
  function chosenUnit(memory, { sizes }) {
    for (const name of ["pointed", "pinned"]) {
      const unit = memory[name];
      if (unit && unit[0] < sizes.length - 1 && unit[1] < sizes[unit[0]]) return unit;
      memory[name] = null;
    }
    return null;
  }

  // Real buttons over the pictures of the units: for pointer and keyboard, one stop for Tab, arrows within.
  // There is one for every unit of the largest network; those that are not there now are hidden.
  function unitButtons(view, columns, picture, run) {
    const { memory } = view;
    const layout = `${run.sizes}|${picture.width}`;
    const { buttons } = memory;
    buttons.forEach((column, k) => column.forEach((button, i) => {
      const on = Boolean(memory.pinned) && memory.pinned[0] === k && memory.pinned[1] === i;
      if (button.getAttribute("aria-pressed") !== String(on)) button.setAttribute("aria-pressed", String(on));
      if (memory.layout === layout) return;
      const place = k < run.sizes.length - 1 ? columns[k][i] : null;
      const left = document.activeElement === button && !place;
      button.hidden = button.disabled = !place;
      if (left) makeStop(memory, 1, 0).focus();
      else if (!place && button.tabIndex === 0) makeStop(memory, 1, 0);
      if (!place) return;
      const parts = { left: place[0] / picture.width, top: place[1] / picture.height, width: UNIT / picture.width, height: UNIT / picture.height };
      for (const [side, part] of Object.entries(parts)) button.style[side] = `${100 * part}%`;
    }));
    memory.layout = layout;
  }
  // The one button among the units that Tab stops at.
  function makeStop({ buttons }, k, i) {
    for (const button of buttons.flat()) button.tabIndex = -1;
    buttons[k][i].tabIndex = 0;
    return buttons[k][i];
  }

  function unitButton(view, unit) {
    const { memory } = view;
    const point = (where) => { memory.pointed = where; view.draw(); };
    return html("button", {
      type: "button", ...KEYS, class: "pg-unit", tabindex: -1, "aria-label": `${unitName(unit)}: show it large`, "aria-pressed": "false",
      onclick: () => {
        const again = memory.pinned && String(memory.pinned) === String(unit);
        memory.pinned = again ? null : unit;
        memory.pointed = null;
        view.draw();
      },
      // Who comes by key sees it at once; Enter keeps it.
      onfocus: (event) => { if (event.target.matches(":focus-visible")) point(unit); },
      onblur: () => { if (memory.pointed) point(null); },
      onpointerenter: (event) => { if (event.pointerType !== "touch") point(unit); },
      onpointerleave: () => { if (memory.pointed) point(null); },
      onkeydown: (event) => {
        const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (event.key === "Escape" && (memory.pinned || memory.pointed)) {
          event.stopPropagation();
          memory.pinned = null;
          point(null);
        }
        if (!way) return;
        event.preventDefault();
        const { sizes } = memory.run;
        const k = clamp(unit[0] + way[0], 0, sizes.length - 2);
        makeStop(memory, k, clamp(unit[1] + way[1], 0, sizes[k] - 1)).focus();
      },
    });
  }

  // ---------------------------------------------------------------- training goes on
  const training = (view) => Boolean(view.memory.training);

  function rest(view) {
    cancelAnimationFrame(view.memory.ticket);
    Object.assign(view.memory, { training: false, ticket: null });
    view.button("play", { label: "Train" });
  }

  function start(view) {
    const { memory } = view;
    if (memory.run.diverged) renew(view, memory.seed);
    Object.assign(memory, { training: true, gear: 1, stopAt: memory.run.step + MOST_STEPS, shown: 0 });
    view.button("play", { label: "Pause" });
    next(view);
  }

  function next(view) {
    const { memory } = view;
    cancelAnimationFrame(memory.ticket);
    // Out of sight nothing is computed; the observer calls again.
    memory.ticket = training(view) && memory.seen ? requestAnimationFrame((now) => tick(view, now)) : null;
  }

  function tick(view, now) {
    const { memory, values } = view;
    const run = memory.run;
    const end = performance.now() + BUDGET;
    const [lr, l2] = [Number(values.lr), Number(values.l2)];
    const most = Math.floor(memory.gear);
    let done = 0;
    while (done < most && run.step < memory.stopAt && !run.diverged && performance.now() < end) {
      step(run, lr, l2);
      done += 1;
    }
    memory.gear = done === most ? Math.min(memory.gear * GEAR, TOP_GEAR) : Math.max(done, 1);
    const over = run.diverged || run.step >= memory.stopAt;
    if (over) rest(view);
    if (over || !calm() || now - memory.shown > CALM) {
      memory.shown = now;
      show(view, over);
    }
    next(view);
  }

  // A goal is reached while training goes on, too; only then the kernel hears of it.
  function show(view, settled = false) {
    if (!settled) view.draw();
    const news = Object.entries(goals).some(([id, met]) => !view.frame.reached.has(id) && met(view.state, view.values));
    if (settled || news) view.set({});
  }

  function renew(view, seed) {
    view.memory.seed = seed;
    view.memory.run = null;
    compute(view.values, view.data, view);
  }

  const goals = {
    circles: (state, { data }) => trained(state) && data === "circles" && state.test.accuracy >= 0.95,
    stuck: (state, { data, activation }) =>
      trained(state) && data === "circles" && activation === "identity" && state.step >= 300 && state.train.accuracy < 0.75,
    xor: (state, { data, layers, units }) =>
      trained(state) && data === "xor" && layers * units <= 3 && state.test.accuracy >= 0.95,
    spirals: (state, { data }) => trained(state) && data === "spirals" && state.test.accuracy > 0.95,
  };
  const trained = (state) => state.step > 0 && !state.diverged;

  return {
    compute, describe, draw, goals,
    // the network by itself, for tests
    network: { sizesOf, count, uniform, firstWeights, room, forward, backward, judge, step, begin },
    height: (width) => geometry(width).height,
    setup(view) {
      const { memory, frame } = view;
      memory.paper = html("canvas", { class: "pg-paper", "aria-hidden": "true" });
      memory.overlay = html("div", { class: "pg-units", role: "group", "aria-label": "Units of the network" });
      const [layers, units] = ["layers", "units"].map((name) => view.declaration.controls.find((one) => one.name === name).maximum);
      memory.buttons = [2, ...Array(layers).fill(units)].map((many, k) => Array.from({ length: many }, (_, i) => unitButton(view, [k, i])));
      memory.overlay.append(...memory.buttons.flat());
      makeStop(memory, 1, 0);
      memory.small = canvasOf(CELLS / 2);
      memory.large = canvasOf(CELLS);
      frame.stage.append(memory.paper, memory.overlay);
      frame.root.querySelector("[name=play]").classList.add("n2t-primary");
      memory.seen = true;
      memory.watch = new IntersectionObserver(([entry]) => {
        memory.seen = entry.isIntersecting;
        next(view);
      });
      memory.watch.observe(frame.stage);
    },
    stop(view) {
      rest(view);
      view.memory.watch?.disconnect();
    },
    reset(view) {
      rest(view);
      Object.assign(view.memory, { seed: 1, run: null, pinned: null, pointed: null });
    },
    actions: {
      play(view) {
        if (!training(view)) return start(view);
        rest(view);
        return view.set({});
      },
      step(view) {
        rest(view);
        if (view.memory.run.diverged) renew(view, view.memory.seed);
        step(view.memory.run, Number(view.values.lr), Number(view.values.l2));
        view.set({});
      },
      renew(view) {
        renew(view, view.memory.seed + 1);
        view.set({});
      },
    },
  };
})();
