/** `GET /live` and `GET /events` of the real process, read by curl and by the command line. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, describe, it } from 'node:test';
import type { EventPage, EventRow } from '../../../src/protocol/admin/events.ts';
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';
import { eventually } from '../../support/deadline.ts';
import { sluiceCommand } from '../../support/processes/sluice-command.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';

describe('the sight of operators', { timeout: 300_000 }, () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  async function rig(): Promise<{ sluice: SluiceProcess; endpoint: WsEndpoint }> {
    const endpoint = await WsEndpoint.listen();
    cleanups.push(() => endpoint.close());
    const config = {
      admin: { address: '127.0.0.1:0', token: TOKEN },
      workers: { l7: 2 },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: '127.0.0.1:0',
          routes: [
            { match: { path: '/chat' }, cluster: 'app' },
            { match: { path: '/gone' }, cluster: 'gone' },
          ],
        },
      ],
      clusters: [
        { name: 'app', endpoints: [{ address: endpoint.address }] },
        { name: 'gone', endpoints: [{ address: '127.0.0.1:1' }] },
      ],
    };
    const sluice = await startSluice({ config });
    cleanups.push(() => sluice.kill('SIGKILL'));
    return { sluice, endpoint };
  }

  /** Reads the stream by curl; the returned function gives the frames so far. */
  function curl(url: string, ...args: string[]): () => LiveFrame[] {
    const child: ChildProcess = spawn('curl', ['-sN', ...args, url], { stdio: ['ignore', 'pipe', 'ignore'] });
    cleanups.push(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (part: string) => (text += part));
    return () =>
      text
        .split('\n\n')
        .slice(0, -1)
        .filter((event) => event.startsWith('id: '))
        .map((event) => JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as LiveFrame);
  }

  it('streams the values of the metrics: plain, compressed and to HTTP/1.0', async () => {
    const { sluice } = await rig();
    const url = `http://${sluice.admin}/live`;
    const readers = [curl(url), curl(url, '--compressed'), curl(url, '--http1.0')];
    for (const frames of readers) await eventually(() => assert.ok(frames().length > 0));
    const peer = await WsPeer.connect(`ws://${sluice.address('web')}/chat`);
    cleanups.push(() => peer.socket.terminate());
    const refused = await fetch(`http://${sluice.address('web')}/gone`);
    assert.equal(refused.status, 502);
    for (const frames of readers) {
      await eventually(() => {
        const { gauges, counters, clusters, errors } = frames().at(-1)!;
        assert.deepEqual([gauges.sessions, counters.sessions], [1, 1]);
        assert.deepEqual(
          clusters.map(({ name, connections, endpoints }) => [name, connections, endpoints.length]),
          [
            ['app', 1, 1],
            ['gone', 0, 1],
          ],
        );
        assert.ok(errors.some(({ kind, reason }) => kind === 'endpoint' && reason === 'refused'));
        assert.ok(errors.some(({ kind, reason }) => kind === 'request' && reason === 'status_5xx'));
      });
      const withTimes = frames().find(({ handshakeSeconds }) => handshakeSeconds !== null)!;
      const { count, p50, p99 } = withTimes.handshakeSeconds!;
      assert.ok(count === 1 && p50 > 0 && p50 <= p99);
    }
  });

  it('keeps events of the primary, which need the token', async () => {
    const { sluice } = await rig();
    assert.equal((await fetch(`http://${sluice.admin}/events`)).status, 401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const endpoint = `/clusters/app/endpoints/${encodeURIComponent((await status(sluice)).address)}`;
    const drained = await fetch(`http://${sluice.admin}${endpoint}/drain`, { method: 'POST', headers });
    assert.equal(drained.status, 202);
    await eventually(async () => {
      const answer = await fetch(`http://${sluice.admin}/events`, { headers });
      const { events, last } = (await answer.json()) as EventPage;
      const row = events.find(({ kind }) => kind === 'endpoint');
      assert.deepEqual(
        [row?.reason, row?.cluster, row?.detail],
        ['draining', 'app', 'drained by an operator'],
      );
      assert.equal(last, events.at(-1)!.number);
    });
  });

  async function status(sluice: SluiceProcess): Promise<{ address: string }> {
    const answer = await fetch(`http://${sluice.admin}/live?once`);
    return ((await answer.json()) as LiveFrame).clusters[0]!.endpoints[0]!;
  }

  it('are printed by the command line, a line each', async () => {
    const { sluice } = await rig();
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { address } = await status(sluice);
    const path = `/clusters/app/endpoints/${encodeURIComponent(address)}/drain`;
    await fetch(`http://${sluice.admin}${path}`, { method: 'POST', headers });
    const line = / {2}endpoint draining {2}app {2}127\.0\.0\.1:\d+ {2}drained by an operator\n/;
    await eventually(async () => assert.match((await sluiceCommand(sluice, 'events')).stdout, line));
    const { stdout } = await sluiceCommand(sluice, 'events', '--json', '--limit', '1');
    assert.equal((JSON.parse(stdout) as EventRow).endpoint, address);
  });
});
