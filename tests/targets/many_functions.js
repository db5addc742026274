// Has many functions, turns its loop as fast as it can, and tells its longest stops.
//
//   node many_functions.js [functions=1000]
//
// Prints `ready`, and on SIGUSR2 `gaps {"p99_ms":..,"max_ms":..}` since the last time: of the longest
// gap in each 50 ms, the 99th percentile and the greatest.
'use strict';

const vm = require('vm');

const wanted = Number(process.argv[2] ?? 1000);
const PER_FILE = 500;
let sink = 0;

function makeFile(first) {
  const lines = [];
  for (let id = first; id < Math.min(first + PER_FILE, wanted); id++) {
    lines.push(`function f${id}(a) { let s = 0; for (let i = 0; i < 3; i++) s += a * i + ${id}; return s; }`);
    lines.push(`all.push(f${id});`);
  }
  return lines.join('\n');
}

const all = [];
globalThis.all = all;
for (let first = 0; first < wanted; first += PER_FILE) {
  vm.runInThisContext(makeFile(first), { filename: `made-${first}.js` });
}
for (let round = 0; round < 3; round++) for (const f of all) sink += f(round);

const SLICE_MS = 50;
let slices = [];
let longest = 0;
let sliceEnds = 0;
let last = performance.now();

function turn() {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  if (now > sliceEnds) {
    slices.push(longest);
    longest = 0;
    sliceEnds = now + SLICE_MS;
  }
  last = now;
  sink += all[(now * 1000) % all.length | 0](1);
  setImmediate(turn);
}

process.on('SIGUSR2', () => {
  const sorted = slices.sort((a, b) => a - b);
  const p99 = sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0;
  console.log(`gaps ${JSON.stringify({ p99_ms: p99, max_ms: sorted.at(-1) ?? 0, slices: sorted.length })}`);
  slices = [];
});
console.log('ready');
turn();
