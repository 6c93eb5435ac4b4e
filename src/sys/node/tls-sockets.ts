/**
 * What Node tells only to its own TLS server (`internal/tls/wrap` of Node 22) of the server's end of a TLS connection. That
 * server cannot choose a context by a ClientHello that has been looked at, nor protocols for each client.
 */
import type { TLSSocket } from 'node:tls';

/** Node emits it, and for a socket of no server nothing else, for all errors of TLS and of the connection below. */
const TLS_ERROR = '_tlsError';

/** Destroys a socket of no server at the first error. The socket's `error` tells it. */
export function destroyOnError(socket: TLSSocket): void {
  socket.on(TLS_ERROR, destroy);
}

function destroy(this: TLSSocket, error: Error): void {
  this.destroy(error);
}

/**
 * Returns OpenSSL's name of what is wrong with the peer's certificate, such as `CERT_HAS_EXPIRED`; null for a certificate that
 * is trusted. Node lets handshakes with others succeed. Without a certificate the result means nothing.
 */
export function certificateProblem(socket: TLSSocket): string | null {
  const { _handle: handle } = socket as {
    _handle?: { verifyError?(): { code?: string } | null | undefined } | null;
  };
  if (typeof handle?.verifyError !== 'function') return 'UNKNOWN';
  const error = handle.verifyError();
  return error === null || error === undefined ? null : (error.code ?? 'UNKNOWN');
}
