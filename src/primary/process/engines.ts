import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/types/config.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { chooseEngine, type EngineChoice, type MachineLimits, type Shortage } from './engine-choice.ts';

/** Chooses the engines of all listeners, and logs the choices with their reasons. */
export class Engines {
  readonly #log: Logger;
  readonly #machine: MachineLimits;
  /** The choices that were logged last. */
  #logged: unknown = null;
  /** Shortages that were logged. */
  readonly #warned = new Set<string>();

  constructor(log: Logger, machine: MachineLimits) {
    this.#log = log;
    this.#machine = {
      systemCalls: once(machine.systemCalls),
      openssl: once(machine.openssl),
      uws: once(machine.uws),
    };
  }

  /**
   * Returns the listeners with an engine in place of `auto`.
   *
   * @throws StartError if a listener needs an engine that this machine cannot run
   */
  choose({ listeners, clusters }: Pick<Config, 'listeners' | 'clusters'>): readonly Listener[] {
    const choices = listeners.map((listener) => this.choiceOf(listener, clusters));
    const engines = Object.fromEntries(
      choices.map(({ listener: { name, engine }, reason }) => [name, `${engine} (${reason})`]),
    );
    if (!isDeepStrictEqual(engines, this.#logged)) this.#log.info({ engines }, 'engines chosen');
    this.#logged = engines;
    for (const { shortage } of choices) if (shortage !== null) this.#warnOf(shortage);
    return choices.map(({ listener }) => listener);
  }

  /**
   * Chooses the engine of one listener.
   *
   * @param listener listener as it was read, before `auto` is replaced
   */
  choiceOf(listener: Listener, clusters: Config['clusters']): EngineChoice {
    return chooseEngine(listener, clusters, this.#machine);
  }

  /** Logs a shortage once. */
  #warnOf({ what, problem }: Shortage): void {
    if (this.#warned.has(what)) return;
    this.#warned.add(what);
    this.#log.warn({ reason: problem }, `using engine net instead of raw: ${what} cannot be used`);
  }
}

/** Returns the engines of all listeners, sorted: `raw`, or `raw,uws`. Empty without listeners. */
export function enginesInUse(listeners: readonly Listener[]): string {
  return [...new Set(listeners.map(({ engine }) => engine))].sort().join();
}

/** Caches the result of a function: the machine does not change. */
function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | null = null;
  return () => (answer ??= { value: ask() }).value;
}
