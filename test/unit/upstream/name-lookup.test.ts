import assert from 'node:assert/strict';
import type { SrvRecord } from 'node:dns';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ResolveSettings } from '../../../src/config/types/cluster.ts';
import { formatAddress } from '../../../src/core/address.ts';
import { NameLookup, type FoundEndpoint } from '../../../src/upstream/name-lookup.ts';

type Records = Record<string, string[] | Error>;
type Resolver = NonNullable<ConstructorParameters<typeof NameLookup>[1]>;

const NO_DATA = Object.assign(new Error('queryA ENODATA'), { code: 'ENODATA' });
const TIMEOUT = Object.assign(new Error('queryA ETIMEOUT'), { code: 'ETIMEOUT' });

/** Makes a resolver that answers from `records`, whose keys are `4 name`, `6 name` and `srv name`. */
function resolverOf(records: Records): { resolver: Resolver; asked: string[] } {
  const asked: string[] = [];
  const answer = (key: string): Promise<string[]> => {
    asked.push(key);
    const found = records[key] ?? NO_DATA;
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  const addresses = async (key: string): Promise<{ address: string; ttl: number }[]> =>
    (await answer(key)).map((text) => {
      const [address = '', ttl = '60'] = text.split(' ');
      return { address, ttl: Number(ttl) };
    });
  const resolver = {
    resolve4: (name: string) => addresses(`4 ${name}`),
    resolve6: (name: string) => addresses(`6 ${name}`),
    resolveSrv: async (name: string): Promise<SrvRecord[]> =>
      (await answer(`srv ${name}`)).map((text) => {
        const [target = '', port, priority, weight] = text.split(' ');
        return { name: target, port: Number(port), priority: Number(priority), weight: Number(weight) };
      }),
  };
  return { resolver: resolver as unknown as Resolver, asked };
}

function lookup(type: ResolveSettings['type'], records: Records): { name: NameLookup; asked: string[] } {
  const { resolver, asked } = resolverOf(records);
  return { name: new NameLookup({ type, intervalMs: 1000, servers: [] }, resolver), asked };
}

const APP = { kind: 'tcp', host: 'app.test', port: 80 } as const;

function texts(endpoints: readonly FoundEndpoint[]): string[] {
  return endpoints.map(({ addresses }) => addresses.map(formatAddress).join(' or '));
}

function hostsOf(target: number): string[] {
  return Array.from({ length: 4000 }, (_, index) => `10.${target}.${index >> 8}.${index & 255}`);
}

/** Returns the bytes of the heap in use after garbage collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('an address lookup', () => {
  it('returns each address once, in a stable order, with the shortest TTL', async () => {
    const { name } = lookup('a', { '4 app.test': ['192.0.2.9 30', '192.0.2.1 90', '192.0.2.9 30'] });
    const { endpoints, ttlMs, failure } = await name.find(APP);
    assert.deepEqual(texts(endpoints), ['192.0.2.1:80', '192.0.2.9:80']);
    assert.deepEqual([ttlMs, failure], [30_000, null]);
  });

  it('returns all addresses of a service of 500 pods', async () => {
    const pods = Array.from({ length: 500 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const { name } = lookup('a', { '4 app.test': pods });
    const { endpoints, omitted: leftOut } = await name.find(APP);
    assert.deepEqual([new Set(texts(endpoints)).size, leftOut], [500, 0]);
  });

  it('limits the number of addresses, and drops the same addresses in whatever order they come', async () => {
    const all = Array.from({ length: 5000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    const records: Records = { '4 app.test': all };
    const { name } = lookup('a', records);
    const first = await name.find(APP);
    assert.deepEqual([first.endpoints.length, first.omitted], [4096, 904]);
    const used = new Set(texts(first.endpoints));
    records['4 app.test'] = all.toReversed();
    assert.deepEqual(new Set(texts((await name.find(APP)).endpoints)), used);
    const rest = all.filter((host) => !used.has(`${host}:80`));
    assert.ok(
      rest.some((host) => host < '10.1.16'),
      'only the last addresses in text order were dropped',
    );
    // A removed address makes room for one other, and the rest stay.
    const [gone] = first.endpoints;
    records['4 app.test'] = all.filter((host) => `${host}:80` !== texts([gone!])[0]);
    const second = new Set(texts((await name.find(APP)).endpoints));
    assert.equal(texts(first.endpoints).filter((text) => !second.has(text)).length, 1);
  });

  it('pairs IPv6 and IPv4 addresses as alternatives for the same host', async () => {
    const { name } = lookup('a', {
      '6 app.test': ['2001:db8::2', '2001:db8::1'],
      '4 app.test': ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    });
    assert.deepEqual(texts((await name.find(APP)).endpoints), [
      '[2001:db8::1]:80 or 192.0.2.1:80',
      '[2001:db8::2]:80 or 192.0.2.2:80',
      '192.0.2.3:80',
    ]);
  });

  it('rejects with the reasons if neither family has an address', async () => {
    const { name } = lookup('a', { '6 app.test': TIMEOUT });
    await assert.rejects(
      name.find(APP),
      /^Error: app\.test has no address: queryA ETIMEOUT, queryA ENODATA$/,
    );
  });

  it('keeps the addresses of a family whose query fails, and reports the failure', async () => {
    const records: Records = { '6 app.test': ['2001:db8::1'], '4 app.test': ['192.0.2.1'] };
    const { name } = lookup('a', records);
    const first = await name.find(APP);
    records['6 app.test'] = TIMEOUT;
    for (let count = 0; count < 3; count++) {
      const again = await name.find(APP);
      assert.deepEqual(again.endpoints, first.endpoints);
      assert.deepEqual([again.ttlMs, again.failure], [0, 'queryA ETIMEOUT']);
    }
    records['6 app.test'] = NO_DATA;
    const gone = await name.find(APP);
    assert.deepEqual(
      [texts(gone.endpoints), gone.failure],
      [['192.0.2.1:80'], null],
      'ENODATA removes the addresses',
    );
    records['6 app.test'] = TIMEOUT;
    assert.deepEqual(texts((await name.find(APP)).endpoints), ['192.0.2.1:80']);
  });
});

describe('a service lookup', () => {
  const SERVICE = { kind: 'tcp', host: '_ws._tcp.app.test', port: 0 } as const;

  it('returns the targets with their ports, weights and priorities', async () => {
    const { name } = lookup('srv', {
      'srv _ws._tcp.app.test': ['b.test 9002 20 0', 'a.test 9001 10 5', '192.0.2.7 9003 10 1'],
      '4 a.test': ['192.0.2.1 5', '192.0.2.2 5'],
      '4 b.test': ['192.0.2.3 50'],
    });
    const { endpoints, ttlMs } = await name.find(SERVICE);
    assert.deepEqual(
      endpoints.map(({ addresses, weight, priority }) => [formatAddress(addresses[0]!), weight, priority]),
      [
        ['192.0.2.1:9001', 2.5, 10],
        ['192.0.2.2:9001', 2.5, 10],
        ['192.0.2.7:9003', 1, 10],
        ['192.0.2.3:9002', 1, 20],
      ],
    );
    assert.equal(ttlMs, 5000);
  });

  it('drops a target without an address, and keeps one whose query fails', async () => {
    const records: Records = {
      'srv _ws._tcp.app.test': ['a.test 1 0 1', 'b.test 2 0 1'],
      '4 a.test': ['192.0.2.1'],
      '4 b.test': ['192.0.2.2'],
    };
    const { name } = lookup('srv', records);
    const first = await name.find(SERVICE);
    records['4 b.test'] = TIMEOUT;
    const second = await name.find(SERVICE);
    assert.deepEqual([second.endpoints, second.failure], [first.endpoints, 'queryA ETIMEOUT']);
    records['4 b.test'] = NO_DATA;
    assert.deepEqual(texts((await name.find(SERVICE)).endpoints), ['192.0.2.1:1']);
    records['4 a.test'] = NO_DATA;
    await assert.rejects(name.find(SERVICE), /no target of _ws\._tcp\.app\.test has an address/);
  });

  it('looks up a limited number of targets, the lowest priority values first', async () => {
    const services = Array.from({ length: 2000 }, (_, index) => `t${index}.test 80 ${2000 - index} 1`);
    const records: Records = { 'srv _ws._tcp.app.test': services };
    for (let index = 0; index < 2000; index++)
      records[`4 t${index}.test`] = [`192.0.${index >> 8}.${index & 255}`];
    const { name, asked } = lookup('srv', records);
    const { endpoints, omitted: leftOut } = await name.find(SERVICE);
    assert.deepEqual([endpoints.length, leftOut], [1024, 976]);
    assert.ok(endpoints.every(({ priority }) => priority <= 1024));
    assert.ok(asked.length <= 1 + 2 * 1024);
  });

  it('drops the same addresses, whichever target is resolved first', async () => {
    const records: Records = {
      'srv _ws._tcp.app.test': Array.from({ length: 20 }, (_, index) => `t${index}.test 80 ${index % 2} 1`),
    };
    for (let index = 0; index < 20; index++) records[`4 t${index}.test`] = hostsOf(index);
    const { resolver } = resolverOf(records);
    let asked = 0;
    let turnsOf: (count: number) => number = () => 0;
    const delayed = {
      ...resolver,
      resolve4: async (host: string) => {
        for (let turn = turnsOf(asked++); turn > 0; turn--)
          await new Promise((resolve) => setImmediate(resolve));
        return resolver.resolve4(host, { ttl: true });
      },
    } as unknown as Resolver;
    const name = new NameLookup({ type: 'srv', intervalMs: 1000, servers: [] }, delayed);
    const first = await name.find(SERVICE);
    assert.deepEqual([first.endpoints.length, first.omitted], [4096, 20 * 4000 - 4096]);
    assert.ok(first.endpoints.every(({ priority, weight }) => priority === 0 && weight === 1 / 3277));
    turnsOf = (count) => 20 - (count % 20);
    assert.deepEqual(await name.find(SERVICE), first);
  });

  it('holds a limited number of addresses in memory during the lookup', async () => {
    const services = Array.from({ length: 100 }, (_, index) => `t${index}.test 80 0 1`);
    const { resolver } = resolverOf({ 'srv _ws._tcp.app.test': services });
    const before = heapBytes();
    let held = 0;
    let asked = 0;
    const many = {
      ...resolver,
      resolve4: () => {
        const found = hostsOf(asked++).map((address) => ({ address, ttl: 60 }));
        if (asked === services.length) held = heapBytes() - before;
        return Promise.resolve(found);
      },
    } as unknown as Resolver;
    const name = new NameLookup({ type: 'srv', intervalMs: 1000, servers: [] }, many);
    const { endpoints, omitted: leftOut } = await name.find(SERVICE);
    assert.deepEqual([endpoints.length, leftOut], [4096, 100 * 4000 - 4096]);
    assert.ok(held > 0 && held < 25e6, `${held} bytes with 99 targets found`);
    const kept = heapBytes() - before;
    assert.ok(kept < 25e6, `${kept} bytes after the lookup`);
  });

  it('drops and counts the same addresses of a target while its query fails', async () => {
    const services = Array.from({ length: 100 }, (_, index) => `t${index}.test 80 ${index} 1`);
    const records: Records = { 'srv _ws._tcp.app.test': services, '4 t0.test': hostsOf(0) };
    for (let index = 1; index < 100; index++) records[`4 t${index}.test`] = [`192.0.2.${index}`];
    const { name } = lookup('srv', records);
    const first = await name.find(SERVICE);
    assert.deepEqual([first.endpoints.length, first.omitted], [656 + 99, 4000 - 656]);
    records['4 t0.test'] = TIMEOUT;
    const second = await name.find(SERVICE);
    assert.deepEqual([second.endpoints, second.omitted], [first.endpoints, first.omitted]);
  });

  it('rejects with a limited number of reasons if no target has an address', async () => {
    const services = Array.from({ length: 1000 }, (_, index) => `t${index}.test 80 0 1`);
    const { name } = lookup('srv', { 'srv _ws._tcp.app.test': services });
    await assert.rejects(name.find(SERVICE), ({ message }: Error) => {
      assert.match(message, /^no target of _ws\._tcp\.app\.test has an address: t0\.test .* and 997 more$/);
      return message.length < 500;
    });
  });

  it('looks up each target once, at most 32 at the same time', async () => {
    const targets = Array.from({ length: 100 }, (_, index) => `t${index}.test`);
    const services = targets.flatMap((target) => [`${target} 80 0 1`, `${target} 81 0 1`]);
    const records: Records = { 'srv _ws._tcp.app.test': services };
    for (const [index, target] of targets.entries()) records[`4 ${target}`] = [`192.0.2.${index}`];
    const { resolver, asked } = resolverOf(records);
    let under = 0;
    let most = 0;
    const counted = {
      ...resolver,
      resolve4: async (host: string) => {
        most = Math.max(most, ++under);
        await new Promise((resolve) => setImmediate(resolve));
        under--;
        return resolver.resolve4(host, { ttl: true });
      },
    } as unknown as Resolver;
    const name = new NameLookup({ type: 'srv', intervalMs: 1000, servers: [] }, counted);
    assert.equal((await name.find(SERVICE)).endpoints.length, 200);
    assert.equal(asked.length, 1 + 2 * 100);
    assert.ok(most <= 32, `${most} at the same time`);
  });
});
