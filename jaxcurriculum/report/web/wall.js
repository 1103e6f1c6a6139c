const THUMBNAIL = 84;  // pixels a side, with its gap
const WALL = "#39424a", GOAL = "#009e73", AGENT = "#d55e00", NOT_MASTERED = "#c9ced3";
const TURNS = {">": 0, "v": 1, "<": 2, "^": 3};

/** The rows of a level without the walls on the right and at the bottom with which small ones are filled up. */
function cropped(layout) {
  const lines = layout.split("/"), ends = lines.map(text => text.replace(/#+$/, "").length);
  const rows = ends.findLastIndex(end => end > 0) + 1, columns = Math.max(...ends);
  return rows ? lines.slice(0, rows).map(text => text.slice(0, columns)) : lines;
}

/** Draw a level of rows joined by "/" in a square: '#' a wall, 'G' the goal, '>v<^' the agent. */
function drawLevel(pen, layout, left, top, side) {
  const lines = cropped(layout), columns = lines[0].length, cell = side / Math.max(lines.length, columns);
  pen.fillStyle = PAPER;
  pen.fillRect(left, top, columns * cell, lines.length * cell);
  lines.forEach((text, y) => [...text].forEach((sign, x) => {
    const [cellX, cellY] = [left + x * cell, top + y * cell];
    if (sign === "#" || sign === "G") {
      pen.fillStyle = sign === "#" ? WALL : GOAL;
      pen.fillRect(cellX, cellY, cell + 0.3, cell + 0.3);
    } else if (sign in TURNS) drawAgent(pen, cellX + cell / 2, cellY + cell / 2, cell, TURNS[sign]);
  }));
  [pen.strokeStyle, pen.lineWidth] = [WALL, 1];
  pen.strokeRect(left, top, columns * cell, lines.length * cell);
}

function drawAgent(pen, x, y, size, turns) {
  pen.save();
  pen.translate(x, y);
  pen.rotate(turns * Math.PI / 2);
  pen.beginPath();
  for (const [along, across] of [[0.5, 0], [-0.4, -0.45], [-0.4, 0.45]]) pen.lineTo(along * size, across * size);
  pen.fillStyle = AGENT;
  pen.fill();
  pen.restore();
}

/** The latest levels of the film, the newest first, with their returns. */
function drawWall(pen, width, height) {
  const {layouts} = scene.film;
  if (!layouts) return;
  const columns = Math.max(3, Math.floor(width / THUMBNAIL)), side = width / columns - 8;
  const rows = Math.floor(height / (side + 24));
  const last = lastAt(layouts.steps, now()), [low, high] = extent(layouts.returns);
  for (let i = 0; i < columns * rows && i <= last; i++) {
    const left = (i % columns) * (side + 8) + 1, top = Math.floor(i / columns) * (side + 24) + 1;
    const value = layouts.returns[last - i];
    drawLevel(pen, layouts.texts[last - i], left, top, side);
    pen.fillStyle = shade("viridis", (value - low) / (high - low || 1));
    pen.fillRect(left, top + side + 4, 10, 10);
    [pen.fillStyle, pen.textAlign] = [INK, "left"];
    pen.fillText(short(value), left + 14, top + side + 14);
  }
}

/** The test levels with the share of seeds that master each. */
function drawTestWall(pen, width, height, shares) {
  const levels = content.testLayouts, columns = Math.max(1, Math.ceil(Math.sqrt(levels.length * width / height)));
  const place = Math.min(width / columns, height / Math.ceil(levels.length / columns)), side = place - 10;
  levels.forEach((layout, task) => {
    const left = (task % columns) * place + 1, top = Math.floor(task / columns) * place + 1;
    drawLevel(pen, layout, left, top, side);
    pen.fillStyle = shares ? shade("cividis", shares[task]) : NOT_MASTERED;
    pen.fillRect(left, top + side + 1, side, 5);
  });
  sayMastery(shares, false);
}
