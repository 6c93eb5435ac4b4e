/** The messages to systemd, on a socket in its place. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { ServiceManager } from '../../../src/primary/process/service-manager.ts';
import { eventually } from '../../support/deadline.ts';
import { NotifyReceiver, hasPython } from '../../support/processes/notify-receiver.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';

const NO_KOFFI = join(import.meta.dirname, '../../support/processes/fixtures/no-koffi.ts');
const skip = hasPython ? false : 'python3 receives the datagrams, and is not installed';
const WATCHDOG_MS = 400;

const config = {
  workers: { l7: 1, l4: 1 },
  admin: { address: '127.0.0.1:0' },
  listeners: [
    { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, respond: { body: 'x' } }] },
  ],
};

describe('a service manager', { timeout: 120_000 }, () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-notify-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** Goes through the life of a process, and listens to what is said. */
  async function live(path: string, env: Record<string, string>): Promise<void> {
    const receiver = await NotifyReceiver.listen(path);
    try {
      const before = process.hrtime.bigint() / 1000n;
      const sluice = await startSluice({ config, env: { NOTIFY_SOCKET: path, ...env } });
      assert.deepEqual(await receiver.next(), ['READY=1']);
      sluice.kill('SIGHUP');
      const [reloading, since] = await receiver.next();
      assert.equal(reloading, 'RELOADING=1');
      const [, usec = ''] = /^MONOTONIC_USEC=(\d+)$/.exec(since ?? '') ?? [];
      const now = process.hrtime.bigint() / 1000n;
      assert.ok(BigInt(usec) > before && BigInt(usec) <= now, `${usec} is not between ${before} and ${now}`);
      assert.deepEqual(await receiver.next(), ['READY=1']);
      if (env.WATCHDOG_USEC !== undefined) {
        for (let count = 0; count < 3; count++) {
          assert.deepEqual(await receiver.datagrams.next(), ['WATCHDOG=1']);
        }
      }
      sluice.kill('SIGTERM');
      assert.deepEqual(await receiver.next(), ['STOPPING=1']);
      assert.deepEqual(await sluice.waitForExit(), { code: 0, signal: null });
      assert.equal(sluice.stderr, '');
      assert.ok(!sluice.logs.some(({ msg }) => msg === 'service manager not notified'));
    } finally {
      receiver.stop();
    }
  }

  it('receives READY, RELOADING with the time, STOPPING and the watchdog', { skip }, () =>
    live(join(directory, 'notify'), { WATCHDOG_USEC: String(WATCHDOG_MS * 1000) }),
  );

  it('receives messages at an address of the abstract namespace', { skip }, () =>
    live(`@sluice-manager-${process.pid}`, {}),
  );

  it('receives no watchdog message while no worker serves, and the log says why once', { skip }, async () => {
    const receiver = await NotifyReceiver.listen(join(directory, 'unwell'));
    const lines: { level: number; msg: string; reason?: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
    const env = { NOTIFY_SOCKET: join(directory, 'unwell'), WATCHDOG_USEC: String(WATCHDOG_MS * 250) };
    const manager = ServiceManager.of(env, log)!;
    try {
      let reason: string | null = null;
      let asked = 0;
      manager.watch(() => {
        asked++;
        return reason;
      });
      assert.deepEqual(await receiver.datagrams.next(), ['WATCHDOG=1']);
      reason = 'no l7 worker is up';
      const before = asked;
      await eventually(() => assert.ok(asked >= before + 5));
      manager.ready();
      // Messages arrive in the order in which they are sent.
      while ((await receiver.datagrams.next())[0] !== 'READY=1') assert.ok(receiver.datagrams.count < 5);
      assert.deepEqual(
        lines.map(({ msg, reason: why }) => [msg, why]),
        [['watchdog not fed', 'no l7 worker is up']],
      );
      reason = null;
      assert.deepEqual(await receiver.datagrams.next(), ['WATCHDOG=1']);
    } finally {
      manager.close();
      receiver.stop();
    }
  });

  it('receives no watchdog message if the watchdog is for another process', { skip }, async () => {
    const path = join(directory, 'other');
    const receiver = await NotifyReceiver.listen(path);
    try {
      const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' };
      const sluice = await startSluice({ config, env });
      assert.deepEqual(await receiver.datagrams.next(), ['READY=1']);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(receiver.datagrams.waiting, 0);
      sluice.kill('SIGTERM');
      assert.deepEqual(await receiver.datagrams.next(), ['STOPPING=1']);
      await sluice.waitForExit();
    } finally {
      receiver.stop();
    }
  });

  it('learns of the process that takes over, and then hears only that process', { skip }, async () => {
    const path = join(directory, 'upgrade');
    const receiver = await NotifyReceiver.listen(path);
    try {
      const admin = { address: '127.0.0.1:0', token: 'a-token-for-tests-only' };
      const first = await startSluice({ config: { ...config, admin }, env: { NOTIFY_SOCKET: path } });
      assert.deepEqual(await receiver.datagrams.next(), ['READY=1']);
      const same = { ...config, admin: { ...admin, address: first.admin } };
      const second = await startSluice({ config: same, env: { NOTIFY_SOCKET: path }, args: ['--takeover'] });
      assert.deepEqual(await receiver.datagrams.next(), [`MAINPID=${second.pid}`, 'WATCHDOG=1']);
      assert.deepEqual(await receiver.datagrams.next(), ['READY=1']);
      assert.deepEqual(await first.waitForExit(), { code: 0, signal: null });
      second.kill('SIGTERM');
      assert.deepEqual(await receiver.datagrams.next(), ['STOPPING=1']);
      await second.waitForExit();
      assert.equal(receiver.datagrams.waiting, 0);
    } finally {
      receiver.stop();
    }
  });

  it('does not learn of a process outside of the service', () => {
    const lines: { msg: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string }) });
    const manager = ServiceManager.of({ NOTIFY_SOCKET: join(directory, 'nobody') }, log)!;
    manager.handOver(2 ** 22 + 1);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['successor runs outside of the service: the service ends with this process'],
    );
    manager.close();
  });

  it('is asked by its own tool if there are no system calls', async () => {
    // In the place of systemd-notify, which wants to be a child of what it speaks for.
    const bin = join(directory, 'bin');
    const said = join(directory, 'said');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'systemd-notify'),
      `#!/bin/sh\nprintf '%s ' "$@" >> '${said}'\necho >> '${said}'\n`,
    );
    chmodSync(join(bin, 'systemd-notify'), 0o755);
    const env = {
      NOTIFY_SOCKET: join(directory, 'nobody'),
      NODE_OPTIONS: `--import=${NO_KOFFI}`,
      PATH: `${bin}:${process.env.PATH ?? ''}`,
    };
    const sluice = await startSluice({ config, env });
    sluice.kill('SIGHUP');
    await sluice.waitForLog(({ msg }) => msg === 'configuration reloaded');
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
    const lines = readFileSync(said, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(/\d{4,}/, 'N').trimEnd()),
      ['READY=1', 'RELOADING=1 MONOTONIC_USEC=N', 'READY=1', 'STOPPING=1'],
    );
  });

  it('is reported once if its address is invalid, and changes nothing', async () => {
    const sluice = await startSluice({
      config,
      env: { NOTIFY_SOCKET: 'vsock:2:1234' },
    });
    await sluice.waitForLog(({ msg }) => msg.startsWith('NOTIFY_SOCKET is invalid'));
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
  });
});
