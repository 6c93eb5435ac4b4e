/**
 * The endpoint behind every peer: `server.ts PLAIN_PORT TLS_PORT CERT KEY`, on 127.0.0.1. It prints one
 * line on stdout when it listens.
 *
 * - `/fan-out` sends each message to every client on this path.
 * - `/flood` sends as fast as the client reads.
 * - `/sessions` responds to GET with the number of sessions.
 * - All other paths send each message back.
 */
import { App, SSLApp, type TemplatedApp, type WebSocket } from 'uWebSockets.js';
import { findListening, limitReceiveBuffers } from '../../src/sys/sockets/listening-sockets.ts';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const TOPIC = 'all';
const FLOOD = Buffer.alloc(16 * 1024);
/** Bytes to keep queued for a client of `/flood`, so that the proxy always has input. */
const FLOOD_AHEAD = 256 * 1024;
/** While bytes wait for a TLS client, uWS loses client data beyond 512 KiB per read. */
const TLS_RECEIVE_BUFFER = 192 * 1024;

const [plain = '', tls = '', cert = '', key = ''] = process.argv.slice(2);
let sessions = 0;
const opened = (): void => {
  sessions++;
};
const closed = (): void => {
  sessions--;
};
serve(App(), Number(plain));
serve(SSLApp({ cert_file_name: cert, key_file_name: key }), Number(tls));
for (const fd of findListening(Number(tls))) limitReceiveBuffers(fd, TLS_RECEIVE_BUFFER);
process.stdout.write('listening\n');

function serve(app: TemplatedApp, port: number): void {
  const limits = { idleTimeout: 0, maxPayloadLength: MAX_MESSAGE_BYTES, maxBackpressure: 0 };
  const flood = (socket: WebSocket<unknown>): void => {
    while (socket.getBufferedAmount() < FLOOD_AHEAD) socket.send(FLOOD, true);
  };
  app
    .get('/sessions', (response) => {
      response.end(String(sessions));
    })
    .ws('/flood', { ...limits, open: flood, drain: flood })
    .ws('/fan-out', {
      ...limits,
      open: (socket) => {
        opened();
        socket.subscribe(TOPIC);
      },
      close: closed,
      message: (_, data, isBinary) => {
        app.publish(TOPIC, data, isBinary);
      },
    })
    .ws('/*', {
      ...limits,
      open: opened,
      close: closed,
      message: (socket, data, isBinary) => {
        socket.send(data, isBinary);
      },
    })
    .listen('127.0.0.1', port, (listening) => {
      if (listening === false) throw new Error(`port ${port} is taken`);
    });
}
