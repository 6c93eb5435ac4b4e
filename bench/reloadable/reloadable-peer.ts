import type { CertificateFiles } from '../rig/certificate.ts';
import type { Command } from '../rig/supervised.ts';

/** Values for a proxy's configuration. All addresses are on 127.0.0.1. */
export interface ReloadableSetup {
  readonly directory: string;
  readonly ports: { readonly ws: number; readonly wss: number; readonly admin: number };
  /** Ports of the endpoints, at least one. */
  readonly endpoints: readonly number[];
  readonly certificate: CertificateFiles;
  /** Max time that sessions stay open after the stop signal. Null for no limit. */
  readonly graceSeconds: number | null;
  /** Seconds until a silent session is pinged or closed. Some proxies lack this setting. */
  readonly idleTimeoutSeconds: number;
  /** Whether to add a route that no session uses. Reloads need a change that concerns no session. */
  readonly extraRoute: boolean;
}

/** Contract of a proxy whose configuration changes while it runs. */
export interface ReloadablePeer {
  readonly name: string;
  /** Returns the proxy's version; null if it is not installed. */
  version(): string | null;
  /** Returns the text of the configuration. */
  configuration(setup: ReloadableSetup): string;
  /** Name of the configuration file in the setup's directory. */
  readonly file: string;
  /** Returns the command that runs the proxy in the foreground. */
  command(setup: ReloadableSetup): Command;
  readonly reloadSignal: NodeJS.Signals;
  readonly drainSignal: NodeJS.Signals;
  /** Ends sessions above their endpoint's share, at a rate. Null if the proxy cannot. */
  readonly rebalance: ((setup: ReloadableSetup, perSecond: number) => Promise<void>) | null;
}
