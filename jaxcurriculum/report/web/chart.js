const INK = "#22282e", SOFT = "#59636d", GRID = "#e6eaed", PAPER = "#ffffff";
const FONT = "12px system-ui, sans-serif";

/** Let `draw(pen, width, height)` draw a canvas at every size it takes; returns how to draw it again. */
function makeCanvas(canvas, draw) {
  const pen = canvas.getContext("2d");
  function redraw() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    draw(pen, width, height);
  }
  new ResizeObserver(redraw).observe(canvas);
  return redraw;
}

/** Round numbers from `low` to `high`, about `most` of them. */
function ticks(low, high, most) {
  const raw = (high - low || 1) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

/** Draw the frame of a chart; `x` and `y` have low, high and label. Returns its place and scales. */
function drawAxes(pen, width, height, x, y) {
  const left = 54, right = width - 20, top = 10, bottom = height - 40;
  const atX = value => left + (right - left) * (value - x.low) / (x.high - x.low || 1);
  const atY = value => bottom - (bottom - top) * (value - y.low) / (y.high - y.low || 1);
  [pen.strokeStyle, pen.fillStyle, pen.lineWidth] = [GRID, SOFT, 1];
  pen.textAlign = "center";
  for (const value of ticks(x.low, x.high, Math.max(3, (right - left) / 80))) {
    line(pen, [[atX(value), top], [atX(value), bottom]]);
    pen.fillText(short(value), atX(value), bottom + 16);
  }
  pen.textAlign = "right";
  for (const value of ticks(y.low, y.high, Math.max(3, (bottom - top) / 40))) {
    line(pen, [[left, atY(value)], [right, atY(value)]]);
    pen.fillText(short(value), left - 6, atY(value) + 4);
  }
  pen.fillStyle = INK;
  pen.textAlign = "center";
  pen.fillText(x.label, (left + right) / 2, bottom + 33);
  pen.save();
  pen.translate(12, (top + bottom) / 2);
  pen.rotate(-Math.PI / 2);
  pen.fillText(y.label, 0, 0);
  pen.restore();
  return {left, right, top, bottom, atX, atY};
}

/** Draw a line through points, broken where one is not known. */
function line(pen, points) {
  pen.beginPath();
  let begun = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x + y)) begun = false;
    else if (begun) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      begun = true;
    }
  }
  pen.stroke();
}

/** Draw a condition's line and the band of its interval; `band` has three rows. */
function drawBand(pen, frame, xs, band, {colour, dash}) {
  const [middle, low, high] = [0, 1, 2].map(index => row(band, index));
  const there = [...xs.keys()].filter(i => Number.isFinite(low[i]));
  if (there.length) {
    pen.beginPath();
    for (const i of there) pen.lineTo(frame.atX(xs[i]), frame.atY(low[i]));
    for (const i of there.reverse()) pen.lineTo(frame.atX(xs[i]), frame.atY(high[i]));
    [pen.fillStyle, pen.globalAlpha] = [colour, 0.18];
    pen.fill();
    pen.globalAlpha = 1;
  }
  [pen.strokeStyle, pen.lineWidth] = [colour, 2];
  pen.setLineDash(dash);
  line(pen, [...xs.keys()].map(i => [frame.atX(xs[i]), frame.atY(middle[i])]));
  pen.setLineDash([]);
  if (xs.length === 1) dot(pen, frame.atX(xs[0]), frame.atY(middle[0]), 4, colour);
}

function dot(pen, x, y, radius, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** The colour of a share between 0 and 1 on one of the colour maps; grey where it is not known. */
function shade(map, share) {
  const stops = content.colours[map];
  if (!Number.isFinite(share)) return "#b8bfc6";
  return stops[Math.round(Math.min(Math.max(share, 0), 1) * (stops.length - 1))];
}

/** What the colours of a map mean. */
function drawBar(pen, width, map, low, high, label) {
  const left = 12, right = width - 12;
  for (let i = 0; i < 100; i++) {
    pen.fillStyle = shade(map, i / 99);
    pen.fillRect(left + (right - left) * i / 100, 4, (right - left) / 100 + 1, 10);
  }
  pen.fillStyle = SOFT;
  pen.textAlign = "left";
  pen.fillText(short(low), left, 30);
  pen.textAlign = "right";
  pen.fillText(short(high), right, 30);
  pen.textAlign = "center";
  pen.fillText(label, (left + right) / 2, 30);
}

/** Call `show(x)` with the place of the pointer on a canvas, and with null when it leaves. */
function onPoint(canvas, show) {
  const at = event => show(event.clientX - canvas.getBoundingClientRect().left);
  canvas.addEventListener("pointermove", at);
  canvas.addEventListener("pointerdown", at);
  canvas.addEventListener("pointerleave", event => event.pointerType === "mouse" && show(null));
}
