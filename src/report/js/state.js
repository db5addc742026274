// What the reader looks at, and what that comes to. Each step is computed when it is asked for and kept
// until what it depends on changes.

const VIEWS = [["flame", "Flame"], ["functions", "Functions"], ["callers", "Callers"], ["stalls", "Stalls"], ["notes", "Notes"]];
const MAIN_KINDS = ["cpu", "wall", "inuse_space", "space", "alloc_space"];

// CPU or the live heap where a report has them.
function mainKind(report) {
  const main = MAIN_KINDS.map((name) => report.kinds.findIndex((kind) => kind.name === name)).find((at) => at >= 0);
  return main ?? Math.max(report.kinds.length - 1, 0);
}

class Model {
  constructor(report, paint) {
    this.report = report; this.paint = paint;
    this.kept = new Map();
    this.state = {
      view: "flame", range: null, kind: mainKind(report), thread: -1, stall: -1,
      base: null, diff: false, measure: MEASURES[0], search: "", zoom: [], selected: [], local: false, axis: null,
      idle: false, hidden: new Set(), focus: -1, inverted: false, recursion: false, byValue: false,
    };
  }

  keep(name, key, make) {
    const known = this.kept.get(name);
    if (known && known.key === key) return known.value;
    const value = make();
    this.kept.set(name, { key, value });
    return value;
  }

  get whole() { return { start: 0, end: Math.max(this.report.length, 1) }; }

  get range() { return this.state.range || this.whole; }

  get stall() { return this.report.stalls[this.state.stall] || null; }

  // A stall is told in time, whatever the kind chosen.
  get kind() {
    if (this.stall) return { name: "stall", title: "stall", unit: "nanoseconds", level: false };
    return this.report.kinds[this.state.kind] || { name: "", title: "nothing", unit: "count", level: false };
  }

  get comparing() { return this.state.diff && !!this.state.base && !this.stall; }

  get foldKey() {
    const { kind, thread, stall } = this.state, { start, end } = this.range;
    return [kind, thread, start, end, stall].join();
  }

  get folded() {
    return this.keep("fold", this.foldKey, () => {
      if (this.stall) return foldOfStall(this.report, this.stall);
      return this.foldOf(this.range);
    });
  }

  foldOf(range) {
    const { kind, thread } = this.state;
    if (!this.report.kinds.length) return { self: new Float64Array(this.report.tree.count), windows: [], ...measured([]) };
    return fold(this.report, kind, thread, range);
  }

  get based() {
    const { base, kind, thread } = this.state;
    return this.keep("base", [kind, thread, base.start, base.end].join(), () => this.foldOf(base));
  }

  counts(node) {
    const frame = this.report.tree.frame[node];
    return this.state.idle || frame < 0 || this.report.frames[frame].kind !== IDLE;
  }

  get compared() {
    const { base, measure, idle } = this.state;
    const key = [this.foldKey, base.start, base.end, measure, idle].join();
    return this.keep("compare", key, () => compare(this.kind, this.based, this.folded, measure, (node) => this.counts(node)));
  }

  get columns() { return this.comparing ? this.compared.columns : this.keep("width", this.foldKey, () => widthOf(this.folded.self)); }

  shape(more = {}) {
    const { idle, hidden, focus, inverted, recursion, byValue } = this.state;
    return { idle, hidden, focus, inverted, recursion, byValue, ...more };
  }

  get shapeKey() {
    const { base, measure } = this.state, shape = this.shape();
    const compared = this.comparing ? [base.start, base.end, measure] : [];
    return JSON.stringify([this.foldKey, { ...shape, hidden: [...shape.hidden] }, compared]);
  }

  get flame() { return this.keep("flame", this.shapeKey, () => buildFlame(this.report, this.columns, this.shape())); }

  get hot() { return this.keep("hot", this.shapeKey, () => (this.comparing ? new Set() : hotPath(this.flame))); }

  get table() {
    return this.keep("table", this.shapeKey, () => functionTable(this.flame, this.report.frames.length));
  }

  // The two halves of the view of one function.
  sandwich(frame) {
    return this.keep("sandwich", `${this.shapeKey}/${frame}`, () => ({
      callers: buildFlame(this.report, this.columns, this.shape({ focus: frame, inverted: true })),
      callees: buildFlame(this.report, this.columns, this.shape({ focus: frame, inverted: false })),
    }));
  }

  // Which frames match the search: null without one, `error` of one that is none.
  get search() {
    return this.keep("search", this.state.search, () => {
      if (!this.state.search) return { matches: null, error: "" };
      try {
        const pattern = new RegExp(this.state.search, "i");
        return { matches: Uint8Array.from(this.report.frames, (f) => (pattern.test(f.name) || pattern.test(f.file) ? 1 : 0)), error: "" };
      } catch (error) {
        return { matches: null, error: error.message };
      }
    });
  }

  // A value of the flame in words; `column` 1 is A, 2 is B of a comparison.
  text(value) {
    return this.comparing ? comparedText(this.kind, value, this.state.measure) : inUnit(value, this.kind.unit);
  }

  difference(value) { return differenceText(this.kind, value, this.state.measure); }
}

// Widths are not negative; a file may hold negative values, which are then as wide as they are large.
function widthOf(self) {
  return self.some((value) => value < 0) ? [self.map(Math.abs), self] : [self];
}

// The selection as folded stacks: `root;caller;leaf 42`, idle time left out unless it is shown.
function foldedText(model) {
  const { report } = model, { tree, frames } = report, self = model.folded.self;
  const escaped = frames.map((frame) => frame.name.replace(/[;\r\n]/g, (c) => (c === ";" ? ":" : " ")));
  const lines = [];
  for (let node = 0; node < tree.count; node++) {
    if (!self[node] || !model.counts(node)) continue;
    const path = [];
    for (let at = node; at > 0; at = tree.parent[at]) path.push(escaped[tree.frame[at]]);
    lines.push(`${path.length ? path.reverse().join(";") : "(other)"} ${self[node]}`);
  }
  return `${lines.join("\n")}\n`;
}
