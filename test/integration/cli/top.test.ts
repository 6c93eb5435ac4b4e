/** `sluice top` in a tmux terminal, controlled by keys. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';
import { LiveServer } from '../../support/http/live-server.ts';
import { PROGRAM, ROOT } from '../../support/processes/program.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { Tmux } from '../../support/terminal/tmux.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const EVENT = {
  number: 1,
  firstAt: '2030-01-01T11:59:50.000Z',
  at: '2030-01-01T11:59:58.000Z',
  kind: 'handshake',
  reason: 'no_route',
  count: 3,
  client: '192.0.2.7',
  detail: 'hostile \u001b[2J\u001b]0;title\u0007 end',
} as const;

describe('top in a terminal', { timeout: 800_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'top-test-'));
  const file = join(directory, 'sluice.json');
  let server: LiveServer;
  let terminal: Tmux;

  before(async () => {
    server = await LiveServer.start();
    server.events = [EVENT];
    configure(TOKEN);
  });
  after(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });
  beforeEach(async () => {
    terminal = await Tmux.start(80, 24);
    await terminal.shows(/^\$/);
  });
  afterEach(() => terminal.close());

  function configure(token: string | null): void {
    const config = {
      admin: { address: `127.0.0.1:${server.port}`, ...(token !== null && { token }) },
      listeners: [{ name: 'a', mode: 'l4', address: '127.0.0.1:1', cluster: 'app' }],
      clusters: [{ name: 'app', endpoints: [{ address: '127.0.0.1:1' }] }],
    };
    writeFileSync(file, JSON.stringify(config));
  }

  const command = `${process.execPath} ${PROGRAM} top -c ${file}`;

  async function begin(): Promise<void> {
    await terminal.enter(`${command}; echo ended with $?`);
    await terminal.shows(/messages\/s 150?k/);
  }

  /** Checks that the terminal is restored: no alternate screen, a cursor, line mode and echo. */
  async function isGivenBack(): Promise<void> {
    await eventually(async () =>
      assert.equal(await terminal.format('#{alternate_on} #{cursor_flag} #{wrap_flag}'), '0 1 1'),
    );
    // Keys typed before the shell reads again belong to the ending program.
    await terminal.shows(/(?:^|\n)\$\s*$/);
    await terminal.enter('stty -a | tr " ;" "\\n\\n" | grep -xE "icanon|echo|isig" | xargs echo modes');
    await terminal.shows(/^modes (?=.*isig)(?=.*icanon).*echo/m);
  }

  for (const [width, height] of [
    [60, 14],
    [80, 24],
    [200, 50],
  ] as const) {
    it(`fits ${width}x${height} in every view`, async () => {
      await begin();
      await terminal.resize(width, height);
      for (const [key, text] of [
        ['1', /\[1 all\]/],
        ['2', /\[2 clust.*\][^]*CLUSTER +STATE/],
        ['3', /\[3 endp.*\][^]*10\.0\.0\.13:9001 +ejected[^]* {2}2 connect failures in a row/],
        ['4', /\[4 work.*\][^]*l7-1 +up +6345 +97%/],
        ['5', /\[5 errs?.*\][^]*limit +messages/],
        ['6', /\[6 listen.*\][^]*web +l7 tls/],
        ['7', /\[7 events\][^]*11:59:58 +handshake +no_route +3 +192\.0\.2\.7/],
        ['?', /any key goes back/],
      ] as const) {
        await terminal.press(key);
        const lines = await terminal.shows(text);
        assert.equal(lines.length, height);
        assert.match(lines[0] ?? '', /^sluice 1\.2\.3/);
        assert.match(lines.at(-1) ?? '', /q quits?$/);
      }
    });
  }

  it('sorts, filters and pauses by keys', async () => {
    await begin();
    await terminal.press('3', 's', 's', 's', 's');
    const sorted = await terminal.shows(/CONNS↓/);
    assert.match(sorted[8] ?? '', /10\.0\.0\.11/);
    await terminal.press('S');
    assert.match((await terminal.shows(/CONNS↑/))[8] ?? '', /10\.0\.0\.13/);
    await terminal.press('/');
    await terminal.enter('0.12');
    const rows = (await terminal.shows(/filter: 0\.12 \(Esc clears\)/)).slice(8, 10);
    assert.match(rows.join('\n'), /^chat +10\.0\.0\.12[^\n]*\n$/);
    await terminal.press('Escape');
    await terminal.shows(/10\.0\.0\.11/);
    await terminal.press('Space');
    const held = await terminal.shows(/PAUSED/);
    const { readers } = server;
    assert.equal(readers, 1);
    assert.deepEqual(await terminal.screen(), held);
    await terminal.press('Space');
    await terminal.shows(/:\d\dZ\n/);
  });

  it('prints no control characters from events', async () => {
    await begin();
    await terminal.press('7');
    await terminal.shows(/hostile \\u001b\[2J\\u001b\]0;title\\u0007 end/);
  });

  it('says in one line that the terminal is too small, and continues after it grows', async () => {
    await begin();
    await terminal.resize(50, 10);
    await terminal.shows(/^sluice top needs 60x14, this is 50x10/);
    await terminal.resize(80, 24);
    await terminal.shows(/messages\/s/);
  });

  for (const key of ['q', 'C-c'] as const) {
    it(`restores the terminal on ${key}`, async () => {
      await begin();
      await terminal.press(key);
      await terminal.shows(/^ended with 0$/m);
      await isGivenBack();
    });
  }

  for (const [signal, status] of [
    ['TERM', 143],
    ['HUP', 129],
    ['INT', 0],
    ['QUIT', 131],
  ] as const) {
    it(`restores the terminal on SIG${signal}`, async () => {
      await begin();
      assert.equal((await runCommand('kill', [`-${signal}`, String(await processInside())])).status, 0);
      await terminal.shows(new RegExp(`^ended with ${status}$`, 'm'));
      await isGivenBack();
    });
  }

  it('restores the terminal on Ctrl-Z, and continues after fg', async () => {
    await begin();
    await terminal.press('C-z');
    await terminal.shows(/Stopped/);
    await isGivenBack();
    await terminal.enter('fg');
    await terminal.shows(/messages\/s 150?k/);
    assert.equal(await terminal.format('#{alternate_on} #{cursor_flag}'), '1 0');
    await terminal.press('4');
    await terminal.shows(/\[4 workers\]/);
    await terminal.press('q');
    await isGivenBack();
  });

  it('redraws its screen after SIGSTOP and fg', async () => {
    await begin();
    assert.equal((await runCommand('kill', ['-STOP', String(await processInside())])).status, 0);
    await terminal.shows(/Stopped/);
    // The terminal is still in raw mode: Enter does not end a line.
    await terminal.press('f', 'g', 'C-j');
    // The redraw covers the shell's output.
    await terminal.shows(/^sluice 1\.2\.3(?![^]*Stopped)[^]*q quit/);
    await terminal.press('q');
    await isGivenBack();
  });

  it('restores the terminal before it prints the stack trace of an exception', async () => {
    const script = join(directory, 'throws.ts');
    const room = join(ROOT, 'src/cli/terminal/terminal.ts');
    writeFileSync(
      script,
      `import { Terminal } from ${JSON.stringify(room)};
new Terminal(process.stdin, process.stdout, { onKey: () => { throw new Error('no such key') }, onRedraw() {}, onEnd() {} });`,
    );
    await terminal.enter(`${process.execPath} ${script}`);
    await eventually(async () => assert.equal(await terminal.format('#{alternate_on}'), '1'));
    await terminal.press('x');
    await terminal.shows(/no such key/);
    await isGivenBack();
  });

  it('ends when its terminal is closed', async () => {
    await begin();
    await terminal.close();
    await eventually(() => assert.equal(server.readers, 0));
    terminal = await Tmux.start(80, 24);
  });

  it('reports that the proxy is gone, retries, and continues after its restart', async () => {
    await begin();
    const { port } = server;
    await server.stop();
    await terminal.shows(/LOST, trying again[^]*nothing listens there/);
    server = await LiveServer.start(port);
    server.change = { pid: 4243 };
    await terminal.shows(/pid 4243[^]*the proxy was restarted/);
    await terminal.shows(/ready[^]*messages\/s 150?k/);
    server.events = [EVENT];
    server.change = {};
  });

  it('uses no colours with NO_COLOR, but still marks the current view', async () => {
    await terminal.enter(`NO_COLOR=1 ${command}`);
    await terminal.shows(/\[1 all\]/);
    assert.doesNotMatch(await terminal.colours(), /\u001b\[[0-9;]*3[1-7]m/);
    await terminal.press('q');
    await isGivenBack();
    await terminal.enter(command);
    await terminal.shows(/\[1 all\]/);
    assert.match(await terminal.colours(), /\u001b\[[0-9;]*3[1-7]m/);
  });

  it('prints once on a dumb terminal', async () => {
    await terminal.resize(200, 50);
    await terminal.enter(`TERM=dumb ${command}; echo ended with $?`);
    await terminal.shows(/^web +l7 tls[^]*ended with 0/m);
    assert.equal(await terminal.format('#{alternate_on}'), '0');
  });

  it('prints once to a pipe, with rates', async () => {
    const { status, stdout, stderr } = await runCommand(process.execPath, [PROGRAM, 'top', '-c', file]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^sluice 1\.2\.3 {2}ready[^]*messages\/s 150?k/);
    assert.match(stdout, /^chat +10\.0\.0\.11:9001 +up /m);
    assert.match(stdout, /^[\x20-\x7e\n]+$/);
  });

  it('exits with 1 and says so if no proxy answers', async () => {
    await terminal.resize(200, 50);
    const elsewhere = '--set admin.address=127.0.0.1:2';
    await terminal.enter(`${command} ${elsewhere}; echo ended with $?`);
    await terminal.shows(/nothing listens there: is sluice running\?[^]*ended with 1/);
  });

  it('says that events need the token', async () => {
    configure(null);
    try {
      await begin();
      await terminal.press('7');
      await terminal.shows(/events need admin\.token/);
    } finally {
      configure(TOKEN);
    }
  });

  /** Returns the process ID of the program in the terminal. */
  async function processInside(): Promise<number> {
    return eventually(async () => {
      const shell = await terminal.format('#{pane_pid}');
      const { stdout } = await runCommand('ps', ['-o', 'pid=', '--ppid', shell]);
      const pid = Number(stdout.trim());
      assert.ok(Number.isSafeInteger(pid) && pid > 0, stdout);
      return pid;
    });
  }
});

