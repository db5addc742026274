// Burns CPU in three functions in the split 70/20/10, exactly: the clock, not the amount of work,
// ends each slice, and a function that was kept too long by a busy machine gets that much less in
// the next round. Between rounds the loop is free.
//
//   node split_cpu.js [round_ms=50] [idle_ms=5]
//
// Prints `ready`; on SIGTERM `truth {json}` with the milliseconds each function really had, and ends.
'use strict';

const roundMs = Number(process.argv[2] ?? 50);
const idleMs = Number(process.argv[3] ?? 5);
const spent = { seventy: 0, twenty: 0, ten: 0 };
let planned = 0;
let sink = 0;

function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

// Three loops of their own rather than one helper: the self time must lie in the named functions.
// Many turns between two looks at the clock keep the clock itself under one per cent.
function seventy(until) {
  let x = sink;
  while (now() < until) {
    for (let i = 0; i < 20000; i++) x = (x * 31 + i) | 0;
  }
  sink = x;
}

function twenty(until) {
  let x = sink;
  while (now() < until) {
    for (let i = 0; i < 20000; i++) x = (x ^ (i * 17)) | 0;
  }
  sink = x;
}

function ten(until) {
  let x = sink;
  while (now() < until) {
    for (let i = 0; i < 20000; i++) x = (x + (i ^ (x >> 3))) | 0;
  }
  sink = x;
}

function slice(burn, share) {
  const start = now();
  burn(start + planned * share - spent[burn.name]);
  spent[burn.name] += now() - start;
}

function round() {
  planned += roundMs;
  slice(seventy, 0.7);
  slice(twenty, 0.2);
  slice(ten, 0.1);
  setTimeout(round, idleMs);
}

process.on('SIGTERM', () => {
  console.log(`truth ${JSON.stringify(spent)}`);
  process.exit(0);
});

console.log('ready');
round();
