import type { Command } from '../../rig/supervised.ts';
import type { LargeSetup } from './sizes.ts';

/** Contract of a proxy that large configurations are measured on. */
export interface LargePeer {
  readonly name: string;
  /** Returns its version; null if it is not installed. */
  version(): string | null;
  /** The name of its configuration file. */
  readonly file: string;
  /** Returns the text of that file. */
  configuration(setup: LargeSetup): string;
  /** Returns the command that runs the proxy in the foreground. @param path of the configuration file */
  command(path: string): Command;
  /** The path at the admin port that answers 200 when the proxy is ready. */
  readonly readyPath: string;
  /** The path at the admin port that costs the least. */
  readonly livePath: string;
  readonly reloadSignal: NodeJS.Signals;
}
