/** Draw what the teacher believes now, on the two axes that are shown. */
function drawBelief(pen, frame, belief) {
  const place = lastAt(belief.steps, now());
  if (place < 0 || belief.kind === "bars") return;
  const strength = row(belief.strength, place), most = Math.max(1e-12, ...strength.filter(Number.isFinite));
  const drawShape = {gaussians: drawGaussian, boxes: drawBox, points: drawRing}[belief.kind];
  pen.save();
  pen.beginPath();
  pen.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
  pen.clip();
  strength.forEach((value, index) => {
    if (!Number.isFinite(value)) return;
    const shape = {};
    for (const [name, values] of Object.entries(belief.shapes)) {
      shape[name] = part(row(values, place), strength.length, index);
    }
    const path = drawShape(frame, shape, value / most);
    for (const [colour, more] of [[PAPER, 2], [content.colours.belief, 0]]) {
      [pen.strokeStyle, pen.lineWidth] = [colour, 0.7 + 2 * value / most + more];
      pen.stroke(path);
    }
  });
  pen.restore();
}

/** What belongs to shape number `index` of `num`. */
function part(values, num, index) {
  const width = values.length / num;
  return values.subarray(index * width, (index + 1) * width);
}

/** From a fraction of an axis to pixels. */
function inFrame(frame, x, y) {
  const [[lowX, highX], [lowY, highY]] = [bounds(scene.x), bounds(scene.y)];
  return [frame.atX(lowX + x * (highX - lowX)), frame.atY(lowY + y * (highY - lowY))];
}

/** Two standard deviations of a Gaussian, seen from along all other axes. */
function drawGaussian(frame, {mean, deviation, correlation}) {
  const {x, y} = scene, path = new Path2D(), slant = correlation[x * mean.length + y];
  const across = Math.sqrt(Math.max(0, 1 - slant * slant));
  for (let i = 0; i <= 48; i++) {
    const angle = 2 * Math.PI * i / 48, [cos, sin] = [2 * Math.cos(angle), 2 * Math.sin(angle)];
    const along = mean[x] + deviation[x] * cos;
    path.lineTo(...inFrame(frame, along, mean[y] + deviation[y] * (slant * cos + across * sin)));
  }
  return path;
}

function drawBox(frame, {low, high}) {
  const {x, y} = scene, path = new Path2D();
  const [left, bottom] = inFrame(frame, low[x], low[y]), [right, top] = inFrame(frame, high[x], high[y]);
  if (right - left < 3 && bottom - top < 3) {  // as that with which ADR begins: a cross
    path.moveTo(left - 7, bottom);
    path.lineTo(left + 7, bottom);
    path.moveTo(left, bottom - 7);
    path.lineTo(left, bottom + 7);
  } else path.rect(left, top, right - left, bottom - top);
  return path;
}

function drawRing(frame, {task}) {
  const path = new Path2D();
  path.arc(...inFrame(frame, task[scene.x], task[scene.y]), 5, 0, 2 * Math.PI);
  return path;
}
