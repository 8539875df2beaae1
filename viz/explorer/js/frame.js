// The step that is open: its equation, its words, and what belongs to the loss and to the update.

import { button, find, h, say } from "./elements.js";
import { nameOf } from "./network.js";
import { largest, number } from "./numbers.js";
import { table } from "./panel.js";

const ROWS = 10;

export function frameParts(explorer, frame) {
  return [
    h("p", { class: "count" }, `${explorer.at + 1} of ${explorer.frames.length}`),
    h("h2", {}, frame.title),
    h("p", { class: "formula" }, frame.equation),
    h("p", { class: "prose" }, frame.words),
    frame.chapter === "loss" ? outputs(explorer) : null,
    frame.chapter === "update" ? updater(explorer) : null,
  ];
}

// Outputs beside what was wanted of them.
function outputs({ model, go }) {
  const { net, state, wanted } = model;
  const given = wanted.t ?? wanted.g;
  const pairs = net.heads.flatMap((head, k) => head.neurons.map((i, place) => [i, given[k][place]]));
  const [shown, rest] = largest(
    pairs.filter(([i]) => i >= 0),
    ([i]) => state.delta[i],
    ROWS,
  );
  const rows = shown.map(([i, t]) => [
    button(nameOf(net, i), () => go.neuron(i), { class: "link" }),
    number(state.a[i], 4),
    number(t, 4),
    number(state.delta[i], 4),
  ]);
  const more = rest.length ? `… and ${rest.length.toLocaleString("en-US")} more` : null;
  return table("the outputs", ["output", "a", wanted.t ? "t" : "g", "δ"], rows, more);
}

// One step of gradient descent, and what it does to the loss.
function updater(explorer) {
  const { model } = explorer;
  const rate = h("input", { type: "number", id: "rate", min: "0", step: "any", value: explorer.rate ?? model.data.learningRate });
  const act = () => {
    if (!Number.isFinite(rate.valueAsNumber)) return;
    explorer.rate = rate.valueAsNumber;
    const before = model.state.loss;
    explorer.edit(() => model.step(explorer.rate));
    find("take").focus();
    if (before === null) return;
    find("after").textContent = `loss of this sample: ${number(before, 5)} → ${number(model.state.loss, 5)}`;
    say(find("after").textContent);
  };
  return h(
    "div",
    { class: "field" },
    h("label", { for: "rate" }, "η = "),
    rate,
    button("Take the step", act, { id: "take", class: "main" }),
    h("p", { id: "after", class: "small" }),
  );
}
