import type { KeySet, KeySets } from '../../access/contract/access-services.ts';
import type { KeySetCommand } from '../../protocol/access.ts';
import type { FromWorker } from '../../protocol/from-worker.ts';

/** The key sets fetched by the primary. */
export class WorkerKeySets implements KeySets {
  readonly #send: (message: FromWorker) => void;
  readonly #sets = new Map<string, KeySet>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(known: ReadonlyMap<string, string>, send: (message: FromWorker) => void) {
    this.#send = send;
    for (const [url, jwks] of known) this.#sets.set(url, { jwks });
  }

  of(url: string): KeySet | null {
    return this.#sets.get(url) ?? null;
  }

  refresh(url: string, done: () => void): () => void {
    let waiting = this.#waiting.get(url);
    if (waiting === undefined) {
      this.#waiting.set(url, (waiting = new Set()));
      this.#send({ type: 'key_set_wanted', url });
    }
    const entry = (): void => done();
    waiting.add(entry);
    return () => waiting.delete(entry);
  }

  handle({ url, jwks }: KeySetCommand): void {
    if (jwks !== null && this.#sets.get(url)?.jwks !== jwks) this.#sets.set(url, { jwks });
    const waiting = this.#waiting.get(url);
    this.#waiting.delete(url);
    for (const done of waiting ?? []) done();
  }
}
