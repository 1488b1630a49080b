// A computation graph, forward and backward. The numbers and words are those of graph.py.
const explorer = (() => {
  const { svg, short, clamp } = n2t;
  const MOST_LETTERS = 60, MOST_NAMES = 5, MOST_OPERATIONS = 12, MOST_LAYERS = 7, MOST_ROWS = 5;
  const LARGEST_NUMBER = 1e6, LONGEST_NAME = 4;
  const FUNCTIONS = ["exp", "log", "tanh", "relu"];
  const SLOTS = Array.from({ length: MOST_NAMES }, (_, i) => `v${i + 1}`);
  // Words of Python that are short enough to be taken for a name.
  const KEYWORDS = ["None", "True", "and", "as", "def", "del", "elif", "else", "for", "from", "if", "in", "is", "not",
    "or", "pass", "try", "with"];
  const PAUSE = 1800; // milliseconds for a step: long enough to read its sentence

  // ---------------------------------------------------------------- reading
  const TOKEN = /([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)|([A-Za-z_][A-Za-z_0-9]*)|(\*\*|[-+*/()])/y;
  const OTHER_WAYS = { "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-" };
  class Unreadable extends Error {}
  const refuse = (words) => { throw new Unreadable(words); };
  const clipped = (word) => (word.length <= 10 ? word : word.slice(0, 9) + "…");

  function tokens(typed) {
    const text = typed.replace(/[×·⋅÷−–]/g, (letter) => OTHER_WAYS[letter]);
    if ([...text].length > MOST_LETTERS) refuse(`Too long: at most ${MOST_LETTERS} characters fit.`);
    const found = [];
    for (let at = 0; at < text.length;) {
      if (text[at] === " " || text[at] === "\t") { at += 1; continue; }
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (!match) refuse(strange(String.fromCodePoint(text.codePointAt(at))));
      found.push({ kind: match[1] ? "number" : match[2] ? "word" : "sign", word: match[0] });
      at = TOKEN.lastIndex;
    }
    if (!found.length) refuse("Type an expression, such as a*b + c.");
    let open = 0;
    let valueNext = true; // whether a number, a name or an opening bracket must come now
    found.forEach(({ kind, word }, i) => {
      const before = found[i - 1]?.word ?? "";
      const after = found[i + 1]?.word ?? "";
      if (kind !== "sign" || word === "(") {
        if (!valueNext) refuse(`A sign such as * is missing before “${clipped(word)}”.`);
        if (kind === "word") {
          checkWord(word, after);
          valueNext = FUNCTIONS.includes(word);
        } else if (kind === "number") {
          if (Number(word) > LARGEST_NUMBER) refuse("Numbers up to a million can be used here.");
          valueNext = false;
        } else {
          open += 1;
        }
      } else if (word === ")") {
        if (open === 0) refuse("A bracket is closed that was never opened.");
        if (valueNext) refuse(before === "(" ? "There is nothing between the brackets." : "Something is missing before “)”.");
        open -= 1;
      } else if (valueNext) {
        if (word !== "+" && word !== "-") refuse(`Something is missing before “${word}”.`);
      } else {
        valueNext = true;
      }
    });
    if (valueNext) refuse("Something is missing at the end.");
    if (open) refuse("A bracket is not closed.");
    return found;
  }
  function strange(letter) {
    if ("^²³".includes(letter)) return "A power is written ** here, as in a**2.";
    if (letter === "=") return "Only the expression itself: no = sign.";
    if (letter === ",") return "No comma: every function here takes one input.";
    return `“${letter}” has no meaning here.`;
  }
  function checkWord(word, after) {
    if (FUNCTIONS.includes(word)) {
      if (after !== "(") refuse(`${word} needs brackets: ${word}( … ).`);
    } else if (after === "(") {
      refuse(`“${clipped(word)}” is not a function here: there are ${FUNCTIONS.join(", ")}.`);
    } else if (word.length > LONGEST_NAME) {
      refuse(`“${clipped(word)}” is too long for a name: at most ${LONGEST_NAME} letters.`);
    } else if (KEYWORDS.includes(word)) {
      refuse(`“${word}” is a word of Python and cannot be a name.`);
    }
  }

  const LABELS = { add: "+", sub: "−", mul: "×", div: "÷", power: "**", neg: "−" };
  const KINDS = { "+": "add", "-": "sub", "*": "mul", "/": "div" };

  function read(expression) {
    const words = tokens(expression);
    const nodes = [];
    const leaves = []; // per node, where the names and numbers below it stand in the text
    let found = 0;
    let at = 0;
    function add(kind, label, inputs = [], number = null) {
      let below = inputs.flatMap((i) => leaves[i]);
      if (!inputs.length) below = [found++];
      if (kind === "name") {
        const same = nodes.findIndex((node) => node.kind === "name" && node.label === label);
        if (same >= 0) {
          leaves[same] = [...leaves[same], ...below];
          return same;
        }
      }
      nodes.push({ kind, label, inputs, number, needs: kind === "name" || inputs.some((i) => nodes[i].needs) });
      leaves.push(below);
      return nodes.length - 1;
    }
    const next = () => words[at]?.word;
    const binary = (inner, signs) => () => {
      let left = inner();
      while (signs.includes(next())) {
        const kind = KINDS[words[at++].word];
        const right = inner();
        left = add(kind, LABELS[kind], [left, right]);
      }
      return left;
    };
    function unary() {
      if (next() === "+") { at += 1; return unary(); }
      if (next() !== "-") return power();
      at += 1;
      const i = unary();
      const node = nodes[i];
      if (node.kind !== "number") return add("neg", LABELS.neg, [i]);
      node.number = -node.number; // −3 is a number, not an operation
      node.label = amount(node.number);
      return i;
    }
    function power() {
      const base = atom();
      if (next() !== "**") return base;
      at += 1;
      const exponent = unary(); // a sign may stand before an exponent, and powers are read from the right
      if (nodes[exponent].kind !== "number") return add("power", LABELS.power, [base, exponent]);
      const { number } = nodes.pop(); // the last node: nothing else refers to it
      leaves.pop();
      found -= 1;
      return add("pow", `**${amount(number)}`, [base], number);
    }
    function atom() {
      const { kind, word } = words[at++];
      if (kind === "number") return add("number", amount(Number(word)), [], Number(word));
      if (kind === "word" && !FUNCTIONS.includes(word)) return add("name", word);
      if (kind === "word") at += 1; // its opening bracket
      const inner = sum();
      at += 1; // the closing bracket
      return kind === "word" ? add(word, word, [inner]) : inner;
    }
    const product = binary(unary, ["*", "/"]);
    const sum = binary(product, ["+", "-"]);
    sum();

    const names = nodes.filter((node) => node.kind === "name").map((node) => node.label);
    const operations = nodes.filter((node) => node.inputs.length).length;
    if (!names.length) refuse("There is no name in it, so there is no gradient to find.");
    if (names.length > MOST_NAMES) refuse(`${names.length} names: up to ${MOST_NAMES} fit in the picture.`);
    if (operations > MOST_OPERATIONS) refuse(`${operations} operations: up to ${MOST_OPERATIONS} fit in the picture.`);
    return { nodes, names, wires: layOut(nodes, leaves, found) };
  }

  const total = (numbers) => numbers.reduce((one, other) => one + other, 0);
  function layOut(nodes, leaves, readFromLeft) {
    for (const node of nodes) node.layer = 1 + Math.max(-1, ...node.inputs.map((i) => nodes[i].layer));
    const users = nodes.map(() => []);
    nodes.forEach((node, k) => { for (const i of node.inputs) users[i].push(k); });
    nodes.forEach((node, k) => { // a name or number stands just before its first use
      if (!node.inputs.length && users[k].length) node.layer = Math.min(...users[k].map((user) => nodes[user].layer)) - 1;
    });
    const layers = 1 + Math.max(...nodes.map((node) => node.layer));
    if (layers > MOST_LAYERS) refuse(`${layers - 1} operations one after another: up to ${MOST_LAYERS - 1} fit.`);

    // Reading order keeps wires from crossing; a wire that passes a layer takes a place in it like a node.
    const rank = leaves.map((below) => total(below) / below.length);
    const columns = Array.from({ length: layers }, () => []);
    nodes.forEach((node, k) => {
      columns[node.layer].push([rank[k], 0, k]);
      const end = Math.max(0, ...users[k].map((user) => nodes[user].layer));
      for (let layer = node.layer + 1; layer < end; layer++) {
        const later = users[k].filter((user) => nodes[user].layer > layer).map((user) => rank[user]);
        columns[layer].push([(rank[k] + total(later) / later.length) / 2, 1, k]);
      }
    });
    const rows = Math.max(...columns.map((column) => column.length));
    if (rows > MOST_ROWS) refuse(`${rows} wires side by side: up to ${MOST_ROWS} fit in the picture.`);
    const passes = {};
    columns.forEach((column, layer) => {
      column.sort((one, other) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]);
      const places = column.map(([position]) => ((position + 0.5) / readFromLeft) * rows);
      for (let i = 0; i < places.length; i++) places[i] = Math.max(places[i], i ? places[i - 1] + 1 : 0.5);
      for (let i = places.length - 1; i >= 0; i--) {
        places[i] = Math.min(places[i], i + 1 < places.length ? places[i + 1] - 1 : rows - 0.5);
      }
      column.forEach(([, passing, k], i) => {
        if (passing) passes[`${k},${layer}`] = places[i];
        else nodes[k].place = places[i];
      });
    });
    return nodes.flatMap((node, k) => node.inputs.map((i, slot) => {
      const via = [];
      for (let layer = nodes[i].layer + 1; layer < node.layer; layer++) via.push([layer, passes[`${i},${layer}`]]);
      return { source: i, target: k, slot, via };
    }));
  }

  // ---------------------------------------------------------------- numbers in words
  function amount(value) {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 0.001 && size < 1e5) return short(value, size < 0.1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
    return Number(value.toPrecision(2)).toExponential().replace("e+", "e").replaceAll("-", "−");
  }
  const bracketed = (value) => (value < 0 ? `(${amount(value)})` : amount(value));

  // ---------------------------------------------------------------- forward and backward
  class Impossible extends Error {}
  const impossible = (words) => { throw new Impossible(words); };
  const TOO_LARGE = "the result is larger than a computer can hold";

  const FORWARD = {
    add: (x) => x[0] + x[1],
    sub: (x) => x[0] - x[1],
    mul: (x) => x[0] * x[1],
    div: (x) => x[0] / x[1],
    neg: (x) => -x[0],
    pow: (x, p) => x[0] ** p,
    power: (x) => x[0] ** x[1],
    exp: (x) => Math.exp(x[0]),
    log: (x) => Math.log(x[0]),
    tanh: (x) => Math.tanh(x[0]),
    relu: (x) => Math.max(x[0], 0),
  };
  function forwardOne({ kind, number }, x) {
    if (kind === "log" && x[0] <= 0) impossible(`log needs a number above 0, and here it gets ${amount(x[0])}`);
    if (kind === "div" && x[1] === 0) impossible(`${amount(x[0])} cannot be divided by 0`);
    if (kind === "pow" || kind === "power") {
      const [base, exponent] = [x[0], kind === "pow" ? number : x[1]];
      if (base === 0 && exponent < 0) impossible(`0 ** (${amount(exponent)}) would divide by 0`);
      if (base < 0 && !Number.isInteger(exponent)) impossible(`(${amount(base)}) ** ${bracketed(exponent)} is not a real number`);
    }
    const value = FORWARD[kind](x, number);
    return Number.isFinite(value) ? value : impossible(TOO_LARGE);
  }
  function slopeOf({ kind, label, number }, x, value, slot) {
    if (kind === "add" || kind === "sub" || kind === "neg") return kind === "neg" || (kind === "sub" && slot === 1) ? -1 : 1;
    if (kind === "mul") return x[1 - slot];
    if (kind === "div") return slot === 0 ? 1 / x[1] : -x[0] / x[1] / x[1];
    if (kind === "exp") return value;
    if (kind === "tanh") return 1 - value * value;
    if (kind === "log") return 1 / x[0];
    if (kind === "relu") return x[0] > 0 ? 1 : 0;
    const exponent = kind === "pow" ? number : x[1];
    if (slot === 1) {
      if (x[0] < 0) impossible("the slope for an exponent needs the log of its base, and the base is negative");
      return x[0] > 0 ? value * Math.log(x[0]) : 0;
    }
    if (exponent === 0) return 0;
    if (x[0] === 0 && exponent < 1) {
      impossible(`at 0 the curve of ${kind === "pow" ? label : "this power"} is upright: its slope is infinite`);
    }
    return exponent * x[0] ** (exponent - 1);
  }
  // Runs work(); returns why it is impossible, or null.
  function attempt(work) {
    try {
      work();
      return null;
    } catch (error) {
      if (error instanceof Impossible) return error.message;
      throw error;
    }
  }
  function forward(nodes, start) {
    const values = [];
    const trouble = attempt(() => {
      for (const node of nodes) {
        values.push(node.kind === "name" ? start[node.label] : node.kind === "number" ? node.number
          : forwardOne(node, node.inputs.map((i) => values[i])));
      }
    });
    return { values, trouble };
  }
  function backward(nodes, values) {
    const gradients = nodes.map(() => null);
    gradients[nodes.length - 1] = 1;
    const steps = [];
    const trouble = attempt(() => {
      for (let k = nodes.length - 1; k >= 0; k--) {
        const node = nodes[k];
        if (!node.inputs.length || !node.needs) continue;
        const x = node.inputs.map((i) => values[i]);
        const moves = [];
        node.inputs.forEach((i, slot) => {
          if (!nodes[i].needs) return;
          const slope = slopeOf(node, x, values[k], slot);
          const upstream = gradients[k];
          const product = slope * upstream;
          const before = gradients[i];
          const after = before === null ? product : before + product;
          if (!Number.isFinite(product) || !Number.isFinite(after)) impossible(TOO_LARGE);
          moves.push({ input: i, slot, slope, upstream, product, before, after });
          gradients[i] = after;
        });
        steps.push({ node: k, moves });
      }
    });
    return { steps, trouble };
  }

  function compute(values) {
    let graph;
    try {
      graph = read(values.expression);
    } catch (error) {
      if (error instanceof Unreadable) return { mistake: error.message };
      throw error;
    }
    const { nodes, names, wires } = graph;
    const start = Object.fromEntries(names.map((name, i) => [name, values[SLOTS[i]]]));
    const ran = forward(nodes, start);
    const operations = nodes.flatMap((node, k) => (node.inputs.length ? [k] : []));
    const { steps, trouble: caught } = ran.trouble ? { steps: [], trouble: null } : backward(nodes, ran.values);
    const ahead = operations.length;
    const back = operations.filter((k) => nodes[k].needs).length;
    const bad = ran.trouble ? ran.values.length : null;
    const last = bad === null ? ahead + 1 + steps.length + (caught ? 1 : 0) : operations.indexOf(bad) + 1;
    const step = clamp(values.step_number, 0, last);
    const shown = operations.slice(0, step);
    const state = {
      ...graph, mistake: null, step, last, current: null, trouble: null, fresh: [], counts: [ahead, back],
      gradients: nodes.map(() => null), flows: wires.map(() => null),
      values: nodes.map((node, k) => (node.kind === "name" ? start[node.label] : node.kind === "number" ? node.number
        : shown.includes(k) && k < ran.values.length ? ran.values[k] : null)),
    };
    if (step === 0) {
      state.phase = "start";
    } else if (step <= ahead) {
      state.current = operations[step - 1];
      state.phase = state.current === bad ? "stop" : "forward";
      if (state.phase === "stop") state.trouble = ran.trouble;
    } else {
      state.phase = step === ahead + 1 ? "seed" : "backward";
      state.current = nodes.length - 1;
      state.gradients[nodes.length - 1] = 1;
      const done = step - ahead - 1;
      for (const one of steps.slice(0, done)) {
        state.current = one.node;
        state.fresh = one.moves;
        for (const move of one.moves) {
          state.gradients[move.input] = move.after;
          state.flows[wires.findIndex((wire) => wire.target === one.node && wire.slot === move.slot)] = move;
        }
      }
      if (done > steps.length) {
        Object.assign(state, { phase: "stop", trouble: caught, fresh: [] });
        state.current = operations.filter((k) => nodes[k].needs).reverse()[steps.length];
      }
    }
    const nudge = Number(values.nudge);
    const finished = step === last && !caught && !ran.trouble;
    state.nudges = names.map((name) => {
      const index = nodes.findIndex((node) => node.kind === "name" && node.label === name);
      let change = null;
      if (!ran.trouble && step >= ahead) {
        const moved = forward(nodes, { ...start, [name]: start[name] + nudge });
        if (!moved.trouble) change = moved.values.at(-1) - ran.values.at(-1);
      }
      const gradient = finished ? state.gradients[index] : null;
      return { name, gradient, change, expected: gradient === null ? null : gradient * nudge };
    });
    return state;
  }

  // ---------------------------------------------------------------- words
  const NOUNS = {
    add: "the sum", sub: "the difference", mul: "the product", div: "the quotient", neg: "the minus", pow: "the power",
    power: "the power",
  };
  const REASONS = {
    add: "a sum has slope 1 for each part",
    sub: "slope 1 before the minus sign, −1 after it",
    mul: "the slope for one factor is the other factor",
    div: "the slopes are 1/bottom for the top, −top/bottom² for the bottom",
    neg: "a minus turns the sign, slope −1",
    power: "p·x**(p−1) is the slope for the base, output × log(base) for the exponent",
    exp: "the slope of exp is its own output",
    log: "the slope of log(x) is 1/x",
    tanh: "the slope of tanh is 1 − output²",
    relu: "the slope of relu is 1 above 0, else 0",
  };
  const powerReason = (p) => `the slope of x**${bracketed(p)} is ` +
    (p === 0 || p === 1 ? amount(p) : `${amount(p)}·x${p === 2 ? "" : `**${bracketed(p - 1)}`}`);
  const called = (node) => (node.kind === "name" ? node.label : NOUNS[node.kind] ?? node.kind);
  function sumInNumbers({ kind, label, number }, x) {
    if (FUNCTIONS.includes(kind)) return `${label}(${amount(x[0])})`;
    if (kind === "neg") return `−(${amount(x[0])})`;
    if (kind === "pow") return `${bracketed(x[0])} ** ${bracketed(number)}`;
    return `${kind === "power" ? bracketed(x[0]) : amount(x[0])} ${label} ${bracketed(x[1])}`;
  }

  function describe(state) {
    if (state.mistake) return `Not read yet. ${state.mistake}`;
    const { nodes, step, counts: [ahead, back] } = state;
    if (state.phase === "start") {
      const known = nodes.flatMap((node, k) => (node.kind === "name" ? [`${node.label} = ${amount(state.values[k])}`] : []));
      return `Start: ${known.join(", ")}. ${ahead ? "Each step forward computes one node." : "Nothing is to be computed."}`;
    }
    const node = nodes[state.current];
    if (state.phase === "stop") {
      const ends = step <= ahead;
      const where = ends ? `Forward ${step} of ${ahead}` : `Backward ${step - ahead - 1} of ${back}`;
      const then = ends ? "Nothing after it gets a value, and there is no way back." : "The way back ends here.";
      return `${where}, ${node.label}: this cannot be done: ${state.trouble}. ${then}`;
    }
    if (state.phase === "forward") {
      const x = node.inputs.map((i) => state.values[i]);
      const end = step === ahead ? " This is the output." : "";
      return `Forward ${step} of ${ahead}, ${called(node)}: ${sumInNumbers(node, x)} = ${amount(state.values[state.current])}.${end}`;
    }
    const end = step === state.last ? " Every name has its gradient." : "";
    if (state.phase === "seed") {
      return `The way back begins at the output: a nudge of it is a nudge of itself, so its gradient is 1.${end}`;
    }
    const reason = node.kind === "pow" ? powerReason(node.number) : REASONS[node.kind];
    const parts = state.fresh.map((move) => `to ${called(nodes[move.input])}: ` +
      `${amount(move.slope)} × ${bracketed(move.upstream)} = ${amount(move.product)}`);
    const meetings = state.fresh.filter((move) => move.before !== null).map((move) => ` Paths meet at ${called(nodes[move.input])}: ` +
      `${amount(move.before)} + ${bracketed(move.product)} = ${amount(move.after)}.`);
    return `Backward ${step - ahead - 1} of ${back}, ${node.label}: ${reason}. ` +
      `Slope × upstream ${parts.join("; ")}.${meetings.join("")}${end}`;
  }

  // ---------------------------------------------------------------- the picture
  const RED = "#c01626";
  const HEAD = 42, TABLE = 146;
  const WIDE = 520; // from this width on the graph runs from left to right, below it from above down
  const width = (words, size) => [...words].length * size * 0.56;

  function draw(picture, now, values, data, view) {
    // What cannot be read leaves the last graph standing, pale: it would flicker at every letter typed.
    if (!now.mistake) view.memory.last = { state: now, values: { ...values } };
    const { last } = view.memory;
    if (last) drawAll(picture, last.state, last.values);
    if (!now.mistake) return;
    picture.add(svg("rect", { width: picture.width, height: picture.height, fill: "#fff", opacity: last ? 0.75 : 1 }));
    picture.add(svg("rect", { width: picture.width, height: 40, fill: "#fff" }));
    picture.text(14, 27, "Not read yet", { weight: 700, size: 17, color: "#b3121f" });
  }

  function drawAll(picture, state, values) {
    const { colors } = picture;
    const wide = picture.width >= WIDE;
    const [ahead, back] = state.counts;
    const title = state.phase === "start" ? "Start" : state.step <= ahead ? `Forward ${state.step} of ${ahead}`
      : state.phase === "seed" ? "Backward: start" : `Backward ${state.step - ahead - 1} of ${back}`;
    const room = picture.width - 28 - (wide ? width(title, 17) + 16 : 0);
    const typed = values.expression.trim();
    const size = Math.min(17, room / ([...typed].length * 0.61));
    if (size >= 13.5) {
      const line = picture.text(14, 27, typed, { size, weight: 600 });
      line.setAttribute("font-family", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace");
    }
    const color = state.trouble ? "#b3121f" : state.step > ahead ? RED : colors.text;
    if (wide) picture.text(picture.width - 14, 27, title, { size: 17, weight: 700, anchor: "end", color });
    const map = placing(picture, state, wide);
    state.wires.forEach((wire, i) => drawWire(picture, state, map, wire, state.flows[i]));
    state.nodes.forEach((node, k) => drawNode(picture, state, map, node, k));
    drawLabels(picture, state, map);
    drawNudges(picture, state, values, wide);
  }

  // Where nodes and wires lie, in pixels.
  function placing(picture, state, wide) {
    const { nodes } = state;
    const layers = 1 + Math.max(...nodes.map((node) => node.layer));
    const rows = Math.max(...nodes.map((node) => node.place), ...state.wires.flatMap((wire) => wire.via.map(([, place]) => place))) + 0.5;
    const area = [12, HEAD + 4, picture.width - 24, picture.height - HEAD - TABLE - 12];
    const [along, across] = wide ? [area[2], area[3]] : [area[3], area[2]];
    const box = [wide ? 66 : Math.min(66, across / rows - 6), wide ? 58 : 54];
    const pitch = Math.min(wide ? 180 : 128, (along - box[wide ? 0 : 1] - 4) / Math.max(layers - 1, 1));
    const apart = Math.min(wide ? 96 : 118, across / rows);
    const at = ([layer, place]) => {
      const main = along / 2 + (layer - (layers - 1) / 2) * pitch;
      const other = across / 2 + (place - rows / 2) * apart;
      return wide ? [area[0] + main, area[1] + other] : [area[0] + other, area[1] + main];
    };
    return { at, box, wide, flows: [] };
  }

  const tall = (node, box) => (node.kind === "number" ? 30 : box[1]);

  function drawNode(picture, state, map, node, k) {
    const { colors } = picture;
    const [x, y] = map.at([node.layer, node.place]);
    const [wide] = map.box;
    const high = tall(node, map.box);
    const [left, top] = [x - wide / 2, y - high / 2];
    const value = state.values[k];
    const gradient = state.gradients[k];
    const current = k === state.current;
    const edge = current ? (state.trouble ? colors.wrong : colors.accent) : node.kind === "number" ? colors.neutral
      : node.inputs.length ? colors.class0 : colors.class1;
    const fill = node.kind === "number" ? "#f6f6f8" : node.inputs.length ? "#edf3ff" : "#fff4e2";
    if (current) {
      picture.add(svg("rect", {
        x: left - 5, y: top - 5, width: wide + 10, height: high + 10, rx: 13, fill: edge, opacity: 0.2,
      }));
    }
    picture.add(svg("rect", {
      x: left, y: top, width: wide, height: high, rx: 9, fill: value === null ? "#fff" : fill, stroke: edge,
      "stroke-width": current ? 3.5 : 2, "stroke-dasharray": value === null && !current ? "5 4" : null,
    }));
    const line = (words, at, look = {}) => picture.text(x, top + at, words, { anchor: "middle", halo: false, size: 15, ...look });
    if (node.kind === "number") { line(node.label, 20, { weight: 600 }); return; }
    line(node.label, 17, { weight: 700, color: node.inputs.length ? colors.text : "#8a5200" });
    if (current && state.phase === "stop" && state.step <= state.counts[0]) line("✗", 35, { weight: 700, color: "#b3121f" });
    else line(value === null ? "?" : amount(value), 34, { color: value === null ? colors.muted : colors.text });
    if (gradient !== null) line(amount(gradient), 51, { weight: 700, color: RED, size: amount(gradient).length > 6 ? 14 : 15 });
  }

  // Wires enter an operation side by side, in the order in which they come.
  function ends(state, map, wire) {
    const { nodes } = state;
    const [source, target] = [nodes[wire.source], nodes[wire.target]];
    const into = state.wires.filter((one) => one.target === wire.target);
    const other = into.find((one) => one.slot !== wire.slot);
    const twins = other?.source === wire.source;
    const height = (one) => one.via.at(-1)?.[1] ?? nodes[one.source].place;
    const first = other && (twins || height(wire) === height(other) ? wire.slot === 0 : height(wire) < height(other));
    const shift = !other ? 0 : first ? -11 : 11;
    const points = [[source.layer, source.place], ...wire.via, [target.layer, target.place]].map(map.at);
    const [start, end] = [points[0], points.at(-1)];
    const [main, side] = map.wide ? [0, 1] : [1, 0];
    const half = (node) => (map.wide ? map.box[0] : tall(node, map.box)) / 2;
    start[main] += half(source);
    end[main] -= half(target);
    end[side] += shift;
    if (twins) start[side] += shift;
    return points;
  }
  // A smooth curve through points: the control points of each stretch. It leaves and arrives along the main axis.
  function curves(points, wide) {
    const [main, side] = wide ? [0, 1] : [1, 0];
    const lean = points.map((_, i) => {
      const [before, after] = [points[i - 1], points[i + 1]];
      return before && after ? (after[side] - before[side]) / (after[main] - before[main]) : 0;
    });
    return points.slice(1).map((to, i) => {
      const from = points[i];
      const reach = (to[main] - from[main]) * (points.length > 2 ? 0.4 : 0.5);
      const handle = (point, way, slope) => (wide ? [point[0] + way, point[1] + way * slope] : [point[0] + way * slope, point[1] + way]);
      return [from, handle(from, reach, lean[i]), handle(to, -reach, lean[i + 1]), to];
    });
  }
  const on = ([a, b, c, d], t) => [0, 1].map((i) =>
    (1 - t) ** 3 * a[i] + 3 * (1 - t) ** 2 * t * b[i] + 3 * (1 - t) * t ** 2 * c[i] + t ** 3 * d[i]);

  function drawWire(picture, state, map, wire, flow) {
    const { colors } = picture;
    const points = ends(state, map, wire);
    const stretches = curves(points, map.wide);
    const pair = (point) => point.map((n) => n.toFixed(1)).join(" ");
    const known = state.values[wire.source] !== null;
    const feeding = wire.target === state.current && state.step <= state.counts[0];
    const fresh = flow !== null && state.fresh.includes(flow);
    const color = fresh ? colors.wrong : flow ? "#ee8f97" : feeding ? colors.accent : known ? "#8b909a" : "#d5d7dc";
    picture.add(svg("path", {
      d: `M${pair(points[0])}${stretches.map(([, b, c, d]) => `C${pair(b)} ${pair(c)} ${pair(d)}`).join("")}`,
      fill: "none", stroke: color, "stroke-width": fresh || feeding ? 3.5 : 2,
    }));
    if (!flow) return;
    if (fresh) { // the gradient runs towards the input
      const [x, y] = points[0];
      picture.add(svg("path", { d: map.wide ? `M${x} ${y}l11 -6v12Z` : `M${x} ${y}l-6 11h12Z`, fill: colors.wrong }));
    }
    // The last stretch is this wire's own; before it, several uses of a name may share one.
    map.flows.push({ stretch: stretches.at(-1), flow, fresh });
  }

  // Slope × upstream on every wire that a gradient has passed, where it covers nothing. This step's stand first.
  function drawLabels(picture, state, map) {
    const taken = state.nodes.map((node) => {
      const [x, y] = map.at([node.layer, node.place]);
      const [wide, high] = [map.box[0] / 2 + 3, tall(node, map.box) / 2 + 3];
      return [x - wide, y - high, x + wide, y + high];
    });
    for (const { stretch, flow, fresh } of map.flows.sort((one, other) => other.fresh - one.fresh)) {
      const [slope, upstream, product] = [amount(flow.slope), bracketed(flow.upstream), amount(flow.product)];
      const full = `${slope} × ${upstream}`;
      const end = `= ${product}`;
      let best = null;
      for (const lines of [[full, end], [`${full} ${end}`], [slope, `× ${upstream}`, end], [full], [slope, `× ${upstream}`]]) {
        const cut = lines.at(-1).endsWith(end) ? 0 : 150;
        const wide = Math.max(...lines.map((words) => width(words, fresh ? 15 : 14))) + 12; // bold takes more room
        const high = lines.length * 17 + 5;
        for (const t of [0.45, 0.35, 0.55, 0.25, 0.68, 0.15, 0.78]) {
          for (const off of [0, -1, 1, -2, 2]) {
            let [x, y] = on(stretch, t);
            if (map.wide) y += off * 23;
            else x += (off * (wide + 14)) / 2;
            x = clamp(x, wide / 2 + 3, picture.width - wide / 2 - 3);
            y = clamp(y, HEAD + high / 2, picture.height - TABLE - high / 2 - 3);
            const box = [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2];
            const covered = total(taken.map((one) => overlap(one, box)));
            const cost = covered + Math.abs(off) * 60 + Math.abs(t - 0.45) * 80 + lines.length * 20 + cut;
            if (!best || cost < best.cost) best = { cost, covered, box, lines };
          }
        }
      }
      if (!fresh && best.covered > 40) continue;
      taken.push(best.box);
      const [left, top, right, bottom] = best.box;
      picture.add(svg("rect", {
        x: left, y: top, width: right - left, height: bottom - top, rx: 6, fill: "#fff", "fill-opacity": fresh ? 1 : 0.85,
        stroke: fresh ? RED : "none", "stroke-width": 1.75,
      }));
      best.lines.forEach((words, i) => picture.text((left + right) / 2, top + 16 + 17 * i, words, {
        size: 14, anchor: "middle", weight: fresh ? 700 : 400, color: RED, halo: false,
      }));
    }
  }
  const overlap = ([a, b, c, d], [e, f, g, h]) => Math.max(0, Math.min(c, g) - Math.max(a, e)) * Math.max(0, Math.min(d, h) - Math.max(b, f));

  function drawNudges(picture, state, values, wide) {
    const { colors } = picture;
    const top = picture.height - TABLE;
    const nudge = values.nudge.replace("-", "−");
    const columns = [14, ...[wide ? 0.37 : 0.41, wide ? 0.62 : 0.65, 0.97].map((part) => part * picture.width)];
    picture.add(svg("line", { x1: 0, x2: picture.width, y1: top, y2: top, stroke: colors.grid, "stroke-width": 2 }));
    const heads = wide ? [`Nudge by ${nudge}`, "gradient", `gradient × ${nudge.startsWith("−") ? `(${nudge})` : nudge}`, "the output changes by"]
      : [`by ${nudge}`, "gradient", "× nudge", "real change"];
    const look = (i) => ({ anchor: i ? "end" : "start", size: wide ? 15 : 14 });
    heads.forEach((words, i) => picture.text(columns[i], top + 22, words, { ...look(i), weight: 600, color: i === 1 ? RED : colors.muted }));
    state.nudges.forEach(({ name, gradient, expected, change }, row) => {
      const y = top + 46 + row * 22;
      const known = state.step >= state.counts[0] && state.phase !== "stop";
      const same = expected !== null && change !== null && alike(expected, change);
      const cells = [wide ? `${name} alone` : name, gradient === null ? "·" : amount(gradient), expected === null ? "·" : amount(expected),
        change !== null ? `${same ? "✓ " : ""}${amount(change)}` : known ? "impossible" : "·"];
      cells.forEach((words, i) => picture.text(columns[i], y, words, {
        ...look(i), weight: i === 1 || i === 0 ? 700 : 400,
        color: words === "·" ? colors.muted : i === 1 ? RED : i === 0 ? "#8a5200" : i === 3 && same ? "#12805c" : colors.text,
      }));
    });
  }
  const alike = (one, other) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one), Math.abs(other));

  // ---------------------------------------------------------------- keeping the controls in step
  function stop(view) {
    clearInterval(view.memory.timer);
    view.memory.timer = null;
    view.button("play", { label: "Play" });
  }
  const lastStep = (view) => compute({ ...view.values, step_number: 0 }).last ?? 0;
  function play(view) {
    if (view.values.step_number >= lastStep(view)) view.set({ step_number: 0 }, { settled: false });
    view.button("play", { label: "Pause" });
    view.memory.timer = setInterval(() => {
      const next = Math.min(view.values.step_number + 1, lastStep(view));
      const done = next === lastStep(view);
      if (done) stop(view);
      view.set({ step_number: next }, { settled: done });
    }, PAUSE);
  }
  const go = (view, by) => {
    stop(view);
    view.set({ step_number: clamp(view.values.step_number + by, 0, lastStep(view)) });
  };

  // The values move with their names when a hand changes the expression; a new name keeps what its slider showed.
  function follow(view, names) {
    const { memory, values, data } = view;
    memory.kept ||= {};
    (memory.names || []).forEach((name, i) => { memory.kept[name] = values[SLOTS[i]]; });
    const moved = {};
    names.forEach((name, i) => { moved[SLOTS[i]] = memory.kept[name] ?? data.first_values[i]; });
    view.frame.adopt(moved);
  }

  function changed(view, { moved }) {
    const { memory, values } = view;
    if (memory.timer && (moved === "expression" || moved === "step_number")) stop(view);
    const state = compute(values);
    const readable = !state.mistake;
    for (const name of ["back", "play", "step"]) view.button(name, { disabled: !readable });
    if (!readable) return;
    if (moved === "expression" && memory.names) {
      if (String(state.names) !== String(memory.names)) follow(view, state.names);
      if (values.expression !== memory.expression) {
        const end = compute({ ...values, step_number: 0 }).last;
        view.frame.adopt({ step_number: memory.finished ? end : 0 });
      }
    }
    const { names, step, last } = compute(values);
    SLOTS.forEach((slot, i) => view.frame.slider(slot, { label: names[i] ?? "–", hidden: i >= names.length }));
    view.frame.slider("step_number", { maximum: last });
    view.frame.adopt({ step_number: step });
    Object.assign(memory, { names, expression: values.expression, finished: step === last });
    view.button("back", { disabled: step === 0 });
    view.button("step", { disabled: step === last });
  }

  const finished = (state) => !state.mistake && !state.trouble && state.step === state.last;
  const gradientOf = (state, name) => state.nudges.find((row) => row.name === name)?.gradient ?? null;
  return {
    compute, describe, draw, stop, changed, read, amount,
    reset: stop,
    mistakes: (state) => ({ expression: state.mistake }),
    lines: (wide) => (wide < 450 ? 8 : wide < 600 ? 5 : 4),
    height: (wide) => (wide >= WIDE ? 520 : 690),
    actions: {
      back: (view) => go(view, -1),
      step: (view) => go(view, 1),
      play: (view) => {
        if (!view.memory.timer) return play(view);
        stop(view);
        return view.set({});
      },
    },
    goals: {
      walk: (state) => finished(state) && state.counts[0] > 0,
      twelve: (state) => finished(state) && gradientOf(state, "b") !== null && Math.abs(gradientOf(state, "b") - 12) < 1e-9,
      straight: (state, values) => finished(state) && state.counts[0] > 0 && values.nudge === "1" &&
        state.nudges.every((row) => row.change !== null && alike(row.expected, row.change)) &&
        state.nudges.some((row) => row.gradient !== 0),
      cancel: (state) => {
        if (!finished(state)) return false;
        const a = state.nodes.findIndex((node) => node.kind === "name" && node.label === "a");
        const flows = state.wires.flatMap((wire, i) => (wire.source === a && state.flows[i] ? [state.flows[i].product] : []));
        return flows.length > 1 && flows.every((product) => Math.abs(product) > 1e-9) && Math.abs(gradientOf(state, "a")) < 1e-9;
      },
    },
  };
})();
