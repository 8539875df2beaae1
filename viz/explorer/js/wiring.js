// Closed forms written out: which source feeds which target along one axis, and the product of the axes of a projection.

import { unpack } from "./unpack.js";

// One axis by target: the links of target t are begin[t] … begin[t + 1] − 1, each with its source and what it adds to the weight.
function axisOf(axis, nTargets) {
  if (axis.blocks) return blocks(nTargets, ...axis.blocks);
  if (axis.window) return sliding(nTargets, ...axis.window);
  return paired(nTargets, unpack(axis.pairs));
}

function emptyAxis(nTargets, room) {
  return { begin: new Int32Array(nTargets + 1), source: new Int32Array(room), weight: new Int32Array(room) };
}

function blocks(nTargets, groups, targets, sources, targetWeight, sourceWeight) {
  const made = emptyAxis(nTargets, groups * targets * sources);
  for (let t = 0, i = 0; t < nTargets; t++) {
    const first = Math.floor(t / targets) * sources;
    for (let s = 0; s < sources; s++, i++) {
      made.source[i] = first + s;
      made.weight[i] = t * targetWeight + s * sourceWeight;
    }
    made.begin[t + 1] = i;
  }
  return made;
}

function sliding(nTargets, _, nSources, kernel, stride, dilation, before, tapWeight, targetWeight, padded) {
  const made = emptyAxis(nTargets, nTargets * kernel);
  for (let t = 0, i = 0; t < nTargets; t++) {
    for (let tap = 0; tap < kernel; tap++) {
      const source = stride * t + dilation * tap - before;
      if (!padded && (source < 0 || source >= nSources)) continue;
      made.source[i] = source;
      made.weight[i++] = t * targetWeight + tap * tapWeight;
    }
    made.begin[t + 1] = i;
  }
  return made;
}

// Wires listed as (target, source, weight), by target.
function paired(nTargets, wires) {
  const made = emptyAxis(nTargets, wires.length / 3);
  for (let i = 0; 3 * i < wires.length; i++) {
    made.begin[wires[3 * i] + 1] += 1;
    made.source[i] = wires[3 * i + 1];
    made.weight[i] = wires[3 * i + 2];
  }
  for (let t = 0; t < nTargets; t++) made.begin[t + 1] += made.begin[t];
  return made;
}

const ALONE = { begin: Int32Array.of(0, 1), source: Int32Array.of(0), weight: Int32Array.of(0) };

// The edges of a projection: the product of three axes (missing ones have one link), target by target.
export class Edges {
  constructor(projection, targetShape, sourceShape) {
    this.extents = [0, 1, 2].map((k) => targetShape[k] ?? 1);
    this.axes = [0, 1, 2].map((k) => (projection.axes[k] ? axisOf(projection.axes[k], this.extents[k]) : ALONE));
    this.sources = [0, 1, 2].map((k) => sourceShape[k] ?? 1);
    this.rank = sourceShape.length;
  }

  // Calls each(target, number of edges) for every target.
  count(each) {
    const [first, second, third] = this.axes.map((axis) => axis.begin);
    const [n, m, o] = this.extents;
    for (let i = 0, target = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const sofar = (first[i + 1] - first[i]) * (second[j + 1] - second[j]);
        for (let k = 0; k < o; k++, target++) each(target, sofar * (third[k + 1] - third[k]));
      }
    }
  }

  // Calls edge(target, source, weight, outside) for every edge. A source outside its layer (padding) is −1 and comes as a list of
  // coordinates.
  each(edge) {
    const [n, m, o] = this.extents;
    for (let i = 0, target = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        for (let k = 0; k < o; k++) this.into(i, j, k, target++, edge);
      }
    }
  }

  into(i, j, k, target, edge) {
    const [first, second, third] = this.axes;
    const [c, h, w] = this.sources;
    for (let p = first.begin[i]; p < first.begin[i + 1]; p++) {
      for (let q = second.begin[j]; q < second.begin[j + 1]; q++) {
        const [x, y] = [first.source[p], second.source[q]];
        for (let r = third.begin[k]; r < third.begin[k + 1]; r++) {
          const z = third.source[r];
          const weight = first.weight[p] + second.weight[q] + third.weight[r];
          if (x < 0 || x >= c || y < 0 || y >= h || z < 0 || z >= w) edge(target, -1, weight, [x, y, z].slice(0, this.rank));
          else edge(target, (x * h + y) * w + z, weight, null);
        }
      }
    }
  }
}
