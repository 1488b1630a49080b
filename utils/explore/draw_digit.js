// The pad: strokes by mouse, finger or pen, their raster to the kernel, the network's ten bars back.
//
// Strokes are kept where they were drawn, in parts of the pad's side, beside one offset in MNIST pixels. The raster
// sent is that of the strokes at rest, and the kernel moves the 28 × 28 picture: so it knows both answers.

const explorer = {
  render({ model, el }) {
    const { html } = n2t;
    const declaration = model.get("declaration");
    const { drawings, shapes, raster: RASTER, pen: PEN, side: SIDE } = model.get("data");
    const kept = model.get("drawn") || {};
    let strokes = kept.strokes || []; // [[[x, y], …], …]
    let offset = kept.offset || [0, 0]; // MNIST pixels
    let open = null; // the stroke under the pointer
    let playing = 0; // animation frame of a drawing being drawn for the learner
    let whole = null; // all its strokes

    const frame = n2t.frame(el, declaration, { change, press, reset: () => begin([]) });
    const ways = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
    for (const way of Object.keys(ways)) {
      frame.root.querySelector(`button[name=${way}]`).setAttribute("aria-label", `Move the drawing ${way} one pixel`);
    }

    // ---------------------------------------------------------------- what is seen
    const pad = html("canvas", {
      class: "dd-pad", tabindex: 0, role: "application", ...n2t.KEYS, "aria-roledescription": "drawing pad",
      "aria-label": "Drawing pad. Draw with mouse or finger. Arrow keys move the drawing by one pixel, Delete clears it, Control Z takes back a stroke.",
    });
    const invitation = html("div", { class: "dd-invitation", "aria-hidden": "true" }, "Draw a digit here");
    const seen = html("canvas", { class: "dd-seen", width: SIDE, height: SIDE, role: "img" });
    const verdict = html("div", { class: "dd-verdict" });
    const sure = html("div", { class: "dd-sure" });
    const note = html("div", { class: "dd-note" });
    const columns = Array.from({ length: 10 }, (_, digit) => {
      const words = html("span", { class: "dd-percent" });
      const bar = html("div", { class: "dd-bar" });
      const room = html("div", { class: "dd-room" }, bar, words);
      return { words, bar, node: html("div", { class: "dd-column" }, room, html("span", { class: "dd-digit" }, digit)) };
    });
    const bars = html("div", { class: "dd-bars", role: "img" }, columns.map((column) => column.node));
    frame.stage.classList.add("dd-desk");
    frame.stage.append(
      html("div", { class: "dd-sheet" }, pad, invitation),
      html("div", { class: "dd-answer" },
        html("div", { class: "dd-top" },
          html("figure", {}, seen, html("figcaption", {}, "what the network sees")),
          html("div", { class: "dd-says", "aria-hidden": "true" }, verdict, sure, note)),
        bars));

    // ---------------------------------------------------------------- drawing
    function trace(context, side, [dx, dy]) {
      context.lineWidth = PEN * side;
      context.lineCap = context.lineJoin = "round";
      const at = ([x, y]) => [x * side + dx, y * side + dy];
      for (const stroke of strokes) {
        context.beginPath();
        context.moveTo(...at(stroke[0]));
        for (const point of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(...at(point));
        context.stroke();
      }
    }
    function drawPad() {
      const side = pad.clientWidth || 284;
      const ratio = window.devicePixelRatio || 1;
      const pixels = Math.round(side * ratio);
      if (pad.width !== pixels) pad.width = pad.height = pixels;
      const context = pad.getContext("2d");
      context.clearRect(0, 0, pixels, pixels);
      // Uncentred, each square of the grid is one input of the network; centred, the grid would mean nothing.
      if (!frame.values.centre) {
        context.strokeStyle = "#e9e9ee";
        context.lineWidth = 1;
        context.beginPath();
        for (let i = 1; i < SIDE; i++) {
          const at = Math.round((i * pixels) / SIDE) + 0.5;
          context.moveTo(at, 0); context.lineTo(at, pixels);
          context.moveTo(0, at); context.lineTo(pixels, at);
        }
        context.stroke();
      }
      context.strokeStyle = declaration.colors.text;
      trace(context, pixels, offset.map((step) => (step * pixels) / SIDE));
      invitation.hidden = strokes.length > 0;
      frame.button("undo", { disabled: !strokes.length });
      frame.button("clear", { disabled: !strokes.length });
      for (const way of Object.keys(ways)) frame.button(way, { disabled: !strokes.length });
    }
    const small = html("canvas", { width: RASTER, height: RASTER });
    const ink = small.getContext("2d", { willReadFrequently: true });
    function raster() {
      ink.clearRect(0, 0, RASTER, RASTER);
      trace(ink, RASTER, [0, 0]);
      const rgba = ink.getImageData(0, 0, RASTER, RASTER).data;
      const alpha = new Uint8Array(RASTER * RASTER);
      for (let i = 0; i < alpha.length; i++) alpha[i] = rgba[4 * i + 3];
      return alpha;
    }

    // ---------------------------------------------------------------- asking
    const line = kernel.link(model, frame, {
      question: () => ({ values: { ...frame.values }, dx: offset[0], dy: offset[1], buffers: [raster().buffer] }),
      answer(content, buffers) {
        kernel.hearGoals(model, frame, content);
        show(content, buffers[0]);
      },
    });
    function show({ probabilities, answer }, picture) {
      const context = seen.getContext("2d");
      const image = context.createImageData(SIDE, SIDE);
      for (let i = 0; i < SIDE * SIDE; i++) {
        image.data.fill(255 - picture.getUint8(i), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
      columns.forEach(({ bar, words, node }, digit) => {
        const p = probabilities ? probabilities[digit] : 0;
        bar.style.height = `${100 * p}%`;
        words.style.bottom = `${100 * p}%`;
        words.textContent = p >= 0.01 ? percent(p) : "";
        node.classList.toggle("dd-top-one", digit === answer);
      });
      verdict.textContent = answer ?? "?";
      note.textContent = answer !== null && frame.values.nodigit ? "but no digit" : "";
      sure.textContent = answer === null ? "nothing drawn" : `${percent(probabilities[answer])} sure`;
      seen.setAttribute("aria-label", answer === null ? "An empty picture" : "The drawing as 28 by 28 grey pixels");
      bars.setAttribute("aria-label", probabilities
        ? `Ten bars: ${probabilities.map((p, digit) => `${digit}: ${percent(p)}`).join(", ")}` : "Ten empty bars");
    }
    const percent = (p) => (p > 0.99 ? ">99%" : p < 0.01 ? "<1%" : `${Math.round(100 * p)}%`);

    function changed({ settled }) {
      drawPad();
      line.ask(settled);
      // For another view of this explorer, or this one after the cell was moved.
      if (settled) model.set("drawn", { strokes, offset });
    }

    // ---------------------------------------------------------------- changing the drawing
    function begin(fresh) {
      stop();
      whole = null;
      strokes = fresh;
      offset = [0, 0];
    }
    function stop() { cancelAnimationFrame(playing); playing = 0; open = null; }
    function bake() {
      // What is drawn next belongs to the drawing as it lies now.
      if (!offset[0] && !offset[1]) return;
      strokes = strokes.map((stroke) => stroke.map(([x, y]) => [x + offset[0] / SIDE, y + offset[1] / SIDE]));
      offset = [0, 0];
    }
    function handmade() { if (frame.values.sample) frame.adopt({ sample: "", nodigit: false }); }
    function shift([dx, dy]) {
      if (!strokes.length) return;
      finish();
      // The middle of the drawing stays on the pad, so that it can always be brought back.
      const limit = SIDE / 2;
      offset = [n2t.clamp(offset[0] + dx, -limit, limit), n2t.clamp(offset[1] + dy, -limit, limit)];
      changed({ settled: true });
    }
    function clear() { begin([]); handmade(); changed({ settled: true }); }
    function undo() {
      finish();
      bake();
      strokes = strokes.slice(0, -1);
      if (!strokes.length) begin([]);
      handmade();
      changed({ settled: true });
    }

    // A drawing is drawn as a hand would, in three quarters of a second, and the bars follow.
    function play(name) {
      begin([]);
      whole = drawings[name];
      const count = whole.reduce((sum, stroke) => sum + stroke.length, 0);
      if (n2t.calm()) { finish(); return; }
      const start = performance.now();
      const step = (now) => {
        let left = Math.ceil(Math.min(1, Math.max(0, now - start) / 750) * count);
        if (left >= count) { finish(); changed({ settled: true }); return; }
        strokes = [];
        for (const stroke of whole) {
          if (left > 0) strokes.push(stroke.slice(0, left));
          left -= stroke.length;
        }
        changed({ settled: false });
        playing = requestAnimationFrame(step);
      };
      playing = requestAnimationFrame(step);
    }
    function finish() {
      if (whole) strokes = whole;
      whole = null;
      stop();
    }

    let sample = frame.values.sample;
    function change(values, { settled }) {
      if (values.sample !== sample) {
        sample = values.sample;
        frame.adopt({ nodigit: shapes.includes(sample) });
        if (sample) play(sample); else begin([]);
      }
      if (!playing) changed({ settled }); else drawPad();
    }
    function press(name) {
      if (name === "clear") clear();
      else if (name === "undo") undo();
      else shift(ways[name]);
    }

    // ---------------------------------------------------------------- mouse, finger, pen, keys
    const where = (event) => {
      const box = pad.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
        .map((part) => Math.round(part * 1e4) / 1e4);
    };
    pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      event.preventDefault();
      pad.setPointerCapture(event.pointerId);
      finish();
      bake();
      handmade();
      sample = "";
      open = [where(event)];
      strokes = [...strokes, open];
      changed({ settled: false });
    });
    pad.addEventListener("pointermove", (event) => {
      if (!open) return;
      // Between two frames a hand passes several points.
      const points = event.getCoalescedEvents?.() || [];
      for (const each of points.length ? points : [event]) open.push(where(each));
      changed({ settled: false });
    });
    const lift = () => {
      if (!open) return;
      open = null;
      changed({ settled: true });
    };
    pad.addEventListener("pointerup", lift);
    pad.addEventListener("pointercancel", lift);
    pad.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
      if (way) shift(ways[way]);
      else if (event.key === "Delete" || event.key === "Backspace") clear();
      else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

    // ---------------------------------------------------------------- begin
    for (const id of model.get("reached") || []) frame.reach(id);
    const values = model.get("values") || {};
    frame.adopt(Object.fromEntries(Object.entries(values).filter(([name]) => name in frame.values)));
    sample = frame.values.sample;
    // Until the kernel is free to answer, an empty pad needs no answer.
    show({ probabilities: null, answer: null }, new DataView(new ArrayBuffer(SIDE * SIDE)));
    frame.say(model.get("data").invitation);
    drawPad();
    frame.alive();
    if (strokes.length) line.ask(false);
    const watch = new ResizeObserver(drawPad);
    watch.observe(pad);
    return () => { stop(); watch.disconnect(); line.stop(); frame.destroy(); };
  },
};
