// The neuron and its line. The numbers are those of neuron.py.
const explorer = (() => {
  const { svg, number, snap, clamp } = n2t;
  const GOOD = "#12805c";

  function compute(values, data) {
    const { w1, w2, b } = values;
    const { X, y } = data.points[values.points];
    const z = X.map(([x1, x2]) => w1 * x1 + w2 * x2 + b);
    const says = z.map((value) => (value > -1e-9 ? 1 : 0));
    const wrong = says.flatMap((said, i) => (said === y[i] ? [] : [i]));
    const norm = Math.hypot(w1, w2);
    const state = {
      z, says, wrong, right: z.length - wrong.length, total: z.length, norm, distance: null, foot: null, in_view: false,
    };
    if (norm > 0) {
      state.distance = Math.abs(b) / norm;
      state.foot = standAt(data.points[values.points], w1 / norm, w2 / norm, b / norm);
      state.in_view = state.foot !== null;
    }
    return state;
  }

  // The point of the line u·x + c = 0 nearest to the free place of the picture; null where it is not in view.
  function standAt({ free: [x, y], low, high }, u1, u2, c) {
    const away = u1 * x + u2 * y + c;
    const [px, py] = [x - away * u1, y - away * u2];
    let [first, last] = [-Infinity, Infinity];
    for (const [start, along] of [[px, -u2], [py, u1]]) {
      if (Math.abs(along) < 1e-12) {
        if (!(low < start && start < high)) return null;
        continue;
      }
      const ends = [(low - start) / along, (high - start) / along].sort((one, other) => one - other);
      first = Math.max(first, ends[0]);
      last = Math.min(last, ends[1]);
    }
    if (last - first < 1e-6 * (high - low)) return null; // it only touches a corner
    const inset = 0.1 * (last - first);
    const t = Math.min(Math.max(0, first + inset), last - inset);
    return [px - t * u2, py + t * u1];
  }

  const signed = (value) => `${value < 0 ? "−" : "+"} ${number(Math.abs(value), 1)}`;
  const formula = ({ w1, w2, b }) => `z = ${number(w1, 1)}·x₁ ${signed(w2)}·x₂ ${signed(b)}`;

  function describe(state, values, data) {
    const { w1, w2, b, points } = values;
    const score = `${points}: ${state.right} of ${state.total} points right`;
    if (state.norm === 0) {
      return `${score}. With w = 0 there is no line: z = b everywhere, and the neuron says ${b >= 0 ? 1 : 0} to all.`;
    }
    if (!state.in_view) {
      const { low, high } = data.points[points];
      const middle = (low + high) / 2;
      const side = w1 * middle + w2 * middle + b >= 0 ? 1 : 0;
      return `${score}. The line is outside the picture, so every point is called ${side}.`;
    }
    const ringed = ["", ", the wrong one ringed"][state.wrong.length] ?? `, the ${state.wrong.length} wrong ones ringed`;
    return `${score}${ringed}. The line is ${number(state.distance)} away from the origin; ` +
      `w = (${number(w1, 1)}, ${number(w2, 1)}) is normal to it and points to the side called 1.`;
  }

  // One unit of w is a tenth of the picture.
  const arrowScale = ({ low, high }) => 0.1 * (high - low);

  function draw(picture, state, values, data, view) {
    const { w1, w2, b } = values;
    const set = data.points[values.points];
    const { colors, markers } = picture;
    const narrow = picture.width < 480;
    const box = [48, 54, picture.width - 64, picture.height - 104];
    // The same scale in both directions, so that w looks as upright as it is.
    const middle = (set.low + set.high) / 2;
    const half = ((set.high - set.low) / 2) * (box[2] / box[3]);
    const plot = picture.plot(box, [middle - half, middle + half], [set.low, set.high]);
    view.plot = plot;
    plot.axes({ xlabel: "x₁", ylabel: "x₂", grid: false });
    picture.text(narrow ? 12 : 48, 26, formula(values), { weight: 600, size: narrow ? 15 : 17 });
    const all = state.wrong.length === 0;
    picture.text(picture.width - 16, 26, `${all ? "✓ " : ""}${state.right} of ${state.total}${narrow ? "" : " right"}`, {
      anchor: "end", weight: 700, size: 17, color: all ? GOOD : colors.text,
    });

    if (state.norm === 0) {
      const says = b >= 0 ? 1 : 0;
      plot.draw("rect", {
        x: box[0], y: box[1], width: box[2], height: box[3], fill: colors[`class${says}`], opacity: 0.17,
      });
      drawPoints(plot, set, state, colors, markers, narrow);
      picture.text(box[0] + box[2] / 2, box[1] + 28, "w = 0: no line.", { anchor: "middle", weight: 700 });
      picture.text(box[0] + box[2] / 2, box[1] + 50, `The neuron says ${says} everywhere.`, { anchor: "middle" });
      return;
    }

    const [ux, uy] = [w1 / state.norm, w2 / state.norm];
    const [fx, fy] = state.foot ?? [(-b / state.norm) * ux, (-b / state.norm) * uy];
    const far = 4 * (set.high - set.low) + Math.hypot(fx, fy);
    const ends = [[fx - far * uy, fy + far * ux], [fx + far * uy, fy - far * ux]];
    for (const [side, kind] of [[2 * far, "class1"], [-2 * far, "class0"]]) {
      const outer = ends.map(([x, y]) => [x + side * ux, y + side * uy]).reverse();
      plot.area([...ends, ...outer], { color: colors[kind], opacity: 0.17 });
    }
    sideWords(picture, plot, values);
    distanceMark(plot, state, values, colors);
    plot.line(ends, { color: colors.boundary, width: 3 });

    if (state.in_view) {
      const scale = arrowScale(set);
      const tip = [fx + scale * w1, fy + scale * w2];
      drawPoints(plot, set, state, colors, markers, narrow, [state.foot, tip]);
      plot.front().arrow(state.foot, tip, { color: colors.accent, width: 4 });
      plot.draw("circle", { cx: plot.px(tip[0]), cy: plot.py(tip[1]), r: 5, fill: "#fff", stroke: colors.accent, "stroke-width": 2.5 });
      plot.label(tip, "w", { ...besideTip(ux, uy), color: colors.accent, weight: 700 });
    } else {
      drawPoints(plot, set, state, colors, markers, narrow);
    }
  }

  // Where "w" stands, seen from the tip of an arrow in the direction (ux, uy).
  const besideTip = (ux, uy) => ({ dx: 12 * ux - 5, dy: -14 * uy + 5 + (uy < 0 ? 6 : 0) });

  // Where the words "z = …" may stand, best first: below their point, above it, on either side.
  const PLACES = [
    { dx: 0, dy: 35, anchor: "middle" }, { dx: 0, dy: -24, anchor: "middle" },
    { dx: 25, dy: 5, anchor: "start" }, { dx: -25, dy: 5, anchor: "end" },
  ];

  // The first place at which the arrow and its "w" leave the words free; if there is none, the one they cover least.
  function placeOf(plot, x, words, arrow) {
    if (!arrow) return PLACES[0];
    const [[ax, ay], [bx, by]] = arrow.map(([u, v]) => [plot.px(u), plot.py(v)]);
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const { dx: wx, dy: wy } = besideTip((bx - ax) / length, (ay - by) / length);
    const taken = Array.from({ length: 41 }, (_, i) => [ax + ((bx - ax) * i) / 40, ay + ((by - ay) * i) / 40]);
    taken.push([bx + wx + 6, by + wy - 5]);
    const wide = words.length * 8.4;
    const covered = ({ dx, dy, anchor }) => {
      const left = plot.px(x[0]) + dx - { start: 0, middle: wide / 2, end: wide }[anchor];
      const base = plot.py(x[1]) + dy;
      return taken.filter(([px, py]) => px > left - 9 && px < left + wide + 9 && py > base - 22 && py < base + 13).length;
    };
    const counts = PLACES.map(covered);
    return PLACES[counts.indexOf(Math.min(...counts))];
  }

  function drawPoints(plot, set, state, colors, markers, narrow, arrow = null) {
    const few = set.X.length <= 6;
    set.X.forEach((x, i) => {
      plot.point(x, { color: colors[`class${set.y[i]}`], marker: markers[set.y[i]], size: few ? 11 : 7.5 });
      if (few) {
        const words = narrow ? `${number(state.z[i], 1)}` : `z = ${number(state.z[i], 1)}`;
        plot.label(x, words, { ...placeOf(plot, x, words, arrow), size: 15 });
      }
    });
    for (const i of state.wrong) plot.ring(set.X[i], { color: colors.wrong, size: few ? 18 : 12.5, width: 3 });
  }

  // "says 1" and "says 0" in the corners that lie deepest in each half.
  function sideWords(picture, plot, { w1, w2, b }) {
    const corners = [[0.03, 0.95, "start"], [0.97, 0.95, "end"], [0.03, 0.03, "start"], [0.97, 0.03, "end"]];
    const depth = corners.map(([fx, fy, anchor]) => {
      const x = plot.x0 + fx * (plot.x1 - plot.x0);
      const y = plot.y0 + fy * (plot.y1 - plot.y0);
      return { x, y, anchor, z: w1 * x + w2 * y + b };
    }).sort((one, other) => one.z - other.z);
    const [lowest, highest] = [depth[0], depth[3]];
    const colors = picture.colors;
    if (lowest.z < 0) plot.label([lowest.x, lowest.y], "says 0", { anchor: lowest.anchor, weight: 700, color: colors.muted });
    if (highest.z > 0) plot.label([highest.x, highest.y], "says 1", { anchor: highest.anchor, weight: 700, color: colors.muted });
  }

  // The shortest way from the origin to the line.
  function distanceMark(plot, state, { w1, w2, b }, colors) {
    const t = -b / state.norm ** 2;
    const foot = [t * w1, t * w2];
    if (state.distance * (plot.width / (plot.x1 - plot.x0)) < 12) return;
    plot.line([[0, 0], foot], { color: colors.text, dash: "2 5", width: 2.5 });
    if (state.distance * (plot.width / (plot.x1 - plot.x0)) < 70) return;
    // On the side of the dotted way that looks away from the arrow.
    plot.label([foot[0] / 2, foot[1] / 2], number(state.distance), { dx: 8, dy: foot[1] > 0 ? 18 : -8, size: 14 });
  }

  const control = (view, name) => view.declaration.controls.find((one) => one.name === name);
  const drag = {
    down([px, py], view, finger) {
      const { state, plot, values, data } = view;
      if (!plot || !state?.in_view) return null;
      const scale = arrowScale(data.points[values.points]);
      const [fx, fy] = state.foot;
      const tip = [plot.px(fx + scale * values.w1), plot.py(fy + scale * values.w2)];
      if (Math.hypot(px - tip[0], py - tip[1]) < (finger ? 30 : 14)) return { what: "tip", pivot: state.foot, scale };
      const [x, y] = plot.data(px, py);
      const away = Math.abs(values.w1 * x + values.w2 * y + values.b) / state.norm;
      const inside = x >= plot.x0 && x <= plot.x1 && y >= plot.y0 && y <= plot.y1;
      return inside && away * (plot.width / (plot.x1 - plot.x0)) < (finger ? 26 : 12) ? { what: "line" } : null;
    },
    move(grip, [px, py], view) {
      const [x, y] = view.plot.data(px, py);
      const { values } = view;
      if (grip.what === "line") {
        const b = snap(-(values.w1 * x + values.w2 * y), control(view, "b"));
        view.set({ b }, { settled: false });
        return;
      }
      const [cx, cy] = grip.pivot;
      const w1 = snap((x - cx) / grip.scale, control(view, "w1"));
      const w2 = snap((y - cy) / grip.scale, control(view, "w2"));
      // The line turns about the point where it was taken.
      const b = snap(-(w1 * cx + w2 * cy), control(view, "b"));
      view.set({ w1, w2, b }, { settled: false });
    },
  };

  return {
    compute, describe, draw, drag, formula,
    height: (width) => clamp(width * 0.98, 330, 470),
    actions: {
      flip(view) {
        const { w1, w2, b } = view.values;
        view.set({ w1: -w1 + 0, w2: -w2 + 0, b: -b + 0 });
      },
    },
    goals: {
      and: (state, values) => values.points === "AND" && state.right === 4,
      blobs: (state, values) => values.points === "blobs" && state.right === state.total,
      xor: (state, values) => values.points === "XOR" && state.right === 3,
    },
  };
})();
