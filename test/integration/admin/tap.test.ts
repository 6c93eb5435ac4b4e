/** `POST /tap` of the real process: who may read it, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { afterEach, describe, it } from 'node:test';
import type { EventPage } from '../../../src/protocol/admin/events.ts';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { startSluice, type LogLine, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TapStream, refusedTap } from '../../support/recording/tap-stream.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';
const WITH_TOKEN = { token: TOKEN };
const HEADERS = { authorization: `Bearer ${TOKEN}` };
const MAX_TAPS = 8;
/** More than the buffers of a connection take. */
const FLOOD_MESSAGES = 200;
const FLOOD_BYTES = 64 * 1024;

describe('taps of operators', { timeout: 300_000 }, () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  class Rig {
    readonly sluice: SluiceProcess;
    readonly endpoint: WsEndpoint;

    constructor(sluice: SluiceProcess, endpoint: WsEndpoint) {
      this.sluice = sluice;
      this.endpoint = endpoint;
    }

    async tap(parameters: Readonly<Record<string, string>> = {}): Promise<TapStream> {
      const tap = await TapStream.open(this.sluice.admin, parameters, WITH_TOKEN);
      cleanups.push(() => tap.close());
      return tap;
    }

    async client(): Promise<WsPeer> {
      const peer = await WsPeer.connect(`ws://${this.sluice.address('web')}/chat`);
      cleanups.push(() => peer.socket.terminate());
      return peer;
    }

    async active(): Promise<number> {
      return (await scrape(this.sluice)).sum('sluice_taps_active');
    }

    async post(path: string): Promise<number> {
      return (await fetch(`http://${this.sluice.admin}${path}`, { method: 'POST', headers: HEADERS })).status;
    }

    logged(msg: string): readonly LogLine[] {
      return this.sluice.logs.filter((line) => line.msg === msg);
    }
  }

  function config(endpoint: WsEndpoint, admin: object, addresses = { web: '127.0.0.1:0' }): object {
    return {
      admin: { address: '127.0.0.1:0', token: TOKEN, ...admin },
      workers: { l7: 1 },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: addresses.web,
          routes: [{ name: 'chat', match: {}, cluster: 'app' }],
        },
      ],
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
    };
  }

  async function start(admin: object): Promise<Rig> {
    const endpoint = await WsEndpoint.listen();
    cleanups.push(() => endpoint.close());
    const env = { SLUICE_FAULT_HOOKS: '1' };
    const sluice = await startSluice({ config: config(endpoint, admin), env });
    cleanups.push(() => sluice.kill('SIGKILL'));
    return new Rig(sluice, endpoint);
  }

  /** Reads a tap by curl. */
  function curl({ sluice }: Rig, query = ''): { pid: number; exited: Promise<unknown>; text: () => string } {
    const args = [
      '-sNX',
      'POST',
      '-H',
      `Authorization: Bearer ${TOKEN}`,
      `http://${sluice.admin}/tap${query}`,
    ];
    const child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    cleanups.push(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    const exited = new Promise((settle) => child.once('close', settle));
    return { pid: child.pid!, exited, text: () => text };
  }

  it('are refused without the token, if they are off, and for payload under headers, and all is logged', async () => {
    const rig = await start({});
    const { admin } = rig.sluice;
    assert.equal((await refusedTap(admin, {}, { token: null })).status, 401);
    assert.equal((await refusedTap(admin, {}, { token: 'another-token-than-that' })).status, 401);
    const off = await refusedTap(admin, {}, WITH_TOKEN);
    assert.equal(off.status, 403);
    assert.match(off.body, /set admin\.tap to headers or payload/);
    rig.sluice.writeConfig(config(rig.endpoint, { tap: 'headers' }));
    assert.equal(await rig.post('/reload'), 200);
    const payload = await refusedTap(admin, { payload: 'true' }, WITH_TOKEN);
    assert.equal(payload.status, 403);
    assert.match(payload.body, /set admin\.tap to payload/);
    assert.equal((await refusedTap(admin, { rout: 'chat' }, WITH_TOKEN)).status, 400);
    assert.equal((await refusedTap(admin, { redact: '/(/' }, WITH_TOKEN)).status, 400);
    for (const method of ['GET', 'HEAD']) {
      assert.equal((await fetch(`http://${admin}/tap`, { method, headers: HEADERS })).status, 405);
    }
    const reasons = ['token', 'token', 'off', 'payload', 'parameters', 'parameters'];
    await eventually(() =>
      assert.deepEqual(
        rig.logged('tap refused').map(({ reason, client }) => [reason, client]),
        reasons.map((reason) => [reason, '127.0.0.1']),
      ),
    );
    const answer = await fetch(`http://${admin}/events`, { headers: HEADERS });
    const { events } = (await answer.json()) as EventPage;
    const rows = events.filter(({ reason }) => reason === 'tap_refused');
    assert.deepEqual(
      rows.map(({ kind, detail, count, client }) => [kind, detail, count, client]),
      [
        ['admin', 'no token, or a wrong one', 2, '127.0.0.1'],
        ['admin', 'taps are off', 1, '127.0.0.1'],
        ['admin', 'payloads are not shown', 1, '127.0.0.1'],
        ['admin', 'bad parameters', 2, '127.0.0.1'],
      ],
    );
  });

  it('are at most eight at a time, each with its lines, and end when their readers are killed', async () => {
    const rig = await start({ tap: 'headers' });
    const readers = Array.from({ length: MAX_TAPS }, () => curl(rig, '?route=chat'));
    for (const { text } of readers) {
      await eventually(() => assert.match(text(), /^\{"type":"tap",.*"filter":\{"route":"chat"\}.*\}\n/));
    }
    const refused = await refusedTap(rig.sluice.admin, {}, WITH_TOKEN);
    assert.deepEqual([refused.status, await rig.active()], [429, MAX_TAPS]);
    const client = await rig.client();
    client.socket.send('hello');
    for (const { text } of readers) {
      await eventually(() => assert.match(text(), /^\{"type":"frame",.*"from":"client","opcode":"text"/m));
    }
    for (const { pid } of readers) process.kill(pid, 'SIGKILL');
    await eventually(async () => assert.equal(await rig.active(), 0));
    await eventually(() =>
      assert.deepEqual(
        rig.logged('tap ended').map(({ reason }) => reason),
        Array.from({ length: MAX_TAPS }, () => 'the reader disconnected'),
      ),
    );
    await rig.tap();
  });

  it('end with a reason at a reload that restricts them', async () => {
    const rig = await start({ tap: 'payload' });
    const [payload, headers] = [await rig.tap({ payload: 'true' }), await rig.tap()];
    rig.sluice.writeConfig(config(rig.endpoint, { tap: 'headers' }));
    assert.equal(await rig.post('/reload'), 200);
    const reason = 'the configuration was reloaded: admin.tap is headers';
    assert.equal((await payload.next('done')).reason, reason);
    await payload.ended();
    const client = await rig.client();
    client.socket.send('hello');
    await headers.next('frame');
    rig.sluice.writeConfig(config(rig.endpoint, { tap: 'off' }));
    assert.equal(await rig.post('/reload'), 200);
    assert.equal((await headers.next('done')).reason, 'the configuration was reloaded: admin.tap is off');
  });

  it('show the drain of a process that ends, and then end with it', async () => {
    const rig = await start({ tap: 'headers' });
    const tap = await rig.tap();
    await rig.client();
    await tap.next('session');
    rig.sluice.kill('SIGTERM');
    const { side, code } = await tap.next('end');
    assert.deepEqual([side, code], ['proxy', 1012]);
    assert.equal((await tap.next('done')).reason, 'the proxy has ended');
    assert.deepEqual(await rig.sluice.waitForExit(), { code: 0, signal: null });
  });

  it('end when another process takes over', async () => {
    const rig = await start({ tap: 'headers' });
    const tap = await rig.tap();
    const addresses = { web: rig.sluice.address('web') };
    const same = config(rig.endpoint, { tap: 'headers', address: rig.sluice.admin }, addresses);
    const successor = await startSluice({ config: same, args: ['--takeover'] });
    cleanups.push(() => successor.kill('SIGKILL'));
    assert.equal((await tap.next('done')).reason, 'another process takes over');
    assert.deepEqual(await rig.sluice.waitForExit(), { code: 0, signal: null });
    const next = await TapStream.open(successor.admin, {}, WITH_TOKEN);
    await next.close();
  });

  it('continue in a restarted worker', async () => {
    const rig = await start({ tap: 'headers' });
    const tap = await rig.tap();
    await rig.client();
    await tap.next('session');
    const from = rig.sluice.logs.length;
    assert.equal(await rig.post('/debug/workers/l7-0/fault'), 202);
    await rig.sluice.waitForLog(({ msg }) => msg === 'worker is up again', undefined, from);
    const client = await rig.client();
    client.socket.send('hello');
    await tap.next('frame', ({ from: side }) => side === 'client');
    assert.equal(tap.of('session').length, 2);
  });

  it('lose lines, and delay no session, if their reader stops', async () => {
    const rig = await start({ tap: 'payload' });
    const reader = curl(rig, '?payload=true&maxPayload=64KiB');
    await eventually(() => assert.match(reader.text(), /^\{"type":"tap"/));
    process.kill(reader.pid, 'SIGSTOP');
    const client = await rig.client();
    const behind = await rig.endpoint.sessions.next();
    const message = Buffer.alloc(FLOOD_BYTES, 'x');
    for (let index = 0; index < FLOOD_MESSAGES; index++) {
      client.socket.send(message, { binary: false });
      await behind.messages.next();
    }
    process.kill(reader.pid, 'SIGCONT');
    await eventually(() => {
      client.socket.send('still there');
      assert.match(reader.text(), /^\{"type":"lost",.*\}$/m);
    });
    process.kill(reader.pid, 'SIGSTOP');
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
  });
});
