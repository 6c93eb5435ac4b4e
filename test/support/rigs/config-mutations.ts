/** Configurations that somebody has spoilt, or changed into others that are as good: mutations of a text of YAML. */
import fc from 'fast-check';

/** Values to put in place of another: right for some keys and wrong for others. */
const VALUES = [
  ...[
    '0',
    '1',
    '-1',
    '65536',
    '1e9',
    '0.5',
    '250ms',
    '5s',
    '0s',
    '999d',
    '16MiB',
    '64KiB',
    '0B',
    'auto',
    'off',
  ],
  ...[
    'true',
    'false',
    'null',
    '""',
    '[]',
    '{}',
    '[1, 2]',
    '{ a: 1 }',
    '"\\u0000"',
    '"ä€👋"',
    '*anchor',
    '&anchor x',
  ],
  ...['round_robin', 'consistent_hash', 'websocket', 'raw', 'net', 'l4', 'l7', 'both', 'shared', 'only'],
  ...['required', 'optional', 'v1', 'v2', "'1.3'", 'h2', 'http/1.1', 'X25519', 'rotate', './tickets.key'],
  ...[
    'ECDHE-RSA-AES128-GCM-SHA256',
    'TLS_AES_128_GCM_SHA256:AES128-SHA',
    '"X25519:P-256"',
    '*.db.example.com',
  ],
  ...['127.0.0.1:0', 'localhost:0', '[::1]:0', 'unix:/run/x', ':0', '10.0.0.0/8', '999.1.1.1:1', 'a..b:1'],
  ...[
    '/',
    '^(a+)+$',
    '(',
    '*.example.com',
    'app',
    'chat',
    'nobody',
    './public',
    '/dev/null',
    '/dev/zero',
    '..',
  ],
];

type Mutation = (lines: readonly string[]) => string[];

const at = fc.nat();

/** One change somewhere. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  at.map(
    (place): Mutation =>
      (lines) =>
        lines.filter((_, index) => index !== place % lines.length),
  ),
  at.map(
    (place): Mutation =>
      (lines) =>
        lines.toSpliced(place % lines.length, 0, lines[place % lines.length]!),
  ),
  fc.tuple(at, at).map(([from, to]): Mutation => (lines) => {
    const moved = lines[from % lines.length]!;
    return lines.toSpliced(from % lines.length, 1).toSpliced(to % lines.length, 0, moved);
  }),
  fc.tuple(at, fc.integer({ min: -4, max: 4 })).map(
    ([place, by]): Mutation =>
      (lines) =>
        change(lines, place, (line) =>
          by > 0 ? ' '.repeat(by) + line : line.slice(Math.min(-by, line.search(/\S|$/))),
        ),
  ),
  fc.tuple(at, fc.constantFrom(...VALUES)).map(
    ([place, value]): Mutation =>
      (lines) =>
        change(lines, place, (line) => line.replace(/: .*$/, `: ${value}`)),
  ),
  fc.tuple(at, fc.constantFrom(...VALUES)).map(
    ([place, value]): Mutation =>
      (lines) =>
        change(lines, place, (line) => line.replace(/(?<=[:[,{] ?)[\w.:/'"-]+(?=[\],}]|$)/, value)),
  ),
  fc.tuple(at, fc.string({ maxLength: 12, unit: 'binary' })).map(
    ([place, text]): Mutation =>
      (lines) =>
        change(
          lines,
          place,
          (line) => line.slice(0, place % (line.length + 1)) + text + line.slice(place % (line.length + 1)),
        ),
  ),
  fc.tuple(at, at).map(
    ([place, other]): Mutation =>
      (lines) =>
        change(lines, place, (line) =>
          line.replace(/^(\s*(?:- )?)[\w]+(?=:)/, `$1${keyOf(lines[other % lines.length]!)}`),
        ),
  ),
);

function change(lines: readonly string[], place: number, how: (line: string) => string): string[] {
  return lines.map((line, index) => (index === place % lines.length ? how(line) : line));
}

function keyOf(line: string): string {
  return /(\w+):/.exec(line)?.[1] ?? 'nonsense';
}

/** A text with one to four changes. */
export function mutationsOf(text: string): fc.Arbitrary<string> {
  const lines = text.split('\n');
  return fc
    .array(mutation, { minLength: 1, maxLength: 4 })
    .map((mutations) =>
      mutations.reduce<string[]>((so, mutate) => (so.length === 0 ? so : mutate(so)), lines).join('\n'),
    );
}

/** The example less its comments, on ports of the kernel's choice, with the directory that it names. */
export function tame(example: string): string {
  return example
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trimEnd())
    .filter((line) => line !== '')
    .join('\n')
    .replaceAll(/'0\.0\.0\.0:\d+'/g, "'127.0.0.1:0'")
    .replace(/demo:\n(?: .*\n)+/, '');
}

const COMMENT = /^( *)# ?/;

/** Takes the `#` from the lines of each block of comments, from a line that matches on. */
function uncomment(text: string, start: RegExp): string {
  let isOpen = false;
  const lines = text.split('\n').map((line) => {
    isOpen = COMMENT.test(line) && (isOpen || start.test(line));
    return isOpen ? line.replace(COMMENT, '$1') : line;
  });
  return lines.join('\n');
}

/** The example with TLS in place of the comments about it. It names the files of {@link TLS_FILES}. */
export function withTls(example: string): string {
  return uncomment(example, /^ *# tls:/);
}

/** The example with access, limits, Redis and traces in place of the comments about them. It names the files of {@link ACCESS_FILES}. */
export function withAccess(example: string): string {
  return uncomment(example, /^ *# (?:access|limits|redis|tracing):/);
}

export const ACCESS_FILES = ['blocked.txt', 'friends.txt', 'users.htpasswd', 'jwks.json'] as const;

export const TLS_FILES = [
  ...['example.com.pem', 'example.com.key', 'example.org.pem', 'example.org.key', 'client.pem', 'client.key'],
  ...['ca.pem', 'clients.crl'],
] as const;
