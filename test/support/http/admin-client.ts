/** Requests to the admin server of a running sluice. */
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { within } from '../deadline.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Asks on a new connection, and closes it. Metrics are read after the call.
 *
 * @param admin `host:port`
 */
export function askAdmin(
  admin: string,
  path: string,
  { method = 'GET', accept = '*/*' }: { readonly method?: string; readonly accept?: string } = {},
): Promise<AdminAnswer> {
  const answer = new Promise<AdminAnswer>((settle, fail) => {
    const options = { method, agent: false, headers: { accept, 'cache-control': 'no-cache' } };
    const asked = request(`http://${admin}${path}`, options, (response) => {
      text(response).then(
        (body) => settle({ status: response.statusCode ?? 0, headers: response.headers, body }),
        fail,
      );
    });
    asked.once('error', fail);
    asked.end();
  });
  return within(`the answer of ${path}`, answer);
}
