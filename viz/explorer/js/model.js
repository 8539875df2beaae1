// What the page holds: the network, the weights as edited, the sample as edited, and the pass over them.

import { backward, forward, labelOf, makeState } from "./engine.js";
import { softmax } from "./losses.js";
import { makeNetwork } from "./network.js";
import { floats } from "./unpack.js";

export class Model {
  constructor(data) {
    this.data = data;
    this.net = makeNetwork(data);
    this.weights = this.net.weights.slice();
    this.state = makeState(this.net);
    this.samples = data.samples.map((sample) => ({
      label: sample.label,
      x: sample.x.map(floats),
      t: sample.t && sample.t.map(floats),
      g: sample.g && sample.g.map(floats),
    }));
    this.hasClasses = this.net.heads.length === 1 && this.samples.every((sample) => speaksOfClasses(this.net.heads[0], sample));
    this.past = [];
    this.future = [];
    this.copy = null; // of the weights as they are now, once somebody has to remember them
    this.take(0);
  }

  // Take a sample as it came.
  take(number) {
    const sample = this.samples[number];
    this.number = number;
    this.strokes = null; // of a drawing: lists of points; null: the sample was not drawn
    this.x = sample.x.map((values) => values.slice());
    this.wanted = { t: sample.t, g: sample.g };
    this.run();
  }

  get hasDelta() {
    return Boolean(this.wanted.t || this.wanted.g);
  }

  run() {
    forward(this.net, this.weights, this.x, this.state);
    backward(this.net, this.weights, this.wanted, this.state);
  }

  // The class that the network says; null where its outputs are no classes.
  label() {
    return this.hasClasses ? labelOf(this.net, this.net.heads[0], this.state) : null;
  }

  // The probabilities of a head's outputs; null where they have none.
  shares(head) {
    if (head.loss?.kind !== "cross_entropy" || head.neurons.length < 2 || head.shape.slice(1).some((extent) => extent > 1))
      return null;
    return softmax(head.neurons.map((i) => this.state.z[i]));
  }

  className(label) {
    return this.data.classes[label] ?? String(label);
  }

  // The class that is wanted, where targets are classes; else null.
  wantedLabel() {
    if (!this.wanted.t || this.net.heads.length !== 1 || this.label() === null) return null;
    const [t] = this.wanted.t;
    if (t.length === 1) return t[0] >= 0.5 ? 1 : 0;
    const top = t.indexOf(Math.max(...t));
    return t.filter((value) => value === t[top]).length === 1 ? top : null;
  }

  // -- changes, each of which can be undone ----------------------------------------------------------------------------
  get changed() {
    return this.past.length > 0;
  }

  snapshot() {
    this.copy ??= this.weights.slice();
    return {
      weights: this.copy,
      x: this.x.map((values) => values.slice()),
      wanted: this.wanted,
      number: this.number,
      strokes: this.strokes,
    };
  }

  // Remember how things are, before one change. Changes of the same `key` in a row are one.
  remember(what, key = null) {
    const last = this.past.at(-1);
    this.future = [];
    if (key !== null && last && last.key === key) return;
    this.past.push({ ...this.snapshot(), what, key });
    if (this.past.length > 50) this.past.shift();
  }

  // The next change is one of its own.
  settle() {
    const last = this.past.at(-1);
    if (last) last.key = null;
  }

  setWeight(slot, value, key = null) {
    this.remember("weight", key);
    this.weights[slot] = value;
    this.copy = null;
    this.run();
  }

  setInput(port, place, value, key = null) {
    this.remember("input", key);
    this.x[port][place] = value;
    this.run();
  }

  // A drawing has no target until somebody chooses one.
  setDrawing(strokes, values) {
    if (!this.strokes) this.wanted = { t: null, g: null };
    this.strokes = strokes;
    this.x[0].set(values);
    this.run();
  }

  setTarget(label) {
    this.remember("target");
    if (label === null) this.wanted = { t: null, g: null };
    else {
      const head = this.net.heads[0];
      const [off, on] = head.loss.targets;
      const t =
        head.neurons.length === 1 ? Float64Array.of(label) : Float64Array.from(head.neurons, (_, k) => (k === label ? on : off));
      this.wanted = { t: [t], g: null };
    }
    this.run();
  }

  // One step of plain gradient descent with this sample alone.
  step(rate) {
    this.remember("step");
    for (const parameter of this.net.parameters) {
      if (!parameter.trainable) continue;
      for (let s = parameter.slot; s < parameter.slot + parameter.size; s++) this.weights[s] -= rate * this.state.gradient[s];
    }
    this.copy = null;
    this.run();
  }

  undo() {
    return this.travel(this.past, this.future);
  }

  redo() {
    return this.travel(this.future, this.past);
  }

  travel(from, to) {
    const there = from.pop();
    if (!there) return null;
    to.push({ ...this.snapshot(), what: there.what, key: null });
    this.restore(there);
    return there.what;
  }

  restore(there) {
    this.weights.set(there.weights);
    this.x = there.x.map((values) => values.slice());
    Object.assign(this, { wanted: there.wanted, number: there.number, strokes: there.strokes, copy: there.weights });
    this.run();
  }

  // Everything as the page was opened, the sample chosen now kept; can be undone.
  reset() {
    this.remember("reset");
    this.weights.set(this.net.weights);
    this.copy = null;
    this.take(this.number);
  }

  // -- where things are ------------------------------------------------------------------------------------------------
  // Which input port and place a neuron is fed from; null for others.
  feed(neuron) {
    for (const [p, port] of this.net.inputs.entries()) {
      const place = port.neurons.indexOf(neuron);
      if (place >= 0) return [p, place];
    }
    return null;
  }

  // Which head a neuron is an output of, and its number there; null for others.
  output(neuron) {
    for (const [h, head] of this.net.heads.entries()) {
      const place = head.neurons.indexOf(neuron);
      if (place >= 0) return [h, place];
    }
    return null;
  }
}

// Whether a sample's target is a class: one output on, the others off. Cross-entropy speaks of classes in any case.
function speaksOfClasses({ loss }, sample) {
  if (!loss || sample.g) return false;
  if (loss.kind !== "mse" || !sample.t) return loss.kind !== "mse";
  const [off, on] = loss.targets;
  const [t] = sample.t;
  return t.length > 1 && t.every((value) => value === off || value === on) && t.filter((value) => value === on).length === 1;
}
