// The time axis and everything along it: charts, windows, marks, the selected range and the base. One axis
// for all; dragging over any of it selects.

const LEGEND = 296;
const LINE = 12;

class Timeline {
  constructor(report, root, on) {
    this.report = report; this.root = root; this.on = on;
    this.rowsBox = root.querySelector("#rows"); this.over = root.querySelector("#over");
    this.whole = { start: 0, end: Math.max(report.length, 1) };
    // The part of it that is in view.
    this.axis = this.whole;
    this.charts = groupCharts(report);
    this.hover = NaN; this.drag = null; this.known = new Map();
    this.build();
    this.listen();
  }

  // A row each: axis, windows of each track, charts.
  build() {
    this.rows = [];
    this.addRow(20, [["", "drag for a range, click for a window"]], (canvas, w, h, paint) => this.drawAxis(canvas, w, h, paint));
    this.report.tracks.forEach((track, at) => {
      const names = track.kinds.map((kind) => this.report.kinds[kind].title).join(", ");
      this.addRow(12, [["", `windows: ${this.of(track.source)}${names}`]], (canvas, w, h, paint) => this.drawTrack(canvas, w, h, paint, at));
    });
    for (const chart of this.charts) {
      const height = Math.max(chart.series.length * LINE + 3, 18);
      const lines = chart.series.map((series, at) => [`s${at % 5}`, this.of(chart.source) + series.label, series]);
      this.addRow(height, lines, (canvas, w, h, paint) => drawChart(canvas, chart, this.axis, w, h, paint));
    }
  }

  of(source) { return this.report.targets.length > 1 ? `${this.report.targets[source]?.name || source}: ` : ""; }

  addRow(height, lines, draw) {
    const row = element("div", { className: "row" }), legend = element("div", { className: "legend" });
    const cells = lines.map(([swatch, text, series]) => {
      const line = element("div", { className: "key" });
      const value = element("b"), range = element("small");
      line.append(element("i", { className: swatch }), element("span", { textContent: text, title: series ? series.help : text }), value, range);
      legend.append(line);
      return { series, value, range };
    });
    const canvas = element("canvas");
    canvas.setAttribute("aria-hidden", "true");
    row.style.height = `${height}px`;
    row.append(legend, canvas);
    this.rowsBox.append(row);
    this.rows.push({ height, canvas, cells, draw });
  }

  x(at) { return ((at - this.axis.start) / (this.axis.end - this.axis.start)) * this.width; }

  moment(x) { return this.axis.start + Math.round((Math.min(Math.max(x, 0), this.width) / this.width) * (this.axis.end - this.axis.start)); }

  // Everything that does not change with the selection.
  draw(paint, local, axis) {
    this.paint = paint; this.local = local; this.axis = axis || this.whole;
    this.width = Math.max(this.rowsBox.clientWidth - LEGEND, 50);
    for (const row of this.rows) row.draw(row.canvas, this.width, row.height, paint);
  }

  // What changes with it. `view`: range, base, used (ids of windows).
  drawOver(view) {
    this.view = view;
    const height = this.rows.reduce((sum, row) => sum + row.height + 1, -1);
    const context = fitCanvas(this.over, this.width, height), { paint } = this;
    this.over.style.left = `${LEGEND}px`;
    if (view.base) this.band(context, view.base, height, paint.base, "A");
    if (view.range) this.band(context, view.range, height, paint.accent, view.base ? "B" : "");
    this.drawMarks(context, height);
    if (!Number.isNaN(this.hover)) {
      context.strokeStyle = paint.muted;
      vertical(context, this.x(this.hover), height);
    }
    this.underline(context, view.used);
    this.writeLegend();
  }

  band(context, range, height, colour, letter) {
    const left = this.x(range.start), right = Math.max(this.x(range.end), left + 1);
    context.globalAlpha = 0.16; context.fillStyle = colour;
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1; context.strokeStyle = colour;
    vertical(context, left, height); vertical(context, right, height);
    if (letter) {
      context.fillStyle = colour; context.font = `bold 11px ${this.paint.mono}`; context.textBaseline = "top";
      context.fillText(letter, left + 3, 20);
    }
  }

  drawMarks(context, height) {
    for (const [at, , level] of this.report.notes) {
      if (level === "info") continue;
      const x = this.x(at);
      context.fillStyle = context.strokeStyle = level === "mark" ? this.paint.accent : this.paint.muted;
      if (level === "mark") { context.setLineDash([3, 3]); vertical(context, x, height); context.setLineDash([]); }
      context.beginPath();
      if (level === "mark") { context.moveTo(x, 0); context.lineTo(x + 8, 4); context.lineTo(x, 8); } else { context.moveTo(x - 4, 8); context.lineTo(x, 0); context.lineTo(x + 4, 8); }
      context.fill();
    }
  }

  // The windows that the flame is made of.
  underline(context, used) {
    context.fillStyle = this.paint.accent;
    let y = this.rows[0].height + 1;
    this.report.tracks.forEach((_, track) => {
      this.bars(used.filter((window) => window.track === track), (x, w) => context.fillRect(x, y + 9, w, 2.5));
      y += this.rows[track + 1].height + 1;
    });
  }

