// The JSON work of server.js in a loop, without a network: what each piece costs in CPU time.
//
//   node work_loop.js [seconds=16]
//
// Prints `ready`, and at its end `cost US`: the median microseconds of CPU for a piece over the last half
// of its seconds.
'use strict';

const seconds = Number(process.argv[2] ?? 16);

function makeOrders(count) {
  const orders = [];
  for (let id = 0; id < count; id++) {
    orders.push({ id, customer: `customer ${id % 97}`, total: (id * 7919) % 1000, lines: [id, id + 1, id + 2] });
  }
  return JSON.stringify(orders);
}

function rankOrders(orders) {
  return orders.sort((a, b) => b.total - a.total || a.id - b.id);
}

function renderOrders(orders) {
  return JSON.stringify(orders.map((order) => ({ ...order, label: `${order.customer}: ${order.total}` })));
}

function piece() {
  const url = new URL('/work?n=50', 'http://localhost');
  const text = renderOrders(rankOrders(JSON.parse(makeOrders(Number(url.searchParams.get('n'))))));
  return Buffer.byteLength(text);
}

const start = Date.now();
const costs = [];
let done = 0;
let before = process.cpuUsage();

function turn() {
  for (let i = 0; i < 20; i++) piece();
  done += 20;
  if (Date.now() - start >= (costs.length + 1) * 1000) {
    const used = process.cpuUsage(before);
    costs.push((used.user + used.system) / done);
    done = 0;
    before = process.cpuUsage();
  }
  if (costs.length < seconds) return setImmediate(turn);
  const late = costs.slice(seconds >> 1).sort((a, b) => a - b);
  console.log(`cost ${late[late.length >> 1].toFixed(2)}`);
}

console.log('ready');
turn();
