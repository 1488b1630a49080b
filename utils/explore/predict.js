// A question whose answer is revealed after one has chosen. Everything is plain text; nothing is read as HTML.
const explorer = (() => {
  const { html, KEYS, unique } = n2t;

  // The browser may forbid storage (a private window): then the choice lasts as long as the page.
  const memory = {
    read(key) {
      try { return window.localStorage.getItem(key); } catch { return null; }
    },
    write(key, value) {
      try {
        if (value === null) window.localStorage.removeItem(key);
        else window.localStorage.setItem(key, value);
      } catch { /* not remembered */ }
    },
  };

  function render({ model, el }) {
    const { question, options, answer, explanation, key } = model.get("data");
    const place = `n2t-predict-${key}`;
    const name = unique();
    let chosen = null;
    let revealed = false;

    const inputs = options.map((option, i) => html("input", {
      type: "radio", name, value: i, ...KEYS, onchange: () => { chosen = i; show(); },
    }));
    const marks = options.map(() => html("span", { class: "n2t-verdict" }));
    const lines = options.map((option, i) =>
      html("label", { class: "n2t-line n2t-option" }, inputs[i], html("span", {}, option), marks[i]));
    const button = html("button", { type: "button", name: "reveal", class: "n2t-primary", ...KEYS, onclick: press });
    const verdict = html("p", { class: "n2t-result" });
    const reason = html("p", {});
    const result = html("div", { class: "n2t-answer", role: "status", "aria-live": "polite" }, verdict, reason);
    const root = html("div", { class: "n2t n2t-live n2t-predict", "data-explorer": "predict" },
      html("fieldset", {}, html("legend", {}, html("span", { class: "n2t-tag" }, "Predict"), question),
        html("div", { class: "n2t-options" }, lines)),
      html("div", { class: "n2t-buttons" }, button), result);
    el.append(root);

    function press() {
      if (revealed) {
        [chosen, revealed] = [null, false];
        memory.write(place, null);
        show();
        inputs[0].focus();
        return;
      }
      if (chosen === null) {
        verdict.textContent = "Choose an answer first: a guess is fine.";
        return;
      }
      revealed = true;
      memory.write(place, String(chosen));
      show();
    }
    function show() {
      button.textContent = revealed ? "Ask me again" : "Reveal";
      button.classList.toggle("n2t-primary", !revealed);
      button.setAttribute("aria-disabled", String(chosen === null && !revealed));
      inputs.forEach((input, i) => {
        input.checked = i === chosen;
        input.disabled = revealed;
        const state = !revealed ? "" : i === answer ? "right" : i === chosen ? "wrong" : "";
        lines[i].dataset.state = state;
        marks[i].textContent = state === "right" ? "✓ right" : state === "wrong" ? "✗ your choice" : "";
      });
      const right = chosen === answer;
      root.dataset.result = revealed ? (right ? "right" : "wrong") : "";
      verdict.textContent = !revealed ? "" : right ? "Right." : `Not so. The answer: ${options[answer]}`;
      reason.textContent = revealed ? explanation : "";
    }

    const before = memory.read(place);
    if (before !== null && Number(before) in options) [chosen, revealed] = [Number(before), true];
    show();
    return () => root.remove();
  }
  return { render };
})();
