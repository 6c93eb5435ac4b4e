/**
 * Facts that Node gives only to its own TLS server (`internal/tls/wrap` of Node 22) about the server's end of
 * a connection. That server cannot choose a context by a ClientHello that was already read, nor protocols per
 * client.
 */
import type { TLSSocket } from 'node:tls';

/** For a socket without a server, the only event for errors of TLS and of the connection below. */
const TLS_ERROR = '_tlsError';

/** Destroys a socket without a server at its first error, which its `error` event reports. */
export function destroyOnError(socket: TLSSocket): void {
  socket.on(TLS_ERROR, destroy);
}

function destroy(this: TLSSocket, error: Error): void {
  this.destroy(error);
}

/**
 * Returns OpenSSL's name of the problem with the peer's certificate, such as `CERT_HAS_EXPIRED`; null for a
 * trusted certificate. Node lets handshakes succeed despite a problem. Without a certificate the result is
 * meaningless.
 */
export function certificateProblem(socket: TLSSocket): string | null {
  const { _handle: handle } = socket as {
    _handle?: { verifyError?(): { code?: string } | null | undefined } | null;
  };
  if (typeof handle?.verifyError !== 'function') return 'UNKNOWN';
  const error = handle.verifyError();
  return error === null || error === undefined ? null : (error.code ?? 'UNKNOWN');
}
