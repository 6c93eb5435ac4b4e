import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster } from '../../../../src/config/types/cluster.ts';
import type { L4Listener, L7Listener, Listener } from '../../../../src/config/types/listener.ts';
import { StartError } from '../../../../src/core/errors.ts';
import type { MachineLimits } from '../../../../src/primary/process/engine-choice.ts';
import { Engines, enginesInUse } from '../../../../src/primary/process/engines.ts';
import { capture, config, l4Listener, l7Listener, listenerTls } from '../fixtures/config.ts';

const plain = config.clusters[0]!;
const secure: Cluster = {
  ...plain,
  name: 'secure',
  tls: { serverName: null, ca: null, verify: true, cert: null, key: null },
};
const clusters = [plain, secure];

const ABLE: MachineLimits = { systemCalls: () => null, openssl: () => null, uws: () => null };
const NO_CALLS: MachineLimits = { ...ABLE, systemCalls: () => 'requires Linux' };
const NO_OPENSSL: MachineLimits = { ...ABLE, openssl: () => 'it has no SSL_new' };
const NO_UWS: MachineLimits = {
  ...ABLE,
  uws: () => ({ problem: 'there is no binary', remedy: 'use Node 22' }),
};

function l4(name: string, engine: L4Listener['engine'], cluster = plain.name): L4Listener {
  return { ...l4Listener, name, engine, cluster };
}

function l7(name: string, changes: Partial<L7Listener>): L7Listener {
  return { ...l7Listener, name, engine: 'auto', ...changes };
}

/** The choices, written as the log line writes them, and all lines. */
function choose(
  listeners: readonly Listener[],
  machine: MachineLimits,
): { engines: string[]; lines: readonly { level: string; msg: string }[] } {
  const { log, lines } = capture();
  const engines = new Engines(log, machine);
  const chosen = engines.choose({ listeners, clusters });
  const described = listeners.map((listener, index) => {
    const { listener: withEngine, reason } = engines.choiceOf(listener, clusters);
    assert.deepEqual(withEngine, chosen[index]);
    return `${listener.name} ${withEngine.engine} (${reason})`;
  });
  return { engines: described, lines };
}

