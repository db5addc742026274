// Burns CPU in deep stacks that are hardly ever the same: what makes handing a window over dear.
//
//   node deep.js [functions=3000] [depth=200]
//
// Prints `ready`.
'use strict';

const vm = require('vm');

const count = Number(process.argv[2] ?? 3000);
const depth = Number(process.argv[3] ?? 200);
const all = [];
globalThis.all = all;
const lines = [];
for (let id = 0; id < count; id++) {
  lines.push(`function walk${id}(left, seed) {
    let s = 0; for (let i = 0; i < 20; i++) s += i * seed;
    return left > 0 ? s + all[(seed >>> 8) % all.length](left - 1, Math.imul(seed, 1664525) + 1013904223 >>> 0) : s; }
all.push(walk${id});`);
}
vm.runInThisContext(lines.join('\n'), { filename: 'walks.js' });

let seed = 1;
function round() {
  const until = Date.now() + 20;
  while (Date.now() < until) {
    seed = Math.imul(seed, 22695477) + 1 >>> 0;
    all[seed % all.length](depth, seed);
  }
  setImmediate(round);
}
console.log('ready');
round();
