// Kernel mode in the browser: asks the kernel, one question at a time, and shows what comes back.
//
//   kernel.link(model, frame, {question, answer})   question() gives {values, settled, …, buffers}; answer(content,
//     buffers) shows a reply. Returns {ask(settled), stop()}. At most one question is under way; whatever moves in
//     the meantime is asked in one question when the reply has come. Every question gets a reply, with its counter.
//   kernel.picture   a whole explorer whose picture is drawn in Python (see kernel.py)

const kernel = (() => {
  const PATIENCE = 4000; // milliseconds without a reply until we say why there may be none
  // Jupyter's server sends small messages by Nagle's algorithm: after "busy", the reply would wait until the browser
  // acknowledges it, which browsers put off for 40 ms. Anything sent in between carries the acknowledgement.
  const NUDGE = 10; // milliseconds

  function link(model, frame, { question, answer }) {
    const view = Math.random().toString(36).slice(2); // replies go to all views of a model; each takes its own
    let counter = 0;
    let underWay = null;
    let again = false;
    let settledSince = false; // a control came to rest after the question that is under way was sent
    let patience = null;
    let nudge = null;

    function ask(settled) {
      settledSince = settledSince || settled;
      if (underWay !== null) { again = true; return; }
      const { buffers = [], ...content } = question();
      underWay = ++counter;
      frame.root.dataset.asked = counter; // for whoever measures: this question is under way until …
      model.send({ kind: "question", view, counter, settled: settledSince, ...content }, undefined, buffers);
      settledSince = false;
      nudge = setTimeout(() => model.send({ kind: "nudge" }), NUDGE);
      patience = setTimeout(() => frame.say(
        "Waiting for Python. It is busy with another cell, or it was stopped: then run this cell again."), PATIENCE);
    }
    function hear(content, buffers) {
      if (content.kind !== "reply" || content.view !== view || content.counter !== underWay) return;
      underWay = null;
      clearTimeout(patience);
      clearTimeout(nudge);
      frame.fail(content.error || null);
      try {
        if (!content.error) answer(content, buffers);
      } catch (error) {
        console.error(error);
        frame.fail(error);
      }
      frame.root.dataset.answered = content.counter; // … it is answered
      if (again) { again = false; ask(false); }
    }
    model.on("msg:custom", hear);
    return {
      ask,
      stop() { clearTimeout(patience); clearTimeout(nudge); model.off("msg:custom", hear); },
    };
  }

  // What every answer carries, whatever its picture is.
  function hearGoals(model, frame, content) {
    if (content.say) frame.say(content.say);
    for (const id of content.goals || []) frame.reach(id);
    model.set("reached", [...frame.reached]);
    model.set("values", { ...frame.values });
  }

  // ---------------------------------------------------------------- a picture drawn in Python
  const picture = {
    render({ model, el }) {
      const declaration = model.get("declaration");
      const first = model.get("first");
      const frame = n2t.frame(el, declaration, { change: (values, { settled }) => line.ask(settled) });
      const canvas = n2t.html("canvas", { role: "img", "aria-label": declaration.title, style: "width:100%" });
      frame.stage.append(canvas);

      // The picture has one of two fixed sizes, so it never jumps while a control moves.
      const layout = () => (declaration.narrow && frame.stage.clientWidth && frame.stage.clientWidth < 480
        ? "narrow" : "wide");
      let size = "wide";
      function fit() {
        size = layout();
        const [width, height] = size === "narrow" ? declaration.narrow : [declaration.width, declaration.height];
        frame.stage.style.aspectRatio = `${width} / ${height}`;
      }
      const ratio = () => Math.min(2, Math.max(1, window.devicePixelRatio || 1));

      let newest = 0;
      async function paint(png, alt, number) {
        // A bitmap is decoded before it is drawn: the old picture stays until the new one is ready.
        const bitmap = await createImageBitmap(new Blob([png], { type: "image/png" }));
        if (number < newest) return;
        newest = number;
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        canvas.setAttribute("aria-label", alt);
        bitmap.close();
        frame.alive();
      }
      function show(content, png) {
        hearGoals(model, frame, content);
        if (png) return paint(png, content.say, content.counter || 0);
        return null;
      }
      const line = link(model, frame, {
        question: () => ({ values: { ...frame.values }, layout: size, ratio: ratio() }),
        answer: (content, buffers) => show(content, buffers[0]),
      });

      fit();
      for (const id of model.get("reached") || []) frame.reach(id);
      // The first picture came with the cell: it is there even while the kernel is busy with the cells below.
      show({ say: first.say, goals: [] }, model.get("first_png"));
      const kept = model.get("values") || {};
      const moved = Object.keys(frame.values).some((name) => kept[name] !== frame.values[name]);
      frame.adopt(Object.fromEntries(Object.entries(kept).filter(([name]) => name in frame.values)));
      if (moved || size !== "wide" || ratio() !== 1) line.ask(false);

      const watch = new ResizeObserver(() => {
        const before = size;
        fit();
        if (size !== before) line.ask(false);
      });
      watch.observe(frame.stage);
      return () => { watch.disconnect(); line.stop(); frame.destroy(); };
    },
  };

  return { link, hearGoals, picture };
})();
