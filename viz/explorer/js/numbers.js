// Numbers as people read them: so many significant digits, a real minus sign.

// As Python's format(value, ".6g").
export function number(value, digits = 6) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "−inf";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const small = power < -4 || power >= digits;
  const text = small
    ? `${trimmed(mantissa)}e${power < 0 ? "−" : "+"}${String(Math.abs(power)).padStart(2, "0")}`
    : trimmed(value.toFixed(Math.max(0, digits - 1 - power)));
  return text.replace(/^-/, "−");
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// In brackets where it has a sign.
export const signed = (text) => (text.startsWith("−") ? `(${text})` : text);

// Short enough to stand inside a cell.
export function short(value, digits = 2) {
  if (!Number.isFinite(value)) return number(value);
  if (Math.abs(value) >= 10 ** digits && Math.abs(value) < 10000) return number(Math.round(value), 5);
  if (Number.isInteger(value) && Math.abs(value) < 10000) return number(value, 5);
  return number(value, digits)
    .replace(/e([+−])0?/, (_, sign) => (sign === "+" ? "e" : "e−"))
    .replace(/^(−?)0\./, "$1.");
}

export const counted = (n, what) => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`;
export const times = (shape) => (shape.length ? shape.join("×") : "1");

// The sum, with what rounding loses carried along (Neumaier).
export function total(numbers) {
  let [sum, lost] = [0, 0];
  for (const value of numbers) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return Number.isFinite(lost) ? sum + lost : sum;
}

// The `limit` largest in absolute size and the rest, both in their old order. Where some must go, all that are 0 go.
export function largest(rows, size, limit) {
  if (rows.length <= limit) return [rows, []];
  const sizes = rows.map((row) => Math.abs(size(row)));
  const ranked = rows
    .map((_, i) => i)
    .sort((i, j) => sizes[j] - sizes[i] || i - j)
    .slice(0, limit);
  const nonzero = ranked.filter((i) => sizes[i] !== 0);
  const chosen = new Set(nonzero.length ? nonzero : ranked.slice(0, 3));
  return [rows.filter((_, i) => chosen.has(i)), rows.filter((_, i) => !chosen.has(i))];
}