describe('top of a running sluice', { timeout: 300_000 }, () => {
  it('shows sessions by endpoint, why an endpoint is down, and a restart', async () => {
    const endpoint = await WsEndpoint.listen();
    const [port, closed] = await freePorts(2);
    const config = {
      log: { format: 'json' },
      admin: { address: `127.0.0.1:${port}`, token: TOKEN },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: '127.0.0.1:0',
          routes: [
            { match: { path: '/chat' }, cluster: 'chat' },
            { match: { path: '/dead' }, cluster: 'dead' },
          ],
        },
      ],
      clusters: [
        { name: 'chat', endpoints: [{ address: endpoint.address }] },
        {
          name: 'dead',
          endpoints: [{ address: `127.0.0.1:${closed}` }],
          healthCheck: { type: 'tcp', interval: '1s' },
        },
      ],
    };
    let sluice = await startSluice({ config });
    const terminal = await Tmux.start(100, 30);
    const peers: WsPeer[] = [];
    try {
      await terminal.shows(/^\$/);
      await terminal.enter(`${process.execPath} ${PROGRAM} top -c ${sluice.configFile}`);
      await terminal.shows(/^sluice \S+ {2}ready {2}generation 1/);
      for (let count = 0; count < 3; count++) {
        peers.push(await WsPeer.connect(`ws://${sluice.address('web')}/chat`));
      }
      await assert.rejects(WsPeer.connect(`ws://${sluice.address('web')}/dead`));
      await terminal.shows(/sessions 3 /);
      await terminal.press('3');
      await terminal.shows(new RegExp(`^chat +${endpoint.address} +up +3 `, 'm'));
      await terminal.shows(/^dead +127\.0\.0\.1:\d+ +down .*\n {2}.*ECONNREFUSED/m);
      await terminal.press('5');
      await terminal.shows(/^endpoint +refused +\S+ +\d/m);
      await terminal.press('7');
      await terminal.shows(/^\d\d:\d\d:\d\d +endpoint +down .*\n {2}.*ECONNREFUSED/m);
      sluice.kill('SIGKILL');
      await terminal.shows(/LOST, trying again/);
      sluice = await startSluice({ config });
      await terminal.shows(new RegExp(`ready.*pid ${sluice.pid}`));
      await terminal.press('q');
      await eventually(async () => assert.equal(await terminal.format('#{alternate_on}'), '0'));
    } finally {
      for (const { socket } of peers) socket.terminate();
      await terminal.close();
      sluice.kill('SIGKILL');
      endpoint.close();
    }
  });
});
