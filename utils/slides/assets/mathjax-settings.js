// Read by MathJax when it starts. Each formula keeps its glyphs to itself, so that the speaker's window can copy it.
window.MathJax = {
  tex: {
    inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]], processEscapes: true,
    packages: { "[-]": ["noerrors", "noundefined"] }, // what cannot be read is an error, which the check sees
  },
  svg: { fontCache: "local" },
  options: { enableMenu: false },
};
