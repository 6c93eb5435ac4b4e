/** Contract of a compared proxy. */

import type { CertificateFiles } from '../rig/certificate.ts';
import type { Command } from '../rig/supervised.ts';

/**
 * Ways from clients to the endpoint. `ws` and `wss` (WebSocket over TLS) are proxied at layer 7. `tcp`
 * forwards the bytes of a WebSocket at layer 4.
 */
export const MODES = ['ws', 'wss', 'tcp'] as const;
export type Mode = (typeof MODES)[number];

/** Ports and files of a peer, and its endpoint. Everything listens on 127.0.0.1. */
export interface Setup {
  /** The peer's own directory, readable by all users. */
  readonly directory: string;
  readonly ports: Readonly<Record<Mode, number>>;
  /** The endpoint's plain port. */
  readonly endpoint: number;
  readonly certificate: CertificateFiles;
}

/** A proxy between clients and the endpoint. */
export interface Peer {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Returns the proxy's version; null if it is not installed. */
  version(): string | null;
  /** File in this directory with the configuration: a template, or a program that contains it. */
  readonly config: string;
  /** Values of placeholders in {@link config} that are the same in every run. */
  readonly values?: Readonly<Record<string, string>>;
  /** Writes the configuration. Returns the command that runs the proxy in the foreground. */
  command(setup: Setup): Command;
}
