/** Chooses the pages of sluice's own error answers, and bounds their bytes. */
import type { ErrorPage, ErrorPageSettings } from '../../config/types/error-page.ts';

/**
 * Max bytes of pages per second of one listener in one worker, and max bytes at once after a pause. Further
 * refusals get short texts, so that a flood of bad requests does not fill the network.
 */
export const MAX_PAGE_BYTES_PER_SECOND = 8 * 1024 * 1024;

/** A token bucket of bytes. */
class PageBudget {
  readonly #clock: () => number;
  #left = MAX_PAGE_BYTES_PER_SECOND;
  #at: number;

  /** @param clock monotonic clock in milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#at = clock();
  }

  /** Takes bytes if there are enough. */
  take(bytes: number): boolean {
    const now = this.#clock();
    const earned = ((now - this.#at) / 1000) * MAX_PAGE_BYTES_PER_SECOND;
    this.#left = Math.min(MAX_PAGE_BYTES_PER_SECOND, this.#left + earned);
    this.#at = now;
    if (this.#left < bytes) return false;
    this.#left -= bytes;
    return true;
  }
}

/** The pages of one route, or of requests without a route. All routes of a listener share one budget. */
export class ErrorPages {
  readonly #pages: ErrorPageSettings;
  readonly #budget: PageBudget;

  private constructor(pages: ErrorPageSettings, budget: PageBudget) {
    this.#pages = pages;
    this.#budget = budget;
  }

  /** Returns the pages of a listener. @param clock monotonic clock in milliseconds */
  static of(settings: ErrorPageSettings, clock: () => number = () => performance.now()): ErrorPages {
    return new ErrorPages(settings, new PageBudget(clock));
  }

  /** Returns the pages of a route: its pages replace the listener's. @param pages null for no pages at all */
  withRoute(pages: ErrorPageSettings | null): ErrorPages {
    if (pages === null) return new ErrorPages(new Map(), this.#budget);
    const inheritsAll = pages.size === 0;
    return inheritsAll ? this : new ErrorPages(new Map([...this.#pages, ...pages]), this.#budget);
  }

  /**
   * Returns the page for an answer: of its status, of its class, or the default. Null for the short text: no
   * page fits, the answer is no error, or too many bytes were sent.
   */
  take(status: number): ErrorPage | null {
    const pages = this.#pages;
    if (pages.size === 0 || status < 400) return null;
    const page =
      pages.get(String(status)) ?? pages.get(`${Math.floor(status / 100)}xx`) ?? pages.get('default');
    return page !== undefined && this.#budget.take(page.body.length) ? page : null;
  }
}
