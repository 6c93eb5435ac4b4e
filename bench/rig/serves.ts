import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const TIMEOUT_MS = 1000;
const REQUEST =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/**
 * Checks whether a port of 127.0.0.1 serves WebSockets. An accepted connection proves too little: a program
 * may listen before it serves.
 */
export function serves(port: number, encrypted: boolean): Promise<boolean> {
  return new Promise((settle) => {
    const address = { host: '127.0.0.1', port };
    const socket = encrypted
      ? connectTls({ ...address, servername: 'localhost', rejectUnauthorized: false })
      : connect(address);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.once(encrypted ? 'secureConnect' : 'connect', () => socket.write(REQUEST));
    socket.once('data', (head: Buffer) => {
      settle(head.toString('latin1').startsWith('HTTP/1.1 101'));
      socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.once('close', () => settle(false));
  });
}
