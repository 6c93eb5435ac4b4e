import { formatAddress, type Address } from '../../core/address.ts';

/** The Host header of a probe: as configured, else what a client of that address would send. */
export function probeHost(configured: string | null, server: Address): string {
  if (configured !== null) return configured;
  return server.kind === 'unix' ? 'localhost' : formatAddress(server).replace(/:0$/, '');
}
