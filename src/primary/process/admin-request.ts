import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Config } from '../../config/types/config.ts';
import { isAnyHost } from '../../core/address.ts';
import type { CommandAnswer } from '../../protocol/admin/answers.ts';

export interface AdminAnswer {
  readonly status: number;
  /** Without parameters; empty if the answer has no type. */
  readonly mediaType: string;
  readonly body: string;
}

/** Where an admin server is, and its token. */
type AdminPlace = Pick<Config['admin'], 'address' | 'token'>;

/**
 * Sends a request to the process that serves an admin address, and reads the answer.
 *
 * @param signal ends the request, as the timeout does
 * @param timeoutMs for the whole answer
 * @returns the answer, whatever its status; rejects with Node's error if there is none
 */
export async function askAdmin(
  place: AdminPlace,
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
 * Asks for a stream, such as `GET /live`.
 *
 * @param silenceMs max time between two pieces of the stream
 * @returns the stream, which errors if it is cut; the answer if its status is not 200
 */
export async function openAdmin(
  place: AdminPlace,
  method: 'GET' | 'POST',
  path: string,
  silenceMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage | AdminAnswer> {
  const response = await send(place, method, path, signal, silenceMs);
  return response.statusCode === 200 ? response : answerOf(response);
}

/** Not by `fetch`, which refuses some ports that a server may have. Resolves when the head of the answer has come. */
async function send(
  { address: { host, port }, token }: AdminPlace,
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
      // Else the metrics may have been rendered up to a second before the request.
      'Cache-Control': 'no-cache',
      ...(token !== null && { Authorization: `Bearer ${token}` }),
    },
    signal,
  });
  // Reading the body reports an error behind the head as well. Without a handler that error would end the process.
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

/** Returns the type of an answer in lower case, without parameters. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  return mediaType.trim().toLowerCase();
}

/** Returns the JSON of an answer to a command; null if something else than sluice answered. */
export function commandAnswerOf({ mediaType, body }: AdminAnswer): CommandAnswer | null {
  if (mediaType !== 'application/json') return null;
  try {
    const answer = JSON.parse(body) as Partial<CommandAnswer> | null;
    return typeof answer?.message === 'string' ? (answer as CommandAnswer) : null;
  } catch {
    return null;
  }
}

/** Returns the sentence of an answer: its `message`, the first line of another text, or other JSON in one line. */
export function sentenceOf(answer: AdminAnswer): string {
  const message = commandAnswerOf(answer)?.message;
  if (message !== undefined) return message;
  const { body } = answer;
  // A process of an older version answers indented JSON without a message. Its first line is a brace.
  if (body.startsWith('{')) return body.trim().replaceAll(/\s+/g, ' ');
  return body.split('\n', 1)[0] ?? '';
}
