import type { IncomingMessage } from 'node:http';

/** The subprotocol of a client that asks what arrived of its handshake. */
export const INSPECT_PROTOCOL = 'sluice.inspect';

/** A handshake as a demo server saw it. */
interface Inspection {
  /** The name of the app that got the handshake. */
  readonly app: string;
  readonly endpoint: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in the order of their arrival. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const MAX_HEADERS = 64;
const MAX_CHARACTERS = 400;
const HIDDEN = '(hidden)';
/**
 * Headers whose values are shown. A browser adds cookies to a handshake that a page of any site opens, and a proxy
 * in front may add credentials of any name. That page must not read them here, so all other values are hidden.
 */
const SHOWN = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'connection',
  'forwarded',
  'host',
  'origin',
  'pragma',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-storage-access',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'upgrade',
  'user-agent',
  'via',
  'x-demo-route',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

/** Describes a handshake for its sender: at most 64 headers, with the values of those that hold no secrets. */
export function inspect(
  { url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>,
  { app, endpoint }: Pick<Inspection, 'app' | 'endpoint'>,
): Inspection {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length && headers.length < MAX_HEADERS; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    headers.push([shorten(name), SHOWN.has(name) ? shorten(rawHeaders[at + 1]!) : HIDDEN]);
  }
  return { app, endpoint, target: shorten(url), headers };
}

function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}
