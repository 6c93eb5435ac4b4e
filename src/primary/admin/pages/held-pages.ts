import type { PageBody } from './page-body.ts';

/** Max bytes of all pages with readers. A page of 100,000 endpoints takes 4 MB. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/**
 * Limits the memory of pages. A slow client keeps the page that it reads, while other clients request newer
 * pages. If all pages together take too much memory, the readings of the oldest pages end.
 */
export class HeldPages {
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #pages = new Set<Pick<PageBody, 'heldBytes' | 'readings' | 'drop'>>();

  constructor(maxBytes = MAX_HELD_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a page that is about to be read. */
  add(page: Pick<PageBody, 'heldBytes' | 'readings' | 'drop' | 'ended'>): void {
    if (this.#pages.has(page)) return;
    this.#pages.add(page);
    void page.ended.then(() => this.#trim());
  }

  /**
   * Drops pages that nobody reads. Above the limit, also drops pages that are being read, oldest first. Never
   * drops the newest page.
   */
  #trim(): void {
    const older = [...this.#pages].slice(0, -1);
    let bytes = 0;
    for (const page of this.#pages) bytes += page.heldBytes;
    for (const page of older) {
      const isRead = page.readings > 0;
      if (isRead && bytes <= this.#maxBytes) continue;
      this.#pages.delete(page);
      bytes -= page.heldBytes;
      if (isRead) page.drop();
    }
  }
}
