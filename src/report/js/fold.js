// From a range of time to self values on the tree. The law is that of the session: each thread over time
// first (a delta adds up, a level keeps its last value), then all threads together.

const middle = (start, end) => start + Math.floor((end - start) / 2);

// Whether a range means a window: its middle lies in it, or the range is shorter than the window.
function means(range, window) {
  const ours = middle(window.start, window.end), theirs = middle(range.start, range.end);
  return (range.start <= ours && ours < range.end) || (window.start <= theirs && theirs < window.end);
}

// The windows of a kind that a range means, in the order of time. Of a track of levels that has none there,
// the one last known.
function windowsIn(report, kind, range) {
  let chosen = [];
  report.tracks.forEach((track, at) => {
    if (!track.kinds.includes(kind)) return;
    const all = report.windows.filter((window) => window.track === at);
    const within = all.filter((window) => means(range, window));
    if (!within.length && track.kinds.some((k) => report.kinds[k].level)) {
      const known = all.filter((window) => window.end <= range.end).pop();
      if (known) within.push(known);
    }
    chosen = chosen.concat(within);
  });
  return chosen.sort((a, b) => a.start - b.start || a.id - b.id);
}

// What a range comes to: self values by node, and how they were measured.
function fold(report, kind, thread, range) {
  const windows = windowsIn(report, kind, range);
  const self = new Float64Array(report.tree.count);
  const level = report.kinds[kind].level;
  const seen = new Set();
  // From the newest on, so that the first lane of a thread that is met holds its level.
  for (let i = windows.length - 1; i >= 0; i--) {
    const column = windows[i].kinds.indexOf(kind);
    const met = [];
    for (const lane of windows[i].lanes) {
      if (thread >= 0 && lane.thread !== thread) continue;
      if (level && seen.has(lane.thread)) continue;
      met.push(lane.thread);
      addTo(self, lane.nodes, lane.columns[column]);
    }
    met.forEach((one) => seen.add(one));
  }
  return { self, windows, period: periodOf(report.kinds[kind], windows[0]), ...measured(windows) };
}

// What one sample stands for; 0 when that is not known.
function periodOf(kind, window) {
  if (kind.unit === "count") return 1;
  return window && window.periodUnit === kind.unit ? window.period : 0;
}

function addTo(self, nodes, values) {
  for (let i = 0; i < nodes.length; i++) self[nodes[i]] += values[i];
}

function measured(windows) {
  const sum = (of) => windows.reduce((total, window) => total + of(window), 0);
  const start = windows.reduce((first, w) => Math.min(first, w.start), Infinity);
  const end = windows.reduce((last, w) => Math.max(last, w.end), -Infinity);
  const span = windows.length ? end - start : 0;
  // Several sources cover the same time side by side, not one after the other.
  const covered = Math.min(sum((w) => w.covered), span);
  return { start, end, span, covered, taken: sum((w) => w.taken), lost: sum((w) => w.lost), truncated: sum((w) => w.truncated) };
}

// A stall as a fold of nanoseconds.
function foldOfStall(report, stall) {
  const self = new Float64Array(report.tree.count);
  addTo(self, stall.nodes, stall.values);
  return { self, windows: [], period: 0, start: stall.start, end: stall.end, span: stall.length, covered: stall.length, taken: 0, lost: 0, truncated: 0 };
}
