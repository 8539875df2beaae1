// A drawing as an input: strokes become an image with the pen, the size and the place that the data set's digits have (MNIST: scaled
// into a box of 20×20, grey where a pixel is partly covered, centre of mass in the middle of 28×28), then what [data] asks for.

import { floats } from "./unpack.js";

const FINE = 10; // small pixels a pixel, along each side
const SMALLEST = 0.04; // of the pad: a dot is not blown up to a whole digit

// strokes: lists of [x, y] in 0…1. Returns rows × columns numbers in 0…1.
export function inkImage(strokes, paper) {
  const { rows, columns, box, pen, centre } = paper;
  const points = strokes.flat();
  if (!points.length) return new Float64Array(rows * columns);
  const [x0, x1, y0, y1] = boundsOf(points);
  const scale = (box - pen) / Math.max(x1 - x0, y1 - y0, SMALLEST);
  const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
  const place =
    (shift) =>
    ([x, y]) => [(x - middle[0]) * scale + columns / 2 + shift[0], (y - middle[1]) * scale + rows / 2 + shift[1]];
  const first = coverage(
    strokes.map((stroke) => stroke.map(place([0, 0]))),
    rows,
    columns,
    pen,
  );
  if (centre !== "mass") return first;
  const [x, y] = massOf(first, rows, columns);
  return coverage(
    strokes.map((stroke) => stroke.map(place([columns / 2 - x, rows / 2 - y]))),
    rows,
    columns,
    pen,
  );
}

function boundsOf(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
}

// The share of every pixel that a round pen covers.
function coverage(strokes, rows, columns, pen) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns * FINE, height: rows * FINE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineWidth: pen * FINE, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(([x, y], k) => (k ? context.lineTo(x * FINE, y * FINE) : context.moveTo(x * FINE, y * FINE)));
    if (stroke.length === 1) context.lineTo(stroke[0][0] * FINE + 0.01, stroke[0][1] * FINE);
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const image = new Float64Array(rows * columns);
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++)
      image[Math.floor(y / FINE) * columns + Math.floor(x / FINE)] += data[4 * (y * canvas.width + x) + 3];
  }
  return image.map((sum) => sum / (255 * FINE * FINE));
}

function massOf(image, rows, columns) {
  let [all, x, y] = [0, 0, 0];
  image.forEach((value, k) => {
    all += value;
    x += value * ((k % columns) + 0.5);
    y += value * (Math.floor(k / columns) + 0.5);
  });
  return all ? [x / all, y / all] : [columns / 2, rows / 2];
}

// Pad, then resize, then map [0, 1] to [low, high], as neurograph.data.prepare does; then what was learned from the training samples.
export function prepared(image, paper) {
  let [made, rows, columns] = padded2(image, paper.rows, paper.columns, paper.pad);
  if (paper.resize) {
    made = resized(made, rows, columns, ...paper.resize);
    [rows, columns] = paper.resize;
  }
  made = made.map((value) => value * (paper.high - paper.low) + paper.low);
  if (!paper.mean) return made;
  const [mean, deviation] = [floats(paper.mean), floats(paper.deviation)];
  return made.map((value, k) => (value - mean[k]) / deviation[k]);
}

function padded2(image, rows, columns, [above, left]) {
  const [high, wide] = [rows + 2 * above, columns + 2 * left];
  const made = new Float64Array(high * wide);
  image.forEach((value, k) => {
    made[(Math.floor(k / columns) + above) * wide + (k % columns) + left] = value;
  });
  return [made, high, wide];
}

function resized(image, rows, columns, high, wide) {
  const [down, across] = [interpolation(rows, high), interpolation(columns, wide)];
  const made = new Float64Array(high * wide);
  for (let v = 0; v < high; v++) {
    for (let u = 0; u < wide; u++) {
      for (let y = 0; y < rows; y++) {
        if (!down[v][y]) continue;
        for (let x = 0; x < columns; x++) made[v * wide + u] += down[v][y] * across[u][x] * image[y * columns + x];
      }
    }
  }
  return made;
}

// Triangles as wide as a new pixel; each row adds up to 1.
function interpolation(n, m) {
  const width = Math.max(n / m, 1);
  return Array.from({ length: m }, (_, j) => {
    const middle = (j + 0.5) * (n / m);
    const row = Array.from({ length: n }, (__, i) => Math.max(0, 1 - Math.abs(i + 0.5 - middle) / width));
    const sum = row.reduce((all, value) => all + value, 0);
    return row.map((value) => value / sum);
  });
}
