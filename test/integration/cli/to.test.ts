/** `sluice to` in a terminal, as a newcomer runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { PROGRAM } from '../../support/processes/program.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { Tmux } from '../../support/terminal/tmux.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

describe('sluice to', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-to-'));
  let terminal: Tmux;

  before(async () => {
    terminal = await Tmux.start(80, 40, { SLUICE_WORKERS_WARMUP: '0s' });
    await terminal.shows(/^\$/);
    await terminal.enter(`cd ${folder}; clear`);
  });
  after(async () => {
    await terminal.close();
    rmSync(folder, { recursive: true });
  });

  // Without it, a failed test would leave its program in the terminal of the next one.
  afterEach(() => terminal.press('C-c'));

  it('proxies WebSockets, shows where, and ends with Ctrl-C', async (t) => {
    const endpoint = await WsEndpoint.listen();
    t.after(() => endpoint.close());
    const [web, admin, tunnel] = (await freePorts(3)).map(String);
    const target = endpoint.address.split(':')[1]!;
    const places = `--listen ${web!} --admin ${admin!} --tcp ${tunnel!}:127.0.0.1:${target}`;
    const token = 'a-token-of-the-operator';
    await terminal.enter(`export SLUICE_ADMIN_TOKEN=${token} SLUICE_ADMIN_TAP=payload; clear`);
    await terminal.enter(`${process.execPath} ${PROGRAM} to :${target} --host localhost ${places}`);
    const screen = (await terminal.shows(/terminal +sluice top .*\d\n/)).join('\n');
    assert.match(screen, new RegExp(`leads to +127\\.0\\.0\\.1:${target}\\n`));
    assert.match(screen, new RegExp(`status page +http://127\\.0\\.0\\.1:${admin!}/\\n`));
    assert.match(screen, new RegExp(`sluice top --set admin\\.address=127\\.0\\.0\\.1:${admin!}\\n`));
    assert.match(screen, new RegExp(`WebSocket +ws://localhost:${web!}/\\n`));
    assert.match(screen, new RegExp(`127\\.0\\.0\\.1:${tunnel!} leads to ${endpoint.address}\\n`));
    for (const url of [`ws://localhost:${web!}/`, `ws://127.0.0.1:${tunnel!}/`]) {
      const peer = await WsPeer.connect(url);
      peer.socket.close();
    }
    await assert.rejects(WsPeer.connect(`ws://127.0.0.1:${web!}/`), /404/);
    assert.equal((await fetch(`http://127.0.0.1:${admin!}/readyz`)).status, 200);
    const place = ['--set', `admin.address=127.0.0.1:${admin!}`];
    const { stdout } = await runCommand(process.execPath, [PROGRAM, 'status', ...place]);
    assert.match(stdout, /^tcp-1 +up +l4/m);
    const tap = ['tap', ...place, '--set', `admin.token=${token}`, '--duration', '10ms'];
    assert.equal((await runCommand(process.execPath, [PROGRAM, ...tap])).status, 0);
    await terminal.press('C-c');
    await terminal.shows(/stopped/);
  });

  it(
    'finds a server that listens on ::1 only',
    { skip: !HAS_IPV6 && 'this machine has no ::1' },
    async () => {
      const server = createServer((_, response) => response.end('IPv6')).listen(0, '::1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        const [web, admin] = (await freePorts(2)).map(String);
        await terminal.enter(
          `clear; ${process.execPath} ${PROGRAM} to ${port} --listen ${web!} --admin ${admin!}`,
        );
        await terminal.shows(new RegExp(`leads to +\\[::1\\]:${port}\\n`));
        assert.equal(await (await fetch(`http://127.0.0.1:${web!}/`)).text(), 'IPv6');
        await terminal.press('C-c');
        await terminal.shows(/stopped/);
      } finally {
        server.close();
      }
    },
  );

  it('names the option of a certificate that cannot be used', async () => {
    const { status, stderr } = await runCommand(process.execPath, [
      PROGRAM,
      'to',
      '3000',
      '--cert=nope.pem',
      '--key=nope.key',
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /^sluice: --cert: "nope\.pem" cannot be read: file not found \(.*\)\n$/);
  });

  it('starts before its server, and names the remedy if the address is in use', async () => {
    const [web, admin, target] = (await freePorts(3)).map(String);
    await terminal.enter(
      `clear; ${process.execPath} ${PROGRAM} to ${target!} --listen ${web!} --admin ${admin!}`,
    );
    await terminal.shows(new RegExp(`Nothing listens at localhost:${target!} yet\\.`));
    const response = await fetch(`http://127.0.0.1:${web!}/`);
    assert.deepEqual([response.status, await response.text()], [502, 'the endpoint cannot be reached\n']);
    const second = await runCommand(process.execPath, [
      PROGRAM,
      'to',
      target!,
      '--listen',
      web!,
      '--admin=0',
    ]);
    assert.equal(second.status, 1);
    assert.match(
      second.stderr,
      /^sluice: listener "web" cannot listen on 127\.0\.0\.1:\d+: the address is in use/,
    );
    assert.match(
      second.stderr,
      new RegExp(`^Another address: sluice to ${target!} --admin=0 --listen 127\\.0\\.0\\.1:\\d+$`, 'm'),
    );
    await terminal.press('C-c');
    await terminal.shows(/stopped/);
  });

  it('says that no successor can start, and continues', async () => {
    const [web, admin, target] = (await freePorts(3)).map(String);
    const argv = [PROGRAM, 'to', target!, '--listen', web!, '--admin', admin!];
    const sluice = spawn(process.execPath, argv, {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const output = sluice.stdout.setEncoding('utf8');
    let text = '';
    output.on('data', (more: string) => (text += more));
    const says = async (expected: RegExp): Promise<void> => {
      while (!expected.test(text)) await once(output, 'data');
    };
    const ended = once(sluice, 'exit');
    await says(/status page/);
    sluice.kill('SIGUSR2');
    await says(/no successor started: the configuration is not in a file/);
    assert.equal((await fetch(`http://127.0.0.1:${admin!}/readyz`)).status, 200);
    sluice.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });
});
