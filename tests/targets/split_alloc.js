// Allocates in three functions in the split 70/20/10 of bytes, in units of 8216 bytes of V8 heap
// (64-bit, no pointer compression, as in every Node from npm). What is allocated stays in a ring of
// rounds, so the same split holds for live bytes; buffers are avoided, since they lie outside the heap.
//
//   node split_alloc.js [rounds_per_second=20] [ring_rounds=32]
//
// A round is 100 units, 0.8 MB; the loop is idle between rounds. Prints `ready` when the ring is full;
// on SIGTERM `truth {json}` with the bytes each function allocated, and ends.
'use strict';

const roundsPerSecond = Number(process.argv[2] ?? 20);
const ringRounds = Number(process.argv[3] ?? 32);
const UNIT_BYTES = 8216;
const ring = new Array(ringRounds).fill(null);
const latin = Buffer.alloc(UNIT_BYTES - 16, 'x');
let rounds = 0;

// 16 (elements' header) + 8 * 1021 + 32 (the array itself); each holds the one before it.
function seventyArrays() {
  let chain = null;
  for (let i = 0; i < 70; i++) {
    const unit = new Array(1021);
    unit[0] = chain;
    chain = unit;
  }
  return chain;
}

// 16 (header) + 8200 one-byte characters.
function twentyStrings() {
  const units = [];
  for (let i = 0; i < 20; i++) units.push(latin.latin1Slice(0, latin.length));
  return units;
}

// 79 objects of 24 (header) + 10 fields of 8; each holds the one before it.
function tenObjects() {
  let chain = null;
  for (let i = 0; i < 10 * 79; i++) {
    chain = { chain, a: i, b: i, c: i, d: i, e: i, f: i, g: i, h: i, j: i };
  }
  return chain;
}

function round() {
  ring[rounds % ringRounds] = [seventyArrays(), twentyStrings(), tenObjects()];
  rounds += 1;
}

process.on('SIGTERM', () => {
  const bytes = (units) => rounds * units * UNIT_BYTES;
  console.log(
    `truth ${JSON.stringify({ seventyArrays: bytes(70), twentyStrings: bytes(20), tenObjects: bytes(10) })}`,
  );
  process.exit(0);
});

while (rounds < ringRounds) round();
console.log('ready');
setInterval(round, 1000 / roundsPerSecond);
