// Has a SIGUSR1 handler of its own, so Node does not open its inspector on that signal.
//
//   node own_handler.js
//
// Prints `ready`, and `own handler ran` each time.
'use strict';

require('./report');

process.on('SIGUSR1', () => console.log('own handler ran'));
setInterval(() => {}, 1000);
console.log('ready');
