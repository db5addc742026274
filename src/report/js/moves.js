// What the reader does, as methods of the App: time, comparison, moving, shaping, taking away.

for (const [name, move] of Object.entries({
  // The windows of the chosen kind, each stretch of time once.
  stretches() {
    const { kind } = this.state;
    const windows = this.report.windows.filter((window) => window.kinds.includes(kind));
    return windows.filter((window, at) => !at || window.start !== windows[at - 1].start);
  },

  pick(at) {
    const list = this.stretches();
    const window = list.find((one) => one.start <= at && at < one.end) || list.find((one) => one.start > at) || list[list.length - 1];
    if (window) this.change({ range: { start: window.start, end: window.end }, stall: -1 });
  },

  // The first and last window of the range, as places in the list.
  edges(list) {
    const { range } = this.state;
    if (!range) return [0, list.length - 1];
    const inside = list.map((window, at) => (means(range, window) ? at : -1)).filter((at) => at >= 0);
    return inside.length ? [inside[0], inside[inside.length - 1]] : [0, 0];
  },

  choose(list, first, last) {
    if (list.length) this.change({ range: { start: list[first].start, end: list[last].end }, stall: -1 });
  },

  stepWindow(by) {
    const list = this.stretches(), [first, last] = this.edges(list);
    const from = this.state.range ? (by < 0 ? first : last) + by : by < 0 ? list.length - 1 : 0;
    const to = Math.min(Math.max(from, 0), list.length - 1);
    this.choose(list, to, to);
  },

  growRange(by) {
    const list = this.stretches(), [first, last] = this.edges(list);
    this.choose(list, first, Math.min(Math.max(last + by, first), list.length - 1));
  },

  // The range with a little on both sides fills the charts.
  zoomTime(closer) {
    const { range } = this.state, { whole } = this.model;
    if (!closer || !range) { this.change({ axis: null }); return; }
    const margin = (range.end - range.start) * 0.15;
    this.change({ axis: { start: Math.max(range.start - margin, whole.start), end: Math.min(range.end + margin, whole.end) } });
  },

  nextMark() {
    const marks = this.report.notes.filter((note) => note[2] === "mark").map((note) => note[0]);
    const from = this.state.range ? this.state.range.end : -1;
    const next = marks.find((at) => at >= from) ?? marks[0];
    if (next !== undefined) this.pick(next);
  },

  pin() { this.change({ base: { ...this.model.range } }); },

  toggleDiff() {
    if (!this.state.base) this.pin();
    this.change({ diff: !this.state.diff });
  },

  nextMeasure() { this.change({ measure: MEASURES[(MEASURES.indexOf(this.state.measure) + 1) % MEASURES.length] }); },

  move(way) {
    const { view } = this.state;
    if (view === "functions") { if (way === "up" || way === "down") this.table.step(way === "up" ? -1 : 1); return; }
    if (view === "stalls" || view === "notes") { stepFocus(find(view), way === "up" || way === "left" ? -1 : 1); return; }
    if (view !== "flame" || this.empty) return;
    this.icicle.hovered = -1;
    this.go(this.icicle.neighbour(way));
  },

  // Selects a node of the flame and brings it into view.
  go(node) {
    const { icicle } = this;
    if (node <= 0) { this.change({ selected: [] }); return; }
    if (!icicle.inZoom(node)) this.state.zoom = [];
    this.frame = icicle.flame.frame[node];
    icicle.reveal(node);
    this.change({ selected: pathOf(icicle.flame, node) });
  },

  page(by) {
    if (this.state.view === "functions") { this.table.step(by * 15); return; }
    find("flame").scrollTop += by * 10 * ROW;
  },

  enter() {
    const { view, selected } = this.state;
    if (view === "functions") this.change({ view: "callers" });
    else if (view === "flame" && selected.length) this.change({ zoom: [...selected] });
  },

  zoomOut() {
    const zoom = this.state.zoom.slice(0, -1);
    this.change({ zoom, selected: zoom.length ? [...zoom] : this.state.selected });
  },

  // The nearest thing to leave: search, zoom, stall, focus, range.
  escape() {
    const { state } = this;
    if (state.search) { find("search").value = ""; this.change({ search: "" }); }
    else if (state.zoom.length) this.change({ zoom: [] });
    else if (state.stall >= 0) this.change({ stall: -1 });
    else if (state.focus >= 0) this.change({ focus: -1 });
    else if (state.selected.length) this.change({ selected: [] });
    else this.change({ range: null });
  },

  goHottest() {
    const { flame } = this.model;
    let best = 0;
    for (let node = 1; node < flame.count; node++) if (!best || flame.self[0][node] > flame.self[0][best]) best = node;
    this.change({ view: "flame", zoom: [] });
    this.go(best);
  },

  startSearch() { find("search").focus(); find("search").select(); },

  searchThis() {
    const frame = this.chosenFrame();
    if (frame < 0) return;
    const search = this.report.frames[frame].name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    find("search").value = search;
    this.change({ search });
  },

  nextMatch(by) {
    const { matches } = this.model.search, { flame } = this.model;
    if (!matches || this.state.view !== "flame") return;
    const from = this.icicle.selected < 0 ? 0 : this.icicle.selected;
    for (let step = 1; step <= flame.count; step++) {
      const node = (((from + by * step) % flame.count) + flame.count) % flame.count;
      if (node && matches[flame.frame[node]] && flame.width[node]) { this.go(node); return; }
    }
  },

  hide(what) {
    const frame = this.chosenFrame();
    if (frame < 0) return;
    const hidden = new Set(this.state.hidden), name = packageOf(this.report.frames[frame]);
    if (what === "function") hidden.add(frame);
    else this.report.frames.forEach((one) => { if (packageOf(one) === name) hidden.add(one.id); });
    const kept = (path) => path.filter((one) => !hidden.has(one));
    this.icicle.hovered = -1;
    this.change({ hidden, zoom: kept(this.state.zoom), selected: kept(this.state.selected) });
  },

  focusThis() {
    const frame = this.chosenFrame();
    if (frame >= 0) this.change({ focus: this.state.focus === frame ? -1 : frame, zoom: [], selected: [] });
  },

  nextKind() { this.change({ kind: (this.state.kind + 1) % Math.max(this.report.kinds.length, 1), stall: -1 }); },

  nextThread() {
    const count = this.report.threads.length;
    if (count > 1) this.change({ thread: this.state.thread + 1 < count ? this.state.thread + 1 : -1 });
  },

  copyStack() {
    const { icicle } = this, node = icicle.hovered > 0 ? icicle.hovered : icicle.selected;
    if (!(node > 0)) return;
    const lines = pathOf(icicle.flame, node).reverse().map((frame) => `${this.report.frames[frame].name}  ${fullPlace(this.report.frames[frame])}`);
    copyText(lines.join("\n"));
  },

  download() {
    const link = element("a", { href: URL.createObjectURL(new Blob([foldedText(this.model)], { type: "text/plain" })) });
    const when = clockText(this.report, this.model.range.start, false, 0).replaceAll(":", "");
    link.download = `${(this.report.targets[0]?.name || "report").replace(/[^\w.-]+/g, "_").slice(0, 60)}-${this.model.kind.name || "values"}-${when}.folded`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
})) App.prototype[name] = move;

function stepFocus(box, by) {
  const lines = [...box.querySelectorAll(".line")];
  if (lines.length) lines[Math.min(Math.max(lines.indexOf(document.activeElement) + by, 0), lines.length - 1)].focus();
}

// A page from a file may not reach the clipboard directly.
function copyText(text) {
  const area = element("textarea", { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
