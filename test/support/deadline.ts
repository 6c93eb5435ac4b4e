/** Waiting that ends: the machine may be slow, so deadlines are long, but nothing waits for ever. */

export const DEADLINE_MS = 60_000;

/** Returns the promise's value; rejects if the promise does not settle in time. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited ${deadlineMs} ms in vain for ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Repeats a check until it does not throw, and returns its value; throws the last error if time runs out. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
  pauseMs = 20,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((settle) => setTimeout(settle, pauseMs));
  }
}

/** Things that arrive one by one, kept until somebody waits for them. */
export class Arrivals<T> {
  /** How many have arrived so far. */
  count = 0;
  readonly #what: string;
  readonly #kept: T[] = [];
  #takers: { settle: (item: T) => void; fail: (error: Error) => void }[] = [];
  #end: Error | null = null;

  /** @param what the name of the things, for messages */
  constructor(what: string) {
    this.#what = what;
  }

  /** Arrivals that no test has taken. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** Drops what no test has taken. */
  forget(): void {
    this.#kept.length = 0;
  }

  push(item: T): void {
    this.count++;
    const taker = this.#takers.shift();
    if (taker === undefined) this.#kept.push(item);
    else taker.settle(item);
  }

  /** Nothing more will come: who waits, now or later, gets the error. */
  end(reason: string): void {
    this.#end ??= new Error(`${reason} before ${this.#what} came`);
    for (const { fail } of this.#takers) fail(this.#end);
    this.#takers = [];
  }

  /** The next one. Rejects when the end or the deadline comes first. */
  async next(deadlineMs = DEADLINE_MS): Promise<T> {
    if (this.#kept.length > 0) return this.#kept.shift()!;
    if (this.#end !== null) throw this.#end;
    const item = new Promise<T>((settle, fail) => this.#takers.push({ settle, fail }));
    return within(this.#what, item, deadlineMs);
  }
}
