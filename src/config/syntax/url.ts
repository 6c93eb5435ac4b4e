/** Format of URLs that sluice requests. */
import { isLoopbackHost } from '../../core/address.ts';
import type { Format } from './formats.ts';
import { FormatError, describe, text } from './formats.ts';

/**
 * Returns the format of an http or https URL. Messages omit a URL with a password, which is secret.
 *
 * @param what name of the URL in messages
 */
export function httpUrl(what: string): Format<URL> {
  const read = text(what);
  return (value) => {
    const found = read(value);
    const url = URL.canParse(found) ? new URL(found) : null;
    if (url !== null && (url.username !== '' || url.password !== '')) {
      throw new FormatError('the URL contains a user or password, which would appear in logs: remove it');
    }
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new FormatError(
        `${describe(found)} is not ${what}: write one such as https://auth.example.com/path`,
      );
    }
    if (url.hash !== '') {
      throw new FormatError(
        `${describe(found)} has a fragment, which is never sent to servers: remove "#" and the text after it`,
      );
    }
    return url;
  };
}

/** Whether traffic to the URL crosses the network unencrypted: plain HTTP to another machine. */
export function isUnencrypted(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopbackHost(url.hostname);
}
