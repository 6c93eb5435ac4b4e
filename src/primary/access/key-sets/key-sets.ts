import { setTimeout as delay } from 'node:timers/promises';
import type { AccessSettings } from '../../../config/types/access.ts';
import type { Config } from '../../../config/types/config.ts';
import type { KeySetCommand, KeySetReport } from '../../../protocol/access.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Broadcast } from '../../workers/broadcast.ts';
import { fetchKeySet } from './key-set-request.ts';
import { RemoteKeySet, type KeySetContext } from './remote-key-set.ts';

/** Max time that a start or reload waits for new sets. After that, requests get 503 until the set arrives. */
const MAX_WAIT_MS = 2000;

/** A prepared change of the key set URLs. */
interface KeySetChange {
  /** Fetches the new sets. Resolves when each fetch succeeded or failed, or after {@link MAX_WAIT_MS}. */
  ready(): Promise<void>;
  commit(): void;
  abort(): void;
}

/** The key sets of all URLs of a configuration. All workers use them. */
export class KeySets {
  readonly #context: KeySetContext;
  #sets: ReadonlyMap<string, RemoteKeySet>;

  constructor(config: Pick<Config, 'listeners'>, context: KeySetContext) {
    this.#context = context;
    this.#sets = new Map(urlsOf(config).map((url) => [url, new RemoteKeySet(url, context)]));
  }

  get all(): readonly RemoteKeySet[] {
    return [...this.#sets.values()];
  }

  /** Fetched key sets as text, by URL, for a worker that starts. */
  get texts(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const { url, jwks } of this.all) if (jwks !== null) texts.set(url, jwks);
    return texts;
  }

  /** Fetches all sets. Resolves when each fetch succeeded or failed, or after {@link MAX_WAIT_MS}. */
  start(): Promise<void> {
    return startAll(this.all);
  }

  /** Prepares another configuration. Sets that stay are not fetched again. */
  prepare(config: Pick<Config, 'listeners'>): KeySetChange {
    const made: RemoteKeySet[] = [];
    const sets = new Map<string, RemoteKeySet>();
    for (const url of urlsOf(config)) {
      let set = this.#sets.get(url);
      if (set === undefined) made.push((set = new RemoteKeySet(url, this.#context)));
      sets.set(url, set);
    }
    return {
      ready: () => startAll(made),
      commit: () => {
        for (const [url, set] of this.#sets) if (!sets.has(url)) set.stop();
        this.#sets = sets;
      },
      abort: () => {
        for (const set of made) set.stop();
      },
    };
  }

  /** Answers a worker that saw an unknown key id. `onChange` delivers a changed set to the worker. */
  receive({ url }: Pick<KeySetReport, 'url'>, reply: (command: KeySetCommand) => void): void {
    const set = this.#sets.get(url);
    const answer = (): void => reply({ type: 'key_set', url, jwks: set?.jwks ?? null });
    if (set === undefined) answer();
    else set.refresh(answer);
  }

  stop(): void {
    for (const set of this.all) set.stop();
  }
}

/** Creates the key sets of the process, which broadcast changes to all workers. Fetches nothing yet. */
export function createKeySets(
  config: Pick<Config, 'listeners'>,
  broadcast: Pick<Broadcast, 'send'>,
  log: Logger,
): KeySets {
  return new KeySets(config, {
    log,
    fetch: fetchKeySet,
    now: () => performance.now(),
    schedule: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    onChange: (url, jwks) => broadcast.send({ type: 'key_set', url, jwks }),
  });
}

async function startAll(sets: readonly RemoteKeySet[]): Promise<void> {
  if (sets.length === 0) return;
  const timeout = new AbortController();
  const late = delay(MAX_WAIT_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
  await Promise.race([Promise.all(sets.map((set) => set.start())), late]);
  timeout.abort();
}

/** Returns the URLs of listeners and routes, without duplicates. */
function urlsOf({ listeners }: Pick<Config, 'listeners'>): readonly string[] {
  const urls = new Set<string>();
  const add = (access: AccessSettings | null): void => {
    if (access?.jwt?.keys.kind === 'url') urls.add(access.jwt.keys.url);
  };
  for (const listener of listeners) {
    add(listener.access);
    if (listener.mode === 'l7') for (const route of listener.routes) add(route.access);
  }
  return [...urls];
}
