// A fold under a shape, as a tree ready to be drawn: in preorder, siblings in order, each with where it
// begins. What is hidden is re-parented, never cut off.
//
// A flame has columns: the first is the width, which is never negative; the others go along (of a
// comparison: A and B).

class Growing {
  constructor(columns) {
    this.parent = [-1]; this.frame = [-1];
    this.self = columns.map(() => [0]);
    this.index = new Map();
  }

  child(parent, frame, frames) {
    const key = parent * frames + frame;
    let node = this.index.get(key);
    if (node === undefined) {
      node = this.parent.length;
      this.index.set(key, node);
      this.parent.push(parent); this.frame.push(frame);
      this.self.forEach((column) => column.push(0));
    }
    return node;
  }

  gain(node, columns, row) {
    for (let c = 0; c < columns.length; c++) this.self[c][node] += columns[c][row];
  }
}

// `shape`: idle, hidden (a Set of frames), focus (a frame or -1), inverted, recursion (folded), byValue.
function buildFlame(report, columns, shape) {
  const { tree, frames } = report;
  const isIdle = (frame) => !shape.idle && frame >= 0 && frames[frame].kind === IDLE;
  const plain = !shape.inverted && !shape.hidden.size && shape.focus < 0 && !shape.recursion && !shape.byValue;
  if (plain) return laidOut(pruned(tree, columns, isIdle));
  const growing = new Growing(columns);
  if (shape.inverted) growInverted(growing, report, columns, shape, isIdle);
  else growTopDown(growing, report, columns, shape, isIdle);
  return laidOut(arranged(growing, shape.byValue));
}

// The nodes of the tree that hold or lead to a value. They stand in the order to show already.
function pruned(tree, columns, isIdle) {
  const keep = new Uint8Array(tree.count);
  for (let node = tree.count - 1; node > 0; node--) {
    if (!keep[node] && !isIdle(tree.frame[node])) keep[node] = columns.some((column) => column[node] !== 0) ? 1 : 0;
    if (keep[node]) keep[tree.parent[node]] = 1;
  }
  keep[0] = 1;
  const kept = [], place = new Int32Array(tree.count);
  for (let node = 0; node < tree.count; node++) if (keep[node]) { place[node] = kept.length; kept.push(node); }
  const parent = Int32Array.from(kept, (node) => (node ? place[tree.parent[node]] : -1));
  const frame = Int32Array.from(kept, (node) => tree.frame[node]);
  const self = columns.map((column) => Float64Array.from(kept, (node) => (isIdle(tree.frame[node]) ? 0 : column[node])));
  return { parent, frame, self };
}

function growTopDown(growing, { tree, frames }, columns, shape, isIdle) {
  const place = new Int32Array(tree.count);
  place[0] = shape.focus < 0 ? 0 : -1;
  const live = reaching(tree, columns);
  for (let node = 0; node < tree.count; node++) {
    if (node && !live[node]) continue;
    const frame = tree.frame[node];
    if (node) place[node] = placed(growing, place[tree.parent[node]], frame, frames.length, shape, isIdle);
    if (place[node] >= 0 && !isIdle(frame)) growing.gain(place[node], columns, node);
  }
}

// Nodes with a value in or below them.
function reaching(tree, columns) {
  const live = new Uint8Array(tree.count);
  for (let node = tree.count - 1; node > 0; node--) {
    if (!live[node] && columns.some((column) => column[node] !== 0)) live[node] = 1;
    if (live[node]) live[tree.parent[node]] = 1;
  }
  return live;
}

function placed(growing, above, frame, frames, shape, isIdle) {
  if (above < 0) return frame === shape.focus ? growing.child(0, frame, frames) : -1;
  if (isIdle(frame) || shape.hidden.has(frame)) return above;
  if (shape.recursion) {
    for (let up = above; up > 0; up = growing.parent[up]) if (growing.frame[up] === frame) return up;
  }
  return growing.child(above, frame, frames);
}

// Each stack leaf first. The value sits at the outermost caller, so that totals hold.
function growInverted(growing, { tree, frames }, columns, shape, isIdle) {
  for (let leaf = 1; leaf < tree.count; leaf++) {
    if (isIdle(tree.frame[leaf]) || columns.every((column) => column[leaf] === 0)) continue;
    let at = 0, inside = shape.focus < 0;
    for (let node = leaf; node > 0; node = tree.parent[node]) {
      const frame = tree.frame[node];
      inside ||= frame === shape.focus;
      const repeated = shape.recursion && growing.frame[at] === frame;
      if (inside && !repeated && !shape.hidden.has(frame)) at = growing.child(at, frame, frames.length);
    }
    if (inside) growing.gain(at, columns, leaf);
  }
  // Values without a stack stay at the root.
  if (shape.focus < 0) growing.gain(0, columns, 0);
}

