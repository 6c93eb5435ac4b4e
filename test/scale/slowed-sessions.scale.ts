/** Limits on what clients send, as peers made with `ws` see them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { within } from '../support/deadline.ts';
import {
  ENGINES,
  TLS_ENGINES,
  isOwnEngine,
  usesTls,
  withoutTls,
  type EngineName,
  type TlsEngine,
} from '../support/engines.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { WsEndpoint, type WsPeer } from '../support/websocket/ws-peer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Bytes a second of the limit below, and how many may come at once. */
const RATE = MIB;
/** Of one listener. A message of the limit by messages has to wait for more than twice as long. */
const IDLE_MS = 3000;
const SLOW = [
  { name: 'bytes', key: { header: 'x-user' }, bytes: '1MiB/s', over: 'slow' },
  { name: 'messages', key: { header: 'x-caller' }, messages: '8/m', burst: 1, over: 'slow' },
];
const CLOSE = [{ name: 'rate', key: 'address', messages: '20/s', over: 'close' }];
/** The roles of clients, each with its own endpoint. */
const ROLES = ['sender', 'neighbour', 'first', 'second', 'quiet'] as const;

type Role = (typeof ROLES)[number];

/** They wait for time to pass, so they do it at once. */
describe('a limit that slows clients down', { concurrency: true }, () => {
  for (const engine of [...ENGINES.filter(isOwnEngine), ...TLS_ENGINES])
    describe(`on ${engine}`, { concurrency: true }, () => slowingOn(engine));
});

function slowingOn(engine: EngineName | TlsEngine): void {
  const authority = new CertificateAuthority();
  const endpoints = new Map<Role, WsEndpoint>();
  let rig: WebRig;

  before(async () => {
    for (const role of ROLES) endpoints.set(role, await WsEndpoint.listen());
    const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
    const web = {
      engine: withoutTls(engine),
      ...(usesTls(engine) ? { tls: { certificates: [{ cert, key }] } } : {}),
      routes: ROLES.map((role) => ({ match: { path: `/${role}` }, cluster: role })),
      limits: SLOW,
    };
    rig = await WebRig.start({
      listeners: { web, idle: { ...web, websocket: { idleTimeout: `${IDLE_MS}ms` } } },
      clusters: Object.fromEntries(
        Array.from(endpoints, ([role, { address }]) => [role, { endpoints: [address] }]),
      ),
      shutdown: { readyDelay: '0s' },
    });
  });
  after(async () => {
    for (const endpoint of endpoints.values()) endpoint.close();
    await rig.stop();
  });

  function join(
    role: Role,
    headers: Record<string, string>,
    listener = 'web',
  ): Promise<{ client: WsPeer; endpoint: WsPeer }> {
    const tls = usesTls(engine) ? { scheme: 'wss' as const, ca: authority.pem, servername: 'localhost' } : {};
    return rig.join(endpoints.get(role)!, { listener, path: `/${role}`, headers, ...tls });
  }

  it('lets 10 MiB through at its rate, whole and in order, and nobody else waits', async () => {
    const { client, endpoint } = await join('sender', { 'x-user': 'sender' });
    const neighbour = await join('neighbour', { 'x-user': 'neighbour' });
    const start = performance.now();
    const total = 10 * MIB;
    const sizes = numbered(client, total);
    const arrived = inOrder(endpoint, sizes.length);
    let longest = 0;
    for (let goesOn = true; goesOn;) {
      const sent = performance.now();
      neighbour.client.socket.send('hello');
      await neighbour.endpoint.messages.next();
      longest = Math.max(longest, performance.now() - sent);
      goesOn = await Promise.race([arrived.then(() => false), pause(50).then(() => true)]);
    }
    const seconds = (performance.now() - start) / 1000;
    const least = (total - RATE) / RATE;
    assert.ok(seconds > least * 0.95, `${seconds} s`);
    assert.ok(seconds < least * 3, `${seconds} s`);
    assert.ok(longest < 5000, `the neighbour has waited for ${longest} ms`);
  });

  it('shares its rate evenly among the sessions of one key', async () => {
    const user = { 'x-user': 'both' };
    const pairs = await Promise.all([join('first', user), join('second', user)]);
    for (const { client } of pairs) numbered(client, 8 * MIB);
    const got = pairs.map(({ endpoint }) => ({ endpoint, bytes: 0 }));
    const sum = (): number => got[0]!.bytes + got[1]!.bytes;
    const receive = async (total: number): Promise<number[]> => {
      const before = got.map(({ bytes }) => bytes);
      await Promise.all(
        got.map(async (side) => {
          while (sum() < total) side.bytes += (await side.endpoint.messages.next()).data.length;
        }),
      );
      return got.map(({ bytes }, index) => (bytes - before[index]!) / MIB);
    };
    // One client may take all of the burst.
    await receive(2 * MIB);
    const [first, second] = await receive(6 * MIB);
    assert.ok(Math.min(first!, second!) > 1.2, `${first} and ${second} MiB`);
    for (const { client } of pairs) client.socket.terminate();
  });

  it('keeps a session that is silent because of it past its idle timeout', async () => {
    const { client, endpoint } = await join('quiet', { 'x-caller': 'quiet' }, 'idle');
    for (const text of ['at once', 'too soon']) {
      client.socket.send(text);
      assert.equal((await endpoint.messages.next()).data.toString(), text);
    }
    const start = performance.now();
    client.socket.send('held back');
    // A ping of before may be on its way.
    await pause(100);
    const { count } = client.pings;
    assert.equal((await endpoint.messages.next()).data.toString(), 'held back');
    assert.ok(performance.now() - start > 1.3 * IDLE_MS);
    assert.deepEqual([client.socket.readyState, client.pings.count], [client.socket.OPEN, count]);
  });
}

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`a session that is slowed down on ${engine}`, () => {
    it('drains in order: its endpoint has the beginning of what was sent, and 1001', async () => {
      const endpoint = await WsEndpoint.listen();
      const rig = await WebRig.start({
        listeners: { web: { engine, limits: SLOW } },
        clusters: { app: { endpoints: [endpoint.address] } },
        shutdown: { readyDelay: '0s' },
      });
      try {
        const joined = await rig.join(endpoint, { headers: { 'x-user': 'drained' } });
        numbered(joined.client, 8 * MIB);
        await inOrder(joined.endpoint, 20);
        const stopped = rig.sluice.stop();
        assert.deepEqual(await joined.client.closed(), { code: 1012, reason: 'service restart' });
        assert.equal((await joined.endpoint.closed()).code, 1001);
        const { waiting } = joined.endpoint.messages;
        for (let at = 20; at < 20 + waiting; at++)
          assert.equal((await joined.endpoint.messages.next()).data.readUInt32LE(0), at);
        assert.deepEqual(await within('the exit', stopped), { code: 0, signal: null });
      } finally {
        endpoint.close();
        await rig.sluice.stop();
      }
    });
  });
}

