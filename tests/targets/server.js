// An HTTP server with JSON work, the usual shape of a Node service.
//
//   node server.js [port=0]
//
// Prints `ready PORT`. GET /work?n=200 parses, ranks and renders n orders; GET /state is the report
// of report.js; anything else is an empty 404.
'use strict';

const http = require('http');
const { state } = require('./report');

function makeOrders(count) {
  const orders = [];
  for (let id = 0; id < count; id++) {
    orders.push({ id, customer: `customer ${id % 97}`, total: (id * 7919) % 1000, lines: [id, id + 1, id + 2] });
  }
  return JSON.stringify(orders);
}

function parseOrders(text) {
  return JSON.parse(text);
}

function rankOrders(orders) {
  return orders.sort((a, b) => b.total - a.total || a.id - b.id);
}

function renderOrders(orders) {
  return JSON.stringify(orders.map((order) => ({ ...order, label: `${order.customer}: ${order.total}` })));
}

function work(count) {
  return renderOrders(rankOrders(parseOrders(makeOrders(count))));
}

function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const json = { 'content-type': 'application/json' };
  if (url.pathname === '/work') {
    const body = work(Number(url.searchParams.get('n') ?? 200));
    response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(body) }).end(body);
  } else if (url.pathname === '/state') {
    response.writeHead(200, json).end(JSON.stringify(state()));
  } else {
    response.writeHead(404).end();
  }
}

const server = http.createServer(answer);
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
