// Puts the page together: the model, what draws it, and what the reader does to it.

class App {
  constructor(report) {
    this.report = report; this.paint = new Paint(report); this.model = new Model(report, this.paint);
    this.icicle = this.makeIcicle(find("flame"), find("flame").querySelector("canvas"), false, 0);
    const halves = [...find("callers").querySelectorAll(".half")];
    this.halves = halves.map((half, at) => this.makeIcicle(half, half.querySelector("canvas"), at === 0, 1));
    this.table = new FunctionTable(find("functions"), {
      selected: () => this.chosenFrame(), select: (frame) => this.chooseFrame(frame), open: (frame) => { this.chooseFrame(frame); this.change({ view: "callers" }); },
    });
    this.timeline = new Timeline(report, find("timeline"), {
      range: (range) => this.change({ range, stall: -1 }), pick: (at) => this.pick(at), hover: () => this.later(),
    });
    this.charts = 0; this.waiting = false; this.stale = true; this.frame = -1;
    this.listen();
    listenToKeys(this);
  }

  get state() { return this.model.state; }

  makeIcicle(pane, canvas, flipped, skip) {
    const icicle = new Icicle(pane, canvas, flipped, skip);
    icicle.frames = this.report.frames;
    icicle.colour = (node) => {
      if (!this.model.comparing) return this.paint.frames[icicle.flame.frame[node]];
      const [, a, b] = icicle.flame.total.map((column) => column[node]);
      return isNoise(this.model.compared, a, b) ? this.paint.changeColour(1, 1) : this.paint.changeColour(a, b);
    };
    pane.addEventListener("scroll", () => this.later());
    canvas.addEventListener("pointermove", (event) => { this.hover(icicle, icicle.hit(event.offsetX, event.offsetY)); });
    canvas.addEventListener("pointerleave", () => this.hover(icicle, -1));
    canvas.addEventListener("click", (event) => this.click(icicle, icicle.hit(event.offsetX, event.offsetY), event.shiftKey));
    return icicle;
  }

  // Everything that is seen follows from the state: change it, and the page is drawn anew at the next frame.
  change(patch) {
    Object.assign(this.state, patch);
    this.stale = true;
    this.later();
  }

