/** Formats of single values. Each parses a raw value, or throws an error with a remedy. */
import {
  isAnyHost,
  parseAddress,
  parseTcpAddress,
  type Address,
  type TcpAddress,
} from '../../core/address.ts';
import { TOKEN } from '../../core/tokens.ts';
import { formatByteSize, parseByteSize } from '../../core/units/byte-size.ts';
import { formatDuration, parseDuration } from '../../core/units/duration.ts';
import { formatByteRate, formatRate, parseByteRate, parseRate } from '../../core/units/rate.ts';
import { DESCRIBE, Description, described } from './format-description.ts';
import { nearest } from './hints/nearest.ts';

/** Parses a raw value. Throws a FormatError if the value is invalid. */
export type Format<T> = (value: unknown) => T;

/** An error about one value, without its place. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** Inclusive bounds of a number. */
interface Range {
  readonly min: number;
  readonly max: number;
  /** Meaning of 0 if it is allowed in addition to the range: `never`, `no limit`. */
  readonly zero?: string;
}

const CONTROL = /[\u0000-\u001f\u007f]/;

/** Matches the password of a URL. */
const PASSWORD = /(?<=:\/\/[^/\s:@]*:)[^/\s@]+(?=@)/g;

/** Describes a raw value in a message, on one line and without the password of a URL. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a mapping';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return 'a value of a special kind';
  const shown = value.replaceAll(PASSWORD, '(hidden)');
  return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 60)}...` : shown);
}

/** Returns the format of a duration such as `5s`, in milliseconds. */
export function duration(range: Range): Format<number> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'duration', ...range });
    const ms = typeof value === 'string' ? parseDuration(value) : value === 0 ? 0 : undefined;
    if (ms === undefined) {
      throw new FormatError(`${describe(value)} is not a duration: write a number and a unit, such as 5s`);
    }
    return inRange(ms, range, formatDuration);
  };
}

/** Returns the format of a size such as `64KiB`, in bytes. */
export function byteSize(range: Range): Format<number> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'size', ...range });
    const text = typeof value === 'number' ? String(value) : value;
    const bytes = typeof text === 'string' ? parseByteSize(text) : undefined;
    if (bytes === undefined) {
      throw new FormatError(`${describe(value)} is not a size: write a number and a unit, such as 64KiB`);
    }
    return inRange(bytes, range, formatByteSize);
  };
}

/** Returns the format of a byte rate such as `64KiB/s`, in bytes per second. */
export function byteRate(range: Range): Format<number> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'byte rate', ...range });
    const bytes = typeof value === 'string' ? parseByteRate(value) : value === 0 ? 0 : undefined;
    if (bytes === undefined) {
      throw new FormatError(
        `${describe(value)} is not a rate of bytes: write a size and "/s", such as 512B/s, or 0 for no minimum`,
      );
    }
    return inRange(bytes, range, formatByteRate);
  };
}

/** Returns the format of an event rate such as `100/s` or `30/m`, in events per second. */
export function rate(range: Range): Format<number> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'rate', ...range });
    const perSecond = typeof value === 'string' ? parseRate(value) : undefined;
    if (perSecond === undefined) {
      throw new FormatError(`${describe(value)} is not a rate: write a number and a unit, such as 100/s`);
    }
    return inRange(perSecond, range, formatRate);
  };
}

/** Returns the format of an integer. */
export function integer(range: Range): Format<number> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'integer', ...range });
    if (typeof value === 'string' && /^-?\d+$/.test(value)) {
      throw new FormatError(`${describe(value)} is text: write the number without quotes`);
    }
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw new FormatError(`${describe(value)} is not a whole number: write ${rangeText(range, String)}`);
    }
    return inRange(value, range, String);
  };
}

/** Returns the format of an enumeration. A word of digits may be written as a number: 1.3 is '1.3'. */
export function oneOf<const T extends string>(...words: readonly T[]): Format<T> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'word', words });
    const text = typeof value === 'number' ? String(value) : value;
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    const near = typeof value === 'string' ? nearest(value, words) : undefined;
    const hint = near === undefined ? '' : `: did you mean ${near}?`;
    throw new FormatError(`${describe(value)} is not one of ${words.join(', ')}${hint}`);
  };
}

/** Returns a format that refuses some words with a remedy, because other programs have them. */
export function withRemedies<T>(format: Format<T>, remedies: Readonly<Record<string, string>>): Format<T> {
  return (value) => {
    if (typeof value === 'string' && Object.hasOwn(remedies, value)) {
      throw new FormatError(`${describe(value)} is not a value of this key: ${remedies[value]!}`);
    }
    return format(value);
  };
}

export const toggle: Format<boolean> = (value) => {
  if (value === DESCRIBE) throw new Description({ type: 'boolean' });
  if (typeof value === 'boolean') return value;
  throw new FormatError(`${describe(value)} is neither true nor false`);
};

/** Whether a value is the word `off`, which YAML 1.1 reads as false. */
export function isOff(value: unknown): boolean {
  return value === false || value === 'off';
}

