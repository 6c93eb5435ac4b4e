import { MODES, type Mode } from '../peers/peer.ts';

/** One case of the comparison: a load for all peers that support its mode. */
export interface Case {
  readonly name: string;
  readonly mode: Mode;
  readonly scenario: 'echo' | 'fan-out' | 'connect';
  readonly connections: number;
  readonly inFlight: number;
  /** In bytes. */
  readonly size: number;
  /** Whether connections resume the TLS session of an earlier connection. */
  readonly resume?: boolean;
}

/** Large messages use fewer connections: all messages in flight must fit into socket memory. */
const SIZES = [
  { size: 32, label: '32 B', connections: 50 },
  { size: 1024, label: '1 KiB', connections: 50 },
  { size: 16 * 1024, label: '16 KiB', connections: 20 },
  { size: 64 * 1024, label: '64 KiB', connections: 10 },
];
const IN_FLIGHT = [1, 16];
const SUBSCRIBERS = 1000;
const OPENERS = 10;

/** Echo in all modes and sizes, then fan-out and handshakes. */
export const CASES: readonly Case[] = [
  ...MODES.flatMap((mode) =>
    IN_FLIGHT.flatMap((inFlight) =>
      SIZES.map(({ size, label, connections }): Case => ({
        name: `${mode} echo ${connections}x${inFlight} ${label}`,
        mode,
        scenario: 'echo',
        connections,
        inFlight,
        size,
      })),
    ),
  ),
  {
    name: `ws fan-out to ${SUBSCRIBERS} 32 B`,
    mode: 'ws',
    scenario: 'fan-out',
    connections: SUBSCRIBERS,
    inFlight: 1,
    size: 32,
  },
  ...(['ws', 'wss', 'tcp'] as const).map((mode): Case => ({
    name: `${mode} handshakes, ${OPENERS} at a time`,
    mode,
    scenario: 'connect',
    connections: OPENERS,
    inFlight: 1,
    size: 32,
  })),
  {
    name: `wss resumed handshakes, ${OPENERS} at a time`,
    mode: 'wss',
    scenario: 'connect',
    connections: OPENERS,
    inFlight: 1,
    size: 32,
    resume: true,
  },
];
