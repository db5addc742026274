// Hangs for ever in one named function, with its event loop never turning again.
//
//   node hang.js [after_ms=0]
//
// Prints `ready` when it hangs.
'use strict';

function guiltyLoop() {
  let turns = 0;
  for (;;) turns = (turns + 1) | 0;
}

function hang() {
  console.log('ready');
  guiltyLoop();
}

setTimeout(hang, Number(process.argv[2] ?? 0));