  // Bars of windows in view; those that would run into each other are one.
  bars(windows, draw) {
    let from = 0, to = -1;
    const flush = () => { if (to > from && to > 0 && from < this.width) draw(from, Math.max(to - from - 1, 1)); };
    for (const window of windows) {
      const x = this.x(window.start), end = this.x(window.end);
      if (to > from && x - to < 1 && end - from < 3) { to = end; continue; }
      flush();
      from = x; to = end;
    }
    flush();
  }

  writeLegend() {
    const range = this.view.range || this.whole, hovering = !Number.isNaN(this.hover);
    for (const { series, value, range: text } of this.rows.flatMap((row) => row.cells)) {
      if (!series) continue;
      const { min, max, mean } = this.extremesOf(series, range);
      value.textContent = gaugeText(hovering ? valueAt(series, this.hover) : mean, series.unit) || "\u2013";
      text.textContent = max >= min ? `${gaugeText(min, series.unit)} .. ${gaugeText(max, series.unit)}` : "nothing";
      value.title = hovering ? "at the pointer" : "mean of the range";
      text.title = "least and greatest of the range";
    }
  }

  // Kept until the range changes: pointing about asks for them again and again.
  extremesOf(series, range) {
    const known = this.known.get(series);
    if (known && known.start === range.start && known.end === range.end) return known.value;
    const value = extremes(series, range);
    this.known.set(series, { start: range.start, end: range.end, value });
    return value;
  }

  drawAxis(canvas, width, height, paint) {
    const context = fitCanvas(canvas, width, height);
    const { start, end } = this.axis, step = tickStep((end - start) / Math.max(width / 90, 1));
    const offset = ((this.report.startMs * 1e6 + start) % step + step) % step;
    context.fillStyle = paint.muted; context.strokeStyle = paint.line;
    context.font = `10px ${paint.mono}`; context.textBaseline = "bottom";
    for (let at = start + step - offset; at < end; at += step) {
      const x = this.x(at);
      context.beginPath(); context.moveTo(Math.round(x) + 0.5, height - 5); context.lineTo(Math.round(x) + 0.5, height); context.stroke();
      const text = clockText(this.report, at + 1, this.local, step < 1e9 ? 1 : 0);
      if (x + 4 + text.length * 6 < width) context.fillText(text, x + 3, height - 1);
    }
  }

  // Each window as a bar; what it did not observe is left out of the bar and hatched.
  drawTrack(canvas, width, height, paint, track) {
    const context = fitCanvas(canvas, width, height);
    const windows = this.report.windows.filter((window) => window.track === track);
    context.fillStyle = paint.faint;
    this.bars(windows, (x, w) => context.fillRect(x, 2, w, 6));
    for (const window of windows) if (window.covered < 0.995 * window.length) this.hatch(context, window, paint);
  }

  hatch(context, window, paint) {
    const x = this.x(window.start), end = this.x(window.end), from = x + (end - x) * (window.covered / window.length);
    if (end < 0 || x > this.width) return;
    context.clearRect(from, 2, end - from, 6);
    context.strokeStyle = paint.muted;
    context.beginPath();
    for (let at = Math.max(from, 0); at < Math.min(end, this.width); at += 3) { context.moveTo(at, 8); context.lineTo(at + 2, 2); }
    context.stroke();
  }

  // The note that the pointer is at, in words.
  noteAt(moment) {
    const near = this.report.notes.filter(([at, , level]) => level !== "info" && Math.abs(this.x(at) - this.x(moment)) < 7);
    return near.slice(0, 8).map(([at, , level, text]) => `${clockText(this.report, at, this.local, 0)} ${LEVEL_SIGNS[level]}: ${text}`).join("\n");
  }

  listen() {
    const at = (event) => this.moment(event.clientX - this.over.getBoundingClientRect().left);
    this.over.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.over.setPointerCapture(event.pointerId);
      this.drag = { from: at(event), x: event.clientX, moved: false };
    });
    this.over.addEventListener("pointermove", (event) => {
      this.hover = at(event);
      this.over.title = this.noteAt(this.hover);
      if (this.drag && (this.drag.moved ||= Math.abs(event.clientX - this.drag.x) > 3)) {
        this.on.range({ start: Math.min(this.drag.from, this.hover), end: Math.max(this.drag.from, this.hover) });
      } else this.on.hover();
    });
    this.over.addEventListener("pointerup", (event) => {
      if (this.drag && !this.drag.moved) this.on.pick(at(event));
      this.drag = null;
    });
    this.over.addEventListener("pointercancel", () => { this.drag = null; });
    this.over.addEventListener("pointerleave", () => { this.hover = NaN; this.on.hover(); });
    this.over.addEventListener("dblclick", () => this.on.range(null));
  }
}

function vertical(context, x, height) {
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, 0); context.lineTo(Math.round(x) + 0.5, height);
  context.stroke();
}

// Round lengths of time, none shorter than `least` nanoseconds.
function tickStep(least) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  return (steps.find((step) => step * 1e9 >= least) || Math.ceil(least / 86400e9) * 86400) * 1e9;
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}
