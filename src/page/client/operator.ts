import type { CommandAnswer } from '../../protocol/admin/answers.ts';

/** An answer of the admin API. */
export interface ApiAnswer {
  /** The status; 0 if nobody answered. */
  readonly status: number;
  /** One sentence for a person. */
  readonly message: string;
  /** All keys of the answer. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Longest wait for an answer. A reload reads large files. */
const TIMEOUT_MS = 60_000;
/** Max characters of a message that is shown. */
const MAX_MESSAGE_LENGTH = 2000;
const NOT_TAKEN = 'The proxy does not take this token.';
/** The browser refuses to send other characters in a header. */
const VISIBLE_ASCII = /^[!-~]+$/;
const NOBODY: ApiAnswer = { status: 0, message: 'the proxy does not answer', body: {} };

/**
 * Sends commands and questions with the operator's token.
 *
 * The token is in this object alone: not in an address, a cookie, or a storage of the browser. It is forgotten when the proxy does
 * not take it any more.
 */
export class Operator {
  readonly #fetch: typeof globalThis.fetch;
  readonly #onChange: () => void;
  #token: string | null = null;

  /** @param onChange called when the token has come or gone */
  constructor(fetch: typeof globalThis.fetch, onChange: () => void) {
    this.#fetch = fetch;
    this.#onChange = onChange;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /**
   * Takes a token if the proxy takes it.
   *
   * @returns null, or why not
   */
  async login(token: string): Promise<string | null> {
    if (!VISIBLE_ASCII.test(token)) return NOT_TAKEN;
    const { status, message } = await this.#send('GET', '/sessions?limit=1', token);
    // Workers that do not answer in time are no reason against the token.
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

  /** Sends a command or a question. Never rejects. Without a token nothing is sent, and the status is 401. */
  async send(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<ApiAnswer> {
    const token = this.#token;
    if (token === null) return { status: 401, message: 'enter the token first', body: {} };
    const answer = await this.#send(method, path, token);
    if (answer.status === 401 && this.#token === token) this.forget();
    return answer;
  }

  /** Asks for what needs no token. Never rejects. */
  ask(path: string): Promise<ApiAnswer> {
    return this.#send('GET', path, null);
  }

  async #send(method: string, path: string, token: string | null): Promise<ApiAnswer> {
    try {
      // Relative: a server in front may serve the page below a path.
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
