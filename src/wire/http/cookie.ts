import type { RequestHead } from './request-head.ts';

/**
 * Returns the value of a cookie without its quotes (RFC 6265 section 4.2.1); null without the cookie. The
 * first of several cookies with this name wins: browsers send the longest path first.
 */
export function cookieOf(head: RequestHead, name: string): string | null {
  return cookiesOf(head, name, 1)[0] ?? null;
}

/** Returns the first values of a cookie, at most `max`, in the client's order. */
export function cookiesOf({ headers }: RequestHead, name: string, max: number): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'cookie') continue;
    for (const pair of headers[index + 1]!.split(';')) {
      const end = pair.indexOf('=');
      if (end < 0 || pair.slice(0, end).trim() !== name) continue;
      const value = pair.slice(end + 1).trim();
      const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
      values.push(isQuoted ? value.slice(1, -1) : value);
      if (values.length === max) return values;
    }
  }
  return values;
}
