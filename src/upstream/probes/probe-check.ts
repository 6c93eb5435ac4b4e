import { formatAddress, type Address } from '../../core/address.ts';

/** What one type of health check sends and expects on its connection. */
export interface ProbeCheck {
  /** The connection is established, TLS included. Returns bytes to send; null for none. */
  connected(probe: ProbeEnd): Uint8Array | null;
  /** Bytes have come. Returns bytes to send; null for none. */
  received(bytes: Buffer, probe: ProbeEnd): Uint8Array | null;
}

/** The result of a check goes here. Only the first call counts. */
export interface ProbeEnd {
  /** @param farewell bytes to send before the connection is closed */
  passed(farewell?: Uint8Array): void;
  /** @param reason a few words */
  failed(reason: string): void;
}

/** Returns the Host header of a probe: as configured, else as a client of that address sends it. */
export function probeHost(configured: string | null, server: Address): string {
  if (configured !== null) return configured;
  return server.kind === 'unix' ? 'localhost' : formatAddress(server).replace(/:0$/, '');
}
