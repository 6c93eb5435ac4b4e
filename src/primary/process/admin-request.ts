import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Config } from '../../config/types/config.ts';
import { isAnyHost } from '../../core/address.ts';
import type { CommandAnswer } from '../../protocol/admin-answers.ts';

export interface AdminAnswer {
  readonly status: number;
  /** Without parameters; empty if the answer has no type. */
  readonly mediaType: string;
  readonly body: string;
}

/**
 * Sends a request to the process that serves an admin address. Not by `fetch`, which refuses some ports that a server
 * may have.
 *
 * @param timeoutMs for the whole answer
 * @returns the answer, whatever its status; rejects with Node's error if there is none
 */
export async function askAdmin(
  { address: { host, port }, token }: Pick<Config['admin'], 'address' | 'token'>,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  timeoutMs: number,
): Promise<AdminAnswer> {
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
    signal: AbortSignal.timeout(timeoutMs),
  });
  // Reading the body reports an error behind the head as well. Without a handler that error would end the process.
  asking.on('error', () => undefined);
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const { statusCode: status = 0, headers } = response;
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  return { status, mediaType: mediaType.trim().toLowerCase(), body: await text(response) };
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
