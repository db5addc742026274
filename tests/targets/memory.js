// Allocates a little, always the same, and tells its memory after a collection.
//
//   node --expose-gc memory.js [flood]
//
// With `flood` it logs objects all the time, to nobody. Prints `ready`, and on SIGUSR2 `memory {json}`
// in bytes.
'use strict';

const { writeSync } = require('fs');

const flood = process.argv[2] === 'flood';

function work() {
  const kept = [];
  for (let i = 0; i < 500; i++) kept.push({ i, text: `item ${i}` });
  if (flood) for (let i = 0; i < 20; i++) console.log(kept[i], { nested: { deep: kept[i] } });
  return kept.length;
}

process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  writeSync(1, `memory ${JSON.stringify({ rss, heapUsed, external })}\n`);
});
setInterval(work, 5);
writeSync(1, 'ready\n');
if (flood) process.stdout.write = () => true;
