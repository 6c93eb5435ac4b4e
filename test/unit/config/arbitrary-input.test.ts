import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/config/loader.ts';
import { ConfigError } from '../../../src/core/errors.ts';
import { scratchDirectory } from './load.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const EXAMPLE = join(ROOT, 'config/example.yaml');

describe('loading', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  it('throws nothing but a ConfigError, however the example is changed', () => {
    const lines = text.split('\n');
    const tokens = [
      '',
      '{',
      '}',
      '[',
      ']',
      ':',
      '- ',
      '"',
      "'",
      '*a',
      '&a ',
      '!x ',
      '<<: ',
      '|',
      '\t',
      '  ',
      '#',
      '?',
      'null',
      '-1',
      '1e99',
      '.nan',
      '__proto__',
      '\u0000',
      '\u{1f600}',
    ];
    const position = fc.nat(text.length);
    const change = fc.oneof(
      fc.record({ kind: fc.constant('cut' as const), at: position, length: fc.nat(60) }),
      fc.record({
        kind: fc.constant('insert' as const),
        at: position,
        token: fc.oneof(fc.constantFrom(...tokens), fc.string()),
      }),
      fc.record({ kind: fc.constant('copy' as const), at: position, line: fc.nat(lines.length - 1) }),
    );
    const file = join(scratchDirectory(), 'changed.yaml');
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.array(fc.string(), { maxLength: 2 }),
        (changes, overrides) => {
          let changed = text;
          for (const one of changes) {
            const head = changed.slice(0, one.at);
            if (one.kind === 'cut') changed = head + changed.slice(one.at + one.length);
            else if (one.kind === 'insert') changed = head + one.token + changed.slice(one.at);
            else changed = `${head}\n${lines[one.line] ?? ''}\n${changed.slice(one.at)}`;
          }
          writeFileSync(file, changed);
          try {
            loadConfig({ file, overrides, env: {} });
          } catch (error) {
            assert.ok(error instanceof ConfigError, String(error));
            assert.notEqual(error.problems.length, 0);
            for (const { place, message } of error.problems)
              assert.ok(!message.includes('\n'), `${place}: ${message}`);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('throws nothing but a ConfigError for any value at any place', () => {
    const { config } = loadConfig({ file: EXAMPLE, overrides: [], env: {} });
    const paths = pathsOf(config.listeners.length);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(fc.json(), fc.string()), (path, value) => {
        try {
          loadConfig({ file: EXAMPLE, overrides: [`${path}=${value}`], env: {} });
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          for (const { place } of error.problems) {
            assert.ok(place.startsWith('--set ') || place.startsWith(EXAMPLE), place);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Paths of listeners and routes alike. */
const ACCESS = [
  ...[
    '.access',
    '.access.deny',
    '.access.allow.0',
    '.access.deny.0.file',
    '.access.origins',
    '.access.origins.0',
  ],
  ...['.access.originRequired', '.access.basic', '.access.basic.file', '.access.jwt', '.access.jwt.keys'],
  ...[
    '.access.jwt.algorithms',
    '.access.jwt.from',
    '.access.jwt.from.0',
    '.access.jwt.require',
    '.access.jwt.forward',
  ],
  ...[
    '.access.forwardAuth',
    '.access.forwardAuth.url',
    '.access.forwardAuth.headers',
    '.limits',
    '.limits.0',
  ],
  ...[
    '.limits.0.key',
    '.limits.0.key.claim',
    '.limits.0.requests',
    '.limits.0.bytes',
    '.limits.0.burst',
    '.limits.0.name',
  ],
];

/** Paths that the example has, and some that it has not. */
function pathsOf(listeners: number): string[] {
  const settings = [
    'workers',
    'workers.l7',
    'admin',
    'admin.address',
    'metrics',
    'metrics.endpoints',
    'log',
    'log.level',
    'log.access',
    'tracing',
    'tracing.url',
    'tracing.sample',
    'tracing.headers',
    'tracing.routes',
    'shutdown.grace',
    'demo',
    'demo.echo',
    'redis',
    'redis.url',
    'redis.prefix',
    'revocations.keep',
    'revocations.file',
    'listeners',
    'clusters',
  ];
  const listener = [
    '',
    '.name',
    '.mode',
    '.address',
    '.tls',
    '.tls.certificates',
    '.tls.certificates.0',
    '.trustedProxies',
    '.tls.minVersion',
    '.tls.ciphers',
    '.tls.groups',
    '.tls.groups.0',
    '.tls.alpn',
    '.tls.handshakeTimeout',
    '.tls.clientCertificates',
    '.tls.clientCertificates.ca',
    '.tls.clientCertificates.crl',
    '.tls.tickets',
    '.tls.tickets.rotate',
    '.tls.tickets.keyFile',
    '.trustedProxies.0',
    '.proxyProtocol',
    '.passthrough',
    '.passthrough.0',
    '.passthrough.0.serverName',
    '.passthrough.0.cluster',
    '.websocket',
    '.websocket.idleTimeout',
    '.websocket.compression',
    '.routes',
    '.routes.0',
    '.routes.1.match',
    '.routes.1.match.headers',
    '.routes.1.match.host',
    '.routes.1.match.pathRegex',
    '.routes.1.rewrite',
    '.routes.2.redirect',
    '.routes.2.redirect.to',
    '.routes.3.respond',
    '.routes.4.static',
    '.routes.4.static.root',
    ...ACCESS.flatMap((path) => [path, `.routes.0${path}`]),
  ];
  const cluster = [
    '',
    '.name',
    '.balancer',
    '.retries',
    '.tls',
    '.tls.ca',
    '.tls.cert',
    '.endpoints',
    '.endpoints.0',
    '.endpoints.0.address',
    '.endpoints.0.weight',
  ];
  return [
    ...settings,
    ...Array.from({ length: listeners }, (_, index) =>
      listener.map((path) => `listeners.${index}${path}`),
    ).flat(),
    ...cluster.map((path) => `clusters.1${path}`),
  ];
}
