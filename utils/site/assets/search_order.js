// How well a page answers a search: Sphinx's own numbers, but a lesson comes before its exercises.
var Scorer = {
  score: ([page, , , , score]) => (page.startsWith("exercises/") ? score - 4 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
