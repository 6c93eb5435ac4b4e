import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Config } from '../../config/types/config.ts';
import { isAnyHost } from '../../core/address.ts';
import type { CommandAnswer } from '../../protocol/admin/answers.ts';

export interface AdminAnswer {
  readonly status: number;
  /** Media type without parameters; empty if the answer has no type. */
  readonly mediaType: string;
  readonly body: string;
}

/** Address and token of an admin server. */
type AdminTarget = Pick<Config['admin'], 'address' | 'token'>;

/**
 * Sends a request to the process that serves an admin address, and reads the answer.
 *
 * @param signal aborts the request
 * @param timeoutMs max time for the whole answer
 * @returns the answer with any status. Rejects with Node's error if there is no answer
 */
export async function askAdmin(
  place: AdminTarget,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<AdminAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  return answerOf(await send(place, method, path, either));
}

/**
 * Requests a stream, such as `GET /live`.
 *
 * @param silenceMs max time between two pieces of the stream
 * @returns the stream, which emits an error if it is cut. If the status is not 200, the answer
 */
export async function openAdmin(
  place: AdminTarget,
  method: 'GET' | 'POST',
  path: string,
  silenceMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage | AdminAnswer> {
  const response = await send(place, method, path, signal, silenceMs);
  return response.statusCode === 200 ? response : answerOf(response);
}

/**
 * Resolves with the head of the answer. Does not use `fetch`, which blocks some ports that a server may have.
 */
async function send(
  { address: { host, port }, token }: AdminTarget,
  method: string,
  path: string,
  signal: AbortSignal,
  silenceMs?: number,
): Promise<IncomingMessage> {
  const asking = request({
    host: isAnyHost(host) ? 'localhost' : host,
    port,
    path,
    method,
    agent: false,
    headers: {
      // Otherwise the metrics could be up to a second older than the request.
      'Cache-Control': 'no-cache',
      ...(token !== null && { Authorization: `Bearer ${token}` }),
    },
    signal,
  });
  // Errors after the head also surface when the body is read. Without this handler, they would end the
  // process.
  asking.on('error', () => undefined);
  if (silenceMs !== undefined) {
    asking.setTimeout(silenceMs, () => asking.destroy(new Error(`silent for ${silenceMs / 1000} s`)));
  }
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response;
}

async function answerOf(response: IncomingMessage): Promise<AdminAnswer> {
  const { statusCode: status = 0 } = response;
  return { status, mediaType: mediaTypeOf(response), body: await text(response) };
}

/** Returns the media type of an answer in lower case, without parameters. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  return mediaType.trim().toLowerCase();
}

/** Parses the answer to a command; null if the server was not sluice. */
export function commandAnswerOf({ mediaType, body }: AdminAnswer): CommandAnswer | null {
  if (mediaType !== 'application/json') return null;
  try {
    const answer = JSON.parse(body) as Partial<CommandAnswer> | null;
    return typeof answer?.message === 'string' ? (answer as CommandAnswer) : null;
  } catch {
    return null;
  }
}

/**
 * Returns the message of an answer: its `message`, the first line of other text, or other JSON in one line.
 */
export function messageFrom(answer: AdminAnswer): string {
  const message = commandAnswerOf(answer)?.message;
  if (message !== undefined) return message;
  const { body } = answer;
  // Older versions answer indented JSON without a message. Its first line is only a brace.
  if (body.startsWith('{')) return body.trim().replaceAll(/\s+/g, ' ');
  return body.split('\n', 1)[0] ?? '';
}
