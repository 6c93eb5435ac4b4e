import { setTimeout as delay } from 'node:timers/promises';
import type { AccessSettings } from '../../../config/types/access.ts';
import type { Config } from '../../../config/types/config.ts';
import type { KeySetCommand, KeySetReport } from '../../../protocol/access.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Broadcast } from '../../workers/broadcast.ts';
import { fetchKeySet } from './key-set-request.ts';
import { RemoteKeySet, type KeySetHome } from './remote-key-set.ts';

/**
 * Max time for which a start or a reload waits for new sets. Later, requests get 503 until the set is there.
 */
const MAX_WAIT_MS = 2000;

/** A prepared change of the URLs. */
interface KeySetChange {
  /** Fetches the new sets. Resolves when they are there, cannot be fetched now, or have taken too long. */
  ready(): Promise<void>;
  commit(): void;
  abort(): void;
}

/** The key sets of all URLs of a configuration, which all workers use. */
export class KeySets {
  readonly #home: KeySetHome;
  #sets: ReadonlyMap<string, RemoteKeySet>;

  constructor(config: Pick<Config, 'listeners'>, home: KeySetHome) {
    this.#home = home;
    this.#sets = new Map(urlsOf(config).map((url) => [url, new RemoteKeySet(url, home)]));
  }

  get all(): readonly RemoteKeySet[] {
    return [...this.#sets.values()];
  }

  /** By URL: the texts that have been fetched, for a worker that starts. */
  get texts(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const { url, jwks } of this.all) if (jwks !== null) texts.set(url, jwks);
    return texts;
  }

  /** Fetches all sets. Resolves when they are there, cannot be fetched now, or have taken too long. */
  start(): Promise<void> {
    return startAll(this.all);
  }

  /** Gets ready for another configuration. Sets that stay are not fetched again. */
  prepare(config: Pick<Config, 'listeners'>): KeySetChange {
    const made: RemoteKeySet[] = [];
    const sets = new Map<string, RemoteKeySet>();
    for (const url of urlsOf(config)) {
      let set = this.#sets.get(url);
      if (set === undefined) made.push((set = new RemoteKeySet(url, this.#home)));
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

  /**
   * Answers a worker that has met a key it does not know. A worker is told of a changed set by `onChange`.
   */
  hear({ url }: Pick<KeySetReport, 'url'>, reply: (command: KeySetCommand) => void): void {
    const set = this.#sets.get(url);
    const answer = (): void => reply({ type: 'key_set', url, jwks: set?.jwks ?? null });
    if (set === undefined) answer();
    else set.want(answer);
  }

  stop(): void {
    for (const set of this.all) set.stop();
  }
}

/** Makes the key sets of the process, which tell all workers of changes. Nothing is fetched yet. */
export function createKeySets(
  config: Pick<Config, 'listeners'>,
  broadcast: Pick<Broadcast, 'tell'>,
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
    onChange: (url, jwks) => broadcast.tell({ type: 'key_set', url, jwks }),
  });
}

async function startAll(sets: readonly RemoteKeySet[]): Promise<void> {
  if (sets.length === 0) return;
  const patience = new AbortController();
  const late = delay(MAX_WAIT_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([Promise.all(sets.map((set) => set.start())), late]);
  patience.abort();
}

/** Returns each URL once, of listeners and routes. */
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
