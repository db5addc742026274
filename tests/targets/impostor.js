// Not an inspector, but answers as one: lists a session and says there that it is another process.
//
//   node impostor.js PID
//
// Prints `ready`; listens on a port of its own, which is no inspector's.
'use strict';

const crypto = require('crypto');
const http = require('http');

const claimed = Number(process.argv[2]);

function frame(text) {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

// The calls in a chunk of short masked frames; nothing here is longer than 64 kB.
function* calls(chunk) {
  for (let at = 0; at + 6 < chunk.length; ) {
    let length = chunk[at + 1] & 0x7f;
    let mask = at + 2;
    if (length === 126) {
      length = chunk.readUInt16BE(at + 2);
      mask = at + 4;
    }
    const payload = chunk.subarray(mask + 4, mask + 4 + length);
    yield JSON.parse(Buffer.from(payload.map((byte, i) => byte ^ chunk[mask + (i % 4)])).toString());
    at = mask + 4 + length;
  }
}

const server = http.createServer((request, response) => {
  const url = `ws://127.0.0.1:${server.address().port}/session`;
  response.end(JSON.stringify([{ type: 'node', title: 'impostor', webSocketDebuggerUrl: url }]));
});

server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = crypto.createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (const { id, method } of calls(chunk)) {
      const value = { pid: claimed, node: '22.0.0', v8: '12.4', deno: null, bun: null, title: 'x',
        platform: 'linux', arch: 'x64', monotonic_us: 1 };
      const result = method === 'Runtime.evaluate' ? { result: { type: 'object', value } } : {};
      // Padded, so that one form of frame does for all.
      socket.write(frame(JSON.stringify({ id, result }).padEnd(200)));
    }
  });
});

server.listen(0, '127.0.0.1', () => console.log('ready'));
