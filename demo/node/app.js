// A small shop to try flametop on: `flametop demo --node`, or by hand
//
//     node demo/node/app.js &
//     flametop $!
//
// It needs nothing but Node 18 or later and makes its own visitors, so there is always something to
// see. What to look for:
//
//   CPU         parseCatalog, searchProducts, renderPage and compressPage share about half a core;
//               searchProducts compiles its pattern for every search, which a flame shows at once.
//   live heap   rememberPage keeps every page "for later". It looks like a leak until it is trimmed
//               at 40 MB: watch the heap line go up like a saw, and who holds it.
//   event loop  every ten seconds yearlyReport blocks the loop for about 300 ms: the delay line
//               jumps, and the flame of that window shows why.
//
// Environment: PORT (default: any free port), LOAD (share of a core, default 0.5).

'use strict';

const http = require('node:http');
const zlib = require('node:zlib');

const LOAD = Math.min(0.95, Math.max(0.05, Number(process.env.LOAD) || 0.5));
const REPORT_EVERY_MS = 10_000;
const REPORT_LENGTH_MS = 300;
const DELIVERY_EVERY_MS = 1_000;
const CACHE_LIMIT_BYTES = 40 * 1024 * 1024;
const WORDS = ['copper', 'kettle', 'lantern', 'garden', 'folding', 'chair', 'walnut', 'table', 'linen',
  'blanket', 'cast', 'iron', 'pan', 'glass', 'teapot', 'basket'];
const QUERIES = ['copper', 'walnut table', 'tea(pot|cup)', 'gard(en)?', 'l(inen|antern).*blanket', 'iron pan'];

// ---- the catalogue: comes as JSON from a supplier, is parsed, checked, and replaces the old one ----

function writeDelivery(number) {
  const products = [];
  for (let id = 0; id < 400; id++) {
    const word = (at) => WORDS[(id * 7 + at * 13 + Math.floor(id / 5) * at) % WORDS.length];
    products.push({
      id,
      title: `${word(1)} ${word(2)} no. ${id}`,
      description: Array.from({ length: 24 }, (_, at) => word(at)).join(' '),
      priceCents: 250 + ((id * 37) % 19_000) + (number % 100),
      tags: [word(3), word(4), word(5)],
    });
  }
  return JSON.stringify({ products });
}

function parseCatalog(text) {
  return checkCatalog(JSON.parse(text));
}

function checkCatalog(catalog) {
  catalog.products = catalog.products.filter((product) => product.priceCents > 0 && product.title);
  for (const product of catalog.products) product.tags = [...new Set(product.tags)].sort();
  return catalog;
}

// ---- a visit: search, price, render, compress, remember ----

function searchProducts(catalog, turn) {
  // Compiled anew each time, as too often seen.
  const pattern = new RegExp(QUERIES[turn % QUERIES.length], 'gi');
  return catalog.products
    .map((product) => ({ product, score: scoreProduct(product, pattern) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.product.title < b.product.title ? -1 : 1))
    .slice(0, 40)
    .map(({ product }) => product);
}

function scoreProduct(product, pattern) {
  const inTitle = product.title.match(pattern);
  const inText = product.description.match(pattern);
  return (inTitle ? inTitle.length * 5 : 0) + (inText ? inText.length : 0);
}

function quoteBasket(products, turn) {
  let cents = 0;
  for (const [at, product] of products.entries()) {
    for (let piece = 0; piece <= (at + turn) % 50; piece++) {
      cents += product.priceCents * (1 - 0.2 * (1 - Math.exp(-piece / 20)));
    }
  }
  return Math.round(cents * [1.07, 1.19, 1.2, 1.25][turn % 4]);
}

function renderPage(products, cents) {
  const items = products.map((product) =>
    `<li id=${product.id}><b>${escapeHtml(product.title)}</b> ${(product.priceCents / 100).toFixed(2)}` +
    `<p>${escapeHtml(product.description)}</p>`);
  return `<!doctype html><ul>${items.join('')}</ul><p>${cents} cents</p><script>${JSON.stringify(products)}</script>`;
}

function escapeHtml(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function compressPage(html) {
  return zlib.gzipSync(html);
}

// ---- the cache that looks like a leak ----

const remembered = [];
let rememberedBytes = 0;

function rememberPage(visit, html, products) {
  // The page and a copy of what it shows, for a feature nobody uses.
  remembered.push({ visit, html, shown: products.map((product) => ({ ...product })) });
  rememberedBytes += html.length + products.length * 200;
  if (rememberedBytes > CACHE_LIMIT_BYTES) trimCache();
}

function trimCache() {
  remembered.splice(0, remembered.length >> 1);
  rememberedBytes /= 2;
}

// ---- the slow request ----

function yearlyReport(catalog) {
  const end = Date.now() + REPORT_LENGTH_MS;
  let sum = 0;
  for (let at = 0; Date.now() < end; at++) {
    sum += compareWithAll(catalog.products[at % catalog.products.length], catalog);
  }
  return sum;
}

function compareWithAll(product, catalog) {
  const words = new Set(product.description.split(' '));
  let sum = 0;
  for (const other of catalog.products) {
    sum += other.description.split(' ').filter((word) => words.has(word)).length;
  }
  return sum;
}

// ---- the server ----

let catalog = parseCatalog(writeDelivery(0));
let visits = 0;
let busyMs = 0;

function handleVisit() {
  const visit = visits++;
  const products = searchProducts(catalog, visit);
  const html = renderPage(products, quoteBasket(products, visit));
  rememberPage(visit, html, products);
  return compressPage(html);
}

const server = http.createServer((request, response) => {
  const begun = performance.now();
  const body = request.url === '/report' ? String(yearlyReport(catalog)) : handleVisit();
  response.end(body);
  if (request.url !== '/report') busyMs = performance.now() - begun;
});

// ---- the visitors: one after the other, resting in proportion to what the last visit took ----

const agent = new http.Agent({ keepAlive: true });

function visit(path, then) {
  const { port } = server.address();
  const request = http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
    response.resume();
    response.on('end', then);
  });
  request.on('error', then);
}

function visitAgain() {
  visit('/', () => setTimeout(visitAgain, Math.min(200, Math.max(1, busyMs * (1 / LOAD - 1)))));
}

server.listen(Number(process.env.PORT) || 0, '127.0.0.1', () => {
  console.log(`listening http://127.0.0.1:${server.address().port} pid ${process.pid}`);
  visitAgain();
  setInterval(() => visit('/report', () => {}), REPORT_EVERY_MS);
  let deliveries = 0;
  setInterval(() => { catalog = parseCatalog(writeDelivery(++deliveries)); }, DELIVERY_EVERY_MS);
});

// A parent that starts this with a pipe as standard input ends it by closing that.
if (process.env.FLAMETOP_DEMO) process.stdin.on('end', () => process.exit(0)).resume();
