import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { TLS_1_3, type OpenSsl } from '../openssl.ts';

/** What a client and the proxy have agreed on in a handshake. */
export interface Negotiated {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's name. */
  readonly cipher: string;
  /** The application protocol (RFC 7301), one character for each byte; null if none was chosen. */
  readonly protocol: string | null;
  readonly resumed: boolean;
  /** The client's certificate in DER, which has been verified; null without one. A resumed session has it, too. */
  readonly certificate: Buffer | null;
}

/** Max bytes of a certificate. OpenSSL refuses longer chains (SSL_MAX_CERT_LIST_DEFAULT). */
const MAX_CERTIFICATE_BYTES = 100 * 1024;
/** The scratch memory: a pointer, a length, and a protocol. */
const POINTER = { start: 0, end: 8 } as const;
const LENGTH = { start: 8, end: 12 } as const;
const PROTOCOL = { start: 16, end: 16 + 255 } as const;

let scratch: PinnedBuffer | null = null;

/** @param stream the address of a stream whose handshake is done */
export function negotiatedBy(calls: OpenSsl, stream: number): Negotiated {
  return {
    version: calls.versionOf(stream) === TLS_1_3 ? 'TLSv1.3' : 'TLSv1.2',
    cipher: calls.cipherOf(stream) ?? '',
    protocol: protocolOf(calls, stream),
    resumed: calls.isResumed(stream) === 1,
    certificate: certificateOf(calls, stream),
  };
}

function protocolOf(calls: OpenSsl, stream: number): string | null {
  scratch ??= new PinnedBuffer(PROTOCOL.end);
  const { bytes } = scratch;
  const pointer = addressWithin(scratch, POINTER.start, POINTER.end);
  calls.protocolOf(stream, pointer, addressWithin(scratch, LENGTH.start, LENGTH.end));
  const source = Number(bytes.readBigUInt64LE(POINTER.start));
  const length = Math.min(bytes.readUInt32LE(LENGTH.start), PROTOCOL.end - PROTOCOL.start);
  if (source === 0 || length === 0) return null;
  nativeCalls().copy(addressWithin(scratch, PROTOCOL.start, PROTOCOL.end), source, length);
  return bytes.toString('latin1', PROTOCOL.start, PROTOCOL.start + length);
}

function certificateOf(calls: OpenSsl, stream: number): Buffer | null {
  const certificate = calls.peerCertificate(stream);
  if (certificate === 0) return null;
  try {
    const length = calls.encode(certificate, 0);
    if (length <= 0 || length > MAX_CERTIFICATE_BYTES) {
      throw new RangeError(`a client certificate of ${length} bytes`);
    }
    // Its address stands in front of it: OpenSSL moves that pointer to the end of what it has written.
    const memory = new PinnedBuffer(POINTER.end + length);
    const place = addressWithin(memory, POINTER.end, POINTER.end + length);
    memory.bytes.writeBigUInt64LE(BigInt(place), POINTER.start);
    calls.encode(certificate, addressWithin(memory, POINTER.start, POINTER.end));
    return memory.bytes.subarray(POINTER.end);
  } finally {
    calls.freeCertificate(certificate);
  }
}
