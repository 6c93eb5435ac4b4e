/** Reads the keys `origins` and `originRequired` of access: which pages may open WebSockets. */
import { isIPv4 } from 'node:net';
import { described } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, isOff, text, toggle } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';
import type { OriginPattern, OriginSettings } from '../../types/access.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/;
const EXAMPLE = 'write one such as https://app.example.com';

/** Reads both keys. Each of them replaces the inherited one. */
export function readOrigins(access: Section, inherited: OriginSettings | null): OriginSettings | null {
  if (!access.has('origins') && !access.has('originRequired')) return inherited;
  const isRequired = access.optional('originRequired', required, inherited?.isRequired ?? false);
  const origins = access.has('origins') ? readList(access) : inherited;
  if (origins !== null) return { ...origins, isRequired };
  if (isRequired && access.has('originRequired')) {
    access.problemAt(
      'originRequired',
      'without origins every Origin passes, so clients could send any: list the origins, or leave originRequired out',
    );
  }
  return null;
}

const required = described({ type: 'either', of: [{ type: 'boolean' }, { type: 'off' }] }, (value) =>
  isOff(value) ? false : toggle(value),
);

function readList(access: Section): Omit<OriginSettings, 'isRequired'> | null {
  if (access.isOff('origins')) return null;
  let allowsSelf = false;
  let allowsNull = false;
  const patterns: OriginPattern[] = [];
  for (const { value, path } of access.oneOrMore(
    'origins',
    'origins such as https://app.example.com, and self',
  )) {
    const origin = readValue(value, path, access.problems, originFormat, null);
    if (origin === 'self') allowsSelf = true;
    else if (origin === 'null') allowsNull = true;
    else if (origin !== null) patterns.push(origin);
  }
  return { allowsSelf, allowsNull, patterns };
}

/**
 * An origin as browsers serialize it (RFC 6454 section 6.2), optionally with `*.` before the host or `*` as
 * the port.
 */
const originFormat: Format<OriginPattern | 'self' | 'null'> = (value) => {
  if (value === null) {
    throw new FormatError(
      'an empty value is not an origin: write "null", in quotes, for sandboxed pages and files',
    );
  }
  const found = text('an origin')(value);
  if (found === 'self' || found === 'null') return found;
  return patternOf(found);
};

function patternOf(found: string): OriginPattern {
  const shown = describe(found);
  if (found === '*')
    throw new FormatError('"*" would admit pages of every site: leave origins out to allow that');
  if (found !== found.toLowerCase()) {
    const lower = describe(found.toLowerCase());
    throw new FormatError(`${shown} has capitals, which browsers never send in an Origin: write ${lower}`);
  }
  const match = /^([^/]*?):\/\/([^/?#]*)(.*)$/.exec(found);
  if (match === null) throw new FormatError(`${shown} has no scheme: write "https://${found}"`);
  const [, scheme = '', authority = '', rest = ''] = match;
  // A remedy shows no password.
  const shownAuthority = authority.replace(/^.*@/, '');
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw new FormatError(`${shown} has a scheme that pages cannot have: ${EXAMPLE}`);
  }
  if (scheme === 'ws' || scheme === 'wss') {
    const page = scheme === 'ws' ? 'http' : 'https';
    throw new FormatError(`an Origin names the page, not the WebSocket: write "${page}://${shownAuthority}"`);
  }
  if (scheme === 'file')
    throw new FormatError('pages from files have the origin null: write "null", in quotes');
  if (rest !== '') {
    throw new FormatError(
      `${shown} has a path, which an Origin never has: write "${scheme}://${shownAuthority}"`,
    );
  }
  const [, host = '', port] = /^(.*?)(?::(\d{1,5}|\*))?$/.exec(authority) ?? [];
  checkHost(shown, scheme, host);
  return { scheme, host, port: portOf(shown, scheme, port) };
}

/** @throws FormatError if browsers never write the host like this */
function checkHost(shown: string, scheme: string, host: string): void {
  const name = host.startsWith('*.') ? host.slice(2) : host;
  if (host.includes('@'))
    throw new FormatError(`${shown} has a user, which an Origin never has: leave it out`);
  if (name.includes('*')) {
    throw new FormatError(`${shown} has a star inside: only "*." before the host, and ":*", can be matched`);
  }
  if (/[^\x20-\x7e]/.test(name)) {
    throw new FormatError(`${shown} has characters beyond ASCII: write the host as browsers do, with "xn--"`);
  }
  const isAddress = name.startsWith('[') || /^[\d.]+$/.test(name);
  if (isAddress && host !== name)
    throw new FormatError(`${shown} has a star before an address: leave it out`);
  if (!isAddress && HOST.test(name)) return;
  const browsers = `${scheme in DEFAULT_PORTS ? scheme : 'http'}://${name}`;
  if (isAddress && URL.canParse(browsers)) {
    const written = new URL(browsers).hostname;
    if (written === name && (isIPv4(name) || name.startsWith('['))) return;
    throw new FormatError(`${shown} has an address that browsers write differently: write "${written}"`);
  }
  throw new FormatError(`${shown} has an invalid host: ${EXAMPLE}`);
}

/** Returns null for any port, and for a scheme without ports. */
function portOf(shown: string, scheme: string, port: string | undefined): number | null {
  if (port === undefined) return DEFAULT_PORTS[scheme] ?? null;
  if (port === '*') return null;
  const number = Number(port);
  if (number > 0 && number < 65536) return number;
  throw new FormatError(`${shown} has a port out of range: write 1 to 65535, or * for every port`);
}
