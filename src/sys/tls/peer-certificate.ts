import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import type { OpenSsl } from '../openssl-functions.ts';

/** Max bytes of a certificate. OpenSSL refuses longer chains (SSL_MAX_CERT_LIST_DEFAULT). */
const MAX_CERTIFICATE_BYTES = 100 * 1024;
/** A pointer to the certificate's place, which stands in front of the certificate. */
const POINTER = { start: 0, end: 8 } as const;

/**
 * Returns the client's certificate in DER, which OpenSSL has verified; null without one. A resumed session has it, too.
 *
 * @param stream the address of a stream whose handshake is done
 * @throws RangeError if the certificate is too long
 */
export function peerCertificateOf(calls: OpenSsl, stream: number): Buffer | null {
  const certificate = calls.peerCertificate(stream);
  if (certificate === 0) return null;
  try {
    const length = calls.encode(certificate, 0);
    if (length <= 0 || length > MAX_CERTIFICATE_BYTES) {
      throw new RangeError(`a client certificate of ${length} bytes`);
    }
    // OpenSSL moves the pointer to the end of what it has written.
    const memory = new PinnedBuffer(POINTER.end + length);
    const place = addressWithin(memory, POINTER.end, POINTER.end + length);
    memory.bytes.writeBigUInt64LE(BigInt(place), POINTER.start);
    calls.encode(certificate, addressWithin(memory, POINTER.start, POINTER.end));
    return memory.bytes.subarray(POINTER.end);
  } finally {
    calls.freeCertificate(certificate);
  }
}
