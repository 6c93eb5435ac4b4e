import type { CommandAnswer } from '../../protocol/admin/answers.ts';

/** An answer of the admin API. */
export interface ApiAnswer {
  /** The status code; 0 without an answer. */
  readonly status: number;
  /** One sentence for a person. */
  readonly message: string;
  /** All keys of the answer. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Max wait for an answer. A reload reads large files. */
const TIMEOUT_MS = 60_000;
/** Max characters of a message to show. */
const MAX_MESSAGE_LENGTH = 2000;
const NOT_TAKEN = 'The proxy does not accept this token.';
/** Browsers reject other characters in this header. */
const VISIBLE_ASCII = /^[!-~]+$/;
const NOBODY: ApiAnswer = { status: 0, message: 'the proxy does not answer', body: {} };

/**
 * Sends requests with the operator's token.
 *
 * Only this object holds the token: no URL, cookie or browser storage has it. The token is forgotten when the
 * proxy rejects it.
 */
export class Operator {
  readonly #fetch: typeof globalThis.fetch;
  readonly #onChange: () => void;
  #token: string | null = null;

  /** @param onChange called when the token is set or forgotten */
  constructor(fetch: typeof globalThis.fetch, onChange: () => void) {
    this.#fetch = fetch;
    this.#onChange = onChange;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /**
   * Keeps a token if the proxy accepts it.
   *
   * @returns null, or the reason for the refusal
   */
  async login(token: string): Promise<string | null> {
    if (!VISIBLE_ASCII.test(token)) return NOT_TAKEN;
    const { status, message } = await this.#send('GET', '/sessions?limit=1', token);
    // 503 means that some workers did not answer in time. The token is still valid.
    if (status !== 200 && status !== 503) {
      return status === 401 ? NOT_TAKEN : `Not tried: ${message}`;
    }
    this.#token = token;
    this.#onChange();
    return null;
  }

  forget(): void {
    if (this.#token === null) return;
    this.#token = null;
    this.#onChange();
  }

  /** Sends a request with the token. Never rejects. Without a token, sends nothing and returns status 401. */
  async send(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<ApiAnswer> {
    const token = this.#token;
    if (token === null) return { status: 401, message: 'enter the token first', body: {} };
    const answer = await this.#send(method, path, token);
    if (answer.status === 401 && this.#token === token) this.forget();
    return answer;
  }

  /** Requests a path that needs no token. Never rejects. */
  ask(path: string): Promise<ApiAnswer> {
    return this.#send('GET', path, null);
  }

  async #send(method: string, path: string, token: string | null): Promise<ApiAnswer> {
    try {
      // A relative URL, because a reverse proxy may serve the page below a path.
      const response = await this.#fetch(path.replace(/^\//, ''), {
        method,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return answerOf(response.status, await response.json());
    } catch {
      return NOBODY;
    }
  }
}

function answerOf(status: number, body: unknown): ApiAnswer {
  if (typeof body !== 'object' || body === null) return { status, message: `status ${status}`, body: {} };
  const { message, problem } = body as Partial<CommandAnswer> & { readonly problem?: unknown };
  const texts = [message, problem].filter((text) => typeof text === 'string');
  return {
    status,
    message: texts.length === 0 ? `status ${status}` : texts.join('\n').slice(0, MAX_MESSAGE_LENGTH),
    body: body as ApiAnswer['body'],
  };
}