describe('a limit that closes', () => {
  for (const engine of ENGINES) {
    it(`says so to the client, and 1001 to its endpoint, on ${engine}`, async () => {
      const endpoint = await WsEndpoint.listen();
      const rig = await WebRig.start({
        listeners: { web: { engine, limits: CLOSE } },
        clusters: { app: { endpoints: [endpoint.address] } },
      });
      try {
        const joined = await rig.join(endpoint);
        for (let sent = 0; sent < 100; sent++) joined.client.socket.send(String(sent));
        assert.deepEqual(await joined.client.closed(), { code: 1008, reason: 'message rate exceeded' });
        assert.equal((await joined.endpoint.closed()).code, 1001);
        const metrics = await rig.settled();
        assert.equal(metrics.sum('sluice_ws_closes_total', { side: 'proxy', code: '1008' }), 1);
      } finally {
        endpoint.close();
        await rig.stop();
      }
    });
  }
});

/** Sends messages of 64 KiB that begin with their number. Returns them. */
function numbered(client: WsPeer, bytes: number): Buffer[] {
  const messages = Array.from({ length: bytes / (64 * KIB) }, (_, number) => {
    const message = Buffer.alloc(64 * KIB, number);
    message.writeUInt32LE(number, 0);
    return message;
  });
  for (const message of messages) client.socket.send(message);
  return messages;
}

/** Waits for the first messages of {@link numbered}. */
async function inOrder(endpoint: WsPeer, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const { data } = await endpoint.messages.next();
    assert.deepEqual([data.length, data.readUInt32LE(0)], [64 * KIB, number]);
    assert.ok(data.subarray(4).equals(Buffer.alloc(64 * KIB - 4, number)));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms));
}
