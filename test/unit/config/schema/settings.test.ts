import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, load, warningsOf } from '../load.ts';

describe('sources of settings', () => {
  it('prefers --set over the environment, and the environment over the file', () => {
    const text = `${MINIMAL}log: { level: debug, format: pretty, access: false }\n`;
    const env = { SLUICE_LOG_LEVEL: 'warn', SLUICE_LOG_FORMAT: 'json', SLUICE_WORKERS_L7: '3' };
    const { config } = load(text, { env, overrides: ['log.level=error'] });
    assert.deepEqual(config.log, {
      level: 'error',
      format: 'json',
      access: null,
      principal: 'plain',
      file: null,
      maxSizeBytes: 0,
      keep: 5,
    });
    assert.equal(config.workers.l7, 3);
  });

  it('reads every setting from the environment', () => {
    const { config } = load(MINIMAL.replace(/clusters:[^]*/, ''), {
      env: {
        SLUICE_WORKERS_L7: 'auto',
        SLUICE_WORKERS_L4: '2',
        SLUICE_ADMIN_ADDRESS: '[::1]:0',
        SLUICE_ADMIN_TOKEN: 'from-the-environment=',
        SLUICE_LOG_LEVEL: 'silent',
        SLUICE_LOG_FORMAT: 'pretty',
        SLUICE_LOG_ACCESS: 'false',
        SLUICE_LOG_PRINCIPAL: 'off',
        SLUICE_REDIS_URL: 'rediss://:secret@cache.internal:6380/1',
        SLUICE_REVOCATIONS_KEEP: '1h',
        STATE_DIRECTORY: '/var/lib/sluice:/var/lib/other',
        SLUICE_SHUTDOWN_GRACE: '1m',
        SLUICE_DEMO_ECHO: 'app',
        SLUICE_CLUSTERS: '[{name: app, endpoints: [{address: "a:1"}]}]',
      },
    });
    assert.equal(config.workers.l4, 2);
    assert.deepEqual(config.admin.address, { kind: 'tcp', host: '::1', port: 0 });
    assert.equal(config.admin.token, 'from-the-environment=');
    assert.deepEqual(config.log, {
      level: 'silent',
      format: 'pretty',
      access: null,
      principal: 'off',
      file: null,
      maxSizeBytes: 0,
      keep: 5,
    });
    assert.equal(config.redis?.url, 'rediss://:secret@cache.internal:6380/1');
    assert.deepEqual(config.revocations, { keepMs: 3_600_000, file: '/var/lib/sluice/revocations.json' });
    assert.equal(config.shutdown.graceMs, 60_000);
    assert.deepEqual(config.demo, { echo: 'app', chat: null, feed: null, game: null, job: null });
    assert.equal(config.clusters[0]?.name, 'app');
  });

  it('treats an empty variable as unset', () => {
    assert.equal(
      load(MINIMAL, { env: { SLUICE_LOG_LEVEL: '', SLUICE_LISTENERS: undefined } }).config.log.level,
      'info',
    );
  });

  it('warns of a variable that is nearly a setting, and leaves others alone', () => {
    const env = {
      SLUICE_LOG_LEVLE: 'debug',
      SLUICE_PORT: 'tcp://10.0.0.1:80',
      SLUICE_SERVICE_HOST: '10.0.0.1',
    };
    assert.deepEqual(warningsOf(MINIMAL, { env }), [
      'environment SLUICE_LOG_LEVLE: sets nothing: did you mean SLUICE_LOG_LEVEL?',
    ]);
  });

  it('accepts any value from --set, also inside lists', () => {
    const { config } = load(MINIMAL, {
      overrides: [
        'listeners.0.address=127.0.0.1:0',
        'listeners.0.websocket.idleTimeout=9s',
        'listeners.0.routes.0.match={path: /x}',
        'listeners.1.address=[::1]:0',
        'clusters.0.endpoints.1={address: "b:2", weight: 3}',
        'clusters.1={name: more, endpoints: [{address: "c:3"}]}',
        'log={level: warn, access: false}',
        'workers.l4=1',
        'workers.l4=2',
      ],
    });
    const [web, tcp] = config.listeners;
    assert.deepEqual(web?.address, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.equal(web.mode === 'l7' && web.websocket.idleTimeoutMs, 9000);
    assert.equal(web.mode === 'l7' && web.routes[0]?.match.path, '/x');
    assert.deepEqual(tcp?.address, { kind: 'tcp', host: '::1', port: 0 });
    assert.deepEqual(config.clusters[0]?.endpoints[1], {
      address: { kind: 'tcp', host: 'b', port: 2 },
      weight: 3,
      maxConnections: 0,
    });
    assert.equal(config.clusters[1]?.name, 'more');
    assert.deepEqual(config.log, {
      level: 'warn',
      format: 'auto',
      access: null,
      principal: 'plain',
      file: null,
      maxSizeBytes: 0,
      keep: 5,
    });
    assert.equal(config.workers.l4, 2);
  });

  it('names the option or the variable of a problem, after the problems of the file', () => {
    const errors = errorsOf(`${MINIMAL}log: { format: xml }\n`, {
      env: { SLUICE_LOG_LEVEL: 'loud', SLUICE_WORKERS_L7: 'x' },
      overrides: [
        'workers.l4=0',
        'listeners.0.adress=x',
        'listeners.0.websocket.compression=on',
        'listeners.9.name=x',
        'log.levl=info',
        'nonsense.a=1',
        'log.access=',
        'workers.l4.x=1',
        'clusters.0={name: app}',
        'listeners.1={name: tcp, mode: l4, cluster: app, address: x}',
      ],
    });
    const level = 'is not one of debug, info, warn, error, silent';
    assert.deepEqual(errors.toSorted(), [
      '--set clusters.0: a cluster needs "endpoints"',
      '--set listeners.0.adress: unknown key "adress" in a listener of mode l7: did you mean "address"?',
      '--set listeners.0.websocket.compression: "on" is not one of passthrough, off, shared',
      '--set listeners.1: address: "x" is not an address to listen on: write host:port, [ipv6]:port or :port, such as "127.0.0.1:8080"',
      '--set listeners.9.name: the list has no "9": it has 0 to 1, and 2 adds one',
      '--set log.access: the value is empty: write one, or leave the key out',
      '--set log.levl: unknown key "levl" in "log": did you mean "level"?',
      '--set nonsense.a: unknown key "nonsense" in a configuration: it has include, workers, admin, metrics, log, tracing, shutdown, drain, redis, revocations, demo, listeners, clusters',
      '--set workers.l4.x: there is no "x" in 0',
      '--set workers.l4: 0 is not a number of threads: write auto, or 1 to 256',
      '7:16: format: "xml" is not one of auto, json, pretty',
      `environment SLUICE_LOG_LEVEL: "loud" ${level}`,
      'environment SLUICE_WORKERS_L7: "x" is not a number of threads: write auto, or 1 to 256',
    ]);
    assert.match(errors[0] ?? '', /^7:16/);
  });

  it('points into the file for values that an override did not change', () => {
    const text =
      'listeners:\n  - { name: a b, mode: l4, cluster: app }\nclusters:\n  - { name: app, endpoints: [{ address: "a:1" }] }\n';
    const errors = errorsOf(text, { overrides: ['listeners.0.idleTimeout=1s'] });
    assert.deepEqual(
      errors.map((error) => error.split(': ')[0]),
      ['2:5', '2:13'],
    );
  });
});
