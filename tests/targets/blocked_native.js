// Blocks its thread in native code, where not even the inspector's interrupt gets through.
//
//   node blocked_native.js WAY [seconds=3]
//
//   pbkdf2   crypto.pbkdf2Sync, as one call: burns CPU
//   exec     child_process.execSync('sleep'): waits
//
// Prints `ready` just before it blocks and `unblocked` after; then idles.
'use strict';

const { pbkdf2Sync } = require('crypto');
const { execSync } = require('child_process');

const way = process.argv[2];
const seconds = Number(process.argv[3] ?? 3);

function derive(iterations) {
  pbkdf2Sync('password', 'salt', iterations, 32, 'sha256');
}

// How many iterations fill the asked time on this machine.
function iterationsFor(wanted) {
  const trial = 50000;
  derive(trial);
  const start = process.hrtime.bigint();
  derive(trial);
  const took = Number(process.hrtime.bigint() - start) / 1e9;
  return Math.min(Math.ceil((trial * wanted) / took), 2 ** 31 - 1);
}

function nativeBlock(prepared) {
  console.log('ready');
  if (way === 'pbkdf2') derive(prepared);
  else execSync(`sleep ${seconds}`);
  console.log('unblocked');
}

if (way !== 'pbkdf2' && way !== 'exec') throw new Error(`unknown way: ${way}`);
const prepared = way === 'pbkdf2' ? iterationsFor(seconds) : 0;
setTimeout(() => nativeBlock(prepared), 50);
setInterval(() => {}, 1000);
