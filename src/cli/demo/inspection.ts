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
 * Headers with secrets. A browser adds its cookies to a handshake that a page of any site opens, and that page
 * must not read them here.
 */
const SECRET = /^(?:cookie|.*authorization|.*token.*|.*api-?key)$/;

/** Describes a handshake for its sender, without secrets, with at most 64 headers. */
export function inspect(
  { url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>,
  { app, endpoint }: Pick<Inspection, 'app' | 'endpoint'>,
): Inspection {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length && headers.length < MAX_HEADERS; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    headers.push([shorten(name), SECRET.test(name) ? HIDDEN : shorten(rawHeaders[at + 1]!)]);
  }
  return { app, endpoint, target: shorten(url), headers };
}

function shorten(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}
