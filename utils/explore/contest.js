// A GAN in one dimension, frame by frame. What is measured in a frame was measured by contest.py.
const explorer = (() => {
  const { number, clamp } = n2t;
  const PAUSE = { slow: 700, normal: 250, fast: 70 }; // milliseconds for one frame
  const percent = (share) => `${number(100 * share, 0)}%`;

  const compute = ({ frame }, data) => data.frames[frame];

  function describe(state, { best }) {
    const parts = [`Step ${state.step}: the densities overlap by ${percent(state.overlap)}.`];
    parts.push(state.fake === null ? "No made value lies in the picture."
      : `On average the discriminator gives real values ${number(state.real)} and made ones ${number(state.fake)}.`);
    if (state.loss_d !== null && state.loss_g !== null) {
      parts.push(`Losses: discriminator ${number(state.loss_d)}, generator ${number(state.loss_g)}.`);
    }
    if (best) parts.push(`On average it is ${number(state.off)} away from the best discriminator.`);
    return parts.join(" ");
  }

  // ---- the picture: densities, the discriminator below them on the same x, the losses below both
  const LEFT = 58;
  function layout(width) {
    const wide = width - LEFT - 20;
    return { density: [LEFT, 64, wide, 168], judge: [LEFT, 284, wide, 96], losses: [LEFT, 446, wide, 84] };
  }
  // Which line is which, above a plot at its right end.
  function key(picture, [left, top, width], names) {
    let x = left + width;
    for (const [words, color, dash] of [...names].reverse()) {
      picture.text(x, top - 11, words, { size: 14, anchor: "end" });
      x -= words.length * 7.4 + 14;
      picture.add(n2t.svg("line", {
        x1: x - 22, x2: x, y1: top - 16, y2: top - 16, stroke: color, "stroke-width": 4, "stroke-dasharray": dash,
      }));
      x -= 36;
    }
  }

  function draw(picture, state, { frame, push, best }, data) {
    const { colors } = picture;
    const { density, judge, losses } = layout(picture.width);
    const x = data.grid;
    const along = [x[0], x.at(-1)];
    picture.text(14, 26, `Step ${state.step}`, { size: 18, weight: 700 });
    picture.text(density[0] + density[2], 26, `overlap ${percent(state.overlap)}`, { size: 17, weight: 700, anchor: "end" });

    const above = picture.plot(density, along, [0, data.top]);
    above.axes({ ylabel: "density" });
    key(picture, density, [["data", colors.class0], ["made", colors.class1]]);
    for (const [heights, color] of [[data.p_data, colors.class0], [state.p_model, colors.class1]]) {
      const points = x.map((place, k) => [place, heights[k]]);
      above.area([[along[0], 0], ...points, [along[1], 0]], { color, opacity: 0.22 });
      above.line(points, { color });
    }
    const peak = Math.max(...state.p_model);
    if (peak > data.top) {
      above.label([x[state.p_model.indexOf(peak)], data.top], `up to ${number(peak, 1)}`, { dx: 10, dy: 18, size: 14 });
    }
    if (push) arrows(above.front(), state, data, colors);

    const below = picture.plot(judge, along, [-0.04, 1.04]);
    below.axes({ xlabel: "x", ylabel: "D(x)", yticks: [0, 0.5, 1], ywords: ["0", "½", "1"] });
    key(picture, judge, [["the discriminator", colors.accent], ...(best ? [["the best", colors.muted, "6 4"]] : [])]);
    below.line([[along[0], 0.5], [along[1], 0.5]], { color: colors.muted, width: 1.2, dash: "2 4" });
    if (best) below.line(x.map((place, k) => [place, state.best[k]]), { color: colors.muted, dash: "7 5" });
    below.line(x.map((place, k) => [place, state.discriminator[k]]), { color: colors.accent, width: 3 });

    drawLosses(picture, losses, state, data, frame);
  }

  // From nine made values an arrow each, uphill on log D; its length is the slope, for one spread of the data.
  function arrows(plot, state, data, colors) {
    const base = data.top * 0.09;
    const pixel = (plot.x1 - plot.x0) / plot.width;
    state.samples.forEach((place, k) => {
      const length = clamp(26 * state.push[k] * data.spread, -46, 46);
      if (Math.abs(length) > 9) plot.arrow([place, base], [place + length * pixel, base], { color: colors.gradient, width: 2.5, head: 8 });
      plot.point([place, base], { color: colors.class1, size: 4, edge: colors.text, edgeWidth: 1 });
    });
  }

  const steps = (data) => [data.frames[0].step, data.frames.at(-1).step];
  function drawLosses(picture, box, state, data, frame) {
    const { colors } = picture;
    const known = data.frames.flatMap(({ loss_d, loss_g }) => [loss_d, loss_g]).filter((loss) => loss !== null);
    const top = Math.max(1, ...known) * 1.08;
    const plot = picture.plot(box, steps(data), [Math.min(0, ...known), top]);
    plot.axes({ xlabel: "step", ylabel: "loss" });
    key(picture, box, [["discriminator", colors.accent], ["generator", colors.class1]]);
    for (const [name, color] of [["loss_d", colors.accent], ["loss_g", colors.class1]]) {
      const points = data.frames.filter((one) => one[name] !== null).map((one) => [one.step, one[name]]);
      plot.line(points, { color, width: 2 });
    }
    plot.line([[state.step, plot.y0], [state.step, plot.y1]], { color: colors.text, width: 1.5 });
    for (const [name, color] of [["loss_d", colors.accent], ["loss_g", colors.class1]]) {
      if (state[name] !== null) plot.point([state.step, state[name]], { color, size: 5.5 });
    }
  }

  // ---- playing
  function stop(view) {
    clearInterval(view.memory.timer);
    view.memory.timer = null;
    view.button("play", { label: "Play" });
  }
  function play(view) {
    const last = view.data.frames.length - 1;
    if (view.values.frame >= last) view.set({ frame: 0 }, { settled: false });
    view.button("play", { label: "Pause" });
    const tick = () => {
      const next = Math.min(view.values.frame + 1, last);
      view.memory.mine = true; // this change comes from the player, so it goes on
      view.set({ frame: next }, { settled: next === last });
      if (next === last) stop(view);
    };
    view.memory.pace = view.values.speed;
    view.memory.timer = setInterval(tick, PAUSE[view.values.speed]);
  }
  const go = (view, by) => {
    stop(view);
    view.set({ frame: clamp(view.values.frame + by, 0, view.data.frames.length - 1) });
  };

  // ---- a step chosen in the picture of the losses
  function nearest(px, view) {
    const { losses } = layout(view.picture.width);
    const [first, last] = steps(view.data);
    const step = first + ((px - losses[0]) / losses[2]) * (last - first);
    const away = view.data.frames.map((one) => Math.abs(one.step - step));
    return away.indexOf(Math.min(...away));
  }

  const drag = {
    scroll: "pan-y",
    down([px, py], view, finger) {
      const [left, top, width, height] = layout(view.picture.width).losses;
      const near = finger ? 24 : 8;
      return px > left - near && px < left + width + near && py > top && py < top + height + near ? {} : null;
    },
    move(_, [px], view) {
      stop(view);
      view.set({ frame: nearest(px, view) }, { settled: false });
    },
  };
  // A click without a move is enough.
  function clicked(event, view) {
    const box = view.picture.node.getBoundingClientRect();
    const scale = view.picture.width / box.width;
    const at = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    if (event.button !== 0 || !drag.down(at, view)) return;
    stop(view);
    view.set({ frame: nearest(at[0], view) });
  }

  return {
    compute, describe, draw, drag, stop,
    reset: stop,
    height: () => 580,
    lines: (width) => Math.ceil(250 / (width / 8)) + 1,
    actions: {
      back: (view) => go(view, -1),
      step: (view) => go(view, 1),
      play: (view) => {
        if (!view.memory.timer) return play(view);
        stop(view);
        return view.set({});
      },
    },
    setup(view) { view.picture.node.addEventListener("pointerup", (event) => clicked(event, view)); },
    changed(view, { moved }) {
      const { memory, values } = view;
      if (memory.timer && !memory.mine && (moved === "frame" || moved === "speed" || moved === undefined)) {
        // A hand on the slider stops the player; another speed only changes its pace.
        const pace = values.speed !== memory.pace;
        stop(view);
        if (pace) play(view);
      }
      memory.mine = false;
      view.button("back", { disabled: values.frame === 0 });
      view.button("step", { disabled: values.frame === view.data.frames.length - 1 });
    },
    goals: {
      end: (state, { frame }, data) => frame === data.frames.length - 1,
      follows: (state, { best }, data) => best && state.off < data.near,
      overlap: (state, values, data) => state.overlap >= data.marks.overlap,
      cheap: (state, { frame }, data) => frame > 0 && state.loss_g !== null && state.overlap < data.marks.poor && state.loss_g < data.marks.loss,
    },
  };
})();
