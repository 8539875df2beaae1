// The page: what was chosen, what is shown, and every key and button.

import { nameOf, weightName } from "./network.js";
import { Model } from "./model.js";
import { button, fill, find, h, say } from "./elements.js";
import { largest, number } from "./numbers.js";
import { themeNow } from "./colours.js";
import { neuronPanel, table } from "./panel.js";
import { layerPanel, weightPanel } from "./panel_weight.js";
import { weightCard } from "./cards.js";
import { Pad } from "./paper.js";
import { markSample, showSamples } from "./samples.js";
import { Stage } from "./stage.js";
import { softmax } from "./losses.js";
import { tell } from "./story.js";

const VIEWS = { a: ["a", "activation"], z: ["z", "pre-activation"], delta: ["δ", "∂loss/∂z"] };
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
const PLAY = 1800; // milliseconds a step

class Explorer {
  constructor(data) {
    this.model = new Model(data);
    this.chosen = null; // {neuron} or {slot} or {layer}
    this.frames = [];
    this.at = null; // which step; null: everything is shown
    this.go = {
      neuron: (i) => this.choose({ neuron: i }),
      weight: (slot) => this.choose({ slot }),
      setWeight: (slot, value) => this.edit(() => this.model.setWeight(slot, value, `w${slot}`)),
      input: (port, place, value) => this.edit(() => this.model.setInput(port, place, value, `x${port} ${place}`)),
      settle: () => this.model.settle(),
    };
    this.stage = new Stage(this.model, {
      pick: (i) => this.choose({ neuron: i }),
      pickLayer: (layer) => this.choose({ layer }),
      hover: (i) => this.readOut(i ?? this.chosen?.neuron ?? null),
    });
    this.furnish();
    showSamples(this.model, (k) => this.take(k));
    this.retell();
    this.chosen = this.first();
    this.untouched = true; // nothing was chosen yet: the card is that of the output that the network says
    this.stage.build();
    this.refresh();
  }

  // What is open at the beginning: the output that was chosen, or the first.
  first() {
    const { net } = this.model;
    const head = net.heads[0];
    return head ? { neuron: head.neurons[Math.max(0, this.model.label() ?? 0)] ?? head.neurons[0] } : null;
  }

