const SECONDS = 20;  // a whole film takes, at speed 1
const STRETCH = 0.05;  // of a film: the tasks that are shown at once
const axes = content.axes.names.map((name, index) => {
  const unit = content.axes.units[index];
  return {label: name.replaceAll("_", " ") + (unit ? ` (${unit})` : ""), index};
});

/** What the parts of the film draw: the film, the moment, the axes. */
const scene = {film: null, time: 1, x: 0, y: 1, colour: "returns"};

/** The film with its arrays, decoded when it is first shown. */
function opened(film) {
  if (film.opened) return film;
  film.opened = true;
  for (const name of ["steps", "returns", "progress"]) film[name] = unpack(film[name]);
  film.tasks = film.tasks.map(unpack);
  if (film.belief) {
    film.belief.strength = unpack(film.belief.strength);
    for (const [name, values] of Object.entries(film.belief.shapes)) film.belief.shapes[name] = unpack(values);
  }
  if (film.layouts) {
    film.layouts.steps = unpack(film.layouts.steps);
    film.layouts.returns = unpack(film.layouts.returns);
  }
  return film;
}

/** The bounds of an axis: of its space, or where that has none, of all that is shown. */
function bounds(index) {
  const {low, high} = content.axes;
  if (low[index] !== null && high[index] !== null) return [low[index], high[index]];
  return extent([...scene.film.tasks[index], ...tests[index]]);
}

/** An axis of the plane that is shown; its number is that of a task axis, or -1 for the return. */
function planeAxis(index) {
  const [low, high] = index < 0 ? extent(scene.film.returns) : bounds(index);
  const margin = 0.03 * (high - low || 1);
  return {low: low - margin, high: high + margin, label: index < 0 ? "return" : axes[index].label};
}

const now = () => scene.time * scene.film.total;

/** The first and the last number of the episodes that are shown now: of the latest time, at least of a round. */
function stretch() {
  const {steps, total} = scene.film, last = lastAt(steps, now());
  const [since, round] = [lastAt(steps, now() - STRETCH * total) + 1, last < 0 ? 0 : firstAt(steps, steps[last])];
  return [Math.min(since, round), last];
}

/** The range of what colours the episodes; of progress a few may lie beyond. */
function colourRange() {
  const values = scene.film[scene.colour];
  if (scene.colour === "returns") return extent(values);
  const sorted = values.slice().sort();
  return [0, sorted[Math.floor(0.95 * (sorted.length - 1))] || 1];
}

function episodeColour(index, [low, high]) {
  return shade("viridis", (scene.film[scene.colour][index] - low) / (high - low || 1));
}

function drawTasks(pen, width, height) {
  const {film} = scene, frame = drawAxes(pen, width, height, planeAxis(scene.x), planeAxis(scene.y));
  const [first, last] = stretch(), range = colourRange();
  const across = film.tasks[scene.x], up = scene.y < 0 ? film.returns : film.tasks[scene.y];
  for (let i = first; i <= last; i++) {
    pen.globalAlpha = 0.35 + 0.65 * (i - first + 1) / (last - first + 1);
    dot(pen, frame.atX(across[i]), frame.atY(up[i]), 4, episodeColour(i, range));
  }
  pen.globalAlpha = 1;
  if (film.belief && scene.y >= 0) drawBelief(pen, frame, film.belief);
}

function drawTaskBar(pen, width) {
  const label = scene.colour === "returns" ? "return" : "learning progress";
  drawBar(pen, width, "viridis", ...colourRange(), label);
}

function describe() {
  const {film} = scene, [first, last] = stretch(), {belief} = film;
  const places = belief && belief.kind !== "bars" && scene.y >= 0 ? `; ${belief.legend}` : "";
  const meaning = scene.colour === "progress" ? "; progress is |return − return of the nearest earlier task|" : "";
  byId("film-clock").textContent = steps(now());
  byId("film-time").setAttribute("aria-valuetext", steps(now()));
  const isRound = last >= 0 && film.steps[last] <= now() - STRETCH * film.total;
  const when = isRound ? "round" : `${100 * STRETCH} % of the time`;
  byId("film-hint").textContent = `${last - first + 1} tasks of the latest ${when}${places}${meaning}.`;
}

function makeFilm() {
  const parts = [
    makeCanvas(byId("film"), drawTasks),
    makeCanvas(byId("film-bar"), drawTaskBar),
    makeCanvas(byId("mastery"), drawMastery),
    makeCanvas(byId("mastery-bar"), drawMasteryBar),
    makeBars(),
    makeCanvas(byId("parallel"), drawParallel),
    makeCanvas(byId("wall"), drawWall),
    describe,
  ];
  return () => parts.forEach(draw => draw());
}
