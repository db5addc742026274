// Two ranges against each other. A is the base, B what is looked at.
//
// A delta (CPU time) is compared per second covered, or by share of its whole; a level (bytes in use) as
// growth. A box is as wide as the greater of its two values, so that what is new and what has vanished
// are both seen.

const MEASURES = ["per second", "by share"];

// Columns of a comparison: width, A, B; the whole of each; and what one sample of each stands for.
function compare(kind, a, b, measure, counts) {
  const [left, right] = [a, b].map((one) => one.self.map((value, node) => (counts(node) ? value : 0)));
  const wholes = [left, right].map(totalOf);
  const by = kind.level ? [1, 1] : measure === "by share"
    ? wholes.map((whole) => 1 / (whole || 1))
    : [a, b].map((one) => 1e9 / (one.covered || 1e9));
  const width = new Float64Array(left.length);
  for (let node = 0; node < width.length; node++) {
    left[node] *= by[0];
    right[node] *= by[1];
    width[node] = Math.max(left[node], right[node], 0);
  }
  const timed = kind.unit === "nanoseconds" && !kind.level && a.taken && b.taken;
  const sample = timed ? [a, b].map((one, at) => (totalOf(one.self) / one.taken) * by[at]) : null;
  return { columns: [width, left, right], wholes: wholes.map((whole, at) => whole * by[at]), sample };
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

// Whether a change may be chance: samples counted as Poisson on both sides, less than two standard
// errors apart. Never told of what is not sampled by time.
function isNoise(sample, a, b) {
  if (!sample || !sample[0] || !sample[1]) return false;
  const error = Math.hypot(...[a, b].map((value, at) => Math.sqrt(Math.max(value / sample[at], 1)) * sample[at]));
  return Math.abs(b - a) < 2 * error;
}
