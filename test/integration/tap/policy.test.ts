/** Who may start a tap, and what happens to taps at a reload, a restart and a shutdown. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { startSluice, type LogLine, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TapStream, refusedTap, type TapParameters } from '../../support/recording/tap-stream.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const GIVEN = { token: TOKEN };

describe('the tap API', { timeout: 300_000 }, () => {
  const taps: TapStream[] = [];
  const clients: WsPeer[] = [];
  let endpoint: WsEndpoint;
  let sluice: SluiceProcess;

  before(async () => {
    endpoint = await WsEndpoint.listen();
    sluice = await startSluice({ config: config('headers') });
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    for (const tap of taps.splice(0)) await tap.close();
    await reload('headers');
  });
  after(async () => {
    endpoint.close();
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
    assert.deepEqual(
      sluice.logs.filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
  });

  function config(tap: string): object {
    return {
      workers: { l7: 2, l4: 1 },
      shutdown: { readyDelay: '0s' },
      admin: { address: '127.0.0.1:0', token: TOKEN, tap },
      listeners: [
        { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, cluster: 'app' }] },
      ],
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
    };
  }

  async function command(path: string): Promise<void> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`http://${sluice.admin}${path}`, { method: 'POST', headers });
    assert.ok(response.ok, await response.text());
  }

  async function reload(tap: string): Promise<void> {
    sluice.writeConfig(config(tap));
    await command('/reload');
  }

  async function open(parameters: TapParameters): Promise<TapStream> {
    const tap = await TapStream.open(sluice.admin, parameters, GIVEN);
    taps.push(tap);
    return tap;
  }

  async function join(): Promise<{ client: WsPeer; peer: WsPeer }> {
    const [client, peer] = await Promise.all([
      WsPeer.connect(`ws://${sluice.address('web')}/`),
      endpoint.session(),
    ]);
    clients.push(client);
    return { client, peer };
  }

  /** Waits for the one line about a refused tap since `from`. */
  const warned = (from: number): Promise<LogLine> =>
    sluice.waitForLog(({ level, msg }) => level === 'warn' && msg.includes('tap'), undefined, from);

  async function events(): Promise<string> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (await fetch(`http://${sluice.admin}/events`, { headers })).text();
  }

  it('enforces admin.tap, names the key in a refusal, and logs and counts it', async () => {
    for (const [policy, parameters, status] of [
      ['headers', { payload: 'true' }, 403],
      ['off', {}, 403],
    ] as const) {
      await reload(policy);
      const from = sluice.logs.length;
      const before = (await scrape(sluice)).sum('sluice_taps_total');
      const answer = await refusedTap(sluice.admin, parameters, GIVEN);
      assert.equal(answer.status, status);
      assert.match((JSON.parse(answer.body) as { message: string }).message, /admin\.tap/);
      const line = await warned(from);
      assert.match(JSON.stringify(line), /127\.0\.0\.1/);
      assert.ok((await scrape(sluice)).sum('sluice_taps_total') > before);
    }
    assert.match(await events(), /tap_refused/);
  });

  it('refuses a wrong or missing token, and logs it', async () => {
    for (const token of ['a-wrong-token-of-a-good-length', null]) {
      const from = sluice.logs.length;
      assert.equal((await refusedTap(sluice.admin, {}, { token })).status, 401);
      const line = await warned(from);
      assert.ok(!JSON.stringify(line).includes('a-wrong-token'));
    }
  });

  it('refuses invalid and unknown parameters, and names them', async () => {
    for (const parameters of [
      { sample: '0%' },
      { sample: '101%' },
      { sample: 'some' },
      { payload: 'perhaps' },
      { maxPayload: '1GiB' },
      { client: 'not an address' },
      { unknown: '1' },
      { redact: '$.[' },
      { redact: '/(/' },
      { redact: 'plain' },
    ] as TapParameters[]) {
      const { status, body } = await refusedTap(sluice.admin, parameters, GIVEN);
      assert.equal(status, 400, JSON.stringify(parameters));
      const { message } = JSON.parse(body) as { message: string };
      assert.ok(message.includes(Object.keys(parameters)[0]!), `${JSON.stringify(parameters)}: ${message}`);
    }
    assert.ok((await fetch(`http://${sluice.admin}/tap`)).status === 405);
  });

  it('logs the start of a tap with its filter, and the end with its line count', async () => {
    const from = sluice.logs.length;
    const tap = await open({ listener: 'web' });
    const { client, peer } = await join();
    client.socket.send('hello');
    await peer.messages.next();
    await tap.next('frame');
    await tap.close();
    const started = await sluice.waitForLog(({ msg }) => msg === 'tap started', undefined, from);
    const ended = await sluice.waitForLog(({ msg }) => msg === 'tap ended', undefined, from);
    for (const line of [started, ended]) assert.match(JSON.stringify(line), /127\.0\.0\.1/);
    assert.match(JSON.stringify(started), /web/);
    assert.match(JSON.stringify(ended), /lines/);
    await eventually(async () => assert.equal((await scrape(sluice)).sum('sluice_taps_active'), 0));
  });

  it('ends taps that a reload forbids, and keeps those it allows', async () => {
    await reload('payload');
    const headers = await open({});
    const payload = await open({ payload: 'true' });
    await reload('headers');
    assert.match((await payload.next('done')).reason, /./);
    await payload.ended();
    const { client } = await join();
    client.socket.send('still seen');
    await headers.next('frame');
    await reload('off');
    await headers.next('done');
    await headers.ended();
  });

  it('keeps a tap open over a reload and a restart of the workers', async () => {
    const tap = await open({});
    const { client: first } = await join();
    await tap.next('session');
    await reload('headers');
    first.socket.send('behind the reload');
    await tap.next('frame', ({ length }) => length === 'behind the reload'.length);
    const { session: old } = tap.of('session')[0]!;
    await command('/workers/restart');
    for (const worker of ['l7-0', 'l7-1'])
      await sluice.waitForLog((line) => line.msg === 'worker restarted' && line.worker === worker);
    await tap.next('end', ({ session }) => session === old);
    const { client: second } = await join();
    await tap.next('session', ({ session }) => session !== old);
    second.socket.send('behind the restart');
    await tap.next('frame', ({ length }) => length === 'behind the restart'.length);
  });

  it('allows 8 taps at a time, and another after one ends', async () => {
    const eight = await Promise.all(Array.from({ length: 8 }, () => open({})));
    assert.equal((await refusedTap(sluice.admin, {}, GIVEN)).status, 429);
    await eight[0]!.close();
    await eventually(() => open({}));
  });

  it('shows how sessions end at shutdown, and does not delay the exit', async () => {
    const other = await startSluice({ config: config('headers') });
    const tap = await TapStream.open(other.admin, {}, GIVEN);
    taps.push(tap);
    const client = await WsPeer.connect(`ws://${other.address('web')}/`);
    clients.push(client);
    await tap.next('session');
    const start = performance.now();
    const exit = other.stop();
    const end = await tap.next('end');
    assert.deepEqual([end.side, end.code], ['proxy', 1012]);
    await tap.next('done');
    assert.deepEqual(await exit, { code: 0, signal: null });
    assert.ok(performance.now() - start < 20_000);
    await tap.ended();
  });
});
