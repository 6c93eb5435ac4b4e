import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminConnection } from './admin-connections.ts';
import { encodingFor } from './pages/accepted-encoding.ts';
import type { PageBody } from './pages/page-body.ts';

/** A page in the encoding that the client accepts. */
export interface EncodedPage {
  readonly page: PageBody;
  readonly encoding: 'gzip' | null;
}

/** The connection of an answer. Measures how long the client takes to receive it. */
export type AnswerClient = Pick<AdminConnection, 'answered' | 'taken'>;

/** The body of an answer that continues after the request was handled. */
export interface AnswerStream {
  /** Starts to write, after the answer's head. The connection may already be closed. */
  begin(response: ServerResponse, client: AnswerClient): void;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** A Buffer is written unchanged. */
  readonly body: string | Buffer | EncodedPage | AnswerStream;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with a complete body. */
interface TextAnswer extends Answer {
  readonly body: string;
}

/** The parts of a request that its answer depends on. */
export interface AdminRequest extends Pick<
  IncomingMessage,
  'method' | 'url' | 'httpVersion' | 'headers' | 'headersDistinct'
> {
  readonly socket: { readonly remoteAddress?: string | undefined };
}

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Builds the `CommandAnswer` of a command or a refusal: see `protocol/`.
 *
 * @param fields further keys of the body
 */
export function jsonAnswer(
  status: number,
  message: string,
  {
    fields = {},
    headers = {},
  }: { readonly fields?: object | undefined; readonly headers?: Answer['headers'] } = {},
): TextAnswer {
  return { status, type: JSON_TYPE, body: jsonText({ status, message, ...fields }), headers };
}

/**
 * Builds the answer of a health check: `ok` or the reason, in plain text. Load balancers match this word, and
 * Kubernetes shows the body in its events.
 */
export function healthAnswer(problem: string | null): TextAnswer {
  return { status: problem === null ? 200 : 503, type: TEXT_TYPE, body: `${problem ?? 'ok'}\n` };
}

/** Builds the answer for a shared page, in gzip if the client accepts it. */
export function pageAnswer(page: PageBody, { headers }: AdminRequest, vary: readonly string[] = []): Answer {
  const encoding = encodingFor(headers['accept-encoding'] ?? '', page.length(null));
  return {
    status: 200,
    type: page.type,
    body: { page, encoding },
    headers: {
      Vary: [...vary, 'Accept-Encoding'].join(', '),
      ...(encoding !== null && { 'Content-Encoding': encoding }),
    },
  };
}

/** Formats the JSON of an answer, indented for people. */
function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
