import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from '../../../../src/cli/arguments.ts';
import { edgeConfig } from '../../../../src/cli/edge/edge-config.ts';
import { planOf, type EdgePlan } from '../../../../src/cli/edge/edge-plan.ts';
import { readyText } from '../../../../src/cli/edge/ready-text.ts';
import { loadConfig } from '../../../../src/config/loader.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import { formatAddress } from '../../../../src/core/address.ts';

function plan(...argv: readonly string[]): EdgePlan {
  const invocation = parseArguments(['to', ...argv], {});
  assert.ok(invocation.kind === 'command');
  return planOf(invocation.options);
}

function load(edge: EdgePlan): Config {
  const text = edgeConfig(edge, { heading: ['one', 'two'], tokenFile: null, isPretty: true });
  const { config, warnings } = loadConfig({ file: 'sluice to', text, overrides: [], env: {} });
  assert.deepEqual(warnings, []);
  return config;
}

describe('the configuration of sluice to', () => {
  it('names the file of the token', () => {
    const text = edgeConfig(plan('3000'), { heading: [], tokenFile: './admin.token', isPretty: false });
    assert.match(text, /^admin:\n.*\n {2}token: \{ file: \.\/admin\.token \}/m);
  });

  it('has an admin address apart from the ports that clients use', () => {
    for (const [listen, tunnel, admin] of [
      ['9480', '9000', '127.0.0.1:9481'],
      [':9481', '9480', '127.0.0.1:9482'],
    ] as const) {
      const edge = plan('3000', '--listen', listen, '--tcp', `${tunnel}:db:5432`);
      assert.equal(formatAddress(edge.admin), admin);
    }
  });

  it('has a listener for every request, and the admin address', () => {
    const config = load(plan('3000'));
    const [web] = config.listeners;
    assert.ok(web?.mode === 'l7' && config.listeners.length === 1);
    assert.equal(formatAddress(web.address), '127.0.0.1:8080');
    assert.equal(formatAddress(config.admin.address), '127.0.0.1:9480');
    assert.deepEqual(
      config.clusters.map(({ name, endpoints, tls }) => [
        name,
        endpoints.map(({ address }) => formatAddress(address)),
        tls,
      ]),
      [['app', ['localhost:3000'], null]],
    );
  });

  it('balances several targets, serves one host, and tunnels ports', () => {
    const tunnels = ['--tcp', '5432:db:5432', '--tcp', ':6379:r:1'];
    const config = load(plan('3000', "unix:/run/a 'b'", '--host', '*.Example.com', ...tunnels));
    assert.deepEqual(
      config.listeners.map(({ mode, address }) => [mode, formatAddress(address)]),
      [
        ['l7', '127.0.0.1:8080'],
        ['l4', '127.0.0.1:5432'],
        ['l4', '[::]:6379'],
      ],
    );
    assert.deepEqual(
      config.clusters.map(({ endpoints }) => endpoints.map(({ address }) => formatAddress(address))),
      [['localhost:3000', "unix:/run/a 'b'"], ['db:5432'], ['r:1']],
    );
    assert.equal(config.clusters[0]?.balancer, 'least_connections');
    const [web] = config.listeners;
    assert.match(JSON.stringify(web?.mode === 'l7' ? web.routes[0] : null), /"\*\.example\.com"/);
  });

  it('keeps a text that looks like a reference to the environment', () => {
    const texts = ['unix:/run/${HOME}', 'unix:/run/$${a', 'unix:/${é'];
    const [app] = load(plan(...texts)).clusters;
    assert.deepEqual(
      app?.endpoints.map(({ address }) => formatAddress(address)),
      texts,
    );
  });

  it('has TLS to targets that are https URLs', () => {
    const [app] = load(plan('https://app')).clusters;
    assert.deepEqual(app?.tls, { serverName: null, ca: null, verify: true, cert: null, key: null });
  });
});

describe('the options of sluice to', () => {
  for (const [argv, message] of [
    [[], /^no target given: write the port of your server, as in sluice to 3000$/],
    [['8080'], /^sluice would proxy localhost:8080 to itself: choose another port with --listen$/],
    [['localhost:80', '--listen', ':80'], /to itself/],
    [['1', 'https://a'], /some targets have TLS and others not/],
    [['1', '--cert', 'a.pem'], /both --cert FILE and --key FILE/],
    [['1', '--host', 'a:1'], /^--host: "a:1" has a port/],
    [['1', '--tcp', '8080:a:1'], /^--tcp and --listen both have 127\.0\.0\.1:8080/],
    [['1', '--admin', ':8080'], /^--admin and --listen both have \[::\]:8080/],
  ] as const) {
    it(`are refused in one line: ${argv.join(' ')}`, () => {
      assert.throws(() => plan(...argv), { name: 'UsageError', message });
    });
  }
});

describe('the text of a ready sluice to', () => {
  const at = (host: string, port: number) => ({ address: { kind: 'tcp', host, port } }) as const;

  it('has addresses that a client can use', () => {
    const edge = plan('3000', '--listen', ':0', '--cert', 'a', '--key', 'b', '--tcp', '5432:db:5432');
    const probed = edge.targets.map((target) => ({ target, answeredAt: '::1' }));
    const listeners = [at('::', 4443), at('127.0.0.1', 5432)];
    const text = readyText(edge, probed, listeners, at('127.0.0.1', 9481).address);
    for (const part of [
      'https://localhost:4443/\n',
      'wss://localhost:4443/\n',
      'localhost:3000 (::1)\n',
      '127.0.0.1:5432 leads to db:5432\n',
      'http://127.0.0.1:9481/\n',
      'sluice top --set admin.address=127.0.0.1:9481\n',
    ])
      assert.ok(text.includes(part), text);
  });

  it('has the host of --host, and the short command at the default address', () => {
    const edge = plan('unix:/run/a', '--host', 'a.example');
    const probed = edge.targets.map((target) => ({ target, answeredAt: '/run/a' }));
    const text = readyText(edge, probed, [at('::', 80)], at('127.0.0.1', 9480).address);
    assert.match(text, /ws:\/\/a\.example:80\//);
    assert.match(text, /leads to +unix:\/run\/a\n/);
    assert.match(text, /terminal +sluice top\n/);
  });
});
