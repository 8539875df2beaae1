// The activations a = f(z) and their slopes f′(z), which may use a. Softmax looks at a whole head: see losses.js.

export const LEAK = 0.01;
const AMPLITUDE = 1.7159;

export const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
export const softplus = (z) => (Number.isNaN(z) ? z : Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
const below = (z) => 0.5 * erfc(-z / Math.SQRT2);
const density = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

// 1 − erf(x), by its power series near 0 and a continued fraction (Lentz) in the tails: 15 digits.
export function erfc(x) {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  const far = Math.abs(x);
  let fraction = far;
  for (let n = 60; n > 0; n--) fraction = far + n / 2 / fraction;
  const tail = Math.exp(-far * far) / Math.sqrt(Math.PI) / fraction;
  return x > 0 ? tail : 2 - tail;
}

// In the order in which the language lists them (neurograph/ops/words.py).
export const ACTIVATIONS = {
  identity: { f: (z) => z, slope: () => 1 },
  relu: { f: (z) => (z <= 0 ? 0 : z), slope: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { f: (z) => (z > 0 ? z : LEAK * z), slope: (z) => (z > 0 ? 1 : LEAK) },
  elu: { f: (z) => (z > 0 ? z : Math.expm1(z)), slope: (z) => (z > 0 ? 1 : Math.exp(z)) },
  softplus: { f: softplus, slope: (z) => sigmoid(z) },
  gelu: { f: (z) => z * below(z), slope: (z) => below(z) + z * density(z) },
  silu: { f: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) + z * sigmoid(z) * sigmoid(-z) },
  sigmoid: { f: sigmoid, slope: (z, a) => a * (1 - a) },
  tanh: { f: Math.tanh, slope: (z, a) => (1 - a) * (1 + a) },
  scaled_tanh: {
    f: (z) => AMPLITUDE * Math.tanh((2 * z) / 3),
    slope: (z, a) => (2 / 3 / AMPLITUDE) * (AMPLITUDE - a) * (AMPLITUDE + a),
  },
  softmax: { f: (z) => z, slope: () => 1 },
};
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS);
