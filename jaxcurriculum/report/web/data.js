"use strict";

const content = JSON.parse(document.getElementById("content").textContent);
const byId = id => document.getElementById(id);

/** The numbers of an array that packing.py made, nan where they are not known, row after row. */
function unpack({shape, low, high, data}) {
  const letters = atob(data), values = new Float64Array(letters.length / 2);
  for (let i = 0; i < values.length; i++) {
    const word = letters.charCodeAt(2 * i) + 256 * letters.charCodeAt(2 * i + 1);
    values[i] = word === 65535 ? NaN : low + (high - low) * word / 65534;
  }
  values.shape = shape;
  return values;
}

/** Row number `index` of an unpacked table. */
function row(values, index) {
  const width = values.length / values.shape[0];
  return values.subarray(index * width, (index + 1) * width);
}

/** The place of the last of the ascending `steps` that is at most `now`; -1 before the first. */
function lastAt(steps, now) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= now) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The place of the first of the ascending `steps` that is at least `now`. */
const firstAt = (steps, now) => lastAt(steps, now - 1e-6) + 1;

/** The least and the largest of some numbers that are known. */
function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A number in few letters: 1.2M, 300k, 0.25. */
function short(value) {
  const size = Math.abs(value);
  const [unit, letter] = size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  return `${Number((value / unit).toPrecision(3))}${letter}`.replace("-", "−");
}

/** A step of time, with its unit. */
function steps(value) {
  return `${Math.round(value).toLocaleString("en")} ${content.unit}`;
}

/** Fill a choice with numbered options. */
function fill(select, names) {
  select.replaceChildren(...names.map((name, index) => new Option(name, index)));
}
