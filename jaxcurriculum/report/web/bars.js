/** Where the bars are drawn, and where the pointer is; null when it is elsewhere. */
const bars = {frame: null, pointer: null};

/** The teacher's probabilities or scores now, where its choices have no place. */
function drawBars(pen, width, height) {
  const {belief} = scene.film;
  if (belief?.kind !== "bars") return;
  const place = lastAt(belief.steps, now());
  if (place < 0) return;
  const values = row(belief.strength, place), high = extent(belief.strength)[1];
  const x = {low: 0, high: values.length, label: belief.across};
  const y = {low: 0, high, label: belief.choices ? "probability" : "score"};
  bars.frame = drawAxes(pen, width, height, x, y);
  const said = pointedBar(values);
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) return;
    const left = bars.frame.atX(index + 0.1), top = bars.frame.atY(value);
    pen.fillStyle = index === said && bars.pointer !== null ? INK : content.colours.belief;
    pen.fillRect(left, top, Math.max(1, bars.frame.atX(index + 0.9) - left), bars.frame.bottom - top);
  });
  sayBar(belief.choices, said, values[said]);
}

/** The number of the bar under the pointer, else of the highest one. */
function pointedBar(values) {
  if (bars.pointer === null) return values.indexOf(extent(values)[1]);
  const {left, right} = bars.frame, share = (bars.pointer - left) / (right - left);
  return Math.min(Math.max(Math.floor(share * values.length), 0), values.length - 1);
}

function sayBar(choices, index, value) {
  const isPointed = bars.pointer !== null, number = Number.isFinite(value) ? short(value) : "unknown";
  const score = `${isPointed ? `Level ${index + 1}` : "Highest"}: ${number}`;
  const choice = () => `${isPointed ? "Here" : "Likeliest"}, at ${number}: ${choices[index]}`;
  byId("bar-value").textContent = choices ? choice() : score;
}

function makeBars() {
  const redraw = makeCanvas(byId("bars"), drawBars);
  onPoint(byId("bars"), x => {
    bars.pointer = x;
    redraw();
  });
  return redraw;
}
