// Brings explorers to life. A page holds each one's first state as JSON; its module is in a script beside this file.
(() => {
  const folder = new URL("explorers/", document.currentScript.src);
  const waiting = new Map();

  // What an explorer asks of its model, without a kernel behind it.
  function stateModel(state) {
    const heard = new Map();
    const listeners = (event) => heard.get(event) ?? heard.set(event, new Set()).get(event);
    return {
      get: (key) => state[key],
      set(key, value) {
        state[key] = value;
        for (const call of [...listeners(`change:${key}`)]) call();
      },
      save_changes() {},
      send() {},
      on: (event, call) => { listeners(event).add(call); },
      off: (event, call) => { listeners(event).delete(call); },
    };
  }

  function addStyle(text) {
    if ([...document.querySelectorAll("style.n2t-style")].some((style) => style.textContent === text)) return;
    const style = document.createElement("style");
    style.className = "n2t-style";
    style.textContent = text;
    document.head.append(style);
  }

  // The script of an explorer calls this. From text a module can be made in a page that was opened from disk, too.
  window.n2tExplorer = async (file, { module, style }) => {
    addStyle(style);
    const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
    const { default: explorer } = await import(address);
    URL.revokeObjectURL(address);
    for (const place of waiting.get(file) ?? []) {
      const state = JSON.parse(place.querySelector("script").textContent);
      const host = document.createElement("div");
      place.append(host);
      explorer.render({ model: stateModel(state), el: host });
      // The still goes only once its explorer is there.
      const still = place.closest(".output")?.previousElementSibling;
      if (host.querySelector(".n2t-live")) still?.classList.add("n2t-covered");
    }
  };

  for (const place of document.querySelectorAll(".n2t-alive")) {
    const file = place.dataset.module;
    if (waiting.has(file)) {
      waiting.get(file).push(place);
      continue;
    }
    waiting.set(file, [place]);
    const script = document.createElement("script");
    script.src = new URL(file, folder);
    document.head.append(script);
  }

  // The words in a picture are never shown smaller than this share of their size: on a telephone it scrolls instead.
  const LEGIBLE = 0.58;
  function keepLegible() {
    for (const picture of document.querySelectorAll(".bd-article .cell_output img")) {
      picture.style.setProperty("--legible", `${Math.round(LEGIBLE * picture.naturalWidth)}px`);
    }
  }

  // Paper is white, and on it nothing can be unfolded. Afterwards all is as it was.
  const folded = [];
  let theme;
  window.addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    folded.push(...document.querySelectorAll(".bd-article details:not([open])"));
    for (const answer of folded) answer.open = true;
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme;
    for (const answer of folded.splice(0)) answer.open = false;
  });

  // Whoever chooses a heading in the drawer of a narrow screen wants to see it, and not the drawer.
  for (const drawer of document.querySelectorAll("#pst-primary-sidebar-modal, #pst-secondary-sidebar-modal")) {
    drawer.addEventListener("click", (event) => {
      if (event.target.closest("a")) drawer.close();
    });
  }

  // What scrolls in its own box can be reached, and so scrolled, by keyboard.
  function reachable() {
    const boxes = document.querySelectorAll(".bd-article :is(pre, table, .katex-display, .cell_output, .cell_output .output)");
    const wide = [...boxes].map((box) => box.scrollWidth > box.clientWidth);  // all are measured before one is changed
    boxes.forEach((box, i) => {
      if (wide[i]) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  }
  window.addEventListener("load", () => {
    keepLegible();
    reachable();
    document.fonts.ready.then(reachable);
  });
  window.addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, { capture: true });  // an answer was unfolded
})();
