import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Address } from '../../../../src/core/address.ts';
import { TimerWheel } from '../../../../src/core/timer-wheel.ts';
import { EndpointAddresses } from '../../../../src/l4/raw/endpoint-addresses.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { eventually, within } from '../../../support/deadline.ts';

function prepared(addresses: EndpointAddresses, address: Address): Promise<void> {
  const known = new Promise<void>((resolve) => addresses.prepare(address, resolve));
  return within('the look-up', known);
}

describe('the addresses of endpoints', { skip: unsupportedReason() ?? false }, () => {
  it('has IP addresses and UNIX sockets at once', () => {
    const addresses = new EndpointAddresses(new TimerWheel(0));
    const endpoints: Address[] = [
      { kind: 'tcp', host: '192.0.2.1', port: 80 },
      { kind: 'tcp', host: '2001:db8::1', port: 80 },
      { kind: 'unix', path: '/run/app' },
    ];
    let known = 0;
    for (const endpoint of endpoints) addresses.prepare(endpoint, () => known++);
    assert.equal(known, 3);
    assert.deepEqual(
      endpoints.map((endpoint) => addresses.of(endpoint).list.map(({ text }) => text)),
      [['192.0.2.1:80'], ['[2001:db8::1]:80'], ['unix:/run/app']],
    );
    const target = addresses.of(endpoints[0]!);
    target.prefer(target.list[0]!);
    assert.equal(target.list.length, 1);
  });

  it('looks a name up once for all who want it at first', async () => {
    const wheel = new TimerWheel(0);
    const addresses = new EndpointAddresses(wheel);
    const endpoint: Address = { kind: 'tcp', host: 'localhost', port: 8080 };
    const both = [prepared(addresses, endpoint), prepared(addresses, endpoint)];
    assert.deepEqual(addresses.of(endpoint).list, []);
    await Promise.all(both);
    const known = addresses.of(endpoint).list;
    assert.ok(known.length > 0);
    for (const { text } of known) assert.match(text, /^(?:127\.0\.0\.1|\[::1\]):8080$/);
    await prepared(addresses, endpoint);
    assert.equal(addresses.of(endpoint).list, known);
    addresses.close();
  });

  it('looks it up again after a while, and dials first what accepted last', async () => {
    const wheel = new TimerWheel(0);
    const addresses = new EndpointAddresses(wheel);
    const endpoint: Address = { kind: 'tcp', host: 'localhost', port: 8080 };
    await prepared(addresses, endpoint);
    const targets = addresses.of(endpoint);
    const before = targets.list;
    const last = before.at(-1)!;
    targets.prefer(last);
    assert.equal(targets.list[0], last);
    assert.equal(targets.list.length, before.length);
    const preferred = targets.list;
    wheel.advance(9_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(targets.list, preferred);
    wheel.advance(10_200);
    await eventually(() => assert.notEqual(targets.list, preferred));
    assert.deepEqual(
      targets.list.map(({ text }) => text),
      preferred.map(({ text }) => text),
    );
    // Of an older look-up: it has no place any more.
    targets.prefer(last);
    assert.ok(!targets.list.includes(last));
    addresses.close();
  });

  it('tries again where a name cannot be resolved, and keeps what it knew', async () => {
    const wheel = new TimerWheel(0);
    const answers = ['', '192.0.2.1', '', '192.0.2.2'];
    let asked = 0;
    const addresses = new EndpointAddresses(wheel, (_host, _options, done) => {
      const answer = answers[asked++]!;
      if (answer === '') done(new Error('ENOTFOUND'), []);
      else done(null, [{ address: answer, family: 4 }]);
    });
    const endpoint: Address = { kind: 'tcp', host: 'app.internal', port: 1 };
    await prepared(addresses, endpoint);
    const known = (): string[] => addresses.of(endpoint).list.map(({ text }) => text);
    assert.deepEqual([asked, known()], [1, []]);
    wheel.advance(1_100);
    assert.deepEqual([asked, known()], [2, ['192.0.2.1:1']]);
    wheel.advance(2_200);
    assert.equal(asked, 2);
    wheel.advance(11_200);
    assert.deepEqual([asked, known()], [3, ['192.0.2.1:1']]);
    wheel.advance(12_300);
    assert.deepEqual([asked, known()], [4, ['192.0.2.2:1']]);
    addresses.close();
    wheel.advance(60_000);
    assert.equal(asked, 4);
  });

  it('knows only what it was told of', () => {
    const addresses = new EndpointAddresses(new TimerWheel(0));
    assert.throws(
      () => addresses.of({ kind: 'tcp', host: '192.0.2.1', port: 80 }),
      /192\.0\.2\.1:80 is not prepared/,
    );
  });
});
