// Works for a while, then ends in the way it is told to.
//
//   node exit_on.js WAY [after_ms=300 | asked]
//
//   exit       process.exit(7)
//   natural    nothing left to do; code 0
//   uncaught   an exception nobody catches; code 1
//   rejection  a promise rejection nobody handles; code 1
//   sigterm    works on until SIGTERM, whose handler exits with 9
//   abort      SIGABRT
//   kill       SIGKILL from itself
//   execve     becomes another program under the same PID (Node 24 and later; elsewhere exits with 3)
//
// With `asked` it ends on SIGUSR2. Prints `ready`, and `ending WAY` just before the end.
'use strict';

const way = process.argv[2];
const afterMs = Number(process.argv[3] ?? 300);

const WAYS = {
  exit: () => process.exit(7),
  natural: () => {},
  uncaught: () => {
    throw new Error('planted: nobody catches this');
  },
  rejection: () => {
    Promise.reject(new Error('planted: nobody handles this'));
  },
  sigterm: () => process.exit(9),
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  execve: () => {
    if (!process.execve) process.exit(3);
    process.execve('/bin/sleep', ['sleep', '30']);
  },
};

function end() {
  clearInterval(working);
  console.log(`ending ${way}`);
  WAYS[way]();
}

function workABit() {
  const until = Date.now() + 5;
  while (Date.now() < until);
}

if (!Object.hasOwn(WAYS, way)) throw new Error(`unknown way: ${way}`);
const working = setInterval(workABit, 10);
if (way === 'sigterm') process.on('SIGTERM', end);
else if (process.argv[3] === 'asked') process.on('SIGUSR2', end);
else setTimeout(end, afterMs);
console.log('ready');
