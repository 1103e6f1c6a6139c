const shown = new Set(content.conditions.filter(condition => condition.shown));
for (const condition of content.conditions) {
  for (const measure of ["mastered", "returns"]) {
    const {band, seeds} = condition[measure];
    condition[measure] = {band: unpack(band), seeds: unpack(seeds)};
  }
  condition.profile = unpack(condition.profile);
}

/** A box to tick for each condition, beside its line. */
function makeLegend(changed) {
  const entries = content.conditions.map(condition => {
    const label = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, {type: "checkbox", checked: shown.has(condition)});
    box.addEventListener("change", () => {
      if (box.checked) shown.add(condition);
      else shown.delete(condition);
      changed();
    });
    const number = `${condition.seeds} seed${condition.seeds > 1 ? "s" : ""}`;
    label.append(box, swatch(condition), `${condition.name} (${number})`);
    return label;
  });
  byId("legend").replaceChildren(...entries);
}

function swatch({colour, dash}) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("width", 30);
  picture.setAttribute("height", 8);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const look = {d: "M0 4H30", stroke: colour, "stroke-width": 3, "stroke-dasharray": dash.join(" ")};
  for (const [name, value] of Object.entries(look)) path.setAttribute(name, value);
  picture.append(path);
  return picture;
}

/** Those that are shown, in their order. */
const visible = () => content.conditions.filter(condition => shown.has(condition));

function makeCurves() {
  const canvas = byId("curves"), measure = byId("measure"), single = byId("single-seeds");
  let frame = null, pointer = null;

  function limits() {
    const name = measure.value, every = visible();
    const values = every.flatMap(one => extent([...one[name].band, ...(single.checked ? one[name].seeds : [])]));
    const [low, high] = extent(values);
    const last = Math.max(1, ...every.map(one => one.steps.at(-1)));
    const y = name === "mastered" ? {low: 0, high: Math.max(high, 5)} : {low, high};
    return [{low: 0, high: last, label: `${content.unit} a seed`}, {...y, label: measure.selectedOptions[0].text}];
  }

  function draw(pen, width, height) {
    frame = drawAxes(pen, width, height, ...limits());
    for (const condition of visible()) {
      const {band, seeds} = condition[measure.value];
      if (single.checked) drawSeeds(pen, frame, condition, seeds);
      drawBand(pen, frame, condition.steps, band, condition);
    }
    if (pointer !== null) drawPointer(pen, frame, pointer);
  }

  function showValues() {
    const share = pointer === null ? null : (pointer - frame.left) / (frame.right - frame.left);
    const now = share * limits()[0].high;
    const texts = share === null ? [] : visible().map(condition => {
      const place = Math.max(lastAt(condition.steps, now), 0), {band} = condition[measure.value];
      const [middle, low, high] = [0, 1, 2].map(index => row(band, index)[place]);
      const spread = Number.isFinite(low) ? ` (${short(low)} to ${short(high)})` : "";
      return `${condition.name}: ${short(middle)}${spread}`;
    });
    if (texts.length) texts.unshift(`${steps(Math.max(now, 0))}:`);
    byId("curve-values").replaceChildren(...texts.map(spoken));
  }

  const redraw = makeCanvas(canvas, draw);
  onPoint(canvas, x => {
    pointer = x === null ? null : Math.min(Math.max(x, frame.left), frame.right);
    redraw();
    showValues();
  });
  measure.addEventListener("change", redraw);
  single.addEventListener("change", redraw);
  return redraw;
}

function spoken(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

function drawSeeds(pen, frame, condition, seeds) {
  [pen.strokeStyle, pen.lineWidth, pen.globalAlpha] = [condition.colour, 1, 0.4];
  for (let seed = 0; seed < seeds.shape[0]; seed++) {
    const values = row(seeds, seed);
    line(pen, condition.steps.map((step, i) => [frame.atX(step), frame.atY(values[i])]));
  }
  pen.globalAlpha = 1;
}

function drawPointer(pen, frame, x) {
  [pen.strokeStyle, pen.lineWidth] = [SOFT, 1];
  line(pen, [[x, frame.top], [x, frame.bottom]]);
}
