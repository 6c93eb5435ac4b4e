/** Settings of TLS as a configuration gives them to an engine. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Certificate, ListenerTls } from '../../../src/config/types/listener.ts';
import { TicketKeyRing } from '../../../src/core/ticket-key-ring.ts';
import type { IssuedCertificate } from '../certificates.ts';

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

export function certificateOf(issued: IssuedCertificate, ...serverNames: string[]): Certificate {
  const { cert, key } = issued;
  const certPem = readFileSync(cert, 'utf8');
  return { cert, key, certPem, keyPem: readFileSync(key, 'utf8'), serverNames, uri: null };
}

/** @param changes to the defaults */
export function listenerTls(
  certificates: readonly Certificate[],
  changes: Partial<ListenerTls> = {},
): ListenerTls {
  return {
    certificates,
    minVersion: '1.2',
    ciphers: CIPHERS,
    groups: 'X25519:P-256',
    alpn: ['http/1.1'],
    handshakeTimeoutMs: 10_000,
    clientCertificates: null,
    tickets: { kind: 'rotate', rotateMs: 1000 },
    ...changes,
  };
}

/** Returns a ring with one random key. */
export function freshRing(): TicketKeyRing {
  const ring = new TicketKeyRing();
  ring.replace([randomBytes(80)]);
  return ring;
}
