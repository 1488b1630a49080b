// The base of every explorer in the browser: controls, goals, the sentence, errors, and SVG pictures.
//
// Each explorer is one module: this file, then its own file, which holds `const explorer = {…}` (see base.py).
//
//   n2t.frame(el, declaration, handlers)   builds everything around the picture. Handlers, all optional:
//       change(values, {settled, moved})   a control moved; settled is true on release, a key, a button;
//                                   moved is the control's name if a hand moved it
//       press(name)                 an Action button was pressed
//       reset()                     after the controls went back (a change follows by itself)
//     and returns a frame:
//       stage, root                 elements: where the picture goes, and the whole
//       values                      the controls' values now
//       set(values, {settled})      move controls from code, then call handlers.change
//       adopt(values)               the same without calling it
//       say(text)                   the sentence below the picture; read aloud a moment after the last change
//       reach(id)                   tick a goal (once); returns whether it is new
//       reached                     set of goal ids
//       fail(error)                 show an error as text; fail(null) takes it away
//       alive()                     the first picture is there: hides the still
//       button(name, {label, disabled})   change an Action button
//       mistake(name, words)        say below a text field why it cannot be read; without words, take that away
//       lines(count)                keep room for a sentence of so many lines, so that no other moves what is below
//       slider(name, {label, hidden, maximum})   change a slider; hidden, it keeps its place
//       destroy()
//   n2t.browser(explorer)          the whole of browser mode: frame + SVG + model; gives {render}
//   n2t.Picture                    an SVG picture with plots, axes, lines, points, text

