import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PassthroughRule } from '../../../../../src/config/types/listener.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';
import { GOOD_CERT, GOOD_KEY } from '../../pem.ts';

const FILES = { 'good.pem': GOOD_CERT, 'good.key': GOOD_KEY };
const CLUSTERS =
  'clusters: [{ name: app, endpoints: [{ address: "a:1" }] }, { name: db, endpoints: [{ address: "b:1" }] }]\n';

function rules(text: string): readonly PassthroughRule[] {
  return l7Of(load(l7('passthrough:', ...text.split('\n')))).passthrough;
}

function errors(...lines: readonly string[]): string[] {
  return errorsOf(l7('passthrough:', ...lines));
}

describe('passthrough', () => {
  it('is a list of server names in lower case, with a cluster for each or for several', () => {
    assert.deepEqual(rules('  - { serverName: DB.example.com, cluster: app }'), [
      { serverNames: ['db.example.com'], cluster: 'app' },
    ]);
    assert.deepEqual(rules('  - { serverName: [a.example, "*.A.example"], cluster: app }'), [
      { serverNames: ['a.example', '*.a.example'], cluster: 'app' },
    ]);
    assert.deepEqual(l7Of(load(l7())).passthrough, []);
  });

  it('accepts names that certificates can have and clients send', () => {
    assert.deepEqual(
      errors('  - { serverName: ["*", "10.0.0.1", "[::1]", "a.*.example", "a.example:443"], cluster: app }'),
      [
        '6:24: serverName: "*" would take every name: write names, and at layer 4 the cluster for the rest',
        '6:29: serverName: "10.0.0.1" is an address, and clients send no server name for it: write a name',
        '6:41: serverName: "[::1]" is an address, and clients send no server name for it: write a name',
        '6:50: serverName: "a.*.example" has a star inside: only "*." at the front can be matched',
        '6:65: serverName: "a.example:443" has a port, which is not matched: write the host alone',
      ],
    );
    assert.deepEqual(errors('  - { serverName: [], cluster: app }', '  - { cluster: app }'), [
      '6:11: serverName: the list is empty: write at least one of server names',
      '7:9: a rule of passthrough needs "serverName"',
    ]);
  });

  it('sends a server name to one cluster', () => {
    assert.deepEqual(
      errors(
        '  - { serverName: [a.example, "*.example"], cluster: app }',
        '  - { serverName: A.example, cluster: app }',
      ),
      [
        '7:23: serverName: "a.example" already has a rule: keep one of them, because a server name leads to one cluster',
      ],
    );
  });

  it('refers to existing clusters and counts as their use', () => {
    assert.deepEqual(errors('  - { serverName: a.example, cluster: ap }'), [
      '6:43: there is no cluster "ap": did you mean "app"?',
    ]);
    const listener =
      'listeners: [{ name: tcp, mode: l4, address: ":1", cluster: app, passthrough: [{ serverName: a.example, cluster: db }] }]\n';
    assert.deepEqual(warningsOf(CLUSTERS + listener), []);
  });

  it('replaces the cluster of an l4 listener', () => {
    const listener = (keys: string): string =>
      `${CLUSTERS}listeners: [{ name: tcp, mode: l4, address: ":1"${keys} }]\n`;
    const [tcp] = load(listener(', passthrough: [{ serverName: a.example, cluster: db }]')).config.listeners;
    assert.equal(tcp?.mode === 'l4' && tcp.cluster, null);
    for (const keys of ['', ', passthrough: []']) {
      assert.deepEqual(errorsOf(listener(keys)), [
        '2:13: a listener of mode l4 needs one of cluster, to, passthrough',
      ]);
    }
  });

  it('warns of a certificate whose names are all tunnelled', () => {
    const tls = 'tls: { certificates: [{ cert: good.pem, key: good.key }] }';
    const warnings = (names: string): string[] =>
      warningsOf(l7('engine: raw', tls, `passthrough: [{ serverName: [${names}], cluster: app }]`), {
        files: FILES,
      });
    const text = (place: string, name: string): string =>
      `${place}: a certificate of this listener is for "${name}", and TLS for that name never ends here: it is ` +
      'tunnelled. Leave the certificate or the server name out';
    assert.deepEqual(warnings('a.example.com, "*.a.example.com", example.org'), []);
    assert.deepEqual(warnings('"*.com"'), [text('7:34', 'example.com'), text('7:34', '*.example.com')]);
    assert.deepEqual(warnings('example.com'), [text('7:34', 'example.com')]);
    assert.deepEqual(warnings('a.b, "*.example.com"'), [text('7:39', '*.example.com')]);
  });

  it('to a cluster with tls needs the engine net and causes a warning, at both layers', () => {
    const text = (engine: string): string => `
listeners:
  - name: web
    mode: l7
    address: ':1'
    engine: ${engine}
    passthrough: [{ serverName: a.example, cluster: db }]
    routes: [{ match: {}, respond: {} }]
clusters: [{ name: db, tls: {}, endpoints: [{ address: "b.example:1" }] }]
`;
    const warning =
      '7:53: the cluster "db" has tls, so its endpoints get the client\'s TLS inside the proxy\'s: ' +
      'use a cluster without tls if they end TLS once';
    assert.deepEqual(warningsOf(text('net')), [warning]);
    assert.deepEqual(warningsOf(text('auto')), [warning]);
    assert.deepEqual(errorsOf(text('raw')), [
      '6:13: engine: "raw" does not support TLS to the endpoints of tunnels, and the cluster "db" has tls: write auto or net',
    ]);
    const own = text('net').replace('cluster: db', 'to: { tls: {}, endpoints: ["b.example:1"] }');
    assert.match(
      warningsOf(own.replace(/^clusters.*$/m, ''))[0] ?? '',
      /^7:50: the cluster "web-a.example" has tls/,
    );
  });

  it('is refused with the engine uws', () => {
    assert.deepEqual(errorsOf(l7('engine: uws', 'passthrough: [{ serverName: a.example, cluster: app }]')), [
      '6:5: passthrough: only the engines raw and net support this, and the listener uses uws because of ' +
        '"engine: uws": leave the key out',
    ]);
  });
});
