// A small workload: two functions of unequal cost, one allocation path, garbage and waiting.
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
function hot(until) { let x = 0; while (Date.now() < until) x += fib(12); return x; }
function warm(until) { let x = 0; while (Date.now() < until) { x += JSON.stringify({ a: [1, 2, x] }).length; } return x; }
const kept = (globalThis.kept = []);
function allocate() { for (let i = 0; i < 300; i++) kept.push(new Array(1000).fill(i)); }
function turn(left) {
  const now = Date.now();
  hot(now + 60); warm(now + 90); allocate();
  if (left > 0) setTimeout(turn, 60, left - 1);
}
turn(Number(process.argv[2] || 12));
