import { request as requestInClear, type IncomingMessage } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { isLoopbackHost } from '../../../core/address.ts';
import { keysIn } from './key-set-text.ts';

/** A fetched key set. */
export interface FetchedKeySet {
  readonly jwks: string;
  /** Number of keys. */
  readonly keys: number;
  /** `max-age` of Cache-Control in milliseconds; null if absent. */
  readonly maxAgeMs: number | null;
}

/** Max time of a whole fetch, including redirects. */
const TIMEOUT_MS = 5000;
/** Identity providers publish sets of 1 to 20 KiB. */
const MAX_SET_BYTES = 512 * 1024;
const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches a key set on a new connection.
 *
 * @param signal aborts the fetch
 * @throws Error with a short reason for the log
 */
export async function fetchKeySet(url: string, signal: AbortSignal): Promise<FetchedKeySet> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await follow(new URL(url), AbortSignal.any([signal, timeout]));
    const jwks = await textOf(response);
    return { jwks, keys: keysIn(jwks), maxAgeMs: maxAgeOf(response.headers['cache-control']) };
  } catch (error) {
    if (timeout.aborted) throw new Error(`no answer within ${TIMEOUT_MS / 1000} s`, { cause: error });
    throw error;
  }
}

/** Follows redirects until a response has status 200. */
async function follow(first: URL, signal: AbortSignal): Promise<IncomingMessage> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await responseOf(url, signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) throw new Error(`status ${statusCode}`);
    url = redirected(url, headers.location);
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}

/** Resolves a redirect. It must not leave TLS: an attacker on the network could then replace the keys. */
function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new Error('redirect to an invalid URL');
  const url = new URL(location, from);
  const isLocal = [from, url].every(({ protocol }) => protocol === 'http:') && isLoopbackHost(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) throw new Error('redirect away from https');
  return url;
}

function responseOf(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? requestSecurely : requestInClear;
  const headers = { accept: 'application/jwk-set+json, application/json', 'accept-encoding': 'identity' };
  // No agent: the next fetch is minutes away, so the connection closes after the response.
  request(url, { agent: false, headers, signal }, resolve).on('error', reject).end();
  return promise;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    // Throwing out of the loop destroys the response.
    if (length > MAX_SET_BYTES) throw new Error(`more than ${MAX_SET_BYTES / 1024} KiB`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function maxAgeOf(cacheControl: string | undefined): number | null {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(cacheControl ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