describe('the choice of engines', () => {
  it('is raw for tunnels if system calls can be used', () => {
    assert.deepEqual(choose([l4('a', 'auto'), l4('b', 'net'), l4('c', 'raw')], ABLE).engines, [
      'a raw (system calls can be used)',
      'b net (as configured)',
      'c raw (as configured)',
    ]);
  });

  it('is net if system calls cannot be used, with one warning', () => {
    const { engines, lines } = choose([l4('a', 'auto'), l7('b', {}), l4('c', 'net')], NO_CALLS);
    assert.deepEqual(engines, [
      'a net (system calls cannot be used: requires Linux)',
      'b net (system calls cannot be used: requires Linux)',
      'c net (as configured)',
    ]);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        ['info', 'engines chosen'],
        ['warn', 'using engine net instead of raw: system calls cannot be used'],
      ],
    );
    assert.equal((lines[1] as { reason?: string }).reason, 'requires Linux');
  });

  it('is net for tunnels to a cluster with TLS', () => {
    const { engines, lines } = choose([l4('a', 'auto'), l4('b', 'auto', 'secure')], ABLE);
    assert.deepEqual(engines, ['a raw (system calls can be used)', 'b net (the cluster "secure" has tls)']);
    assert.equal(lines.length, 1);
  });

  it('is net for a listener whose passthrough leads to a cluster with TLS', () => {
    const passthrough = [{ serverNames: ['a.example'], cluster: 'secure' }];
    const plainOnly = [{ serverNames: ['a.example'], cluster: plain.name }];
    const listeners = [
      { ...l4('a', 'auto'), passthrough },
      { ...l4('b', 'auto'), cluster: null, passthrough: plainOnly },
      l7('c', { passthrough }),
      l7('d', { passthrough: plainOnly }),
    ];
    assert.deepEqual(choose(listeners, ABLE).engines, [
      'a net (the cluster "secure" has tls)',
      'b raw (system calls can be used)',
      'c net (the cluster "secure" has tls)',
      'd raw (system calls can be used)',
    ]);
  });

  it('is uws at layer 7 if the listener needs it', () => {
    const shared = { ...l7Listener.websocket, compression: 'shared' } as const;
    const listeners = [
      l7('b', { websocket: shared }),
      l7('c', { engine: 'uws' }),
      l7('d', { engine: 'net' }),
      l7('e', { engine: 'raw' }),
      l7('f', {}),
    ];
    assert.deepEqual(choose(listeners, ABLE).engines, [
      'b uws (websocket.compression: shared)',
      'c uws (as configured)',
      'd net (as configured)',
      'e raw (as configured)',
      'f raw (system calls can be used)',
    ]);
  });

  it('is raw for TLS if OpenSSL can be used, otherwise net with one warning', () => {
    const tls = listenerTls();
    const listeners = [l7('a', { tls }), l7('b', {}), l7('c', { tls }), l7('d', { engine: 'net', tls })];
    assert.deepEqual(choose(listeners, ABLE).engines, [
      'a raw (system calls and OpenSSL can be used)',
      'b raw (system calls can be used)',
      'c raw (system calls and OpenSSL can be used)',
      'd net (as configured)',
    ]);
    const { engines, lines } = choose(listeners, NO_OPENSSL);
    assert.deepEqual(engines, [
      'a net (OpenSSL cannot be used: it has no SSL_new)',
      'b raw (system calls can be used)',
      'c net (OpenSSL cannot be used: it has no SSL_new)',
      'd net (as configured)',
    ]);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        ['info', 'engines chosen'],
        ['warn', 'using engine net instead of raw: OpenSSL cannot be used'],
      ],
    );
    assert.deepEqual(
      choose(listeners, { ...NO_CALLS, openssl: () => assert.fail('asked') }).engines[0],
      'a net (system calls cannot be used: requires Linux)',
    );
  });

  it('is logged in one line, and again only if it changes', () => {
    const { log, lines } = capture();
    const engines = new Engines(log, ABLE);
    const listeners = [l7('web', { engine: 'uws' }), l4('tcp', 'auto')];
    engines.choose({ listeners, clusters });
    engines.choose({ listeners: [...listeners], clusters });
    assert.deepEqual(
      lines.map((line) => [line.msg, (line as { engines?: object }).engines]),
      [['engines chosen', { web: 'uws (as configured)', tcp: 'raw (system calls can be used)' }]],
    );
    engines.choose({ listeners: [listeners[0]!, l4('tcp', 'net')], clusters });
    assert.equal(lines.length, 2);
  });

  it('stops the start if a listener needs a capability that the machine lacks', () => {
    for (const [listener, machine, problem] of [
      [
        l4('b', 'raw'),
        NO_CALLS,
        'listener "b" needs the engine raw, and system calls cannot be used: requires Linux; write engine: auto to fall back to net',
      ],
      [
        l7('web', { engine: 'raw', tls: listenerTls() }),
        NO_OPENSSL,
        'listener "web" needs the engine raw, and OpenSSL cannot be used: it has no SSL_new; ' +
          'write engine: auto to fall back to net',
      ],
      [
        l7('web', { websocket: { ...l7Listener.websocket, compression: 'shared' } }),
        NO_UWS,
        'listener "web" needs the engine uws, which cannot be used: there is no binary; ' +
          'use Node 22, or leave "websocket.compression: shared" out',
      ],
      [
        l7('web', { engine: 'uws' }),
        { ...ABLE, uws: () => ({ problem: 'there is none at all', remedy: null }) },
        'listener "web" needs the engine uws, which cannot be used: there is none at all; leave "engine: uws" out',
      ],
    ] as const) {
      assert.throws(
        () => choose([l4('a', 'auto'), listener], machine),
        (error: unknown) => error instanceof StartError && error.message === problem,
      );
    }
  });

  it('does not check the machine if no listener depends on it', () => {
    const blind: MachineLimits = {
      systemCalls: () => assert.fail('looked for system calls'),
      openssl: () => assert.fail('looked for OpenSSL'),
      uws: () => assert.fail('looked for uws'),
    };
    assert.deepEqual(choose([l4('a', 'net'), l7('b', { engine: 'net' })], blind).engines, [
      'a net (as configured)',
      'b net (as configured)',
    ]);
  });

  it('lists each engine once for the listeners of both layers', () => {
    assert.equal(enginesInUse([]), '');
    assert.equal(enginesInUse([l7('a', { engine: 'uws' }), l4('b', 'raw'), l4('c', 'raw')]), 'raw,uws');
    assert.equal(enginesInUse([l4('a', 'net')]), 'net');
  });
});
