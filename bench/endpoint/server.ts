/**
 * The endpoint behind every peer: `server.ts PLAIN_PORT TLS_PORT CERT KEY`, on 127.0.0.1. It echoes every
 * message. On the path /fan-out it sends each message to all clients of that path. On /flood it sends as fast
 * as the client reads. A GET of /sessions returns the number of sessions. When it listens, it prints one line
 * on stdout.
 */
import { App, SSLApp, type TemplatedApp, type WebSocket } from 'uWebSockets.js';
import { findListening, limitReceiveBuffers } from '../../src/sys/sockets/listening-sockets.ts';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const TOPIC = 'all';
const FLOOD = Buffer.alloc(16 * 1024);
/** Bytes that wait here for a client of /flood, so that the proxy in between is never idle. */
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
