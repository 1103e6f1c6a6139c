const tests = content.tests.map(unpack);
for (const condition of content.conditions) condition.solved = unpack(condition.solved);

/** The share of seeds that master each test task now. */
function masteredNow() {
  const condition = content.conditions[scene.film.condition];
  const place = lastAt(condition.tested, now() + 1e-6);
  return place < 0 ? null : row(condition.solved, place);
}

/** The test tasks at each place of the plane, and their mean. */
function places(shares) {
  const found = new Map();
  shares.forEach((share, task) => {
    const x = tests[scene.x][task], y = scene.y < 0 ? share : tests[scene.y][task];
    const here = found.get(`${x} ${y}`) ?? {x, y, sum: 0, num: 0};
    found.set(`${x} ${y}`, {x, y, sum: here.sum + share, num: here.num + 1});
  });
  return [...found.values()];
}

function drawMastery(pen, width, height) {
  const shares = masteredNow();
  if (content.testLayouts) return drawTestWall(pen, width, height, shares);
  const up = scene.y < 0 ? {low: 0, high: 1, label: "share of seeds"} : planeAxis(scene.y);
  const frame = drawAxes(pen, width, height, planeAxis(scene.x), up);
  const unknown = tests.length ? new Float64Array(tests[0].length).fill(scene.y < 0 ? 0 : NaN) : [];
  const every = places(shares ?? unknown), room = (frame.right - frame.left) / Math.sqrt(every.length);
  const radius = Math.min(9, Math.max(3, 0.4 * room));
  for (const {x, y, sum, num} of every) {
    dot(pen, frame.atX(x), frame.atY(y), radius + 0.8, SOFT);
    dot(pen, frame.atX(x), frame.atY(y), radius, shares ? shade("cividis", sum / num) : PAPER);
  }
  sayMastery(shares, every.length < tests[0].length);
}

function sayMastery(shares, isMean) {
  const condition = content.conditions[scene.film.condition], num = condition.seeds;
  const mean = isMean ? "; mean over tasks that lie at one place" : "";
  const share = shares ? shares.reduce((sum, one) => sum + one, 0) / shares.length : 0;
  const known = shares ? `${(100 * share).toFixed(1)} % are mastered` : "Not yet tested";
  byId("mastery-hint").textContent = `${known}, mean of ${num} seed${num > 1 ? "s" : ""}${mean}.`;
}

function drawMasteryBar(pen, width) {
  drawBar(pen, width, "cividis", 0, 100, "seeds that master it (%)");
}
