/** Formats of the key `redis`: the server through which machines share limits and revocations. */
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, pattern } from '../../syntax/formats.ts';
import { HIDDEN, refuseHidden } from '../../syntax/outside/hidden.ts';

/** Path of a URL: the number of a database, or nothing. */
const DATABASE = /^\/?(?:\d{1,5})?$/;

const readRedisUrl: Format<string> = (value) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new FormatError(
      'the value is not the URL of a Redis server: write redis://host:port, or rediss://host:port for TLS',
    );
  }
  if (!DATABASE.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new FormatError(
      'the URL has more than a database number after the host: write redis://host:port/0',
    );
  }
  refuseHidden(url.password);
  for (const part of [url.username, url.password]) {
    try {
      decodeURIComponent(part);
    } catch {
      throw new FormatError(
        "the URL's user or password has an invalid % escape: write %25 for a percent sign",
      );
    }
  }
  return url.href;
};

/** URL of a Redis server. Messages omit it, because it may contain a password. */
export const redisUrl = described(
  {
    type: 'text',
    what: 'the URL of a Redis server',
    remedy: 'write redis://host:port, or rediss://host:port for TLS',
  },
  readRedisUrl,
);

/** Prefix of all keys. */
export const redisPrefix = pattern(
  /^[\w.:-]{1,64}$/,
  'a prefix of keys',
  'write up to 64 letters, digits, "_", ".", ":" and "-"',
);

/** Returns the URL with a placeholder instead of its password. */
export function withHiddenPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = HIDDEN;
  return parsed.href;
}
