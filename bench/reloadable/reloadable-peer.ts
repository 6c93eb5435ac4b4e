import type { CertificateFiles } from '../rig/certificate.ts';
import type { Command } from '../rig/supervised.ts';

/** The configuration of a proxy; all on 127.0.0.1. */
export interface ReloadableSetup {
  readonly directory: string;
  readonly ports: { readonly ws: number; readonly wss: number; readonly admin: number };
  /** Ports of the endpoints, one or more. */
  readonly endpoints: readonly number[];
  readonly certificate: CertificateFiles;
  /** Max time that sessions stay open after the stop signal. Null for no limit. */
  readonly graceSeconds: number | null;
  /** Seconds until a silent session is pinged or closed. Some proxies lack this setting. */
  readonly idleTimeoutSeconds: number;
  /** Something that a reload changes, and that concerns no session. */
  readonly extraRoute: boolean;
}

/** Contract of a proxy whose configuration changes while it runs. */
export interface ReloadablePeer {
  readonly name: string;
  /** Returns its version; null if it is not installed. */
  version(): string | null;
  /** The text of its configuration. */
  configuration(setup: ReloadableSetup): string;
  /** The file in the setup's directory that it is read from. */
  readonly file: string;
  /** How it is started in the foreground. */
  command(setup: ReloadableSetup): Command;
  readonly reloadSignal: NodeJS.Signals;
  readonly drainSignal: NodeJS.Signals;
  /** Ends sessions that endpoints have beyond their share, at a rate; null if the proxy cannot. */
  readonly rebalance: ((setup: ReloadableSetup, perSecond: number) => Promise<void>) | null;
}
