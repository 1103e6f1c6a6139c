function makeProfiles() {
  const canvas = byId("profiles"), thresholds = unpack(content.thresholds);
  let frame = null, pointer = null;

  function draw(pen, width, height) {
    const x = {low: thresholds[0], high: thresholds.at(-1), label: "return τ"};
    frame = drawAxes(pen, width, height, x, {low: 0, high: 1, label: "share above τ"});
    for (const condition of visible()) drawBand(pen, frame, thresholds, condition.profile, condition);
    if (pointer !== null) drawPointer(pen, frame, pointer);
  }

  function showValues() {
    if (pointer === null) return byId("profile-values").replaceChildren();
    const share = (pointer - frame.left) / (frame.right - frame.left);
    const place = Math.round(share * (thresholds.length - 1));
    const texts = visible().map(one => `${one.name}: ${(100 * row(one.profile, 0)[place]).toFixed(0)} %`);
    byId("profile-values").replaceChildren(...[`τ = ${short(thresholds[place])}:`, ...texts].map(spoken));
  }

  const redraw = makeCanvas(canvas, draw);
  onPoint(canvas, x => {
    pointer = x === null ? null : Math.min(Math.max(x, frame.left), frame.right);
    redraw();
    showValues();
  });
  return redraw;
}

/** How likely a seed of each condition masters more than one of the first. */
function makeImprovements() {
  const canvas = byId("improvements"), chances = unpack(content.improvements);
  const first = content.conditions[0];
  byId("improvement-part").hidden = content.conditions.length === 1;
  byId("improvement-hint").textContent =
    `How likely a seed masters more test tasks than one of ${first.name}, with its 95 % bootstrap interval. ` +
    "At 0.5 neither is better.";
  const rows = () => content.conditions
    .map((condition, index) => ({condition, chance: row(chances, index)}))
    .filter(({condition, chance}) => shown.has(condition) && Number.isFinite(chance[0]));

  const isNarrow = () => canvas.clientWidth < 420;  // then a name stands above its dot
  const rowHeight = () => isNarrow() ? 48 : 34;

  function draw(pen, width, height) {
    const names = rows().map(({condition}) => pen.measureText(condition.name).width + 16);
    const left = isNarrow() ? 16 : Math.min(width / 2, Math.max(16, ...names)), right = width - 16, bottom = height - 24;
    const atX = share => left + (right - left) * share;
    [pen.strokeStyle, pen.lineWidth, pen.textAlign] = [GRID, 1, "center"];
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      pen.strokeStyle = share === 0.5 ? SOFT : GRID;
      line(pen, [[atX(share), 6], [atX(share), bottom]]);
      pen.fillStyle = SOFT;
      pen.fillText(share, atX(share), bottom + 16);
    }
    rows().forEach(({condition, chance}, place) => {
      const y = 6 + rowHeight() * (place + (isNarrow() ? 0.75 : 0.5));
      [pen.strokeStyle, pen.lineWidth, pen.fillStyle] = [condition.colour, 3, INK];
      line(pen, [[atX(chance[1]), y], [atX(chance[2]), y]]);
      pen.textAlign = isNarrow() ? "left" : "right";
      if (isNarrow()) pen.fillText(fitted(pen, condition.name, width - 16), 8, y - 14);
      else pen.fillText(fitted(pen, condition.name, left - 10), left - 8, y + 4);
      dot(pen, atX(chance[0]), y, 5, condition.colour);
    });
  }

  const redraw = makeCanvas(canvas, draw);
  return () => {
    canvas.style.height = `${rowHeight() * Math.max(1, rows().length) + 32}px`;
    redraw();
  };
}

/** `text`, cut where it is wider than `width`. */
function fitted(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let num = text.length;
  while (num > 1 && pen.measureText(`${text.slice(0, num)}…`).width > width) num--;
  return `${text.slice(0, num)}…`;
}