/** Returns the format of any text. @param what name of the value in messages */
export function anyText(what: string): Format<string> {
  return (value) => {
    if (value === DESCRIBE) throw new Description({ type: 'text', what });
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') {
      throw new FormatError(`${describe(value)} is not text: put it in quotes`);
    }
    throw new FormatError(`${describe(value)} is not ${what}: write text`);
  };
}

/**
 * Returns the format of text without control characters, for headers and log lines.
 *
 * @param what name of the value in messages
 */
export function line(what: string): Format<string> {
  const read = anyText(what);
  return (value) => {
    const found = read(value);
    if (!CONTROL.test(found)) return found;
    throw new FormatError(`${describe(found)} has a control character, which ${what} cannot have`);
  };
}

/**
 * Returns the format of a {@link line} of at least one character.
 *
 * @param what name of the value in messages
 */
export function text(what: string): Format<string> {
  const read = line(what);
  return (value) => {
    const found = read(value);
    if (found !== '') return found;
    throw new FormatError(`"" is not ${what}: write at least one character`);
  };
}

/**
 * Returns the format of text that matches a regular expression. Its error is `"x" is not ${what}: ${remedy}`.
 */
export function pattern(expression: RegExp, what: string, remedy: string): Format<string> {
  const read = text(what);
  return (value) => {
    if (value === DESCRIBE) {
      // An expression with flags cannot be described by its source alone.
      const source = expression.flags === '' ? { pattern: expression.source } : {};
      throw new Description({ type: 'text', what, remedy, ...source });
    }
    const found = read(value);
    if (expression.test(found)) return found;
    throw new FormatError(`${describe(found)} is not ${what}: ${remedy}`);
  };
}

/**
 * Returns the format of a token (RFC 9110), such as a cookie name.
 *
 * @param what name of the value in messages
 */
export function token(what: string): Format<string> {
  return pattern(TOKEN, what, 'write letters, digits and "-" or "_"');
}

/** Name of a listener, route or cluster, which becomes a metric label. */
export const label = pattern(
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/,
  'a name',
  'use 1 to 63 letters, digits, "_", "." and "-", the first neither "." nor "-"',
);

const readListenAddress: Format<TcpAddress> = (value) => {
  const address = typeof value === 'string' ? parseTcpAddress(value) : undefined;
  if (address !== undefined) return address;
  throw new FormatError(
    `${describe(value)} is not an address to listen on: write host:port, [ipv6]:port or :port, ` +
      'such as "127.0.0.1:8080"',
  );
};
/** Address to listen on. Port 0 means any free port. */
export const listenAddress = described(
  {
    type: 'text',
    what: 'an address to listen on',
    remedy: 'write host:port, [ipv6]:port or :port, such as 127.0.0.1:8080',
    pattern: String.raw`^(?:\[[^\]]*\]|[^:\[\]]*):\d{1,5}$`,
  },
  readListenAddress,
);

/** Returns the remedy for a text that is no address of an endpoint: a port, a URL or something else. */
function dialRemedy(text: string): string {
  if (/^\d{1,5}$/.test(text)) return `write ${text} without quotes for a server on this machine`;
  const [, scheme] = /^(https?|wss?):\/\//i.exec(text) ?? [];
  if (scheme === undefined) {
    return 'write host:port, [ipv6]:port or unix:/path, such as "127.0.0.1:9001"';
  }
  const tls = /s$/i.test(scheme) ? ', and give its cluster tls: {}' : '';
  return `write host:port without ${scheme}:// and without a path${tls}`;
}

const readDialAddress: Format<Address> = (value) => {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  if (address === undefined || (address.kind === 'unix' && CONTROL.test(address.path))) {
    throw new FormatError(`${describe(value)} is not an endpoint's address: ${dialRemedy(String(value))}`);
  }
  if (address.kind === 'unix') return address;
  if (address.port === 0) {
    throw new FormatError(`${describe(value)} has port 0, which cannot be dialled: write 1 to 65535`);
  }
  if (isAnyHost(address.host)) {
    throw new FormatError(`${describe(value)} means every interface, which cannot be dialled: name the host`);
  }
  return address;
};

/** Address of an endpoint. A relative path of a UNIX socket stays relative. */
export const dialAddress = described(
  {
    type: 'text',
    what: "an endpoint's address",
    remedy: 'write host:port, [ipv6]:port or unix:/path, such as 127.0.0.1:9001',
    pattern: String.raw`^unix:.|^(?:\[[^\]]*\]|[^:\[\]]*):\d{1,5}$`,
  },
  readDialAddress,
);

/** Returns a format that also accepts an empty value, as null. */
export function nullable<T>(format: Format<T>): Format<T | null> {
  return (value) => (value === null ? null : format(value));
}

function inRange(value: number, range: Range, write: (value: number) => string): number {
  if (value >= range.min && value <= range.max) return value;
  if (value === 0 && range.zero !== undefined) return value;
  throw new FormatError(`${write(value)} is out of range: write ${rangeText(range, write)}`);
}

function rangeText({ min, max, zero }: Range, write: (value: number) => string): string {
  const range = `${write(min)} to ${write(max)}`;
  return zero === undefined || min === 0 ? range : `${range}, or 0 for ${zero}`;
}
