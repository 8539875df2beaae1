// The samples to choose from: small pictures where the input is one, else their labels; one of them is taken.

import { colourOf, themeNow } from "./colours.js";
import { fill, find, h } from "./elements.js";

const SIDE = 40; // pixels of a small picture

export function showSamples(model, take) {
  const bar = find("samples");
  bar.hidden = model.samples.length < 2;
  fill(
    bar,
    model.samples.map((sample, k) => sampleButton(model, sample, k, take)),
  );
  bar.onkeydown = (event) => keys(event, model, take);
  markSample(model);
}

function sampleButton(model, sample, k, take) {
  const name = sample.label || `sample ${k}`;
  const picture = pictureOf(model, sample);
  return h(
    "button",
    { type: "button", role: "radio", class: picture ? "picture" : "", "aria-label": name, title: name, onclick: () => take(k) },
    picture ?? name,
  );
}

function pictureOf(model, sample) {
  const [port] = model.net.inputs;
  const [channels, rows, columns] = port.shape;
  if (model.net.inputs.length > 1 || port.shape.length !== 3 || channels !== 1) return null;
  const canvas = h("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const top = sample.x[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  sample.x[0].forEach((value, k) => image.data.set([...colourOf(value, top, themeNow()), 255], 4 * k));
  context.putImageData(image, 0, 0);
  Object.assign(canvas.style, { width: `${SIDE}px`, height: `${(SIDE * rows) / columns}px` });
  return canvas;
}

// One stop of the Tab key for all of them; the arrows go on from there.
export function markSample(model) {
  [...find("samples").children].forEach((one, k) => {
    const chosen = k === model.number && !model.strokes;
    one.setAttribute("aria-checked", chosen);
    one.tabIndex = k === model.number ? 0 : -1;
  });
}

function keys(event, model, take) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const n = model.samples.length;
  take((model.number + step + n) % n);
  find("samples").children[model.number].focus();
}
