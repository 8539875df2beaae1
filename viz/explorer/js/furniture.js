// What stands around the network: the buttons, the choices, and what they show of the state.

import { fill, find, h } from "./elements.js";
import { number } from "./numbers.js";
import { Pad } from "./paper.js";
import { markSample } from "./samples.js";

export const VIEWS = { a: ["a", "activation"], z: ["z", "pre-activation"], delta: ["δ", "∂loss/∂z"] };
const KEYS = [
  ["Tab", "from plane to plane, and on to the card"],
  ["Arrows, PageUp, PageDown", "from neuron to neuron, from map to map"],
  ["Enter", "open the card of a neuron or a weight"],
  ["e", "change the number of the open card; Esc leads back"],
  ["n, p", "next step, step before"],
  ["a, z, d", "colours show a, z, δ"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo"],
  ["Esc", "leave the steps; let go of what is chosen"],
];

// Fills and connects everything; returns the pad, or null where nothing can be drawn.
export function furnish(explorer) {
  const { data } = explorer.model;
  find("name").textContent = data.name;
  find("about").textContent = data.about;
  find("about").title = data.about;
  fill(
    find("views"),
    Object.entries(VIEWS).map((view) => viewButton(explorer, ...view)),
  );
  fill(
    find("keysList"),
    KEYS.flatMap(([keys, words]) => [h("dt", {}, keys), h("dd", {}, words)]),
  );
  targets(explorer);
  buttons(explorer);
  find("steps").addEventListener("change", ({ target }) => explorer.show(target.value === "" ? null : Number(target.value)));
  find("by").addEventListener("change", () => {
    explorer.retell();
    explorer.show(0);
  });
  addEventListener("resize", () => explorer.resized());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => explorer.recolour());
  find("draw").hidden = !data.paper;
  return data.paper ? new Pad(explorer.model, () => explorer.changed()) : null;
}

function viewButton(explorer, view, [symbol, words]) {
  const name = `${symbol}, ${words}`;
  const look = () => explorer.look(view);
  return h(
    "button",
    { type: "button", role: "radio", "data-view": view, title: words, "aria-label": name, onclick: look },
    symbol,
  );
}

function buttons(explorer) {
  const press = {
    draw: () => explorer.draw(),
    undo: () => explorer.undo(),
    redo: () => explorer.redo(),
    reset: () => explorer.reset(),
    theme: () => explorer.theme(),
    help: () => find("keys").showModal(),
    back: () => explorer.step(-1),
    next: () => explorer.step(1),
    play: () => explorer.play(),
  };
  for (const [id, act] of Object.entries(press)) find(id).addEventListener("click", act);
}

// Where targets are classes, another may be chosen, or none.
function targets(explorer) {
  const { model } = explorer;
  const [head] = model.net.heads;
  const classes = model.label() !== null && Boolean(head.loss);
  find("targetField").hidden = !classes;
  if (!classes) return;
  const n = head.neurons.length === 1 ? 2 : head.neurons.length;
  const options = Array.from({ length: n }, (_, k) => h("option", { value: k }, model.className(k)));
  fill(find("target"), h("option", { value: "" }, "none"), options);
  find("target").addEventListener("change", ({ target }) => {
    explorer.edit(() => model.setTarget(target.value === "" ? null : Number(target.value)));
  });
}

// -- what they show ---------------------------------------------------------------------------------------------------
export function mark({ model, stage, playing }) {
  for (const one of find("views").children) {
    const on = one.dataset.view === stage.view;
    one.setAttribute("aria-checked", on);
    one.tabIndex = on ? 0 : -1;
  }
  find("undo").disabled = !model.past.length;
  find("redo").disabled = !model.future.length;
  find("reset").disabled = !model.past.length;
  find("play").textContent = playing ? "Pause" : "Play";
  find("play").setAttribute("aria-pressed", Boolean(playing));
  find("target").value = model.wantedLabel() ?? "";
  find("verdict").replaceChildren(...verdict(model));
  if (model.data.paper) find("heard").replaceChildren(...verdict(model));
  markSample(model);
}

// What the network says, what was wanted, and the loss.
function verdict(model) {
  const [label, wanted] = [model.label(), model.wantedLabel()];
  const parts = [];
  if (label !== null) {
    const shares = model.shares(model.net.heads[0]);
    parts.push("says ", h("strong", {}, model.className(label)), shares ? ` (${(100 * shares[label]).toFixed(1)} %)` : "");
  }
  if (wanted !== null && wanted === label) parts.push(h("span", { class: "right" }, " ✓"));
  if (wanted !== null && wanted !== label) parts.push(h("span", { class: "wrong" }, ` ✗ wanted ${model.className(wanted)}`));
  if (model.state.loss === null) return parts;
  const between = parts.length ? " · " : "";
  return [...parts, h("span", { class: "loss" }, `${between}loss ${number(model.state.loss, 3)}`)];
}
