/** The tasks that are shown now as lines across all axes. */
function drawParallel(pen, width, height) {
  if (axes.length < 3) return;
  const left = 46, right = width - 46, top = 22, bottom = height - 34;
  const atX = index => left + (right - left) * index / (axes.length - 1);
  const [first, last] = stretch(), range = colourRange();
  const scales = axes.map(({index}) => bounds(index));
  const atY = (index, value) => {
    const [low, high] = scales[index];
    return bottom - (bottom - top) * (value - low) / (high - low || 1);
  };
  [pen.lineWidth, pen.globalAlpha] = [1.2, 0.6];
  for (let i = first; i <= last; i++) {
    pen.strokeStyle = episodeColour(i, range);
    line(pen, axes.map(({index}) => [atX(index), atY(index, scene.film.tasks[index][i])]));
  }
  pen.globalAlpha = 1;
  axes.forEach(({index, label}) => {
    [pen.strokeStyle, pen.fillStyle, pen.lineWidth, pen.textAlign] = [SOFT, SOFT, 1, "center"];
    line(pen, [[atX(index), top], [atX(index), bottom]]);
    const [low, high] = scales[index];
    pen.fillText(short(high), atX(index), top - 6);
    pen.fillText(short(low), atX(index), bottom + 14);
    pen.fillStyle = INK;
    const [end, at] = index === 0 ? ["left", 2] : index === axes.length - 1 ? ["right", width - 2] : ["center", atX(index)];
    pen.textAlign = end;
    pen.fillText(fitted(pen, label, (right - left) / (axes.length - 1) - 6), at, bottom + 30);
  });
}
