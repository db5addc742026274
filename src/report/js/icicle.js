// The flame on a canvas, root on top (or at the bottom, for callers). Draws what can be seen and nothing
// else: rows in view, boxes in the zoomed stretch, and of boxes narrower than a pixel one a pixel.

const ROW = 19;
const LEAST = 0.3;

class Icicle {
  // `colour(node)` and `sign(node)`, a word before the label, are set by whoever owns it. Rows above
  // `skip` are not shown.
  constructor(pane, canvas, flipped = false, skip = 0) {
    this.pane = pane; this.canvas = canvas; this.flipped = flipped; this.skip = skip;
    this.flame = null; this.zoom = 0; this.selected = -1; this.hovered = -1;
    this.matches = null; this.hot = new Set(); this.colour = null; this.sign = null; this.root = "all";
    this.drawn = { boxes: 0, ms: 0 };
    this.picture = document.createElement("canvas"); this.kept = null;
  }

  get rows() { return this.flame ? Math.max(this.flame.levels.length - this.skip, 0) : 0; }

  y(depth) { return (this.flipped ? this.rows - 1 - depth + this.skip : depth - this.skip) * ROW; }

  // Draws into the part of the pane that is scrolled into view. The boxes are kept as a picture, so that
  // pointing at one costs two outlines.
  draw(paint) {
    const began = performance.now();
    const { pane, flame } = this;
    const width = pane.clientWidth, height = pane.clientHeight;
    this.paint = paint; this.width = width;
    const context = fitCanvas(this.canvas, width, height);
    if (!flame || !flame.width[0] || !width || !height) return;
    this.from = flame.start[this.zoom];
    this.scale = width / flame.width[this.zoom];
    const drawn = [flame, this.zoom, pane.scrollTop, width, height, this.matches, paint.frames, this.root, window.devicePixelRatio];
    if (!this.kept || drawn.some((value, at) => value !== this.kept[at])) {
      this.kept = drawn;
      this.drawBoxes(fitCanvas(this.picture, width, height), height);
    }
    context.drawImage(this.picture, 0, 0, width, height);
    this.outline(context, this.hovered, paint.text, 1);
    this.outline(context, this.selected, paint.accent, 2);
    this.drawn.ms = performance.now() - began;
  }

  drawBoxes(context, height) {
    context.font = `11.5px ${this.paint.mono}`;
    context.textBaseline = "middle";
    this.letter = context.measureText("0").width;
    this.drawn.boxes = 0;
    for (let depth = this.skip; depth < this.rows + this.skip; depth++) {
      const y = this.y(depth) - this.pane.scrollTop;
      if (y > -ROW && y < height) this.drawRow(context, depth, y);
    }
  }

