// A walk through latent space: a square of pictures to walk on, the picture at the marked place beside it.
//
// The kernel makes every picture. The number of the plane says which four corners there are; new ones are the next.

const explorer = {
  render({ model, el }) {
    const { html } = n2t;
    const declaration = model.get("declaration");
    const { side, cells, reads } = model.get("data");
    let plane = model.get("plane") || 0;

    const frame = n2t.frame(el, declaration, {
      change: (values, { settled }) => moved(settled),
      press: () => { go(plane + 1); moved(true); },
      reset: () => go(0),
    });

    // ---------------------------------------------------------------- what is seen
    const map = html("canvas", {
      class: "lt-map", width: cells * side, height: cells * side, tabindex: 0, role: "application", ...n2t.KEYS,
      "aria-roledescription": "map of pictures",
      "aria-label": `${cells} by ${cells} pictures between four random codes. Arrow keys walk.`,
    });
    const mark = html("div", { class: "lt-mark", "aria-hidden": "true" });
    const picture = html("canvas", { class: "lt-picture", width: side, height: side, role: "img" });
    const says = html("div", { class: "lt-reads", "aria-hidden": "true" });
    const columns = Array.from({ length: reads ? 10 : 0 }, (_, digit) => {
      const bar = html("div", { class: "lt-bar" });
      return { bar, node: html("div", { class: "lt-column" }, html("div", { class: "lt-room" }, bar),
        html("span", { class: "lt-digit" }, digit)) };
    });
    const bars = html("div", { class: "lt-bars", role: "img" }, columns.map((column) => column.node));
    frame.stage.classList.add("lt-desk");
    frame.stage.append(html("div", { class: "lt-square" }, map, mark),
      html("div", { class: "lt-one" }, picture, reads ? [says, bars] : []));
    frame.lines(4);

    const percent = (p) => (p > 0.99 ? ">99%" : `${Math.round(100 * p)}%`);
    function paint(canvas, pixels) {
      const context = canvas.getContext("2d");
      const image = context.createImageData(canvas.width, canvas.height);
      for (let i = 0; i < canvas.width * canvas.height; i++) {
        image.data.fill(255 - pixels.getUint8(i), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    }
    function show({ say, probabilities }, [one, all]) {
      paint(picture, one);
      paint(map, all);
      picture.setAttribute("aria-label", say);
      frame.alive();
      if (!probabilities) return;
      const answer = probabilities.indexOf(Math.max(...probabilities));
      columns.forEach(({ bar, node }, digit) => {
        bar.style.height = `${100 * probabilities[digit]}%`;
        node.classList.toggle("lt-top-one", digit === answer);
      });
      says.textContent = `read as ${answer}: ${percent(probabilities[answer])}`;
      bars.setAttribute("aria-label", `Ten bars: ${probabilities.map((p, digit) => `${digit}: ${percent(p)}`).join(", ")}`);
    }

    // ---------------------------------------------------------------- asking
    const line = kernel.link(model, frame, {
      question: () => ({ values: { ...frame.values }, plane }),
      answer(content, buffers) {
        kernel.hearGoals(model, frame, content);
        show(content, buffers);
      },
    });
    // The pictures of a walk's ends stand in the middle of their cells.
    const inPart = (place) => (place * (cells - 1) + 0.5) / cells;
    function moved(settled) {
      mark.style.left = `${100 * inPart(frame.values.u)}%`;
      mark.style.top = `${100 * inPart(frame.values.v)}%`;
      line.ask(settled);
    }
    function go(to) {
      plane = to;
      model.set("plane", plane);
      model.save_changes();
    }

    // ---------------------------------------------------------------- walking by mouse, finger and keys
    const control = (name) => declaration.controls.find((one) => one.name === name);
    const snap = (name, value) => n2t.snap(n2t.clamp(value, 0, 1), control(name));
    function walk(event, settled) {
      const box = map.getBoundingClientRect();
      const part = (at, length) => ((at / length) * cells - 0.5) / (cells - 1);
      frame.set({
        u: snap("u", part(event.clientX - box.left, box.width)), v: snap("v", part(event.clientY - box.top, box.height)),
      }, { settled });
    }
    let held = false;
    map.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      held = true;
      map.setPointerCapture(event.pointerId);
      walk(event, false);
    });
    map.addEventListener("pointermove", (event) => { if (held) walk(event, false); });
    const drop = () => { if (held) { held = false; frame.set({}, { settled: true }); } };
    map.addEventListener("pointerup", drop);
    map.addEventListener("pointercancel", drop);
    map.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      const step = event.shiftKey ? 1 / (cells - 1) : control("u").step;
      frame.set({ u: snap("u", frame.values.u + way[0] * step), v: snap("v", frame.values.v + way[1] * step) });
    });

    // ---------------------------------------------------------------- begin
    for (const id of model.get("reached") || []) frame.reach(id);
    // The first pictures came with the cell: they are there even while the kernel is busy with the cells below.
    frame.say(model.get("first").say);
    show(model.get("first"), model.get("first_pixels"));
    const kept = model.get("values") || {};
    const away = plane > 0 || Object.keys(frame.values).some((name) => kept[name] !== frame.values[name]);
    frame.adopt(Object.fromEntries(Object.entries(kept).filter(([name]) => name in frame.values)));
    mark.style.left = `${100 * inPart(frame.values.u)}%`;
    mark.style.top = `${100 * inPart(frame.values.v)}%`;
    if (away) line.ask(false);
    return () => { line.stop(); frame.destroy(); };
  },
};
