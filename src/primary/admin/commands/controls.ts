import type { DrainSettings } from '../../../config/types/config.ts';
import type { RevocationRow } from '../../../protocol/access.ts';
import type { ReloadResult } from '../../../protocol/admin/answers.ts';
import type { DrainStatus } from '../../../protocol/admin/status.ts';
import type { DrainScope } from '../../../protocol/to-worker.ts';

/** The changes of a running process that operators can ask for. */
export interface Controls {
  /** @param cause for the log */
  reload(cause: string): Promise<ReloadResult>;
  /** The settings of `drain` in the configuration in use. */
  readonly drainSettings: DrainSettings;
  /** Tells whether the configuration in use has a scope. */
  has(scope: DrainScope): boolean;
  /** Ends the connections of a scope at a pace; a rate of 0 ends none. */
  drain(scope: DrainScope, settings: DrainSettings): DrainStatus;
  /** Lets a scope take new work again; false if it is not drained. */
  undrain(scope: DrainScope): boolean;
  /**
   * Sends the keys of session tickets to the process that takes over.
   *
   * @param channel the name of the process's `KeyReceiver`
   * @returns why that is impossible; null if it has them
   */
  bequeath(channel: string): Promise<string | null>;
  /** Leaves the addresses to another process, and ends when no connection is left. */
  handOver(): void;
  /** The revocations in force, for the process that takes over. */
  readonly revocations: readonly RevocationRow[];
  /** Leaves the file of the revocations to the process that takes over. Resolves when the file is written. */
  releaseRevocations(): Promise<void>;
  /** Replaces a worker, or each worker in turn for null; false if no worker has the name. */
  restart(worker: string | null): boolean;
}
