// An ES module with a top-level await, which burns CPU in one named function for most of the time.
//
//   node esm.mjs
//
// Prints `ready`.
import { setTimeout as pause } from 'node:timers/promises';
import './report.js';

let sink = 0;

export function moduleLoop(milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) {
    for (let i = 0; i < 20000; i++) sink = (sink * 33 + i) | 0;
  }
}

console.log('ready');
for (;;) {
  moduleLoop(40);
  await pause(10);
}