  toggle(name) { this.change({ [name]: !this.state[name] }); }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    const began = performance.now();
    if (this.stale) { this.stale = false; this.refresh(); }
    const { state, model } = this;
    this.timeline.drawOver({ range: state.range || (model.stall && { start: model.stall.start, end: model.stall.end }), base: state.diff || state.base ? state.base : null, used: model.folded.windows });
    if (state.view === "flame") this.icicle.draw(this.paint);
    if (state.view === "callers") this.halves.forEach((half) => half.draw(this.paint));
    if (state.view === "functions") this.table.paint();
    this.writeDetail();
    this.drawMs = performance.now() - began;
  }

  refresh() {
    const { model, state, report } = this;
    const change = (patch) => this.change(patch);
    document.documentElement.dataset.view = state.view;
    writeHeader(report, state);
    choices(find("tabs"), VIEWS.map(([id, text], at) => [id, id === "notes" && report.notes.length ? `${text} ${report.notes.length}` : text, String(at + 1)]), state.view, "tab", (view) => this.change({ view }));
    for (const [id] of VIEWS) find(id).hidden = id !== state.view;
    switches(find("shape"), [
      ["invert", state.inverted, "Leaves first (i)", () => this.toggle("inverted")],
      ["recursion", state.recursion, "Fold recursion (r)", () => this.toggle("recursion")],
      ["by value", state.byValue, "Order by value instead of by name (o)", () => this.toggle("byValue")],
      ["idle", state.idle, "Count idle time (z)", () => this.toggle("idle")],
    ]);
    writeBar(model, change); writeThreads(model, change); writeMatched(model); writeChips(model, change);
    this.placeTimeline();
    this.refreshFlame();
    // Not at each step of a drag: browsers refuse an address that changes too often.
    clearTimeout(this.linking);
    this.linking = setTimeout(() => writeLink(report, state), 300);
    if (state.view === "functions") this.table.show(model);
    if (state.view === "callers") this.refreshCallers();
    if (state.view === "stalls") writeStalls(model, change);
    if (state.view === "notes") writeNotes(model, (at) => { this.pick(at); this.change({ view: "flame" }); });
  }

  placeTimeline() {
    const key = [this.timeline.rowsBox.clientWidth, this.state.local, this.paint.dark, window.devicePixelRatio, this.state.axis?.start, this.state.axis?.end].join();
    if (key === this.timelineKey) return;
    this.timelineKey = key;
    this.timeline.draw(this.paint, this.state.local, this.state.axis);
  }

  refreshFlame() {
    const { model, state, icicle } = this, { flame } = model;
    icicle.flame = flame;
    icicle.hot = model.hot;
    const all = flame.total.map((column) => model.text(column[0]));
    icicle.root = model.comparing ? `all: A ${all[1]}, B ${all[2]}` : `all ${all[all.length - 1]}`;
    this.dress(icicle);
    icicle.zoom = findPath(flame, state.zoom);
    icicle.selected = state.selected.length ? findPath(flame, state.selected) || -1 : -1;
    find("flame").querySelector(".spacer").style.height = `${icicle.rows * ROW}px`;
    this.empty = !flame.width[0];
    find("flame").classList.toggle("empty", this.empty);
  }

  dress(icicle) {
    icicle.matches = this.model.search.matches;
    icicle.sign = this.model.comparing ? (node) => {
      const [, a, b] = icicle.flame.total.map((column) => column[node]);
      if (isNoise(this.model.compared, a, b)) return "~";
      return `${b > a ? "\u25b2" : "\u25bc"}${changeText(a, b)}`;
    } : null;
  }

  refreshCallers() {
    const frame = this.chosenFrame(), centre = find("centre");
    if (frame < 0) { centre.textContent = "Choose a function first: in the flame, or in the table of functions."; this.halves.forEach((half) => { half.flame = null; }); return; }
    const { callers, callees } = this.model.sandwich(frame);
    centre.textContent = `callers above, callees below: ${this.report.frames[frame].name}  ${placeOf(this.report.frames[frame])}  ${this.model.text(callees.total[callees.total.length - 1][0])}`;
    [callers, callees].forEach((flame, at) => {
      const half = this.halves[at], fresh = half.flame !== flame;
      half.flame = flame; half.zoom = 0; half.selected = -1; half.hovered = -1;
      this.dress(half);
      half.pane.querySelector(".spacer").style.height = `${half.rows * ROW}px`;
      if (fresh) half.pane.scrollTop = at === 0 ? 1e6 : 0;
    });
  }

  writeDetail() {
    const { view } = this.state;
    if (view === "callers") {
      const half = this.halves.find((one) => one.flame && one.hovered >= 0);
      return writeDetail(this.model, half ? half.flame : null, half ? half.hovered : -1);
    }
    const { icicle } = this;
    const node = icicle.hovered >= 0 ? icicle.hovered : icicle.selected >= 0 ? icicle.selected : icicle.zoom || -1;
    writeDetail(this.model, this.empty ? null : icicle.flame, node < icicle.flame.count ? node : -1);
    if (this.empty) find("detail").firstChild.textContent = `No ${this.model.kind.title} here: another range, sample type or thread may have some.`;
  }

  hover(icicle, node) {
    if (icicle.hovered === node) return;
    icicle.hovered = node;
    icicle.canvas.style.cursor = node >= 0 ? "pointer" : "default";
    this.later();
  }

  click(icicle, node, onlyChoose) {
    if (node < 0) return;
    const frame = icicle.flame.frame[node];
    if (icicle !== this.icicle) { if (frame >= 0) this.chooseFrame(frame); return; }
    const path = pathOf(icicle.flame, node);
    this.frame = frame;
    this.change(onlyChoose ? { selected: path } : { selected: path, zoom: path });
  }

  // The function that actions speak of: the one pointed at, selected, or zoomed into.
  chosenFrame() {
    const { icicle } = this;
    if (this.state.view === "flame" && icicle.flame) {
      const node = icicle.hovered > 0 ? icicle.hovered : icicle.selected;
      if (node > 0) return icicle.flame.frame[node];
    }
    return this.frame;
  }

  chooseFrame(frame) {
    this.frame = frame;
    const { flame } = this.model;
    let best = -1;
    for (let node = 1; node < flame.count; node++) if (flame.frame[node] === frame && (best < 0 || flame.width[node] > flame.width[best])) best = node;
    this.change({ selected: best > 0 ? pathOf(flame, best) : [] });
  }

  listen() {
    find("theme").onclick = () => this.nextTheme();
    find("clock").onclick = () => this.toggle("local");
    find("help").onclick = () => this.help();
    addEventListener("hashchange", () => this.follow());
    find("whole").onclick = () => this.change({ range: null, stall: -1 });
    find("pin").onclick = () => this.pin();
    find("diff").onclick = () => this.toggleDiff();
    find("measure").onclick = () => this.nextMeasure();
    find("export").onclick = () => this.download();
    find("search").oninput = () => this.change({ search: find("search").value });
    new ResizeObserver(() => { this.timelineKey = ""; this.change({}); }).observe(find("view"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  // Looks at what the address says.
  follow() {
    this.change(readLink(this.report));
    find("search").value = this.state.search;
  }

  repaint() {
    this.paint.read();
    this.timelineKey = "";
    this.change({});
  }

  nextTheme() {
    const root = document.documentElement, now = THEMES.indexOf(root.dataset.theme || "auto");
    root.dataset.theme = THEMES[(now + 1) % THEMES.length];
    find("theme").textContent = root.dataset.theme === "auto" ? "theme" : root.dataset.theme;
    this.repaint();
  }

  nextCharts() {
    this.charts = (this.charts + 1) % 3;
    find("timeline").dataset.charts = ["all", "few", "none"][this.charts];
  }

  help() { showHelp(); }
}
