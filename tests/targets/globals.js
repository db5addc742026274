// Does almost nothing; reports on SIGUSR2 what is on globalThis, who listens and what is open (report.js).
//
//   node globals.js
//
// Prints `ready`.
'use strict';

require('./report');

function tick() {
  for (let i = 0, x = 0; i < 100000; i++) x = (x + i) | 0;
}

setInterval(tick, 20);
console.log('ready');
