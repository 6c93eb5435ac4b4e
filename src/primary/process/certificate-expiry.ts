import { X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import type { Listener } from '../../config/types/listener.ts';

/** When a listener's certificate expires. */
export interface CertificateExpiry {
  readonly listener: string;
  /** The first server name, or the file's name if the certificate has none. */
  readonly certificate: string;
  /** Seconds since 1970. */
  readonly notAfter: number;
}

/**
 * Returns the expiry of all certificates as they were loaded. If two share a name (one RSA, one EC), the
 * earlier expiry counts.
 */
export function readExpiries(listeners: readonly Listener[]): CertificateExpiry[] {
  const expiries = new Map<string, CertificateExpiry>();
  for (const listener of listeners) {
    if (listener.mode !== 'l7' || listener.tls === null) continue;
    for (const { cert, certPem, serverNames } of listener.tls.certificates) {
      const certificate = serverNames[0] ?? basename(cert);
      const key = JSON.stringify([listener.name, certificate]);
      const notAfter = Date.parse(new X509Certificate(certPem).validTo) / 1000;
      const known = expiries.get(key)?.notAfter ?? Infinity;
      expiries.set(key, { listener: listener.name, certificate, notAfter: Math.min(known, notAfter) });
    }
  }
  return [...expiries.values()];
}
