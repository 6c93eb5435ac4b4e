import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import type { OpenSsl } from '../openssl-functions.ts';

/** Max bytes of a certificate. OpenSSL refuses longer chains (SSL_MAX_CERT_LIST_DEFAULT). */
const MAX_CERTIFICATE_BYTES = 100 * 1024;
/** A pointer to the certificate, which follows the pointer in memory. */
const POINTER = { start: 0, end: 8 } as const;

/**
 * Returns the client's verified certificate in DER; null without one. A resumed session has it, too.
 *
 * @param stream address of a stream after its handshake
 * @throws RangeError if the certificate is too long
 */
export function peerCertificateOf(calls: OpenSsl, stream: number): Buffer | null {
  const certificate = calls.peerCertificate(stream);
  if (certificate === 0) return null;
  try {
    const length = calls.encode(certificate, 0);
    if (length <= 0 || length > MAX_CERTIFICATE_BYTES) {
      throw new RangeError(
        `a client certificate must have 1 to ${MAX_CERTIFICATE_BYTES} bytes, not ${length}`,
      );
    }
    // OpenSSL moves the pointer to the end of its output.
    const memory = new PinnedBuffer(POINTER.end + length);
    const place = addressWithin(memory, POINTER.end, POINTER.end + length);
    memory.bytes.writeBigUInt64LE(BigInt(place), POINTER.start);
    calls.encode(certificate, addressWithin(memory, POINTER.start, POINTER.end));
    return memory.bytes.subarray(POINTER.end);
  } finally {
    calls.freeCertificate(certificate);
  }
}
