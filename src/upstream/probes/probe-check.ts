import { formatAddress, type Address } from '../../core/address.ts';

/** One type of health check: the bytes that it sends and expects on its connection. */
export interface ProbeCheck {
  /** Called when the connection is established, including TLS. Returns bytes to send, or null. */
  connected(probe: ProbeEnd): Uint8Array | null;
  /** Called when bytes arrive. Returns bytes to send, or null. */
  received(bytes: Buffer, probe: ProbeEnd): Uint8Array | null;
}

/** Receives the result of a check. Only the first call counts. */
export interface ProbeEnd {
  /** @param farewell bytes to send before the connection is closed */
  passed(farewell?: Uint8Array): void;
  /** @param reason a few words */
  failed(reason: string): void;
}

/** Returns the Host header of a probe: the configured one, or what a client of this address would send. */
export function probeHost(configured: string | null, server: Address): string {
  if (configured !== null) return configured;
  return server.kind === 'unix' ? 'localhost' : formatAddress(server).replace(/:0$/, '');
}