  // -- furniture ---------------------------------------------------------------------------------------------------------
  furnish() {
    const { data } = this.model;
    find("name").textContent = data.name;
    find("about").textContent = data.about;
    find("about").title = data.about;
    fill(find("views"), Object.entries(VIEWS).map(([view, [symbol, words]]) => h("button", { type: "button", role: "radio", "data-view": view, title: words, "aria-label": `${symbol}, ${words}`, onclick: () => this.look(view) }, symbol)));
    fill(find("keysList"), KEYS.flatMap(([keys, words]) => [h("dt", {}, keys), h("dd", {}, words)]));
    this.furnishTargets();
    const press = { draw: () => this.draw(), undo: () => this.undo(), redo: () => this.redo(), reset: () => this.reset(), theme: () => this.theme(), help: () => find("keys").showModal(), back: () => this.step(-1), next: () => this.step(1), play: () => this.play() };
    for (const [id, act] of Object.entries(press)) find(id).addEventListener("click", act);
    find("draw").hidden = !data.paper;
    this.pad = data.paper ? new Pad(this.model, () => this.changed()) : null;
    find("steps").addEventListener("change", (event) => this.show(event.target.value === "" ? null : Number(event.target.value)));
    find("by").addEventListener("change", () => {
      this.retell();
      this.show(0);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.resized());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  furnishTargets() {
    const { net } = this.model;
    const [head] = net.heads;
    const classes = net.heads.length === 1 && head.loss && this.model.label() !== null;
    find("targetField").hidden = !classes;
    if (!classes) return;
    const n = head.neurons.length === 1 ? 2 : head.neurons.length;
    fill(find("target"), h("option", { value: "" }, "none"), Array.from({ length: n }, (_, k) => h("option", { value: k }, this.model.className(k))));
    find("target").addEventListener("change", (event) => this.edit(() => this.model.setTarget(event.target.value === "" ? null : Number(event.target.value))));
  }

  // -- what happens ------------------------------------------------------------------------------------------------------
  choose(chosen) {
    this.chosen = chosen;
    this.untouched = false;
    this.light();
    this.openCard();
    this.readOut(chosen.neuron ?? null);
    const { net, state } = this.model;
    if (chosen.neuron !== undefined) {
      this.stage.reveal(chosen.neuron);
      say(`${nameOf(net, chosen.neuron)} chosen: z ${number(state.z[chosen.neuron], 4)}, a ${number(state.a[chosen.neuron], 4)}${this.model.hasDelta ? `, δ ${number(state.delta[chosen.neuron], 4)}` : ""}`);
    } else if (chosen.slot !== undefined) say(`${weightName(net, chosen.slot)} chosen: ${number(this.model.weights[chosen.slot], 4)}, gradient ${number(state.gradient[chosen.slot], 4)}`);
    else if (chosen.layer) say(`layer ${chosen.layer.name}`);
  }

  take(k) {
    this.model.remember("sample");
    this.model.take(k);
    this.changed();
    this.pad?.paint();
    say(`${this.model.samples[k].label || `sample ${k}`}. ${find("verdict").textContent}`);
  }

  // A number is changed: everything follows, and the field that is being typed in stays.
  edit(change) {
    change();
    this.changed();
  }

  changed() {
    this.retell();
    if (this.untouched && this.at === null) this.chosen = this.first();
    if (this.at !== null && this.at >= this.frames.length) this.at = this.frames.length - 1;
    this.refresh();
  }

  undo() {
    this.travelled(this.model.undo(), "undone");
  }

  redo() {
    this.travelled(this.model.redo(), "done again");
  }

  travelled(what, words) {
    if (what === null) return;
    this.changed();
    this.pad?.paint();
    say(`${what} ${words}. ${find("verdict").textContent}`);
  }

  reset() {
    this.model.reset();
    this.changed();
    this.pad?.paint();
    say("Everything as it was at the beginning.");
  }

  look(view) {
    this.stage.view = view;
    this.stage.paint();
    this.light();
    this.marks();
    say(`colours show ${VIEWS[view][1]}`);
  }

  draw() {
    const open = find("pad").hidden;
    this.pad.open(open);
    find("draw").setAttribute("aria-pressed", open);
    if (open) find("pad").scrollIntoView({ block: "nearest" });
  }

  theme() {
    document.documentElement.dataset.theme = themeNow() === "dark" ? "light" : "dark";
    this.recolour();
  }

  recolour() {
    this.refresh();
    showSamples(this.model, (k) => this.take(k));
    this.pad?.paint();
  }

  resized() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.stage.build();
      this.refresh();
    }, 80);
  }

  // -- the steps ---------------------------------------------------------------------------------------------------------
  retell() {
    const by = find("by").value;
    this.frames = tell(this.model, by);
    const titles = this.frames.map((frame) => frame.title).join("\n");
    if (titles !== this.titles) {
      this.titles = titles;
      const options = this.frames.map((frame, k) => h("option", { value: k }, `${k + 1}/${this.frames.length} ${frame.title}`));
      fill(find("steps"), h("option", { value: "" }, "Everything at once"), options);
    }
    find("steps").value = this.at === null ? "" : String(Math.min(this.at, this.frames.length - 1));
  }

  // The step that is open, with its words; null where everything is shown.
  frame() {
    if (this.at === null) return null;
    const frame = this.frames[this.at];
    frame.opened ??= frame.open();
    return frame.opened;
  }

  step(by) {
    const to = this.at === null ? (by > 0 ? 0 : this.frames.length - 1) : this.at + by;
    this.show(to < 0 || to >= this.frames.length ? null : to);
  }

  show(at) {
    this.at = at;
    if (at === null) this.halt();
    const frame = this.frame();
    find("steps").value = at === null ? "" : String(at);
    if (frame) {
      this.stage.view = frame.view;
      if (frame.neuron !== null && frame.neuron !== undefined) this.chosen = { neuron: frame.neuron };
      else if (frame.weight !== undefined) this.chosen = { slot: frame.weight };
      else this.chosen = null;
    } else this.chosen ??= this.first();
    this.refresh();
    if (this.chosen?.neuron !== undefined) this.stage.reveal(this.chosen.neuron);
    say(frame ? `Step ${at + 1} of ${this.frames.length}: ${frame.title}. ${frame.words}` : "Everything at once.");
  }

  play() {
    if (this.playing) {
      this.halt();
      return;
    }
    this.playing = setInterval(() => this.step(1), PLAY);
    if (this.at === null) this.step(1);
    this.marks();
  }

  halt() {
    clearInterval(this.playing);
    this.playing = null;
    this.marks();
  }

  // -- showing -----------------------------------------------------------------------------------------------------------
  refresh() {
    this.stage.shown = this.frame()?.shown ?? null;
    this.stage.paint();
    this.light();
    this.openCard();
    this.openFrame();
    this.marks();
    this.readOut(this.chosen?.neuron ?? null);
  }

  light() {
    const { chosen, model } = this;
    if (!chosen || chosen.layer) this.stage.select(null);
    else this.stage.select(chosen.neuron !== undefined ? { neuron: chosen.neuron } : { card: weightCard(model, chosen.slot) });
  }

  // The field that somebody is typing in, or dragging, is left where it is; everything around it is new.
  openCard() {
    const card = find("card");
    const active = document.activeElement;
    const key = JSON.stringify([this.chosen?.neuron, this.chosen?.slot]);
    const parts = this.cardParts().filter((part) => part !== null && part !== undefined);
    const place = parts.findIndex((part) => part.classList.contains("field"));
    const kept = card.querySelector(".field");
    const within = card.contains(active);
    if (place >= 0 && kept?.contains(active) && key === this.cardKey) {
      for (const other of kept.querySelectorAll("input")) if (other !== active) other.value = parts[place].querySelector(`#${other.id}`).value;
      for (const child of [...card.children]) if (child !== kept) child.remove();
      kept.before(...parts.slice(0, place));
      kept.after(...parts.slice(place + 1));
    } else {
      fill(card, parts);
      if (within) card.querySelector("h2")?.focus({ preventScroll: true });
    }
    this.cardKey = key;
  }

  cardParts() {
    const { chosen, model, go } = this;
    if (!chosen) return [h("p", { class: "small" }, "Choose a neuron, or the name of a layer.")];
    if (chosen.layer) return layerPanel(model, chosen.layer, go);
    return chosen.neuron !== undefined ? neuronPanel(model, chosen.neuron, go) : weightPanel(model, chosen.slot, go);
  }

  openFrame() {
    const frame = this.frame();
    find("frame").hidden = !frame;
    if (!frame) return;
    find("frame").dataset.chapter = frame.chapter;
    fill(find("frame"), h("p", { class: "count" }, `${this.at + 1} of ${this.frames.length}`), h("h2", {}, frame.title), h("p", { class: "formula" }, frame.equation), h("p", { class: "prose" }, frame.words), frame.chapter === "loss" ? this.owed() : null, frame.update ? this.updater() : null);
  }

  // Outputs beside what was wanted of them.
  owed() {
    const { net, state, wanted } = this.model;
    const given = wanted.t ?? wanted.g;
    const rows = net.heads.flatMap((head, k) => head.neurons.map((i, place) => [i, given[k][place]])).filter(([i]) => i >= 0);
    const [shown, rest] = largest(rows, ([i]) => state.delta[i], 10);
    const cells = shown.map(([i, t]) => [button(nameOf(net, i), () => this.go.neuron(i), { class: "link" }), number(state.a[i], 4), number(t, 4), number(state.delta[i], 4)]);
    return table("the outputs", ["output", "a", wanted.t ? "t" : "g", "δ"], cells, rest.length ? `… and ${rest.length.toLocaleString("en-US")} more` : null);
  }

  updater() {
    const field = h("input", { type: "number", id: "rate", min: "0", step: "any", value: this.rate ?? this.model.data.learningRate });
    const act = () => {
      if (!Number.isFinite(field.valueAsNumber)) return;
      this.rate = field.valueAsNumber;
      const before = this.model.state.loss;
      this.edit(() => this.model.step(this.rate));
      if (before !== null) {
        const words = `loss of this sample: ${number(before, 5)} → ${number(this.model.state.loss, 5)}`;
        find("after").textContent = words;
        say(words);
      }
      find("take").focus();
    };
    return h("div", { class: "field" }, h("label", { for: "rate" }, "η = "), field, button("Take the step", act, { id: "take", class: "main" }), h("p", { id: "after", class: "small" }));
  }

  marks() {
    const { model } = this;
    for (const one of find("views").children) {
      const on = one.dataset.view === this.stage.view;
      one.setAttribute("aria-checked", on);
      one.tabIndex = on ? 0 : -1;
    }
    find("undo").disabled = !model.past.length;
    find("redo").disabled = !model.future.length;
    find("reset").disabled = !model.past.length;
    find("play").textContent = this.playing ? "Pause" : "Play";
    find("play").setAttribute("aria-pressed", Boolean(this.playing));
    find("target").value = model.wantedLabel() ?? "";
    find("verdict").replaceChildren(...this.verdict());
    markSample(model);
  }

  // What the network says, what was wanted, and the loss.
  verdict() {
    const { model } = this;
    const [label, wanted] = [model.label(), model.wantedLabel()];
    const parts = [];
    if (label !== null) {
      parts.push("says ", h("strong", {}, model.className(label)));
      const share = this.certainty(label);
      if (share !== null) parts.push(` (${(100 * share).toFixed(1)} %)`);
      if (wanted !== null) parts.push(h("span", { class: wanted === label ? "right" : "wrong" }, wanted === label ? " ✓" : ` ✗ wanted ${model.className(wanted)}`));
    }
    if (model.state.loss !== null) parts.push(h("span", { class: "loss" }, `${parts.length ? " · " : ""}loss ${number(model.state.loss, 3)}`));
    return parts;
  }

  certainty(label) {
    const { net, state } = this.model;
    const [head] = net.heads;
    if (head.loss?.kind !== "cross_entropy" || head.neurons.length < 2) return null;
    return softmax(head.neurons.map((i) => state.z[i]))[label];
  }

  readOut(i) {
    const block = i === null ? null : this.stage.blocks[this.stage.home[i]];
    find("readout").textContent = i === null ? " " : this.stage.describe(i);
    const top = block?.top_ ?? null;
    find("low").textContent = top === null ? "below 0" : number(-top, 3);
    find("high").textContent = top === null ? "above 0" : `+${number(top, 3)}`;
  }

  // -- keys --------------------------------------------------------------------------------------------------------------
  key(event) {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "range";
    if (event.ctrlKey || event.metaKey) {
      const act = { z: event.shiftKey ? () => this.redo() : () => this.undo(), y: () => this.redo() }[event.key.toLowerCase()];
      if (!act || typing) return;
      event.preventDefault();
      act();
      return;
    }
    if (typing && event.key === "Escape" && event.target.id === "edit" && this.chosen?.neuron !== undefined) {
      this.stage.focus(this.chosen.neuron);
      return;
    }
    if (typing || event.altKey || find("keys").open) return;
    if (event.target.closest("#views") && event.key.startsWith("Arrow")) {
      this.turn(event);
      return;
    }
    const act = { e: () => find("edit")?.select(), n: () => this.step(1), p: () => this.step(-1), a: () => this.look("a"), z: () => this.look("z"), d: () => this.look("delta"), "?": () => find("keys").showModal(), Escape: () => this.escape() }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  turn(event) {
    event.preventDefault();
    const all = Object.keys(VIEWS);
    const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1;
    this.look(all[(all.indexOf(this.stage.view) + step + all.length) % all.length]);
    find("views").querySelector("[aria-checked=true]").focus();
  }

  escape() {
    if (this.at !== null) this.show(null);
    else if (this.chosen) {
      this.chosen = null;
      this.refresh();
    }
  }
}

if (find("data")) globalThis.explorer = new Explorer(JSON.parse(find("data").textContent));
