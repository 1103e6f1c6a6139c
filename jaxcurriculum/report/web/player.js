/** Let a person choose a film, its axes and its moment; `draw()` shows them. */
function makePlayer(draw) {
  const [condition, seed, colour, x, y, play, slider, speed] =
    ["condition", "seed", "colour", "x", "y", "play", "time", "speed"].map(name => byId(`film-${name}`));
  const filmed = [...new Set(content.films.map(film => film.condition))];
  let playing = false, before = null, request = 0;

  const films = () => content.films.filter(film => film.condition === filmed[condition.value]);

  function chooseCondition() {
    fill(seed, films().map(film => film.seed));
    chooseFilm();
  }

  function chooseFilm() {
    scene.film = opened(films()[seed.value]);
    byId("bars-part").hidden = scene.film.belief?.kind !== "bars";
    byId("bars-hint").textContent = scene.film.belief?.legend ?? "";
    byId("wall-part").hidden = !scene.film.layouts;
    draw();
  }

  function chooseView() {
    Object.assign(scene, {x: Number(x.value), y: Number(y.value), colour: colour.value});
    draw();
  }

  function tick(moment) {
    const passed = Math.min(moment - (before ?? moment), 100) / 1000;  // s; a hidden page goes on where it was
    before = moment;
    scene.time = Math.min(scene.time + passed * speed.value / SECONDS, 1);
    slider.value = 1000 * scene.time;
    draw();
    if (scene.time < 1) request = requestAnimationFrame(tick);
    else setPlaying(false);
  }

  function setPlaying(wanted) {
    if (wanted && scene.time >= 1) scene.time = 0;
    [playing, before, play.textContent] = [wanted, null, wanted ? "Pause" : "Play"];
    cancelAnimationFrame(request);
    if (playing) request = requestAnimationFrame(tick);
  }

  fill(condition, filmed.map(index => content.conditions[index].name));
  condition.value = filmed.indexOf(content.opening);
  fill(x, axes.map(axis => axis.label));
  fill(y, axes.map(axis => axis.label));
  y.add(new Option("return", -1));
  y.value = scene.y = axes.length > 1 ? 1 : -1;
  byId("parallel-part").hidden = axes.length < 3;
  condition.addEventListener("change", chooseCondition);
  seed.addEventListener("change", chooseFilm);
  for (const choice of [x, y, colour]) choice.addEventListener("change", chooseView);
  play.addEventListener("click", () => setPlaying(!playing));
  slider.addEventListener("input", () => {
    scene.time = slider.value / 1000;
    draw();
  });
  chooseCondition();
}
