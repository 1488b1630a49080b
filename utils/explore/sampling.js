// Which token comes next? The numbers and words are those of sampling.py.
const explorer = (() => {
  const { number, short, svg } = n2t;

  // ---- the numbers
  const orderOf = (logits) => logits.map((_, i) => i).sort((a, b) => logits[b] - logits[a] || a - b);
  function distribution(logits, { temperature = 1, top_k = Infinity, top_p = 1 }, tiny) {
    const order = orderOf(logits);
    const largest = logits[order[0]];
    const weights = temperature === 0 ? [1]
      : order.slice(0, Math.min(top_k, order.length)).map((i) => Math.exp((logits[i] - largest) / temperature));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let [kept, before] = [0, 0];
    for (const weight of weights) {
      if (kept && top_p < 1 && before / total >= top_p - tiny) break;
      before += weight;
      kept += 1;
    }
    const p = logits.map(() => 0);
    for (let rank = 0; rank < kept; rank++) p[order[rank]] = weights[rank] / before;
    return { p, kept, order };
  }
  const choices = (p) => Math.exp(-p.reduce((sum, one) => sum + (one > 0 ? one * Math.log(one) : 0), 0));

  function dice(count, seed) {
    const found = [];
    let state = Math.imul(seed, 0x9e3779b1);
    for (let i = 0; i < count; i++) {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      found.push(((t ^ (t >>> 14)) >>> 0) / 2 ** 32);
    }
    return found;
  }
  function drawn(p, order, count, seed) {
    const ends = [];
    let end = 0;
    for (const i of order) {
      if (p[i] <= 0) break;
      ends.push(end += p[i]);
    }
    return dice(count, seed).map((u) => {
      let place = 0;
      while (place < ends.length - 1 && ends[place] <= u) place++;
      return order[place];
    });
  }

  // How often was drawn, and with which random numbers, is kept beside the controls.
  const drawsOf = (view) => ({ draws: view?.memory?.draws ?? 0, seed: view?.memory?.seed ?? 1 });
  function compute(values, data, view) {
    const logits = data.logits[Number(values.prompt ?? 0)];
    const { p, kept, order } = distribution(logits, values, data.tiny);
    const overAll = data.logits.map((row) => distribution(row, values, data.tiny).kept);
    const { draws, seed } = drawsOf(view);
    const taken = drawn(p, order, draws, seed);
    const counts = logits.map(() => 0);
    for (const i of taken) counts[i] += 1;
    const plain = distribution(logits, {}, data.tiny).p;
    return {
      order, plain, p, kept, choices: choices(p), fewest: Math.min(...overAll), most: Math.max(...overAll), drawn: taken, counts,
    };
  }

  // ---- words
  const percent = (value) => (value > 0 && value < 0.0005 ? "<0.1%" : `${number(100 * value, 1)}%`);
  const named = (token) => ({ "␣": "a space", "⏎": "a line end" })[token] ?? `“${token}”`;
  const s = (count) => (count > 1 ? "s" : "");
  function describe(state, values, data) {
    const { tokens } = data;
    const first = state.order[0];
    const words = [`After “${data.prompts[Number(values.prompt ?? 0)]}”, ${named(tokens[first])} is most probable, ` +
      `with ${percent(state.p[first])}.`];
    words.push(state.kept === 1 ? "No other token can be drawn: this is greedy decoding."
      : `${state.kept} of ${tokens.length} tokens can be drawn, as open as a fair choice among ${short(state.choices, 1)}.`);
    if (state.fewest < state.most) words.push(`These settings leave ${state.fewest} to ${state.most} tokens, depending on the prompt.`);
    const draws = state.drawn.length;
    if (draws) {
      const often = Math.max(...state.counts);
      const different = state.counts.filter((count) => count > 0).length;
      words.push(`${draws} draw${s(draws)}: ${different} different token${s(different)}, ` +
        `${named(tokens[state.counts.indexOf(often)])} ${often} time${s(often)}.`);
    }
    return words.join(" ");
  }

  // ---- the picture
  const ROW = 27, TOP = 92;
  const rowsOf = (data) => Math.min(data.tokens.length, data.rows) + (data.tokens.length > data.rows ? 1 : 0);
  const ended = (words, most) => (words.length <= most ? words : `…${words.slice(1 - most)}`);
  const begun = (words, most) => (words.length <= most ? words : `${words.slice(0, most - 1)}…`);

  function draw(picture, state, values, data) {
    const { colors, width } = picture;
    const narrow = width < 480;
    const shown = state.order.slice(0, data.rows);
    const others = state.order.slice(data.rows);
    const names = shown.map((i) => begun(data.tokens[i], narrow ? 8 : 12));
    const stay = Math.max(0, state.kept - data.rows);
    const of = narrow ? "/" : " of ";
    const rest = `${stay > 0 && stay < others.length ? stay + of : ""}${others.length} more`;
    // Room for its longest form, so that the axis stays where it is when a control moves.
    const longest = others.length ? `${others.length}${of}${others.length} more`.length : 0;
    const letters = Math.max(...names.map((name) => name.length), longest);
    const left = Math.max(36, 22 + letters * 9.8);
    const right = narrow ? 114 : 128;
    const nowAt = width - (narrow ? 56 : 70);
    const rows = rowsOf(data);
    const sum = (numbers, places) => places.reduce((total, i) => total + numbers[i], 0);
    const most = Math.max(...state.p, ...state.plain, sum(state.p, others), sum(state.plain, others));
    const end = data.scales.find((scale) => scale >= most - data.tiny) ?? 1;
    const box = [left, TOP, width - left - right, rows * ROW];
    const plot = picture.plot(box, [0, end * 1.03], [rows, 0]); // room for a diamond at the end
    const marks = [0, 0.5, 1].map((part) => part * end);
    plot.axes({ xlabel: "", yticks: [], xticks: marks, xwords: marks.map((mark) => `${short(100 * mark, 1)}%`) });

    const before = data.prompts[Number(values.prompt ?? 0)];
    picture.text(14, 28, `“${ended(before, Math.floor((width - 76) / 11))}” …`, { size: 18, weight: 700 });
    // Which is which.
    let x = 14;
    const legend = [["#d9d9e0", narrow ? "model" : "the model's own"], [colors.accent, narrow ? "now" : "after your settings"]];
    for (const [color, words] of legend) {
      picture.add(svg("rect", { x, y: 45, width: 16, height: 16, fill: color }));
      picture.text(x + 22, 58, words, { size: 14 });
      x += 42 + words.length * 7.3;
    }
    const draws = state.drawn.length;
    if (draws) {
      picture.add(svg("path", { d: `M${x + 8} 46l7 7l-7 7l-7 -7Z`, fill: colors.text }));
      picture.text(x + 22, 58, narrow ? "draws" : `share of ${draws} draws`, { size: 14 });
    }
    picture.text(nowAt, TOP - 8, "now", { size: 14, anchor: "end", color: colors.muted });
    if (draws) picture.text(width - 10, TOP - 8, "drawn", { size: 14, anchor: "end", color: colors.muted });

    const lines = shown.map((i, k) => [names[k], state.plain[i], state.p[i], state.counts[i], k < state.kept]);
    if (others.length) lines.push([rest, sum(state.plain, others), sum(state.p, others), sum(state.counts, others), state.kept > shown.length]);
    lines.forEach(([name, plain, now, count, stays], k) => {
      const middle = TOP + (k + 0.5) * ROW;
      const wide = (value) => Math.max(0, plot.px(Math.min(value, end)) - left);
      plot.draw("rect", { x: left, y: middle - 11, width: wide(plain), height: 22, fill: "#d9d9e0" });
      plot.draw("rect", { x: left, y: middle - 6, width: wide(now), height: 12, fill: colors.accent });
      if (count) plot.point([Math.min(count / draws, end), k + 0.5], { color: colors.text, marker: "D", size: 6 });
      const ink = stays ? colors.text : "#6b6b74";
      picture.text(left - 8, middle + 5, name, { size: 15, anchor: "end", color: ink, weight: stays ? 600 : 400 });
      picture.text(nowAt, middle + 5, stays ? percent(now) : "cut", { size: 14, anchor: "end", color: ink });
      if (draws && stays) picture.text(width - 10, middle + 5, `${count}×`, { size: 14, anchor: "end" });
    });
    if (draws) {
      // The last ones, as many whole tokens as there is room for.
      let row = "";
      for (const i of state.drawn.slice().reverse()) {
        if (row.length + data.tokens[i].length + 1 > (width - 110) / 8.8) { row = ` …${row}`; break; }
        row = ` ${data.tokens[i]}${row}`;
      }
      picture.text(14, TOP + rows * ROW + 62, `Drawn:${row}`, { size: 15 });
    } else {
      picture.text(14, TOP + rows * ROW + 62, "Nothing drawn yet.", { size: 15, color: "#6b6b74" });
    }
  }

  // ---- the draws
  function more(view, count) {
    view.memory.draws = Math.min(view.data.most_draws, view.memory.draws + count);
    view.set({});
  }
  const uncut = ({ top_k, top_p }, data) => top_k === data.tokens.length && top_p === 1;
  return {
    compute, describe, draw, distribution, dice,
    height: (width, values, data) => TOP + rowsOf(data) * ROW + 82,
    lines: (width) => (width < 480 ? 9 : 5),
    setup(view) { Object.assign(view.memory, { draws: 0, seed: 1 }); },
    reset(view) { Object.assign(view.memory, { draws: 0, seed: 1 }); },
    changed(view) {
      const { draws } = view.memory;
      for (const name of ["one", "many"]) view.button(name, { disabled: draws >= view.data.most_draws });
      view.button("clear", { disabled: draws === 0 });
    },
    actions: {
      one: (view) => more(view, 1),
      many: (view) => more(view, 100),
      clear(view) {
        if (!view.memory.draws) return;
        Object.assign(view.memory, { draws: 0, seed: view.memory.seed + 1 });
        view.set({});
      },
    },
    goals: {
      single: ({ kept }, { temperature, top_k, top_p }, { tokens }) =>
        temperature === 1 && kept === 1 && (top_k === tokens.length || top_p === 1),
      open: ({ p, plain }, values, data) => uncut(values, data) && choices(p) >= 2 * choices(plain),
      adapts: ({ fewest, most }, { temperature, top_k }, { tokens }) =>
        temperature === 1 && top_k === tokens.length && fewest <= 2 && most >= 6,
      tail: ({ drawn: taken, counts, plain }, { temperature }, { rare }) => temperature >= 1.5 && taken.length >= 200 &&
        counts.filter((count) => count > 0).length >= 5 && counts.every((count, i) => count === 0 || plain[i] >= rare),
    },
  };
})();
