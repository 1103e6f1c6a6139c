function summary() {
  const total = content.conditions.reduce((sum, condition) => sum + condition.seeds, 0);
  const counted = (num, word) => `${num.toLocaleString("en")} ${word}${num === 1 ? "" : "s"}`;
  const [conditions, seeds] = [counted(content.conditions.length, "condition"), counted(total, "seed")];
  return `${content.world}: ${conditions}, ${seeds}, compared after ${steps(content.steps)} of each seed`;
}

byId("summary").textContent = summary();
byId("lifelong-part").hidden = !byId("lifelong").children.length;
byId("film-section").hidden = !content.films.length;
const drawCharts = [makeCurves(), makeProfiles(), makeImprovements()];
const redrawCharts = () => drawCharts.forEach(draw => draw());
makeLegend(redrawCharts);
redrawCharts();
if (content.films.length) makePlayer(makeFilm());
makeWalks();
