/** `sluice run` at a terminal, and into a pipe. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROGRAM } from '../../support/processes/program.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { Tmux } from '../../support/terminal/tmux.ts';

describe('sluice run', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-run-'));
  let terminal: Tmux;

  before(async () => {
    terminal = await Tmux.start(200, 24, { SLUICE_WORKERS_WARMUP: '0s' });
    await terminal.shows(/^\$/);
    const [web, admin] = await freePorts(2);
    const text = [
      `admin: { address: '127.0.0.1:${admin!}' }`,
      `listeners: [{ name: web, mode: l7, address: '127.0.0.1:${web!}', cluster: app }]`,
      "clusters: [{ name: app, endpoints: ['127.0.0.1:1'] }]",
    ];
    writeFileSync(join(folder, 'sluice.yaml'), text.join('\n'));
    await terminal.enter(`cd ${folder}; clear`);
  });
  after(async () => {
    await terminal.close();
    rmSync(folder, { recursive: true });
  });

  async function ends(): Promise<void> {
    await terminal.press('C-c');
    await terminal.shows(/^\$$/m);
  }

  for (const option of ['', ' --set log.file=/dev/stdout']) {
    it(`writes lines for people and a banner at a terminal${option}`, async () => {
      await terminal.enter(`clear; ${process.execPath} ${PROGRAM} run${option}`);
      const screen = (await terminal.shows(/status page +http:\/\/127\.0\.0\.1:\d+\/\n/)).join('\n');
      assert.match(screen, /^\d\d:\d\d:\d\d\.\d+ INFO +ready /m);
      assert.match(screen, /^ {4}web +http:\/\/127\.0\.0\.1:\d+\/$/m);
      await ends();
    });
  }

  it('writes JSON at a terminal if the configuration says so, without a banner', async () => {
    await terminal.enter(`clear; ${process.execPath} ${PROGRAM} run --set log.format=json`);
    const screen = (await terminal.shows(/"msg":"ready"/)).join('\n');
    assert.doesNotMatch(screen, /status page/);
    await ends();
  });

  it('writes JSON into a pipe', async () => {
    await terminal.enter(`clear; ${process.execPath} ${PROGRAM} run | cat`);
    const screen = (await terminal.shows(/"msg":"ready"/)).join('\n');
    assert.doesNotMatch(screen, /status page/);
    await ends();
  });
});
