// Which bug made this curve? The numbers and words are those of bugs.py.
const explorer = (() => {
  const { number, clamp } = n2t;
  const NOT_YET = "none";

  // ---- one picture
  function range(values, log) {
    if (!values.length) return log ? [-1, 1] : [0, 1];
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (log) {
      [low, high] = [Math.log10(low), Math.log10(high)];
      const spare = Math.max(0.05 * (high - low), 0.1);
      return [low - spare, high + spare];
    }
    low = Math.min(0, low);
    return [low, high > low ? high + 0.06 * (high - low) : low + 1];
  }

  // The answers so far are kept beside the controls: case -> guessed bug.
  const answersOf = (view) => view.memory?.answers ?? {};
  function compute({ case: number_, log }, data, view) {
    const answers = answersOf(view);
    const one = data.cases[number_ - 1];
    const shown = [...one.lines, ...(data.reference ?? [])];
    const values = shown.flatMap((line) => line.values).filter((value) => value > 0 || !log);
    const given = Object.entries(answers);
    return {
      lines: one.lines, x: [1, Math.max(...shown.map((line) => line.count))], y: range(values, log), bug: one.bug,
      answer: answers[number_] ?? null, right: answers[number_] === one.bug, answered: given.length,
      score: given.filter(([k, bug]) => data.cases[k - 1].bug === bug).length,
    };
  }

  // ---- words
  function lossWords(loss) {
    const size = Math.abs(loss);
    if (size >= 1e5) return loss.toExponential(1);
    return number(loss, size < 1 ? 3 : size < 100 ? 2 : 0);
  }
  function course(line) {
    const name = line.label ? `${line.label}: ` : "";
    if (line.first === null) return `${name}no finite number in ${line.count} steps`;
    const way = `${name}from ${lossWords(line.first)} to ${lossWords(line.last)} in ${line.count} steps`;
    if (line.lost === null) return way;
    return line.steps.at(-1) < line.lost ? `${way}, no number from step ${line.lost} on` : `${way}, no number at step ${line.lost}`;
  }
  function describe(state, { case: number_, guess }, data) {
    const parts = [`Curve ${number_}: ${state.lines.map(course).join("; ")}.`];
    if (state.answer === null) parts.push(guess === NOT_YET ? "Which bug made it?" : `Your guess: ${data.bugs[guess]}.`);
    else {
      const name = data.bugs[state.bug];
      parts.push(state.right ? `Right: ${name}.` : `Not so. The bug: ${name}.`, data.explanations[state.bug]);
    }
    if (state.answered) parts.push(`${state.score} of ${state.answered} right so far.`);
    return parts.filter(Boolean).join(" ");
  }

  // ---- the picture
  const narrowAt = (width) => width < 480;
  function layout(width) {
    const tall = narrowAt(width) ? 220 : 268;
    return { box: [62, 84, width - 62 - 18, tall], height: 84 + tall + 52 };
  }
  // Ticks of a logarithmic axis: 1, 2, 5 in each power of ten, or only so many powers that there is room.
  function powers(low, high) {
    const fine = [];
    for (let k = Math.floor(low); k <= Math.ceil(high); k++) {
      for (const lead of [1, 2, 5]) {
        const at = k + Math.log10(lead);
        if (at >= low && at <= high) fine.push([at, Number(`${lead}e${k}`)]);
      }
    }
    if (fine.length <= 6) return fine;
    const whole = fine.filter(([at]) => Number.isInteger(at));
    const step = Math.ceil(whole.length / 6);
    return whole.filter((_, i) => i % step === 0);
  }
  const tickWords = (value) => (value >= 1e5 || value < 1e-3
    ? value.toExponential(0).replace("e+", "e").replace("-", "−") : String(value));

  function draw(picture, state, values, data) {
    const { colors } = picture;
    const { box } = layout(picture.width);
    const { log } = values;
    const plot = picture.plot(box, state.x, state.y);
    const title = state.answer === null ? "which bug?" : data.bugs[state.bug];
    const mark = state.answer === null ? "" : state.right ? "✓ " : "✗ ";
    picture.text(14, 28, `${mark}Curve ${values.case} of ${data.cases.length}: ${title}`, {
      size: 18, weight: 700, color: state.answer === null ? colors.text : state.right ? "#0b6b4b" : "#b3121f",
    });
    const scale = log ? powers(...state.y) : null;
    plot.axes({
      xlabel: "step", ylabel: log ? "loss (log)" : "loss",
      ...(scale ? { yticks: scale.map(([at]) => at), ywords: scale.map(([, value]) => tickWords(value)) } : {}),
    });
    // Which line is which, above the picture at the right.
    const known = state.lines.filter((line) => line.label).map((line) => [line.label, line.look]);
    if (data.reference) known.push([data.reference_name, colors.class4]);
    let x = box[0] + box[2];
    for (const [words, color] of known.reverse()) {
      picture.text(x, box[1] - 14, words, { size: 14, anchor: "end" });
      x -= words.length * 7.4 + 10;
      picture.add(n2t.svg("line", { x1: x - 24, x2: x, y1: box[1] - 19, y2: box[1] - 19, stroke: color, "stroke-width": 4 }));
      x -= 40;
    }
    const height_ = (value) => (log ? (value > 0 ? Math.log10(value) : NaN) : value);
    const trace = (line) => line.steps.map((step, k) => [step, height_(line.values[k])]);
    for (const line of data.reference ?? []) plot.line(trace(line), { color: colors.class4, width: 3, opacity: 0.8 });
    for (const line of state.lines) {
      plot.line(trace(line), { color: line.look, width: 2.5 });
      if (line.lost !== null && line.steps.length) {
        const place = [line.steps.at(-1), clamp(height_(line.values.at(-1)) || state.y[0], ...state.y)];
        const late = place[0] > 0.55 * state.x[1];
        plot.point(place, { color: colors.wrong, marker: "D", size: 6 });
        plot.label(place, "then no number", { dx: late ? -14 : 14, dy: 5, anchor: late ? "end" : "start", size: 14, color: "#c01626" });
      }
      if (!line.steps.length) plot.label([state.x[0], (state.y[0] + state.y[1]) / 2], "no finite loss at all", { dx: 12, color: "#c01626" });
    }
  }

  // ---- the game
  // Room for the longest sentence, so that nothing moves when an answer is shown.
  let longest = 0;
  const measure = (data) => Math.max(...data.cases.map(({ bug, lines }) => 45 +
    `Curve 1: ${lines.map(course).join("; ")}. ${data.bugs[bug]} ${data.explanations[bug]}`.length));
  const recorded = (view) => {
    const answer = answersOf(view)[view.values.case];
    return answer === undefined ? NOT_YET : String(answer);
  };
  return {
    compute, describe, draw,
    height: (width) => layout(width).height,
    lines: (width) => Math.max(3, Math.ceil((longest * 8) / width) + 1),
    setup(view) {
      view.memory.answers = {};
      longest = measure(view.data);
    },
    reset(view) { view.memory.answers = {}; },
    changed(view, { moved }) {
      const done = view.values.case in answersOf(view);
      // Another curve shows its own guess; where the answer is known, the guess stays what it was.
      if (moved === "case" || done) view.frame.adopt({ guess: recorded(view) });
      view.button("check", { disabled: done || view.values.guess === NOT_YET });
    },
    actions: {
      check(view) {
        const { case: number_, guess } = view.values;
        if (guess === NOT_YET || number_ in answersOf(view)) return;
        view.memory.answers[number_] = Number(guess);
        view.set({});
      },
      next(view) {
        const count = view.data.cases.length;
        const order = Array.from({ length: count }, (_, k) => ((view.values.case + k) % count) + 1);
        const next = order.find((k) => !(k in answersOf(view))) ?? order[0];
        const answer = answersOf(view)[next];
        view.set({ case: next, guess: answer === undefined ? NOT_YET : String(answer) });
      },
    },
    goals: {
      one: (state) => state.score >= 1,
      all: (state, values, data) => state.answered === data.cases.length,
      perfect: (state, values, data) => state.score === data.cases.length,
    },
  };
})();
