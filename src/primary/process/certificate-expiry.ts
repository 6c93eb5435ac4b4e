import { X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import { MAX_PEM_BYTES, readRegularFile } from '../../config/syntax/files.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** When a listener's certificate expires. */
export interface CertificateExpiry {
  readonly listener: string;
  /** The first server name, or the name of the file if there is none. */
  readonly certificate: string;
  /** Seconds since 1970. */
  readonly notAfter: number;
}

/**
 * Reads the expiry of all certificates. If two have the same name (one with an RSA key and one with an EC key) the earlier
 * expiry counts. A certificate that cannot be read is logged and left out: the workers decide whether it can be used.
 */
export function readExpiries(listeners: readonly Listener[], log: Logger): CertificateExpiry[] {
  const expiries = new Map<string, CertificateExpiry>();
  for (const listener of listeners) {
    if (listener.mode !== 'l7' || listener.tls === null) continue;
    for (const { cert, serverNames } of listener.tls.certificates) {
      const certificate = serverNames[0] ?? basename(cert);
      const key = JSON.stringify([listener.name, certificate]);
      try {
        const notAfter = Date.parse(new X509Certificate(readRegularFile(cert, MAX_PEM_BYTES)).validTo) / 1000;
        const known = expiries.get(key)?.notAfter ?? Infinity;
        expiries.set(key, { listener: listener.name, certificate, notAfter: Math.min(known, notAfter) });
      } catch (error) {
        log.warn({ err: error, listener: listener.name, file: cert }, 'certificate cannot be read');
      }
    }
  }
  return [...expiries.values()];
}
