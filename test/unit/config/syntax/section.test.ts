import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINIMAL, errorsOf, l7, load } from '../load.ts';

describe('mappings', () => {
  it('says how a comment begins', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}log: {\n  // loud\n  "level": info }\n`), [
      '8:3: "// loud \\"level\\"" is not a key: begin a comment with "#", in JSON too',
    ]);
  });

  it('refuses unknown keys at every level, and suggests the intended ones', () => {
    const text = `listeners:
  - name: web
    mode: l7
    adress: ':1'
    address: ':8080'
    websocket: { idleTimout: 1s }
    routes:
      - macth: {}
        match: { pathprefix: / }
        cluster: app
        rewrite: { strip: /x, stripPrefix: /x }
      - match: {}
        respond: { stauts: 200 }
      - match: {}
        redirect: { to: /, code: 301 }
    tls: { certificate: [], certificates: [{ crt: x }] }
clusters:
  - { name: app, balancr: x, tls: { servername: x }, endpoints: [{ adr: x, address: 'a:1' }] }
lisners: []
log: { levels: 1 }
`;
    assert.deepEqual(
      errorsOf(text).filter((error) => error.includes('unknown key')),
      [
        '4:5: unknown key "adress" in a listener of mode l7: did you mean "address"?',
        '6:18: unknown key "idleTimout" in "websocket": did you mean "idleTimeout"?',
        '8:9: unknown key "macth" in a route: did you mean "match"?',
        '9:18: unknown key "pathprefix" in a match: did you mean "pathPrefix"?',
        '11:20: unknown key "strip" in "rewrite": did you mean "stripPrefix"?',
        '13:20: unknown key "stauts" in "respond": did you mean "status"?',
        '15:28: unknown key "code" in "redirect": it has to, status',
        '16:12: unknown key "certificate" in the tls of a listener: write cert: FILE and key: FILE',
        '16:46: unknown key "crt" in a certificate: did you mean "cert"?',
        '18:18: unknown key "balancr" in a cluster: did you mean "balancer"?',
        '18:37: unknown key "servername" in the tls of a cluster: did you mean "serverName"?',
        '18:68: unknown key "adr" in an endpoint: it has address, weight, maxConnections',
        '19:1: unknown key "lisners" in a configuration: did you mean "listeners"?',
        '20:8: unknown key "levels" in "log": did you mean "level"?',
      ],
    );
  });

  it('does not treat prototype properties as keys', () => {
    assert.match(errorsOf(`${MINIMAL}__proto__: { log: 1 }\n`)[0] ?? '', /unknown key "__proto__"/);
    assert.match(errorsOf(`${MINIMAL}constructor: 1\n`)[0] ?? '', /unknown key "constructor"/);
    assert.match(errorsOf(`${MINIMAL}'log.level': debug\n`)[0] ?? '', /unknown key "log.level"/);
  });

  it('refuses any other value in place of a mapping', () => {
    assert.deepEqual(
      errorsOf('- a\n')[0],
      '1:1: a list is not a mapping: a configuration has include, workers, admin, metrics, log, tracing, shutdown, drain, redis, revocations, demo, listeners, clusters',
    );
    assert.deepEqual(errorsOf(`${MINIMAL}log: info\n`), [
      '7:6: log: "info" is not a mapping: "log" has level, format, access, principal, file, maxSize, keep',
    ]);
    assert.deepEqual(errorsOf(l7('websocket: [1]')), [
      '5:5: websocket: a list is not a mapping: "websocket" has handshakeTimeout, maxMessageSize, idleTimeout, maxLifetime, compression, endpointLostCode, downstreamBuffer, upstreamBuffer',
    ]);
  });

  it('accepts a group in which everything is commented out', () => {
    const { config } = load(`${l7('websocket:', '  # idleTimeout: 1s')}log:\n  # level: debug\n`);
    assert.equal(config.log.level, 'info');
  });

  it('refuses a value that was left empty', () => {
    assert.deepEqual(errorsOf(`${MINIMAL}log: { level: }\n`), [
      '7:8: level: the value is empty: write one, or leave the key out',
    ]);
  });
});
