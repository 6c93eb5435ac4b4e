import type { Command } from '../../rig/supervised.ts';
import type { LargeSetup } from './sizes.ts';

/** A proxy that can be measured with large configurations. */
export interface LargePeer {
  readonly name: string;
  /** Returns the proxy's version; null if it is not installed. */
  version(): string | null;
  /** Name of the configuration file. */
  readonly file: string;
  /** Returns the text of the configuration file. */
  configuration(setup: LargeSetup): string;
  /**
   * Returns the command that runs the proxy in the foreground.
   *
   * @param path path of the configuration file
   */
  command(path: string): Command;
  /** Path at the admin port that answers 200 when the proxy is ready. */
  readonly readyPath: string;
  /** Cheapest path at the admin port. */
  readonly livePath: string;
  readonly reloadSignal: NodeJS.Signals;
}
