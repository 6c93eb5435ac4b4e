/**
 * The endpoint behind every peer: `server.ts PLAIN_PORT TLS_PORT CERT KEY`, on 127.0.0.1. It sends every message
 * back; on the path /fan-out it sends it to everyone there. One line on stdout says that it listens.
 */
import { limitReceiveBuffers } from '../../src/sys/receive-buffer.ts';
import { App, SSLApp, type TemplatedApp } from 'uWebSockets.js';

const MAX_MESSAGE = 64 * 1024 * 1024;
const TOPIC = 'all';
/** uWS loses what it reads at once beyond 512 KiB while something waits for that client over TLS. */
const TLS_RECEIVE_BUFFER = 192 * 1024;

const [plain = '', tls = '', cert = '', key = ''] = process.argv.slice(2);
serve(App(), Number(plain));
serve(SSLApp({ cert_file_name: cert, key_file_name: key }), Number(tls));
limitReceiveBuffers(Number(tls), TLS_RECEIVE_BUFFER);
process.stdout.write('listening\n');

function serve(app: TemplatedApp, port: number): void {
  const limits = { idleTimeout: 0, maxPayloadLength: MAX_MESSAGE, maxBackpressure: 0 };
  app
    .ws('/fan-out', {
      ...limits,
      open: (socket) => {
        socket.subscribe(TOPIC);
      },
      message: (_, data, isBinary) => {
        app.publish(TOPIC, data, isBinary);
      },
    })
    .ws('/*', {
      ...limits,
      message: (socket, data, isBinary) => {
        socket.send(data, isBinary);
      },
    })
    .listen('127.0.0.1', port, (listening) => {
      if (listening === false) throw new Error(`port ${port} is taken`);
    });
}