  // The first node of a depth that reaches into the stretch in view.
  firstIn(nodes) {
    const { start, width } = this.flame;
    let low = 0, high = nodes.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (start[nodes[mid]] + width[nodes[mid]] <= this.from) low = mid + 1; else high = mid;
    }
    return low;
  }

  drawRow(context, depth, y) {
    const { flame, scale, from, matches } = this, nodes = flame.levels[depth];
    // The pixel that a narrow box was drawn on last, and whether it was a match.
    let pixel = -1, matched = false;
    for (let i = this.firstIn(nodes); i < nodes.length; i++) {
      const node = nodes[i], x = (flame.start[node] - from) * scale, w = flame.width[node] * scale;
      if (x >= this.width) break;
      if (w >= 1) { this.drawBox(context, node, x, y, w); continue; }
      // Of several boxes on one pixel the first stands for all, or the first that matches.
      const match = !!matches && matches[flame.frame[node]] === 1;
      if ((x | 0) === pixel && (matched || !match)) continue;
      pixel = x | 0; matched = match;
      this.drawNarrow(context, node, pixel, y, w < LEAST, matches && !match);
    }
  }

  // What is too narrow by itself is still seen, pale, where it is with others.
  drawNarrow(context, node, pixel, y, tiny, dim) {
    this.drawn.boxes++;
    context.globalAlpha = dim ? 0.32 : 1;
    context.fillStyle = tiny ? this.paint.faint : this.colour(node);
    context.fillRect(pixel, y + 1, 1, ROW - 2);
    context.globalAlpha = 1;
  }

  drawBox(context, node, x, y, w) {
    this.drawn.boxes++;
    const left = Math.max(x, 0), right = Math.min(x + w, this.width), shown = right - left;
    const gap = shown > 3 ? 1 : 0;
    const frame = this.flame.frame[node];
    const dim = this.matches && node > 0 && !this.matches[frame];
    context.globalAlpha = dim ? 0.32 : node < this.zoom && this.flame.end[node] > this.zoom ? 0.72 : 1;
    context.fillStyle = node === 0 ? this.paint.grid : this.colour(node);
    context.fillRect(left, y + 1, shown - gap, ROW - 2);
    if (this.matches && !dim && node > 0 && shown > 3) {
      context.strokeStyle = this.paint.text;
      context.strokeRect(left + 0.5, y + 1.5, shown - gap - 1, ROW - 3);
    }
    if (this.hot.has(node) && shown > 2) {
      context.fillStyle = this.paint.muted;
      context.fillRect(left, y + ROW - 2.5, shown - gap, 1.5);
    }
    if (shown > 26) this.write(context, node, left + 4, y, shown - 8);
    context.globalAlpha = 1;
  }

  write(context, node, x, y, room) {
    const frame = this.flame.frame[node];
    const letters = Math.floor(room / this.letter);
    const mark = this.sign && node > 0 ? this.sign(node) : "";
    const own = letters - (mark && letters > mark.length + 6 ? mark.length + 1 : 0);
    let text = node === 0 ? this.root.slice(0, letters) : fitLabel(this.frames[frame], own);
    if (/[^\x20-\x7e\u2026]/.test(text)) text = node === 0 ? text : fitLabel(this.frames[frame], own >> 1);
    if (!text) return;
    context.fillStyle = this.paint.text;
    context.fillText(own < letters ? `${mark} ${text}` : text, x, y + ROW / 2 + 0.5);
  }

  outline(context, node, colour, thickness) {
    if (node < 0 || node >= this.flame.count) return;
    const x = (this.flame.start[node] - this.from) * this.scale, w = this.flame.width[node] * this.scale;
    const left = Math.max(x, 0), right = Math.min(x + w, this.width);
    if (right <= 0 || left >= this.width) return;
    context.strokeStyle = colour; context.lineWidth = thickness;
    const y = this.y(this.flame.depth[node]) - this.pane.scrollTop;
    context.strokeRect(left + thickness / 2, y + thickness / 2, Math.max(right - left - thickness, 1), ROW - thickness);
    context.lineWidth = 1;
  }

  // The node at a place of the canvas, or -1.
  hit(x, y) {
    if (!this.flame || !this.flame.width[0]) return -1;
    const row = Math.floor((y + this.pane.scrollTop) / ROW);
    const depth = (this.flipped ? this.rows - 1 - row : row) + this.skip;
    const nodes = depth < this.skip ? null : this.flame.levels[depth];
    if (!nodes) return -1;
    const value = this.from + x / this.scale;
    let low = 0, high = nodes.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.flame.start[nodes[mid]] + this.flame.width[nodes[mid]] <= value) low = mid + 1; else high = mid;
    }
    const node = low < nodes.length ? nodes[low] : -1;
    return node >= 0 && this.flame.start[node] <= value ? node : -1;
  }

  // The node to go to from the selected one.
  neighbour(way) {
    const { flame } = this;
    const at = this.selected < 0 ? this.zoom : this.selected;
    if (way === "up") return Math.max(flame.parent[at], 0);
    if (way === "down") {
      let best = at;
      for (let child = at + 1; child < flame.end[at]; child = flame.end[child]) {
        if (best === at || flame.width[child] > flame.width[best]) best = child;
      }
      return best;
    }
    const nodes = flame.levels[flame.depth[at]], place = nodes.indexOf(at) + (way === "left" ? -1 : 1);
    return place >= 0 && place < nodes.length && this.inZoom(nodes[place]) ? nodes[place] : at;
  }

  inZoom(node) { return node >= this.zoom && node < this.flame.end[this.zoom]; }

  // Scrolls the selected node into view.
  reveal(node) {
    const y = this.y(this.flame.depth[node]), { pane } = this;
    if (y < pane.scrollTop) pane.scrollTop = Math.max(y - ROW, 0);
    else if (y + ROW > pane.scrollTop + pane.clientHeight) pane.scrollTop = y + 2 * ROW - pane.clientHeight;
  }
}
