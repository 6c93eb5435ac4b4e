import type { RequestHead } from './request-head.ts';

/**
 * The value of a cookie in a request (RFC 6265 section 4.2.1), without the quotes that may be around it; of
 * several of that name the first, which is the one with the longest path. Null where there is none.
 */
export function cookieOf(head: RequestHead, name: string): string | null {
  const { headers } = head;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'cookie') continue;
    for (const pair of headers[index + 1]!.split(';')) {
      const end = pair.indexOf('=');
      if (end < 0 || pair.slice(0, end).trim() !== name) continue;
      const value = pair.slice(end + 1).trim();
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return null;
}
