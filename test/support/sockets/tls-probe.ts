/** Handshakes that show what a listener's TLS can do. */
import { connect, type ConnectionOptions } from 'node:tls';
import { DEADLINE_MS } from '../deadline.ts';

/** The parameters that a handshake agreed on. */
export interface Agreement {
  readonly version: string | null;
  readonly cipher: string;
  /** Null without a common protocol. */
  readonly alpn: string | null;
  /** The common name of the certificate, and the type of its key. */
  readonly certificate: string;
}

/** Does a handshake and closes. Returns the code of the error if there is no common ground. */
export async function probeTls(
  address: string,
  options: ConnectionOptions = {},
): Promise<Agreement | string> {
  const at = address.lastIndexOf(':');
  const { promise, resolve, reject } = Promise.withResolvers<Agreement | string>();
  const socket = connect({
    ...{ host: address.slice(0, at), port: Number(address.slice(at + 1)), rejectUnauthorized: false },
    ...options,
  });
  socket.setTimeout(DEADLINE_MS, () => reject(new Error('the handshake takes too long')));
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    resolve({
      version: socket.getProtocol(),
      cipher: socket.getCipher().name,
      alpn: socket.alpnProtocol === false ? null : socket.alpnProtocol,
      certificate: `${certificate?.subject ?? ''} ${certificate?.publicKey.asymmetricKeyType ?? ''}`,
    });
  });
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
