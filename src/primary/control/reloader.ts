import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from '../../config/loader.ts';
import type { Config } from '../../config/types/config.ts';
import { ConfigError, StartError, messageOf } from '../../core/errors.ts';
import { Slices } from '../../core/timing/slices.ts';
import type { ReloadResult } from '../../protocol/admin/answers.ts';
import type { EventFacts } from '../../protocol/admin/events.ts';
import type { PrimaryState } from '../../protocol/admin/status.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Lifecycle } from './lifecycle.ts';
import { keepUnchanged } from './unchanged-parts.ts';

interface ReloaderOptions {
  readonly log: Logger;
  readonly lifecycle: Pick<Lifecycle, 'state' | 'isDraining'>;
  /** Reads the configuration again. Rejects with a ConfigError. */
  readonly load: (slices: Slices) => Promise<LoadedConfig>;
  /** Called with the files that were read. `usable` is false if they contain no valid configuration. */
  readonly onRead?: (files: readonly string[], usable: boolean) => void;
  /** Called when a reload begins, and when it is over. */
  readonly onReload?: (isOver: boolean) => void;
  /** The current configuration as it was read. Settings that require a restart have the values in force. */
  readonly current: Config;
  /** Reports an event to operators. */
  readonly report?: (event: EventFacts) => void;
  /** Applies a configuration and returns its generation. Rejects if a part refuses it: the old one stays. */
  readonly apply: (config: Config) => Promise<number>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Refuses a reload in a state in which the proxy does not serve. */
export function refuseReload(
  cause: string,
  state: PrimaryState,
  generation: number,
  log: Logger,
): ReloadResult {
  const problem = notWhile(state);
  log.warn({ cause }, `configuration not reloaded: ${problem}`);
  return { generation, problem, needsRestart: [] };
}

function notWhile(state: PrimaryState): string {
  return `not while the proxy is ${state}`;
}

/** Reads and applies new configurations, one at a time. */
export class Reloader {
  readonly counts = { success: 0, failure: 0 };
  /** True before the first reload. */
  lastSucceeded = true;
  /** When the current configuration was loaded, in milliseconds since 1970. */
  lastSuccessAt: number;
  needsRestart: readonly string[] = [];
  readonly #options: ReloaderOptions;
  readonly #now: () => number;
  #current: Config;
  #generation: number;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ReloaderOptions, generation: number) {
    this.#options = options;
    this.#current = options.current;
    this.#generation = generation;
    this.#now = options.now ?? Date.now;
    this.lastSuccessAt = this.#now();
  }

  /** The current configuration as it was read, before engines and ports are chosen. */
  get current(): Config {
    return this.#current;
  }

  /**
   * Reads the configuration and applies it. If that fails, the old one stays.
   *
   * @param cause signal, command or file, for the log
   */
  async reload(cause: string): Promise<ReloadResult> {
    const { lifecycle, log, onReload } = this.#options;
    if (lifecycle.state !== 'ready') return refuseReload(cause, lifecycle.state, this.#generation, log);
    onReload?.(false);
    const result = this.#queue.then(() => this.#readAndApply(cause));
    this.#queue = result;
    await result;
    // After the end was reported to the service manager, never report that the proxy is ready.
    if (!lifecycle.isDraining) onReload?.(true);
    return result;
  }

  async #readAndApply(cause: string): Promise<ReloadResult> {
    const { lifecycle, log, load, apply, onRead } = this.#options;
    const startedAt = performance.now();
    try {
      const slices = new Slices(setImmediate);
      const { config, warnings, files } = await load(slices);
      onRead?.(files, true);
      for (const { place, message } of warnings) log.warn({ place }, message);
      const { usable: wanted, needsRestart } = keepFixed(config, this.#current);
      for (const setting of needsRestart) {
        log.warn({ setting }, `${setting} cannot change while running: restart to apply it`);
      }
      const usable = await keepUnchanged(wanted, this.#current, slices);
      // Applying the configuration takes one more slice.
      await slices.next();
      // Reading a large configuration takes a second. The end may have been announced since.
      if (lifecycle.state !== 'ready') throw new StartError(notWhile(lifecycle.state));
      this.#generation = await apply(usable);
      this.#current = usable;
      this.needsRestart = needsRestart;
      this.#count(true);
      const ms = Math.round(performance.now() - startedAt);
      log.info({ cause, generation: this.#generation, ms }, 'configuration reloaded');
      return { generation: this.#generation, problem: null, needsRestart };
    } catch (error) {
      this.#count(false);
      const problem = messageOf(error);
      if (error instanceof ConfigError) {
        onRead?.(error.files, false);
        for (const { place, message } of error.problems) log.error({ cause, place }, message);
      }
      const generation = this.#generation;
      this.#options.report?.({ kind: 'reload', reason: 'failed', detail: `${cause}: ${problem}` });
      log.error(
        error instanceof ConfigError ? { cause, generation } : { cause, generation, err: error },
        'configuration not reloaded: the old one stays',
      );
      return { generation, problem, needsRestart: this.needsRestart };
    }
  }

  #count(success: boolean): void {
    this.lastSucceeded = success;
    if (success) this.lastSuccessAt = this.#now();
    this.counts[success ? 'success' : 'failure']++;
  }
}

/** Keeps the current values of settings that only a restart changes. */
function keepFixed(next: Config, current: Config): { usable: Config; needsRestart: string[] } {
  const fixed = [
    ['admin.address', next.admin.address, current.admin.address],
    ['demo', next.demo, current.demo],
  ] as const;
  const usable: Config = {
    ...next,
    admin: { ...next.admin, address: current.admin.address },
    demo: current.demo,
  };
  const changed = fixed.filter(([, wanted, is]) => !isDeepStrictEqual(wanted, is));
  return { usable, needsRestart: changed.map(([name]) => name) };
}
