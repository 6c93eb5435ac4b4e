/** A uWebSockets.js echo server */
import { App } from 'uWebSockets.js';
const port = Number(process.argv[2]);
App()
  .ws('/*', {
    idleTimeout: 0,
    maxPayloadLength: 64 << 20,
    maxBackpressure: 0,
    message: (ws, data, binary) => {
      ws.send(data, binary);
    },
  })
  .listen('127.0.0.1', port, (t) => {
    if (!t) process.exit(1);
  });
