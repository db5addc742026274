// Two ranges against each other. A is the base, B what is looked at.
//
// A delta (CPU time) is compared per second covered, or by share of its whole; a level (bytes in use) as
// growth. A box is as wide as the greater of its two values, so that what is new and what has vanished
// are both seen.

const MEASURES = ["per second", "by share"];

// Columns of a comparison: width, A, B; and of each side what the noise is told by.
function compare(kind, a, b, measure, counts) {
  const sides = [a, b].map((one) => {
    const values = one.self.map((value, node) => (counts(node) ? value : 0)), total = totalOf(values);
    return { values, total, period: one.period, share: !kind.level && measure === "by share", by: divisor(kind, one, total, measure) };
  });
  const [left, right] = sides.map(({ values, by }) => values.map((value) => value * by));
  return { columns: [left.map((value, node) => Math.max(value, right[node], 0)), left, right], sides };
}

// What one unit of a side is in the comparison.
function divisor(kind, side, total, measure) {
  if (kind.level) return 1;
  return measure === "by share" ? 1 / (total || 1) : 1e9 / (side.covered || 1e9);
}

function totalOf(self) {
  let sum = 0;
  for (const value of self) sum += value;
  return sum;
}

// A value of a comparison in words.
function comparedText(kind, value, measure) {
  if (kind.level || value === 0) return inUnit(value, kind.unit);
  return measure === "by share" ? percent(value) : `${inUnit(value, kind.unit)}/s`;
}

// The difference of two, with its sign; of shares in percentage points.
function differenceText(kind, value, measure) {
  const text = comparedText(kind, value, measure);
  return sign(kind.level || measure !== "by share" ? text : text.replace("%", "pp"), value);
}

// `new`, `gone`, or how much it changed in parts of A.
function changeText(a, b) {
  if (a === 0 && b === 0) return "";
  if (a === 0) return "new";
  if (b === 0) return "gone";
  const change = (b - a) / a;
  return Math.abs(change) < 0.0005 ? "=" : Math.abs(change) < 10 ? sign(percent(change), change) : `\u00d7${trimmed(b / a)}`;
}

// Whether a change may be chance. Samples scatter like a Poisson number, a share of them like a binomial
// one, one sample more than there are; less than three standard errors of the difference is no news. What
// one sample stands for must be known; without it every change counts.
const SURE = 3;

function isNoise({ sides }, a, b) {
  if (a === b) return true;
  if (sides.some((side) => !side.period)) return false;
  const error = Math.sqrt(varianceOf(sides[0], a) + varianceOf(sides[1], b));
  return Math.abs(b - a) < SURE * error;
}

function varianceOf({ total, period, share, by }, value) {
  const samples = Math.abs(value / by) / period + 1;
  if (!share) return samples * (period * by) ** 2;
  const all = Math.abs(total) / period + 2, part = Math.min(samples / all, 1);
  return (part * (1 - part)) / all;
}