const n2t = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  // Each explorer on a page is a module of its own, so a counter would give the same ids to all of them.
  const unique = () => `n2t-${Math.random().toString(36).slice(2, 12)}`;

  // ---------------------------------------------------------------- elements
  function put(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }
  const html = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

  // Without this attribute JupyterLab takes the arrow keys away from a control in an output.
  const KEYS = { "data-lm-suppress-shortcuts": "true" };

  // ---------------------------------------------------------------- numbers in words
  function number(value, digits = 2) {
    let text = value.toFixed(digits);
    if (Number(text) === 0) text = text.replace("-", "");
    return text.replace("-", "−");
  }
  // The same without zeros at the end: 1.50 → 1.5, 2.00 → 2.
  const short = (value, digits = 2) => number(value, digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  // The same where there is little room: −12345678 → −1.2e7.
  const brief = (value, limit = 1e5) => (Math.abs(value) < limit ? short(value)
    : String(Number(value.toPrecision(2)).toExponential()).replace("-", "−").replace("e+", "e"));
  // How many digits behind the point a step such as 0.05 or 2.5 needs.
  const decimals = (step) => [0, 1, 2, 3, 4, 5].find((d) => Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-9) ?? 6;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const snap = (value, control) => {
    const steps = Math.round((value - control.minimum) / control.step);
    const snapped = Number((control.minimum + steps * control.step).toFixed(decimals(control.step) + 2));
    return clamp(snapped, control.minimum, control.maximum);
  };
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  // ---------------------------------------------------------------- controls
  // Each maker returns {node, show(value)}; it calls moved(name, value, settled).
  const makers = {
    range(control, moved) {
      const digits = decimals(control.step);
      const shown = (value) => (control.log ? String(Number((10 ** value).toPrecision(3))) : number(value, digits));
      const words = (value) => shown(value) + (control.unit ? " " + control.unit : "");
      const output = html("output", { class: "n2t-value", "aria-hidden": "true" });
      const input = html("input", {
        type: "range", name: control.name, min: control.minimum, max: control.maximum, step: control.step, ...KEYS,
        oninput: () => { tell(); moved(control.name, input.valueAsNumber, false); },
        onchange: () => moved(control.name, input.valueAsNumber, true),
      });
      const tell = () => {
        output.textContent = words(input.valueAsNumber);
        input.setAttribute("aria-valuetext", words(input.valueAsNumber));
      };
      const label = html("label", {}, html("span", { class: "n2t-name" }, control.label), input);
      const node = html("div", { class: control.inline ? "n2t-row n2t-inline" : "n2t-row" }, label, output);
      return {
        node,
        show(value) { input.value = value; tell(); },
        change({ label: name, hidden, maximum }) {
          if (name !== undefined) label.firstChild.textContent = name;
          if (maximum !== undefined) input.max = maximum;
          if (hidden === undefined) return;
          node.style.visibility = hidden ? "hidden" : "";
          input.disabled = hidden;
        },
      };
    },
    // The line below the field says how to write, or what is wrong: one place, so that nothing moves.
    text(control, moved) {
      const id = unique();
      const example = control.example ? `For example: ${control.example}` : "";
      const note = html("p", { class: "n2t-note", id }, example);
      const input = html("input", {
        type: "text", name: control.name, maxlength: control.maximum, placeholder: control.placeholder || null, ...KEYS,
        autocomplete: "off", autocapitalize: "off", autocorrect: "off", spellcheck: "false", "aria-describedby": id,
        oninput: () => moved(control.name, input.value, false),
        onchange: () => moved(control.name, input.value, true),
      });
      const label = html("label", {}, html("span", { class: "n2t-name" }, control.label), input);
      return {
        node: html("div", { class: "n2t-row" }, label, note),
        // Written only where it differs: to write moves the cursor to the end.
        show(value) { if (input.value !== value) input.value = value; },
        mistake(words) {
          note.textContent = words || example;
          note.classList.toggle("n2t-mistake", Boolean(words));
          input.setAttribute("aria-invalid", String(Boolean(words)));
        },
      };
    },
    choice(control, moved) {
      if (control.style === "radio") return radios(control, moved);
      const options = control.options.map(([value, words]) => html("option", { value }, words));
      const select = html("select", {
        name: control.name, ...KEYS, onchange: () => moved(control.name, select.value, true),
      }, options);
      const label = html("label", {}, html("span", { class: "n2t-name" }, control.label), select);
      return { node: html("div", { class: "n2t-row" }, label), show(value) { select.value = value; } };
    },
    switch(control, moved) {
      const box = html("input", {
        type: "checkbox", name: control.name, ...KEYS, onchange: () => moved(control.name, box.checked, true),
      });
      return {
        node: html("label", { class: "n2t-line" }, box, html("span", {}, control.label)),
        show(value) { box.checked = value; },
      };
    },
  };
  function radios(control, moved) {
    const group = `${unique()}-${control.name}`;
    const inputs = control.options.map(([value]) => html("input", {
      type: "radio", name: group, value, ...KEYS, onchange: () => moved(control.name, value, true),
    }));
    const lines = control.options.map(([, words], i) =>
      html("label", { class: "n2t-line" }, inputs[i], html("span", {}, words)));
    return {
      node: html("fieldset", {}, html("legend", {}, control.label), html("div", { class: "n2t-radios" }, lines)),
      show(value) { for (const input of inputs) input.checked = input.value === value; },
    };
  }

  // ---------------------------------------------------------------- goals
  function checklist(goals) {
    const items = new Map();
    for (const goal of goals) {
      const tick = svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", {
        d: "M4.5 10.5 8.5 14.5 15.5 6", fill: "none", stroke: "#fff", "stroke-width": 3, "stroke-linecap": "round",
      }));
      const state = html("span", { class: "n2t-hidden" }, "Not reached yet: ");
      const star = goal.challenge ? html("span", { class: "n2t-challenge" }, "Challenge: ") : null;
      const done = html("span", { class: "n2t-done", "aria-hidden": "true" }, goal.done);
      const todo = html("span", { class: "n2t-todo" }, star, goal.text);
      const item = html("li", { "data-goal": goal.id }, html("span", { class: "n2t-mark", "aria-hidden": "true" }, tick),
        html("span", {}, state, html("span", { class: "n2t-swap" }, todo, done)));
      items.set(goal.id, { goal, item, state, done, todo });
    }
    return {
      node: html("ul", { class: "n2t-goals" }, [...items.values()].map((entry) => entry.item)),
      tick(id) {
        const entry = items.get(id);
        entry.item.classList.add("n2t-reached");
        entry.state.textContent = "Reached: ";
        entry.done.removeAttribute("aria-hidden");
        entry.todo.setAttribute("aria-hidden", "true");
        return entry.goal;
      },
      has: (id) => items.has(id),
    };
  }

  // ---------------------------------------------------------------- the frame around a picture
  function frame(el, declaration, handlers = {}) {
    const values = {};
    const first = {};
    const parts = {};
    const buttons = {};
    const reached = new Set();

    const stage = html("div", { class: "n2t-stage" });
    // The sentence is seen at once, and read aloud only when the controls have come to rest.
    const seen = html("p", { class: "n2t-say", "aria-hidden": "true" });
    const spoken = html("div", { class: "n2t-hidden", "aria-live": "polite", "aria-atomic": "true" });
    const hint = declaration.pointer_hint ? html("p", { class: "n2t-hint" }, declaration.pointer_hint) : null;
    const trouble = html("p", { class: "n2t-error", role: "alert", hidden: true });
    const list = checklist(declaration.goals || []);
    const form = html("div", { class: "n2t-controls" });

    let timer = null;
    let cheer = "";
    let sentence = "";
    function speak() {
      clearTimeout(timer);
      timer = setTimeout(() => { spoken.textContent = cheer + sentence; cheer = ""; }, 350);
    }
    function moved(name, value, settled) {
      values[name] = value;
      handlers.change?.({ ...values }, { settled, moved: name });
    }
    function adopt(some) {
      for (const [name, value] of Object.entries(some)) {
        if (!parts[name]) throw new Error(`there is no control “${name}”`);
        values[name] = value;
        parts[name].show(value);
      }
    }
    function set(some, { settled = true } = {}) {
      adopt(some);
      handlers.change?.({ ...values }, { settled });
    }

    let actions = null;
    for (const control of declaration.controls) {
      if (control.type === "action") {
        // Buttons that stand together in the declaration stand in one line.
        if (!actions) form.append(actions = html("div", { class: "n2t-buttons" }));
        const press = () => handlers.press?.(control.name);
        buttons[control.name] = html("button", {
          type: "button", name: control.name, title: control.hint || null, ...KEYS, onclick: press,
        }, control.label);
        actions.append(buttons[control.name]);
        continue;
      }
      actions = null;
      parts[control.name] = makers[control.type](control, moved);
      first[control.name] = control.value;
      form.append(parts[control.name].node);
    }
    adopt(first);

    const bar = html("div", { class: "n2t-buttons", role: "group", "aria-label": "Settings to try" });
    for (const preset of declaration.presets || []) {
      bar.append(html("button", { type: "button", ...KEYS, onclick: () => set(preset.values) }, preset.label));
    }
    bar.append(html("button", {
      type: "button", name: "reset", ...KEYS, onclick: () => { handlers.reset?.(); set(first); },
    }, "Reset"));
    form.append(bar);

    const goals = (declaration.goals || []).length
      ? html("div", {}, html("p", { class: "n2t-heading" }, "Try"), list.node) : null;
    const root = html("div", {
      class: "n2t", role: "group", "aria-label": declaration.title, "data-explorer": declaration.name,
      style: `--n2t-width:${declaration.width}px;--n2t-accent:${declaration.colors?.accent || "#7a21dd"}`,
    }, html("div", { class: "n2t-body" },
      html("div", { class: "n2t-main" }, stage, hint, seen, trouble, spoken),
      html("div", { class: "n2t-side" }, form, goals)));
    el.append(root);

    return {
      root, stage, values, reached, set, adopt,
      say(text) {
        if (text === sentence) return;
        sentence = text;
        seen.textContent = text;
        speak();
      },
      reach(id) {
        if (reached.has(id) || !list.has(id)) return false;
        reached.add(id);
        cheer += `Goal reached: ${list.tick(id).done} `;
        speak();
        return true;
      },
      fail(error) {
        trouble.hidden = !error;
        trouble.textContent = error ? `This explorer met an error: ${error.message || error}` : "";
      },
      alive() { root.classList.add("n2t-live"); },
      button(name, { label, disabled }) {
        const button = buttons[name];
        if (label !== undefined && button.textContent !== label) button.textContent = label;
        // A disabled button loses the focus, so the one in use is only marked.
        if (disabled !== undefined) {
          const busy = disabled && document.activeElement === button;
          button.disabled = disabled && !busy;
          button.setAttribute("aria-disabled", String(disabled));
        }
      },
      lines(count) { seen.style.minHeight = `${1.45 * count}em`; },
      mistake(name, words) { parts[name].mistake(words); },
      slider(name, changes) { parts[name].change(changes); },
      destroy() { clearTimeout(timer); root.remove(); },
    };
  }

  // ---------------------------------------------------------------- pictures
  const NICE = [1, 2, 2.5, 5, 10];
  function ticks(low, high, wanted = 6) {
    const rough = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = NICE.find((nice) => nice * power >= rough - 1e-12) * power;
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
    return { found, digits: decimals(step) };
  }

  const tick = (value, digits) => (Math.abs(value) < 1e4 ? number(value, digits) : brief(value, 1e4));

  class Picture {
    constructor(host, declaration) {
      this.id = unique();
      this.colors = declaration.colors;
      this.markers = declaration.markers;
      this.node = svg("svg", { role: "img", "aria-label": declaration.title });
      host.append(this.node);
    }
    begin(width, height) {
      this.width = width;
      this.height = height;
      this.clips = 0;
      this.fresh = [svg("rect", { width, height, fill: "#fff" })];
    }
    // All at once, so that nothing flickers.
    end(alt) {
      this.node.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.node.setAttribute("height", this.height);
      this.node.setAttribute("aria-label", alt);
      this.node.replaceChildren(...this.fresh);
    }
    add(...nodes) { this.fresh.push(...nodes); return nodes[0]; }
    text(x, y, words, { size = 16, color = this.colors.text, anchor = "start", weight = 400, angle = 0, halo = true } = {}) {
      return this.add(svg("text", {
        x, y, fill: color, "font-size": size, "font-weight": weight, "text-anchor": anchor,
        transform: angle ? `rotate(${angle} ${x} ${y})` : null,
        ...(halo ? { stroke: "#fff", "stroke-width": 4, "stroke-linejoin": "round", "paint-order": "stroke" } : {}),
      }, words));
    }
    // box [x, y, width, height] in pixels; x, y: [low, high] in data.
    plot(box, x, y) { return new Plot(this, box, x, y); }
  }

  class Plot {
    constructor(picture, [left, top, width, height], [x0, x1], [y0, y1]) {
      Object.assign(this, { picture, left, top, width, height, x0, x1, y0, y1 });
      this.px = (x) => left + ((x - x0) / (x1 - x0)) * width;
      this.py = (y) => top + height - ((y - y0) / (y1 - y0)) * height;
      const clip = `${picture.id}-clip-${picture.clips++}`;
      picture.add(svg("clipPath", { id: clip }, svg("rect", { x: left, y: top, width, height })));
      this.layer = picture.add(svg("g", { "clip-path": `url(#${clip})` }));
    }
    data(px, py) {
      return [this.x0 + ((px - this.left) / this.width) * (this.x1 - this.x0),
        this.y0 + ((this.top + this.height - py) / this.height) * (this.y1 - this.y0)];
    }
    axes({ xlabel = "", ylabel = "", xticks, yticks, xwords, ywords, grid = true } = {}) {
      const { picture, left, top, width, height } = this;
      const { text, muted } = picture.colors;
      const across = xticks ? { found: xticks, digits: 0 } : ticks(this.x0, this.x1, clamp(width / 70, 2, 8));
      const up = yticks ? { found: yticks, digits: 0 } : ticks(this.y0, this.y1, clamp(height / 62, 2, 6));
      const bottom = top + height;
      across.found.forEach((x, i) => {
        const px = this.px(x);
        if (grid) picture.add(svg("line", { x1: px, x2: px, y1: top, y2: bottom, stroke: "#e9e9ee" }));
        picture.text(px, bottom + 19, xwords ? xwords[i] : tick(x, across.digits), { size: 14, anchor: "middle", color: muted });
      });
      up.found.forEach((y, i) => {
        const py = this.py(y);
        if (grid) picture.add(svg("line", { x1: left, x2: left + width, y1: py, y2: py, stroke: "#e9e9ee" }));
        picture.text(left - 8, py + 5, ywords ? ywords[i] : tick(y, up.digits), { size: 14, anchor: "end", color: muted });
      });
      picture.add(svg("path", {
        d: `M${left} ${top}V${bottom}H${left + width}`, fill: "none", stroke: text, "stroke-width": 1.5,
      }));
      if (xlabel) picture.text(left + width, bottom + 38, xlabel, { anchor: "end" });
      if (ylabel) picture.text(left - 8, top - 11, ylabel, { anchor: ylabel.length > 3 ? "start" : "end" });
      // The curves lie above the grid.
      picture.add(this.layer);
      return this;
    }
    // From here on, what is drawn lies above all words so far.
    front() {
      this.layer = this.picture.add(svg("g", { "clip-path": this.layer.getAttribute("clip-path") }));
      return this;
    }
    draw(tag, attributes) { this.layer.append(svg(tag, attributes)); return this; }
    path(points, { close = false } = {}) {
      const clean = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
      return clean.map(([x, y], i) => `${i ? "L" : "M"}${this.px(x).toFixed(2)} ${this.py(y).toFixed(2)}`).join("") +
        (close ? "Z" : "");
    }
    line(points, { color = this.picture.colors.text, width = 2.5, dash = null, opacity = 1 } = {}) {
      return this.draw("path", {
        d: this.path(points), fill: "none", stroke: color, "stroke-width": width, "stroke-dasharray": dash,
        "stroke-linejoin": "round", "stroke-linecap": dash ? "butt" : "round", opacity,
      });
    }
    area(points, { color, opacity = 0.2 }) {
      return this.draw("path", { d: this.path(points, { close: true }), fill: color, opacity });
    }
    // marker: matplotlib's names o s ^ D
    point([x, y], { color, marker = "o", size = 8, edge = "#fff", edgeWidth = 1.5, fill = color } = {}) {
      return this.mark(this.px(x), this.py(y), { color: fill, marker, size, edge, edgeWidth });
    }
    mark(px, py, { color, marker, size, edge, edgeWidth }) {
      const look = { fill: color, stroke: edge, "stroke-width": edgeWidth, "stroke-linejoin": "round" };
      if (marker === "o") return this.draw("circle", { cx: px, cy: py, r: size, ...look });
      const r = size * { s: 1.25, D: 1.3, "^": 1.3 }[marker];
      const turns = { s: [45, 135, 225, 315], D: [0, 90, 180, 270], "^": [-90, 30, 150] }[marker];
      const corners = turns.map((turn) => {
        const angle = (turn * Math.PI) / 180;
        return `${(px + r * Math.cos(angle)).toFixed(2)} ${(py + r * Math.sin(angle)).toFixed(2)}`;
      });
      return this.draw("path", { d: `M${corners.join("L")}Z`, ...look });
    }
    ring([x, y], { color, size = 14, width = 2.5, dash = null }) {
      return this.draw("circle", {
        cx: this.px(x), cy: this.py(y), r: size, fill: "none", stroke: color, "stroke-width": width, "stroke-dasharray": dash,
      });
    }
    // An arrow from data point a to data point b; the white outline keeps it legible on any ground.
    arrow(a, b, { color, width = 3.5, head = 13 } = {}) {
      const [x1, y1, x2, y2] = [this.px(a[0]), this.py(a[1]), this.px(b[0]), this.py(b[1])];
      const length = Math.hypot(x2 - x1, y2 - y1);
      if (length < 1) return this;
      const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
      const h = Math.min(head, length);
      const [bx, by] = [x2 - ux * h, y2 - uy * h];
      const shaft = `M${x1} ${y1}L${bx} ${by}`;
      const tip = `M${x2} ${y2}L${bx - uy * h * 0.55} ${by + ux * h * 0.55}L${bx + uy * h * 0.55} ${by - ux * h * 0.55}Z`;
      this.draw("path", { d: shaft + tip, fill: "none", stroke: "#fff", "stroke-width": width + 4, "stroke-linejoin": "round" });
      this.draw("path", { d: shaft, stroke: color, "stroke-width": width, fill: "none" });
      return this.draw("path", { d: tip, fill: color, stroke: color, "stroke-width": 1, "stroke-linejoin": "round" });
    }
    // Words beside a data point, kept inside the plot.
    label([x, y], words, { dx = 0, dy = 0, anchor = "start", ...look } = {}) {
      const wide = words.length * (look.size || 16) * 0.56;
      const before = { start: 0, middle: wide / 2, end: wide }[anchor];
      const px = clamp(this.px(x) + dx, this.left + before + 4, this.left + this.width - wide + before - 4);
      const py = clamp(this.py(y) + dy, this.top + 18, this.top + this.height - 8);
      return this.picture.text(px, py, words, { anchor, ...look });
    }
  }

  // ---------------------------------------------------------------- browser mode
  // explorer: compute(values, data) → state; draw(picture, state, values, data, view); describe(state, values, data);
  //   goals: {id(state, values, data, view)}; optional: height(width, values, data);
  //   actions: {name(view)}; drag: {down(point, view, finger) → grip or null, move(grip, point, view), scroll: "pan-y" if a
  //   finger's up and down shall still scroll};
  //   lines(width) → how many lines the longest sentence takes below a picture of this width (3 if not given);
  //   mistakes(state, values, data) → {name of a text field: sentence, or null if it can be read};
  //   setup(view); stop(view); changed(view, {settled, moved}) before each picture.
  function browser(explorer) {
    return {
      render({ model, el }) {
        const declaration = model.get("declaration");
        const data = model.get("data") || {};
        const view = { data, declaration, state: null, memory: {} };
        const box = frame(el, declaration, {
          change: (values, how) => update(how),
          press: (name) => guarded(() => explorer.actions[name](view)),
          reset: () => guarded(() => explorer.reset?.(view)),
        });
        const picture = new Picture(box.stage, declaration);
        Object.assign(view, {
          frame: box, picture, values: box.values, set: box.set, draw: () => update({ settled: false }),
          say: box.say, button: box.button, reach: box.reach,
        });

        function guarded(work) {
          try {
            const result = work();
            box.fail(null);
            return result;
          } catch (error) {
            console.error(error);
            box.fail(error);
            return null;
          }
        }
        function paint() {
          const { values } = box;
          view.state = explorer.compute(values, data, view);
          const mistakes = explorer.mistakes?.(view.state, values, data) ?? {};
          for (const [name, words] of Object.entries(mistakes)) box.mistake(name, words);
          const room = box.stage.clientWidth || declaration.width;
          const width = clamp(room, 320, declaration.width);
          const height = Math.min(declaration.height, explorer.height?.(width, values, data) ?? declaration.height);
          if (explorer.lines) box.lines(explorer.lines(width));
          picture.begin(width, height);
          explorer.draw(picture, view.state, values, data, view);
          const words = explorer.describe(view.state, values, data, view);
          picture.end(words);
          box.say(words);
        }
        function update({ settled, moved }) {
          guarded(() => {
            explorer.changed?.(view, { settled, moved });
            paint();
            box.alive();
            if (!settled) return;
            const news = Object.entries(explorer.goals || {})
              .filter(([id, met]) => !box.reached.has(id) && met(view.state, box.values, data, view))
              .filter(([id]) => box.reach(id));
            // The kernel hears of it when the control is let go, not on every pixel of a drag.
            model.set("values", { ...box.values });
            if (news.length) model.set("reached", [...box.reached]);
            model.save_changes();
          });
        }

        // Another view of the same model may have moved, or Python may have set the values.
        const follow = () => {
          const wanted = model.get("values") || {};
          const names = Object.keys(wanted).filter((name) => name in box.values && wanted[name] !== box.values[name]);
          if (!names.length) return;
          box.adopt(Object.fromEntries(names.map((name) => [name, wanted[name]])));
          update({ settled: false });
        };
        const cheer = () => { for (const id of model.get("reached") || []) box.reach(id); };
        model.on("change:values", follow);
        model.on("change:reached", cheer);
        cheer();

        if (explorer.drag) dragging(picture.node, explorer.drag, view, guarded);
        guarded(() => explorer.setup?.(view));
        box.adopt(Object.fromEntries(Object.entries(model.get("values") || {}).filter(([name]) => name in box.values)));
        update({ settled: false });

        let wide = box.stage.clientWidth;
        const watch = new ResizeObserver(() => {
          const now = box.stage.clientWidth;
          if (now && now !== wide) { wide = now; guarded(paint); }
        });
        watch.observe(box.stage);
        return () => {
          explorer.stop?.(view);
          watch.disconnect();
          model.off("change:values", follow);
          model.off("change:reached", cheer);
          box.destroy();
        };
      },
    };
  }

  // Mouse, pen and finger alike. Where a finger takes hold of something it drags; elsewhere it scrolls the page.
  function dragging(node, drag, view, guarded) {
    let grip = null;
    if (drag.scroll) node.style.touchAction = drag.scroll;
    // The pointer event comes first, so it is known by now whether there is something to drag.
    node.addEventListener("touchstart", (event) => {
      if (grip && !drag.scroll) event.preventDefault();
    }, { passive: false });
    const where = (event) => {
      const box = node.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * view.picture.width,
        ((event.clientY - box.top) / box.height) * view.picture.height];
    };
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      grip = guarded(() => drag.down(where(event), view, event.pointerType === "touch"));
      if (!grip) return;
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (grip) guarded(() => drag.move(grip, where(event), view));
      else node.style.cursor = drag.down(where(event), view, false) ? "grab" : "";
    });
    const drop = () => {
      if (!grip) return;
      grip = null;
      view.set({}, { settled: true });
    };
    node.addEventListener("pointerup", drop);
    node.addEventListener("pointercancel", drop);
  }

  return { html, svg, KEYS, unique, number, short, brief, clamp, snap, calm, ticks, frame, Picture, Plot, browser };
})();
