// A threshold over the scores of two classes. The numbers and words are those of threshold.py.
const explorer = (() => {
  const { number, clamp, snap } = n2t;
  const BLUE = "#2d66d2", BROWN = "#a85c00"; // the classes' colours, dark enough for words

  // ---- counts at every threshold
  // 1 − erf(x): a series near 0, a continued fraction far out; right to about 14 digits.
  function erfc(x) {
    if (x < 0) return 2 - erfc(-x);
    const bell = Math.exp(-x * x) / Math.sqrt(Math.PI);
    if (x < 2.5) {
      let [term, sum] = [x, x];
      for (let n = 1; term > 1e-18 * sum; n++) sum += term *= (2 * x * x) / (2 * n + 1);
      return 1 - 2 * bell * sum;
    }
    let below = x;
    for (let n = 80; n > 0; n--) below = x + n / 2 / below;
    return bell / below;
  }
  const atOrAbove = (z, count) => Math.floor(count * 0.5 * erfc(z / Math.sqrt(2)) + 0.5);

  function bells(separation, share, { examples, range, step }) {
    const positives = Math.round(examples * Number(share));
    const places = Array.from({ length: Math.round((range[1] - range[0]) / step) + 1 }, (_, k) => range[0] + k * step);
    return {
      minimum: range[0], step, positives, negatives: examples - positives,
      tp: places.map((t) => atOrAbove(t - separation / 2, positives)),
      fp: places.map((t) => atOrAbove(t + separation / 2, examples - positives)),
      auc: 0.5 * erfc(-separation / 2),
    };
  }
  const tableOf = (values, data) => data.table ?? bells(values.separation, values.share, data.bells);
  const ratio = (above, below) => (below ? above / below : 0);

  function compute(values, data) {
    const { threshold, miss, alarm } = values;
    const table = tableOf(values, data);
    const { positives, negatives } = table;
    const k = clamp(Math.round((threshold - table.minimum) / table.step), 0, table.tp.length - 1);
    const [tp, fp] = [table.tp[k], table.fp[k]];
    const [fn, tn] = [positives - tp, negatives - fp];
    const costs = table.tp.map((hits, i) => miss * (positives - hits) + alarm * table.fp[i]);
    const cheapest = Math.min(...costs);
    return {
      table, k, tp, fp, fn, tn, accuracy: ratio(tp + tn, positives + negatives), precision: ratio(tp, tp + fp),
      recall: ratio(tp, positives), f1: ratio(2 * tp, 2 * tp + fp + fn), false_alarms: ratio(fp, negatives),
      always_no: ratio(negatives, positives + negatives), cost: costs[k], costs, cheapest, at: costs.indexOf(cheapest),
    };
  }

  function bars(table, bin) {
    const last = table.tp.length - 1;
    const found = [];
    for (let k = 0; k < last; k += bin) {
      const end = Math.min(k + bin, last);
      found.push([table.minimum + k * table.step, table.minimum + (k + bin) * table.step,
        ratio(table.tp[k] - table.tp[end], table.positives), ratio(table.fp[k] - table.fp[end], table.negatives)]);
    }
    return found;
  }
  function curves(table) {
    const found = table.roc ?? table.fp.map((fp, k) => [fp, table.tp[k]]);
    return {
      r: found.map(([fp, tp]) => [ratio(fp, table.negatives), ratio(tp, table.positives)]),
      p: found.filter(([fp, tp]) => tp + fp > 0).map(([fp, tp]) => [ratio(tp, table.positives), tp / (tp + fp)]),
    };
  }

  // ---- words
  const percent = (value) => `${number(100 * value, 1)}%`;
  const whole = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
  function describe(state, { miss, alarm }) {
    const { tp, fp, table: { positives, negatives } } = state;
    const words = [`${whole(tp + fp)} of ${whole(positives + negatives)} are called positive.`];
    words.push(positives ? `Recall ${percent(state.recall)}: ${whole(tp)} of ${whole(positives)} found.`
      : "There are no positives: recall would be 0 divided by 0, and there is no curve to draw.");
    words.push(tp + fp ? `Precision ${percent(state.precision)}: ${whole(fp)} false alarm${fp === 1 ? "" : "s"}.`
      : "Precision would be 0 divided by 0, and counts as 0.");
    if (!negatives) words.push("There are no negatives: no false alarm is possible.");
    words.push(`Accuracy ${percent(state.accuracy)}; always no: ${percent(state.always_no)}.`);
    words.push(miss || alarm ? `Cost ${whole(state.cost)}.` : "Mistakes cost nothing, so every threshold is as good.");
    return words.join(" ");
  }

  // ---- the picture
  const narrowAt = (width) => width < 480;
  function layout(width) {
    const narrow = narrowAt(width);
    const scores = [20, 40, width - 40, narrow ? 130 : 170];
    const cost = [20, scores[1] + scores[3] + 76, width - 40, 62];
    const measures = cost[1] + cost[3] + 34;
    if (narrow) {
      const matrix = [74, measures + 66, width - 88, 100];
      const side = (width - 110) / 2;
      const top = matrix[1] + matrix[3] + 46;
      return { scores, cost, measures, matrix, r: [42, top, side, side], p: [42 + side + 52, top, side, side], height: top + side + 48 };
    }
    // Matrix, ROC and precision–recall side by side; the matrix keeps room for its words.
    const side = Math.min(168, (width - 204 - 134) / 2);
    const top = measures + 76;
    const p = width - 16 - side;
    return { scores, cost, measures, matrix: [72, top, width - 204 - 2 * side, side], r: [p - 58 - side, top, side, side],
      p: [p, top, side, side], height: top + side + 50 };
  }

  function draw(picture, state, values, data, view) {
    const place = layout(picture.width);
    view.scores = drawScores(picture, state, data, place.scores);
    drawCost(picture, state, values, place.cost);
    drawMeasures(picture, state, place.measures);
    drawMatrix(picture, state, place.matrix);
    drawCurves(picture, state, place);
  }

  const rangeOf = (table) => [table.minimum, table.minimum + (table.tp.length - 1) * table.step];
  const placeOf = (state, k = state.k) => state.table.minimum + k * state.table.step;

  function drawScores(picture, state, data, box) {
    const { colors } = picture;
    const { table } = state;
    const found = bars(table, data.bin);
    const most = Math.max(...found.map((bar) => Math.max(bar[2], bar[3])), 1e-9);
    const plot = picture.plot(box, rangeOf(table), [0, most * 1.08]);
    plot.axes({ xlabel: "score", yticks: [] });
    const at = placeOf(state);
    // What is called positive lies right of the threshold: its ground is tinted.
    plot.draw("rect", { x: plot.px(at), y: box[1], width: Math.max(0, box[0] + box[2] - plot.px(at)), height: box[3], fill: colors.accent, opacity: 0.08 });
    for (const [column, color] of [[3, colors.class0], [2, colors.class1]]) {
      for (const bar of found) {
        if (bar[column] <= 0) continue;
        const [x, y] = [plot.px(bar[0]), plot.py(bar[column])];
        plot.draw("rect", { x, y, width: Math.max(1, plot.px(bar[1]) - x - 0.6), height: box[1] + box[3] - y, fill: color, opacity: 0.62 });
      }
    }
    picture.text(box[0], 24, `■ ${whole(table.negatives)} negatives`, { color: BLUE, weight: 600 });
    picture.text(box[0] + box[2], 24, `■ ${whole(table.positives)} positives`, { color: BROWN, weight: 600, anchor: "end" });
    plot.front();
    plot.line([[at, 0], [at, most * 1.08]], { color: "#fff", width: 6 });
    plot.line([[at, 0], [at, most * 1.08]], { color: colors.text, width: 3 });
    const roomy = box[0] + box[2] - plot.px(at) > 62;
    picture.text(plot.px(at) + (roomy ? 8 : -8), box[1] + 17, roomy ? "yes →" : "← no", { anchor: roomy ? "start" : "end", weight: 600 });
    return plot;
  }

  // The cost here is a dot that rises and falls with the threshold; all costs are a curve, if asked for.
  function drawCost(picture, state, { miss, alarm, curve }, box) {
    const { colors } = picture;
    // Not to the dearest, which may be far up: to twice what the better of "always yes" and "always no" costs.
    const plain = Math.min(state.costs[0], state.costs.at(-1));
    const most = Math.min(Math.max(...state.costs, 1), plain > 0 ? 2 * plain : Infinity);
    const plot = picture.plot(box, rangeOf(state.table), [-0.14 * most, most * 1.15]);
    plot.axes({ xticks: [], yticks: [] });
    const cut = (cost) => Math.min(cost, 1.15 * most);
    picture.text(box[0], box[1] - 12, `cost here ${whole(state.cost)}`, { weight: 700, color: "#6a1bc4" });
    if (curve) {
      plot.line(state.costs.map((cost, k) => [placeOf(state, k), cut(cost)]), { color: colors.accent, width: 3 });
      if (miss || alarm) plot.ring([placeOf(state, state.at), state.cheapest], { color: colors.accent, size: 9, width: 2 });
    }
    const words = !miss && !alarm ? "mistakes cost nothing" : curve ? `cheapest ${whole(state.cheapest)}` : "";
    if (words) picture.text(box[0] + box[2], box[1] - 12, words, { anchor: "end", color: colors.muted, weight: 600 });
    // The dot may lie on the border: it is drawn uncut.
    picture.add(n2t.svg("circle", { cx: plot.px(placeOf(state)), cy: plot.py(cut(state.cost)), r: 7, fill: colors.text,
      stroke: "#fff", "stroke-width": 1.5 }));
  }

  function drawMeasures(picture, state, top) {
    const { colors, width } = picture;
    const none = state.tp + state.fp === 0;
    const items = [["accuracy", percent(state.accuracy)], ["precision", none ? "0 / 0" : percent(state.precision)],
      ["recall", state.table.positives ? percent(state.recall) : "0 / 0"], ["F1", percent(state.f1)], ["always no", percent(state.always_no)]];
    const narrow = narrowAt(width);
    const margin = narrow ? 8 : 20;
    items.forEach(([name, value], i) => {
      // The last is not this threshold's: it is the accuracy to be held against the first.
      const last = i === items.length - 1;
      const [x, anchor] = last ? [width - margin, "end"] : [margin + ((width - margin) / items.length) * i, "start"];
      picture.text(x, top, name, { size: narrow ? 14 : 15, color: colors.muted, anchor });
      const look = last ? { weight: 400, color: colors.muted } : { weight: 700 };
      picture.text(x, top + 23, value, { size: narrow ? 16 : 21, anchor, ...look });
    });
  }

  function drawMatrix(picture, state, box) {
    const { colors } = picture;
    const [left, top, width, height] = box;
    const cells = [["tn", 0, 0], ["fp", 0, 1], ["fn", 1, 0], ["tp", 1, 1]];
    for (const [name, row, column] of cells) {
      const [x, y] = [left + (column * width) / 2, top + (row * height) / 2];
      picture.add(n2t.svg("rect", { x: x + 2, y: y + 2, width: width / 2 - 4, height: height / 2 - 4, rx: 6,
        fill: row === column ? colors.right : colors.wrong, "fill-opacity": 0.2 }));
      const size = whole(state[name]).length > 6 ? 14 : 17;
      picture.text(x + width / 4, y + height / 4 - 2, whole(state[name]), { anchor: "middle", weight: 700, size, halo: false });
      picture.text(x + width / 4, y + height / 4 + 17, name.toUpperCase(), { anchor: "middle", size: 14, halo: false });
    }
    ["says no", "says yes"].forEach((words, column) => picture.text(left + (width * (2 * column + 1)) / 4, top - 8, words, { anchor: "middle", size: 14 }));
    ["is no", "is yes"].forEach((words, row) => picture.text(left - 8, top + (height * (2 * row + 1)) / 4 + 5, words, { anchor: "end", size: 14 }));
  }

  function drawCurves(picture, state, place) {
    const { colors } = picture;
    const { table } = state;
    const lines = curves(table);
    const ticks = { xticks: [0, 0.5, 1], xwords: ["0", "0.5", "1"], yticks: [0, 0.5, 1], ywords: ["0", "0.5", "1"] };
    const missing = !table.positives ? "positives" : !table.negatives ? "negatives" : "";
    const share = ratio(table.positives, table.positives + table.negatives);
    const kinds = [["r", "recall", "false positive rate", "false_alarms", "recall", [[0, 0], [1, 1]]],
      ["p", "precision", "recall", "recall", "precision", [[0, share], [1, share]]]];
    for (const [name, title, xlabel, across, up, chance] of kinds) {
      const box = place[name];
      const plot = picture.plot(box, [0, 1], [0, 1]);
      plot.axes({ xlabel, ...ticks });
      const none = missing && (name === "r" || missing === "positives");
      picture.text(box[0] - 30, box[1] - 10, title, { size: 15 });
      if (name === "r") {
        const words = none || narrowAt(picture.width) ? "ROC" : `${box[2] > 150 ? "ROC, " : ""}AUC ${number(table.auc, 3)}`;
        picture.text(box[0] + box[2], box[1] - 10, words, { weight: 600, anchor: "end", size: 15 });
      }
      if (none) {
        picture.text(box[0] + box[2] / 2, box[1] + box[3] / 2 - 4, `no ${missing}:`, { anchor: "middle", size: 15 });
        picture.text(box[0] + box[2] / 2, box[1] + box[3] / 2 + 16, "no curve", { anchor: "middle", size: 15 });
        continue;
      }
      plot.line(chance, { color: colors.muted, width: 1.5, dash: "5 5" });
      plot.line(lines[name], { color: colors.accent, width: 3 });
      // The dot may lie on the border: it is drawn above everything, uncut.
      const none_called = name === "p" && state.tp + state.fp === 0;
      picture.add(n2t.svg("circle", { cx: plot.px(state[across]), cy: plot.py(state[up]), r: 7.5,
        fill: none_called ? "#fff" : colors.text, stroke: none_called ? colors.text : "#fff", "stroke-width": 2 }));
    }
  }

  // ---- dragging the threshold
  function thresholdAt(px, view) {
    const control = view.declaration.controls.find((one) => one.name === "threshold");
    return snap(view.scores.data(px, 0)[0], control);
  }
  const drag = {
    scroll: "pan-y",
    down([px, py], view, finger) {
      const plot = view.scores;
      if (!plot || py < plot.top || py > plot.top + plot.height) return null;
      const near = finger ? 30 : 10; // beyond the ends, where the threshold may stand
      return px > plot.left - near && px < plot.left + plot.width + near ? {} : null;
    },
    move(_, [px], view) { view.set({ threshold: thresholdAt(px, view) }, { settled: false }); },
  };
  // A click without a move is enough.
  function clicked(event, view) {
    const box = view.picture.node.getBoundingClientRect();
    const scale = view.picture.width / box.width;
    const at = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    const threshold = thresholdAt(at[0], view);
    if (drag.down(at, view) && threshold !== view.values.threshold) view.set({ threshold });
  }

  return {
    compute, describe, draw, drag, bars, curves,
    setup(view) { view.picture.node.addEventListener("pointerup", (event) => clicked(event, view)); },
    height: (width) => layout(width).height,
    lines: (width) => (narrowAt(width) ? 6 : 4),
    goals: {
      no: (state, values, data) => (Boolean(data.table) || Number(values.share) <= 0.02) &&
        state.tp > data.useful * state.table.positives && state.accuracy < state.always_no,
      recall: (state, _, data) => {
        const { tp, fp, positives, negatives } = state.table;
        if (!positives || !negatives || state.tp <= data.enough * positives) return false;
        return state.fp === Math.min(...fp.filter((_, k) => tp[k] > data.enough * positives));
      },
      cheapest: (state, { miss, alarm, curve }) => !curve && alarm >= 1 && miss >= 10 * alarm && state.cost === state.cheapest &&
        state.tp + state.fp > 0 && state.fn + state.tn > 0,
    },
  };
})();
