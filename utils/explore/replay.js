// The perceptron rule, update by update. The numbers and words are those of replay.py.
const explorer = (() => {
  const { short, brief, clamp } = n2t;
  const PAUSE = { slow: 1600, normal: 800, fast: 200 }; // milliseconds for one update

  function wrongOf(data, { w: [w1, w2], b }) {
    return data.X.flatMap(([x1, x2], i) => ((w1 * x1 + w2 * x2 + b > -1e-9 ? 1 : 0) === data.y[i] ? [] : [i]));
  }

  function compute({ update }, data) {
    const after = data.steps[update];
    const before = data.steps[Math.max(update - 1, 0)];
    const index = after.index;
    const wrongBefore = wrongOf(data, before);
    const truth = index === null ? null : data.y[index];
    return {
      before: { w: before.w, b: before.b }, after: { w: after.w, b: after.b }, index, true: truth,
      called: index === null ? null : wrongBefore.includes(index) ? 1 - truth : truth,
      dw: [after.w[0] - before.w[0], after.w[1] - before.w[1]], db: after.b - before.b,
      wrong: wrongOf(data, after), wrong_before: wrongBefore,
    };
  }

  const pair = ([first, second]) => `(${short(first)}, ${short(second)})`;
  const close = (one, other) => Math.abs(one - other) <= Math.max(1e-4 * Math.max(Math.abs(one), Math.abs(other)), 1e-6);
  // "x = " or "−x = " where the push is just what the rule says for a point of this class.
  function pushWords(x, dw, truth) {
    const sign = truth === 1 ? 1 : -1;
    if (!dw.every((d, i) => close(d, sign * x[i]))) return "";
    return truth === 1 ? "x = " : "−x = ";
  }

  function describe(state, { update }, data) {
    const total = data.X.length;
    const wrong = state.wrong.length;
    const now = wrong ? `${wrong} of ${total} points ${wrong === 1 ? "is" : "are"} wrong` : `All ${total} points are right`;
    const { w, b } = state.after;
    if (state.index === null) return `Start: w = ${pair(w)}, b = ${short(b)}. ${now}.`;
    const x = data.X[state.index];
    const called = `was called ${state.called}${state.called === state.true ? ", which was right already" : ""}`;
    return `Update ${update}: point ${pair(x)} of class ${state.true} ${called}; ` +
      `w moves by ${pushWords(x, state.dw, state.true)}${pair(state.dw)} to ${pair(w)}, b by ${short(state.db)} to ${short(b)}. ${now} now.`;
  }

  function line(plot, { w: [w1, w2], b }, data, look) {
    const norm = Math.hypot(w1, w2);
    if (norm < 1e-12) return false;
    const [mx, my] = data.middle;
    const away = (w1 * mx + w2 * my + b) / norm;
    const [ux, uy] = [w1 / norm, w2 / norm];
    const far = 4 * data.half + Math.abs(away);
    const [fx, fy] = [mx - away * ux, my - away * uy];
    const ends = [[fx - far * uy, fy + far * ux], [fx + far * uy, fy - far * ux]];
    if (look.shade) {
      for (const [side, kind] of [[2 * far, "class1"], [-2 * far, "class0"]]) {
        const outer = ends.map(([x, y]) => [x + side * ux, y + side * uy]).reverse();
        plot.area([...ends, ...outer], { color: look.shade[kind], opacity: 0.15 });
      }
    }
    plot.line(ends, look);
    return true;
  }

  function draw(picture, state, { update }, data) {
    const { colors, markers } = picture;
    const wide = picture.width >= 520;
    const side = wide ? 190 : 0;
    const box = [54, 50, picture.width - 70 - (wide ? side + 46 : 0), wide ? 330 : 250];
    const scale = data.half / (Math.min(box[2], box[3]) / 2);
    const [hx, hy] = [(box[2] / 2) * scale, (box[3] / 2) * scale];
    const plot = picture.plot(box, [data.middle[0] - hx, data.middle[0] + hx], [data.middle[1] - hy, data.middle[1] + hy]);
    plot.axes({ xlabel: "x₁", ylabel: "x₂", grid: false });
    const title = state.index === null ? "Start" : `Update ${update} of ${data.steps.length - 1}`;
    picture.text(54, 24, title, { weight: 700, size: 17 });
    const wrong = state.wrong.length;
    picture.text(box[0] + box[2], 24, wrong ? `${wrong} wrong` : "✓ all right", { anchor: "end", weight: 700, size: 17, color: wrong ? colors.text : "#12805c" });

    if (update > 0) line(plot, state.before, data, { color: colors.muted, dash: "9 6", width: 2.5 });
    const there = line(plot, state.after, data, { color: colors.boundary, width: 3.5, shade: colors });
    const size = data.X.length > 120 ? 4 : data.X.length > 20 ? 6.5 : 10;
    data.X.forEach((x, i) => plot.point(x, { color: colors[`class${data.y[i]}`], marker: markers[data.y[i]], size, edgeWidth: size < 5 ? 0.8 : 1.5 }));
    if (state.index !== null) {
      const x = data.X[state.index];
      plot.ring(x, { color: colors.wrong, size: size + 8, width: 3.5 });
      plot.label(x, `was called ${state.called}`, { dx: size + 14, dy: 6, size: 15, weight: 600, color: "#c01626" });
    }
    if (!there) picture.text(box[0] + box[2] / 2, box[1] + 24, "w = 0: no line", { anchor: "middle", weight: 700 });

    drawPush(picture, wide ? [picture.width - side - 8, 96, side - 8, 180] : [54, 372, 170, 140], state, update, data, wide);
  }

  // The plane of the weights: where w has been, and the push of this update.
  function drawPush(picture, box, state, update, data, wide) {
    const { colors } = picture;
    const [rangeX, rangeY] = weightWindow(data, box[2] / box[3]);
    const plot = picture.plot(box, rangeX, rangeY);
    picture.text(box[0] - 2, box[1] - 30, state.index === null ? "The weights" : "The push on w", { weight: 700 });
    plot.axes({ xlabel: "w₁", ylabel: "w₂", grid: false });
    plot.line([[rangeX[0], 0], [rangeX[1], 0]], { color: colors.grid, width: 1.5 });
    plot.line([[0, rangeY[0]], [0, rangeY[1]]], { color: colors.grid, width: 1.5 });
    const path = data.steps.slice(0, update + 1).map((step) => step.w);
    plot.line(path, { color: colors.muted, width: 1.5, opacity: 0.6 });
    plot.line([[0, 0], state.before.w], { color: colors.muted, dash: "6 4" });
    plot.line([[0, 0], state.after.w], { color: colors.boundary, width: 3 });
    plot.arrow(state.before.w, state.after.w, { color: colors.wrong, width: 3.5, head: 11 });
    plot.point(state.after.w, { color: colors.boundary, size: 5 });
    const [x, y] = wide ? [box[0] - 2, box[1] + box[3] + 58] : [box[0] + box[2] + 22, box[1] + 34];
    const { w, b } = state.after;
    [`w₁ = ${brief(w[0])}`, `w₂ = ${brief(w[1])}`, `b = ${brief(b)}`].forEach((words, i) => picture.text(x, y + 24 * i, words));
  }

  // Every w of the record and the origin, in the same scale both ways.
  function weightWindow(data, aspect) {
    const span = [0, 1].map((axis) => {
      const all = [0, ...data.steps.map((step) => step.w[axis])];
      return [Math.min(...all), Math.max(...all)];
    });
    const [width, height] = span.map(([low, high]) => high - low);
    const tall = Math.max(height, width / aspect, 0.5) * 1.3;
    const middle = span.map(([low, high]) => (low + high) / 2);
    return [
      [middle[0] - (tall * aspect) / 2, middle[0] + (tall * aspect) / 2],
      [middle[1] - tall / 2, middle[1] + tall / 2],
    ];
  }

  // ---- playing
  function stop(view) {
    clearInterval(view.memory.timer);
    view.memory.timer = null;
    view.button("play", { label: "Play" });
  }
  function play(view) {
    const last = view.data.steps.length - 1;
    if (view.values.update >= last) view.set({ update: 0 }, { settled: false });
    view.button("play", { label: "Pause" });
    const tick = () => {
      const next = Math.min(view.values.update + 1, last);
      view.memory.mine = true; // this change comes from the player, so it goes on
      view.set({ update: next }, { settled: next === last });
      if (next === last) stop(view);
    };
    view.memory.pace = view.values.speed;
    view.memory.timer = setInterval(tick, PAUSE[view.values.speed]);
  }
  const go = (view, by) => {
    stop(view);
    view.set({ update: clamp(view.values.update + by, 0, view.data.steps.length - 1) });
  };

  return {
    compute, describe, draw, stop,
    reset: stop,
    height: (width) => (width >= 520 ? 440 : 560),
    actions: {
      back: (view) => go(view, -1),
      step: (view) => go(view, 1),
      play: (view) => {
        if (!view.memory.timer) return play(view);
        stop(view);
        return view.set({});
      },
    },
    changed(view) {
      const { memory, values } = view;
      if (memory.timer && !memory.mine) {
        // A hand on the slider stops the player; another speed only changes its pace.
        const pace = values.speed !== memory.pace;
        stop(view);
        if (pace) play(view);
      }
      memory.mine = false;
      view.button("back", { disabled: values.update === 0 });
      view.button("step", { disabled: values.update === view.data.steps.length - 1 });
    },
    goals: {
      end: (state, values, data) => values.update === data.steps.length - 1,
      worse: (state) => state.index !== null && state.wrong.length > state.wrong_before.length,
    },
  };
})();
