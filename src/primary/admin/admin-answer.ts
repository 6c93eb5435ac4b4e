import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminConnection } from './admin-connections.ts';
import { encodingFor } from './pages/accepted-encoding.ts';
import type { PageBody } from './pages/page-body.ts';

/** A page in the encoding that its client takes. */
export interface EncodedPage {
  readonly page: PageBody;
  readonly encoding: 'gzip' | null;
}

/** The connection of an answer: knows how long the client takes for it. */
export type AnswerClient = Pick<AdminConnection, 'answered' | 'taken'>;

/** The body of an answer that goes on after the request has been handled. */
export interface AnswerStream {
  /** Begins to write, after the head of the answer. The connection may have been closed meanwhile. */
  begin(response: ServerResponse, client: AnswerClient): void;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Bytes are written as they are. */
  readonly body: string | Buffer | EncodedPage | AnswerStream;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that is whole. */
interface TextAnswer extends Answer {
  readonly body: string;
}

/** The head of a request, as far as an answer depends on it. */
export interface AdminRequest extends Pick<
  IncomingMessage,
  'method' | 'url' | 'httpVersion' | 'headers' | 'headersDistinct'
> {
  readonly socket: { readonly remoteAddress?: string | undefined };
}

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Answers a command, or refuses a request, with a `CommandAnswer` of `protocol/`.
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
 * Answers a health check: `ok` or the reason in plain text. Load balancers match this word, and Kubernetes shows the
 * body in its events.
 */
export function healthAnswer(problem: string | null): TextAnswer {
  return { status: problem === null ? 200 : 503, type: TEXT_TYPE, body: `${problem ?? 'ok'}\n` };
}

/** Answers with a shared page, in gzip if the client takes it. */
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

/** Writes the JSON of an answer, indented for people. */
function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
