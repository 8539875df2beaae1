// What keys do, wherever the focus is; within a plane, grid.js has the arrows.

import { find } from "./elements.js";
import { VIEWS } from "./furniture.js";

export function pressed(explorer, event) {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "range";
  if (event.ctrlKey || event.metaKey) travel(explorer, event, typing);
  else if (typing) leaveField(explorer, event);
  else if (event.altKey || find("keys").open) return;
  else if (event.target.closest("#views") && event.key.startsWith("Arrow")) turn(explorer, event);
  else letter(explorer, event);
}

function travel(explorer, event, typing) {
  const redo = () => explorer.redo();
  const act = { z: event.shiftKey ? redo : () => explorer.undo(), y: redo }[event.key.toLowerCase()];
  if (!act || typing) return;
  event.preventDefault();
  act();
}

// From the field of an input's card back to its neuron.
function leaveField(explorer, event) {
  const neuron = explorer.chosen?.neuron;
  if (event.key === "Escape" && event.target.id === "edit" && neuron !== undefined) explorer.stage.focus(neuron);
}

function letter(explorer, event) {
  const act = {
    e: () => find("edit")?.select(),
    n: () => explorer.step(1),
    p: () => explorer.step(-1),
    a: () => explorer.look("a"),
    z: () => explorer.look("z"),
    d: () => explorer.look("delta"),
    "?": () => find("keys").showModal(),
    Escape: () => explorer.escape(),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// Arrows among the three views.
function turn(explorer, event) {
  event.preventDefault();
  const all = Object.keys(VIEWS);
  const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1;
  explorer.look(all[(all.indexOf(explorer.stage.view) + step + all.length) % all.length]);
  find("views").querySelector("[aria-checked=true]").focus();
}
