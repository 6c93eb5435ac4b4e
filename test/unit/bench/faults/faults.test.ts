import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { Crowd } from '../../../../bench/faults/crowd/crowd.ts';
import { kindsOf } from '../../../../bench/faults/figures.ts';
import { mergeReports, renderFaults, type FaultReport } from '../../../../bench/faults/report.ts';
import { openOverTime, p99OverTime, percentileBetween } from '../../../../bench/faults/timeline.ts';
import { programOf } from '../../../../bench/peers/programs.ts';
import { haproxy } from '../../../../bench/reloadable/haproxy.ts';
import { nginx } from '../../../../bench/reloadable/nginx.ts';
import type { ReloadableSetup } from '../../../../bench/reloadable/reloadable-peer.ts';
import { sluice } from '../../../../bench/reloadable/sluice.ts';
import { makeCertificate } from '../../../../bench/rig/certificate.ts';
import { eventually, within } from '../../../support/deadline.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');

async function echoServer(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
  });
  await new Promise((settle) => server.once('listening', settle));
  return server;
}

function gather(server: WebSocketServer, reopens: boolean): Promise<Crowd> {
  const { port } = server.address() as AddressInfo;
  return within(
    'the crowd',
    Crowd.gather({ protocol: 'ws', port, sessions: 20, rate: 400, reopens }),
    60_000,
  );
}

describe('a crowd', () => {
  it('records how each session ends, and opens it again', async () => {
    const server = await echoServer();
    const crowd = await gather(server, true);
    let ended = 0;
    for (const socket of [...server.clients].slice(0, 5)) {
      socket.close(1012);
      ended++;
    }
    for (const socket of [...server.clients].slice(5, 8)) {
      socket.terminate();
      ended++;
    }
    await eventually(() => {
      const alive = [...server.clients].filter(({ readyState }) => readyState === WebSocket.OPEN);
      assert.deepEqual([crowd.open, alive.length], [20, 20]);
    });
    const log = await within('the log', crowd.leave(), 60_000);
    server.close();
    assert.equal(kindsOf(log.ends), '5 x 1012, 3 x 1006');
    assert.equal(log.opens.length, 20 + ended);
    assert.ok(log.opens.every(({ tookMs }) => tookMs > 0));
    assert.deepEqual(log.failures, []);
  });

  it('measures the response time of every due message', async () => {
    const server = await echoServer();
    let received = 0;
    server.on('connection', (socket) => socket.on('message', () => received++));
    const crowd = await gather(server, false);
    await eventually(() => assert.ok(received > 100));
    const { waits, ends } = await within('the log', crowd.leave(), 60_000);
    server.close();
    assert.deepEqual(ends, []);
    assert.ok(waits.length / 2 >= received, `${waits.length / 2} of ${received}`);
    // At 400 per second, 100 messages are due in 250 ms.
    const due = waits.filter((_, index) => index % 2 === 0).sort();
    assert.ok(Math.abs(due[100]! - due[0]! - 250) < 1);
  });

  it('drops all sessions in a storm, and opens them again', async () => {
    const server = await echoServer();
    let connections = 0;
    server.on('connection', () => connections++);
    const crowd = await gather(server, true);
    connections = 0;
    crowd.storm();
    await eventually(() => assert.deepEqual([connections, crowd.open], [20, 20]));
    const log = await within('the log', crowd.leave(), 60_000);
    server.close();
    assert.equal(kindsOf(log.ends), '20 x dropped by the client');
    assert.equal(log.opens.length, 40);
  });
});

describe('the fault timelines', () => {
  it('count the open sessions at each step', () => {
    const log = {
      opens: [0, 1, 2].map((at) => ({ at, tookMs: 1 })),
      ends: [{ at: 15, kind: '1012' }],
    };
    assert.deepEqual(openOverTime(log, { from: 0, until: 20, zero: 10, stepMs: 10 }), [
      [-0.01, 1],
      [0, 3],
      [0.01, 2],
    ]);
  });

  it('have the p99 of the messages due in each step', () => {
    const waits = Float64Array.from([0, 5, 1, 7, 10, 3, 31, 4]);
    assert.deepEqual(p99OverTime(waits, { from: 0, until: 40, zero: 0, stepMs: 10 }), [
      [0, 7],
      [0.01, 3],
      [0.03, 4],
    ]);
    assert.equal(percentileBetween(waits, 50, 0, 40), 4);
    assert.equal(percentileBetween(waits, 50, 20, 30), null);
  });
});

describe('the fault report', () => {
  const report = (peer: string, text: string): FaultReport => ({
    date: '2026-01-01',
    machine: 'a machine',
    versions: { [peer]: '1.0' },
    configs: { [peer]: `of ${peer}` },
    scenarios: [
      {
        name: 'drain',
        title: 'Drain',
        text: 'It ends.',
        peers: { [peer]: { figures: [{ label: 'after', text }], unit: 'sessions', timeline: [] } },
      },
    ],
  });

  it('keeps earlier results of other peers', () => {
    const merged = mergeReports(
      mergeReports(report('sluice', '1 s'), report('nginx', '2 s')),
      report('sluice', '3 s'),
    );
    assert.match(renderFaults(merged), /\|  \| sluice \| nginx \|\n.*\n\| after \| 3 s \| 2 s \|/);
    assert.deepEqual(merged.versions, { sluice: '1.0', nginx: '1.0' });
    assert.deepEqual(merged.configs, { sluice: 'of sluice', nginx: 'of nginx' });
  });

  it('lists the peers of the last run first, in the order of that run', () => {
    const [nginx, haproxy, sluice] = [
      report('nginx', '1 s'),
      report('HAProxy', '2 s'),
      report('sluice', '3 s'),
    ];
    const last = mergeReports(haproxy, mergeReports(sluice, nginx));
    assert.match(
      renderFaults(mergeReports(mergeReports(nginx, haproxy), last)),
      /\|  \| nginx \| sluice \| HAProxy \|/,
    );
  });
});

describe('the configurations of the fault scenarios', () => {
  const checks = {
    sluice: (file: string) => [process.execPath, 'src/main.ts', 'check', '-c', file],
    nginx: (file: string) => [programOf('nginx'), '-e', 'stderr', '-t', '-c', file],
    HAProxy: (file: string) => [programOf('haproxy'), '-c', '-f', file],
  } as const;
  for (const peer of [sluice, nginx, haproxy]) {
    it(`are valid for ${peer.name}, if it is installed`, (context) => {
      if (peer.version() === null) {
        context.skip(`${peer.name} is not installed`);
        return;
      }
      const directory = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
      const setup: ReloadableSetup = {
        directory,
        ports: { ws: 41001, wss: 41002, admin: 41003 },
        endpoints: [42001, 42002],
        certificate: makeCertificate(join(directory, 'certificate')),
        graceSeconds: 5,
        idleTimeoutSeconds: 16,
        extraRoute: true,
      };
      const file = join(directory, peer.file);
      writeFileSync(file, peer.configuration(setup));
      const [program = '', ...args] = checks[peer.name as keyof typeof checks](file);
      const { status, stdout, stderr } = spawnSync(program, args, {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 60_000,
      });
      rmSync(directory, { recursive: true });
      assert.equal(status, 0, stdout + stderr);
    });
  }
});
