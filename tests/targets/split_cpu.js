// Burns CPU in three functions in the split 70/20/10, exactly: the clock, not the amount of work,
// ends each slice, and all slices of a round are laid out from the round's start, so an overshoot
// of one never adds up. Between rounds the loop is free.
//
//   node split_cpu.js [round_ms=50] [idle_ms=5]
//
// Prints `ready`; on SIGTERM `truth {json}` with the milliseconds each function really had, and ends.
'use strict';

const roundMs = Number(process.argv[2] ?? 50);
const idleMs = Number(process.argv[3] ?? 5);
const spent = { seventy: 0, twenty: 0, ten: 0 };
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

function round() {
  const start = now();
  seventy(start + roundMs * 0.7);
  const afterSeventy = now();
  twenty(start + roundMs * 0.9);
  const afterTwenty = now();
  ten(start + roundMs);
  const end = now();
  spent.seventy += afterSeventy - start;
  spent.twenty += afterTwenty - afterSeventy;
  spent.ten += end - afterTwenty;
  setTimeout(round, idleMs);
}

process.on('SIGTERM', () => {
  console.log(`truth ${JSON.stringify(spent)}`);
  process.exit(0);
});

console.log('ready');
round();
