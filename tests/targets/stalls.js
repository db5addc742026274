// A mostly idle program that blocks its event loop for known times in known functions, in turn.
//
//   node stalls.js [gap_ms=300]
//
// Prints `ready`, and after each block `stall NAME START_US END_US` on the monotonic clock, which is
// also the clock of V8's sample times.
'use strict';

const gapMs = Number(process.argv[2] ?? 300);
let sink = 0;

function nowUs() {
  return process.hrtime.bigint() / 1000n;
}

function block50() {
  const until = nowUs() + 50000n;
  while (nowUs() < until) for (let i = 0; i < 20000; i++) sink = (sink + i) | 0;
}

function block200() {
  const until = nowUs() + 200000n;
  while (nowUs() < until) for (let i = 0; i < 20000; i++) sink = (sink ^ i) | 0;
}

function block800() {
  const until = nowUs() + 800000n;
  while (nowUs() < until) for (let i = 0; i < 20000; i++) sink = (sink - i) | 0;
}

const BLOCKS = [block50, block200, block800];

function plant(turn) {
  const block = BLOCKS[turn % BLOCKS.length];
  const start = nowUs();
  block();
  console.log(`stall ${block.name} ${start} ${nowUs()}`);
  setTimeout(plant, gapMs, turn + 1);
}

console.log('ready');
setTimeout(plant, gapMs, 0);
