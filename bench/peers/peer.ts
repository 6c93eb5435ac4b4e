/** Contract of a compared proxy. */

import type { CertificateFiles } from '../rig/certificate.ts';
import type { Command } from '../rig/supervised.ts';

/** Protocols between clients and proxy: WebSocket and WebSocket over TLS at layer 7, and bytes at layer 4. */
export const MODES = ['ws', 'wss', 'tcp'] as const;
export type Mode = (typeof MODES)[number];

/** Where a peer listens, and its endpoint. All addresses are on 127.0.0.1. */
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
  /** Name of the template in this directory for the proxy's configuration. */
  readonly config: string;
  /** Values for placeholders in the template, the same in every run. */
  readonly values?: Readonly<Record<string, string>>;
  /** Writes the configuration. Returns the command that runs the proxy in the foreground. */
  command(setup: Setup): Command;
}
