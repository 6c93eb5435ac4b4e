/** Contract of a proxy that is compared. */

import type { CertificateFiles } from '../rig/certificate.ts';
import type { Command } from '../rig/supervised.ts';

/** How clients reach the endpoint: WebSocket and WebSocket over TLS at layer 7, and blindly at layer 4. */
export const MODES = ['ws', 'wss', 'tcp'] as const;
export type Mode = (typeof MODES)[number];

/** Where a peer listens and which endpoint is behind it; all on 127.0.0.1. */
export interface Setup {
  /** A directory of the peer's own, readable for all. */
  readonly directory: string;
  readonly ports: Readonly<Record<Mode, number>>;
  /** The endpoint's plain port. */
  readonly endpoint: number;
  readonly certificate: CertificateFiles;
}

/** One way from the clients to the endpoint. */
export interface Peer {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Returns its version; null if it is not installed. */
  version(): string | null;
  /** The file of this directory that says how it is configured. */
  readonly config: string;
  /** Values for placeholders in that file, equal in every run. */
  readonly values?: Readonly<Record<string, string>>;
  /** Writes its configuration, and says how it is started in the foreground. */
  command(setup: Setup): Command;
}
