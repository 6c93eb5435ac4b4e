import { get } from 'node:http';
import { connect } from 'node:tls';

const TIMEOUT_MS = 2000;

/** Sends a GET on a separate connection. Returns the status, or 0 without an answer. */
export function statusOf(port: number, path: string): Promise<number> {
  return new Promise((settle) => {
    const options = { host: '127.0.0.1', port, path, agent: false, timeout: TIMEOUT_MS };
    const request = get(options, (response) => {
      response.resume();
      settle(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy());
    request.on('error', () => settle(0));
  });
}

/** Returns the fingerprint of the certificate that a new connection gets; '' without one. */
export function fingerprintAt(port: number): Promise<string> {
  return new Promise((settle) => {
    const options = { host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false };
    const socket = connect({ ...options, timeout: TIMEOUT_MS });
    socket.once('secureConnect', () => {
      settle(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.once('close', () => settle(''));
  });
}

/** Returns the number of sessions that an endpoint counts itself. */
export async function sessionsAt(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/sessions`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return Number(await response.text());
}
