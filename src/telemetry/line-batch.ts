/** Characters that trigger a post at once. Otherwise a batch is posted once per turn of the event loop. */
const BATCH_CHARACTERS = 64 * 1024;

/** Collects the lines of a worker and posts them in batches. */
export class LineBatch {
  readonly #post: (lines: string) => void;
  readonly #flushLater = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
  #lines = '';
  #isScheduled = false;

  /** @param post receives complete lines, each with its newline */
  constructor(post: (lines: string) => void) {
    this.#post = post;
  }

  /** Adds a line with its newline. */
  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BATCH_CHARACTERS) {
      this.flush();
    } else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#flushLater);
    }
  }

  /** Posts the waiting lines. A worker calls it before its task ends. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#post(lines);
  }
}
