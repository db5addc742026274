// Reads the data: base64, gzip, a JSON header, and a body of LEB128 integers.

class Body {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }

  unsigned() {
    let value = 0, factor = 1, byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 0x7f) * factor;
      factor *= 128;
    } while (byte >= 0x80);
    return value;
  }

  signed() {
    const value = this.unsigned();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  steps(into) {
    let last = 0;
    for (let i = 0; i < into.length; i++) into[i] = last += this.signed();
    return into;
  }

  list(into) {
    for (let i = 0; i < into.length; i++) into[i] = this.unsigned();
    return into;
  }

  multiples(into) {
    const divisor = this.unsigned();
    for (let i = 0; i < into.length; i++) into[i] = this.signed() * divisor;
    return into;
  }
}

const KINDS_OF_FRAME = ["js", "builtin", "native", "kernel", "gc", "program", "idle", "truncated", "other"];
const IDLE = KINDS_OF_FRAME.indexOf("idle");

async function inflate(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The report: the header's fields, and `frames`, `tree`, `windows`, `gauges`, `stalls` with their numbers.
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (head.version !== 1) throw new Error(`the data is of version ${head.version}, which this page does not read`);
  const body = new Body(bytes.subarray(4 + length));
  const report = { ...head, frames: readFrames(body, head.strings), tree: null };
  report.tree = readTree(body);
  report.windows = head.windows.map((row, id) => readWindow(body, head, row, id));
  report.gauges = head.gauges.map((row) => readGauge(body, row));
  report.stalls = head.stalls.map(([source, thread, start, span]) => readStall(body, source, thread, start, span));
  return report;
}

function readFrames(body, strings) {
  const count = body.unsigned();
  const name = body.steps(new Int32Array(count)), file = body.steps(new Int32Array(count));
  const line = body.list(new Uint32Array(count)), column = body.list(new Uint32Array(count));
  const kind = body.list(new Uint8Array(count));
  const frames = [];
  for (let i = 0; i < count; i++) {
    frames.push({ id: i, name: strings[name[i]], file: strings[file[i]], line: line[i], column: column[i], kind: kind[i] });
  }
  return frames;
}

// Nodes in preorder, the root first; `frame[0]` is -1.
function readTree(body) {
  const count = body.unsigned() + 1;
  const parent = new Int32Array(count), frame = new Int32Array(count), depth = new Uint16Array(count);
  const path = [0];
  for (let node = 1; node < count; node++) {
    path.length -= body.unsigned();
    parent[node] = path[path.length - 1];
    depth[node] = path.length;
    path.push(node);
  }
  body.steps(frame.subarray(1));
  frame[0] = -1;
  return { count, parent, frame, depth };
}

function readWindow(body, head, row, id) {
  const [track, start, length, covered, taken, lost, truncated, rolled, period, bytes] = row;
  const { source, kinds } = head.tracks[track];
  const lanes = [];
  for (let left = body.unsigned(); left > 0; left--) {
    const thread = body.unsigned(), rows = body.unsigned();
    const nodes = body.steps(new Int32Array(rows));
    lanes.push({ thread, nodes, columns: kinds.map(() => body.multiples(new Float64Array(rows))) });
  }
  return { id, track, source, kinds, start, length, end: start + length, covered, taken, lost, truncated, rolled, period, periodUnit: bytes ? "bytes" : "nanoseconds", lanes };
}

function readGauge(body, row) {
  const count = body.unsigned();
  const at = body.steps(new Float64Array(count)), value = body.steps(new Float64Array(count));
  for (let i = 0; i < count; i++) { at[i] *= 1e6; value[i] *= row.scale; }
  return { ...row, at, value };
}

function readStall(body, source, thread, start, length) {
  const nodes = body.steps(new Int32Array(body.unsigned()));
  return { source, thread, start, length, end: start + length, nodes, values: body.multiples(new Float64Array(nodes.length)) };
}
