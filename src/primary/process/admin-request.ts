import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Config } from '../../config/types/config.ts';

interface AdminAnswer {
  readonly status: number;
  /** Without parameters; empty if the answer names none. */
  readonly mediaType: string;
  readonly body: string;
}

/**
 * Asks the process that serves an admin address. Not by `fetch`, which refuses some ports that a server may have.
 *
 * @param timeoutMs for the whole of it
 * @returns its answer, whatever the status; rejects where there is none, with what Node says of it
 */
export async function askAdmin(
  { address: { host, port }, token }: Pick<Config['admin'], 'address' | 'token'>,
  method: 'GET' | 'POST',
  path: string,
  timeoutMs: number,
): Promise<AdminAnswer> {
  const asking = request({
    host: host === '::' || host === '0.0.0.0' ? 'localhost' : host,
    port,
    path,
    method,
    agent: false,
    headers: {
      // Metrics that were rendered before the request would be up to a second old.
      'Cache-Control': 'no-cache',
      ...(token !== null && { Authorization: `Bearer ${token}` }),
    },
    signal: AbortSignal.timeout(timeoutMs),
  });
  // One that comes behind the head is told by the body; without a handler it would end the process, too.
  asking.on('error', () => undefined);
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const { statusCode: status = 0, headers } = response;
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';', 1);
  return { status, mediaType: mediaType.trim().toLowerCase(), body: await text(response) };
}
