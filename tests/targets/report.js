// What a program can say of its own state, for tests that compare it before and after flametop.
// Requiring this file makes the program print `report {json}` on every SIGUSR2, so that no
// inspector is needed to ask.
'use strict';

const inspector = require('inspector');

function state() {
  return {
    globals: Object.getOwnPropertyNames(globalThis).sort(),
    globalSymbols: Object.getOwnPropertySymbols(globalThis).map(String).sort(),
    listeners: Object.fromEntries(
      process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
    ),
    resources: process.getActiveResourcesInfo().sort(),
    inspectorUrl: inspector.url() ?? null,
    debugPort: process.debugPort,
    execArgv: process.execArgv,
  };
}

function print() {
  console.log(`report ${JSON.stringify(state())}`);
}

// The first look loads what Node makes lazily on globalThis, which would pass for a trace of flametop.
state();
process.on('SIGUSR2', print);

module.exports = { state };