// A grown tree in preorder.
function arranged({ parent, frame, self }, byValue) {
  const count = parent.length, totals = Float64Array.from(self[0]);
  for (let node = count - 1; node > 0; node--) totals[parent[node]] += totals[node];
  const starts = new Int32Array(count + 1), children = new Int32Array(Math.max(count - 1, 0));
  for (let node = 1; node < count; node++) starts[parent[node] + 1]++;
  for (let node = 0; node < count; node++) starts[node + 1] += starts[node];
  const next = starts.slice();
  for (let node = 1; node < count; node++) children[next[parent[node]]++] = node;
  const before = byValue ? (a, b) => totals[b] - totals[a] || frame[a] - frame[b] : (a, b) => frame[a] - frame[b];
  const order = [], place = new Int32Array(count), waiting = [0];
  while (waiting.length) {
    const node = waiting.pop();
    place[node] = order.length;
    order.push(node);
    const below = children.subarray(starts[node], starts[node + 1]).sort(before);
    for (let i = below.length - 1; i >= 0; i--) waiting.push(below[i]);
  }
  return {
    parent: Int32Array.from(order, (node) => (node ? place[parent[node]] : -1)),
    frame: Int32Array.from(order, (node) => frame[node]),
    self: self.map((column) => Float64Array.from(order, (node) => column[node])),
  };
}

// Totals, depths, where each begins, and the nodes of each depth from left to right.
function laidOut({ parent, frame, self }) {
  const count = parent.length;
  const total = self.map((column) => column.slice());
  for (const column of total) for (let node = count - 1; node > 0; node--) column[parent[node]] += column[node];
  const width = total[0], start = new Float64Array(count), cursor = new Float64Array(count);
  const depth = new Uint16Array(count), end = new Int32Array(count);
  for (let node = 1; node < count; node++) {
    const above = parent[node];
    start[node] = cursor[above]; cursor[node] = start[node];
    cursor[above] += width[node];
    depth[node] = depth[above] + 1;
  }
  for (let node = count - 1; node >= 0; node--) {
    end[node] = Math.max(end[node], node + 1);
    if (node) end[parent[node]] = Math.max(end[parent[node]], end[node]);
  }
  return { count, parent, frame, self, total, width, start, depth, end, levels: levelsOf(depth) };
}

function levelsOf(depth) {
  const levels = [];
  for (let node = 0; node < depth.length; node++) (levels[depth[node]] ||= []).push(node);
  return levels.map((nodes) => Int32Array.from(nodes));
}

// The heaviest child each time, as long as it holds at least half of its parent.
function hotPath(flame) {
  const hot = new Set();
  let node = 0;
  for (;;) {
    let best = -1;
    for (let child = node + 1; child < flame.end[node]; child = flame.end[child]) {
      if (best < 0 || flame.width[child] > flame.width[best]) best = child;
    }
    if (best < 0 || flame.width[best] * 2 < flame.width[node] || !flame.width[best]) return hot;
    hot.add(best);
    node = best;
  }
}

// The frames from the root (exclusive) to a node.
function pathOf(flame, node) {
  const path = [];
  for (; node > 0; node = flame.parent[node]) path.push(flame.frame[node]);
  return path.reverse();
}

// The node of a path as far as it exists.
function findPath(flame, path) {
  let node = 0;
  for (const frame of path) {
    let child = node + 1;
    while (child < flame.end[node] && flame.frame[child] !== frame) child = flame.end[child];
    if (child >= flame.end[node]) break;
    node = child;
  }
  return node;
}

// Self and total by function and column; a recursive call counts once.
function functionTable(flame, frames) {
  const sums = () => flame.self.map(() => new Float64Array(frames));
  const self = sums(), total = sums(), open = new Int32Array(frames), seen = new Uint8Array(frames), path = [];
  for (let node = 1; node < flame.count; node++) {
    while (path.length >= flame.depth[node]) open[path.pop()]--;
    const frame = flame.frame[node];
    seen[frame] = 1;
    for (let c = 0; c < self.length; c++) {
      self[c][frame] += flame.self[c][node];
      if (!open[frame]) total[c][frame] += flame.total[c][node];
    }
    open[frame]++;
    path.push(frame);
  }
  const rows = [];
  for (let frame = 0; frame < frames; frame++) {
    if (seen[frame]) rows.push({ frame, self: self.map((column) => column[frame]), total: total.map((column) => column[frame]) });
  }
  return rows;
}

// Of frames that match: how much of the whole lies in or below them, each value once.
function shareMatched(flame, matches) {
  let sum = 0;
  for (let node = 1; node < flame.count;) {
    if (matches[flame.frame[node]]) { sum += flame.width[node]; node = flame.end[node]; } else node++;
  }
  return flame.width[0] ? sum / flame.width[0] : 0;
}
