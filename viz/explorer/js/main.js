// The page: what was chosen, what is shown, and what happens when something is chosen, changed or stepped to.

import { nameOf, weightName } from "./network.js";
import { Model } from "./model.js";
import { fill, find, h, say } from "./elements.js";
import { number } from "./numbers.js";
import { themeNow } from "./colours.js";
import { neuronPanel } from "./panel.js";
import { layerPanel, weightPanel } from "./panel_weight.js";
import { weightCard } from "./cards.js";
import { showSamples } from "./samples.js";
import { Stage } from "./stage.js";
import { tell } from "./story.js";
import { frameParts } from "./frame.js";
import { furnish, mark, VIEWS } from "./furniture.js";
import { pressed } from "./keys.js";

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
    this.pad = furnish(this);
    document.addEventListener("keydown", (event) => pressed(this, event));
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

  // -- what happens ------------------------------------------------------------------------------------------------------
  choose(chosen) {
    this.chosen = chosen;
    this.untouched = false;
    this.light();
    this.openCard();
    this.readOut(chosen.neuron ?? null);
    if (chosen.neuron !== undefined) this.stage.reveal(chosen.neuron);
    say(this.told());
  }

  // What was chosen, in words.
  told() {
    const { chosen, model } = this;
    const { net, state, weights } = model;
    if (chosen.layer) return `layer ${chosen.layer.name}`;
    if (chosen.slot !== undefined) {
      const numbers = `${number(weights[chosen.slot], 4)}, gradient ${number(state.gradient[chosen.slot], 4)}`;
      return `${weightName(net, chosen.slot)} chosen: ${numbers}`;
    }
    const i = chosen.neuron;
    const delta = model.hasDelta ? `, δ ${number(state.delta[i], 4)}` : "";
    return `${nameOf(net, i)} chosen: z ${number(state.z[i], 4)}, a ${number(state.a[i], 4)}${delta}`;
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

  escape() {
    if (this.at !== null) this.show(null);
    else if (this.chosen) {
      this.chosen = null;
      this.refresh();
    }
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
      for (const other of kept.querySelectorAll("input"))
        if (other !== active) other.value = parts[place].querySelector(`#${other.id}`).value;
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
    fill(find("frame"), frameParts(this, frame));
  }

  marks() {
    mark(this);
  }

  readOut(i) {
    const block = i === null ? null : this.stage.blocks[this.stage.home[i]];
    find("readout").textContent = i === null ? " " : this.stage.describe(i);
    const top = block?.scale || null;
    find("low").textContent = top === null ? "below 0" : number(-top, 3);
    find("high").textContent = top === null ? "above 0" : `+${number(top, 3)}`;
  }
}

if (find("data")) globalThis.explorer = new Explorer(JSON.parse(find("data").textContent));
