/** Reads the key `alpn` of a listener's TLS. */
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, text } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { readValue } from '../../../syntax/section.ts';

const DEFAULT_ALPN = ['http/1.1'];
/** Max bytes of a name (RFC 7301 section 3.1). */
const MAX_NAME_BYTES = 255;
const MAX_NAMES = 32;

/** Reads the optional key. An empty list disables the negotiation. */
export function readAlpn(tls: Section): readonly string[] {
  if (!tls.has('alpn')) return DEFAULT_ALPN;
  const names = tls.anyNumber('alpn', 'protocols').flatMap(({ value, path }) => {
    const name = readValue(value, path, tls.problems, protocol, null);
    return name === null ? [] : [name];
  });
  if (names.length > MAX_NAMES) {
    tls.problemAt('alpn', `${names.length} protocols are too many: write at most ${MAX_NAMES}`);
  }
  return [...new Set(names)];
}

const readText = text('a protocol');

const protocol: Format<string> = (value) => {
  const name = readText(value);
  if (/^(?:h2|h3|h3-\d+|hq-.*|spdy\/.*)$/i.test(name)) {
    throw new FormatError(
      `${describe(name)} is not supported, and clients that choose it would fail: write http/1.1`,
    );
  }
  if (/[^!-~]/.test(name) || name.length > MAX_NAME_BYTES) {
    throw new FormatError(
      `${describe(name)} is not a protocol: write 1 to ${MAX_NAME_BYTES} ASCII characters without spaces, such as http/1.1`,
    );
  }
  return name;
};
