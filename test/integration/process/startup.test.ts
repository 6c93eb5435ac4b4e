/** A sluice that starts says so when all is ready; one that cannot says why in one line. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { messageOf } from '../../../src/core/errors.ts';
import { DEADLINE_MS, within } from '../../support/deadline.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import type { SluiceOptions, SluiceProcess } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';
import { GOOD_CERT, GOOD_KEY, NAMED_KEY } from '../../unit/config/pem.ts';
import { parseExposition } from '../../unit/telemetry/exposition-parser.ts';

const START_MS = 60_000;
const LOCAL = '127.0.0.1:0';

interface Checked {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Addresses {
  readonly web?: string;
  readonly tcp?: string;
  readonly admin?: string;
}

describe('the start of a sluice', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-startup-'));
  const started: SluiceProcess[] = [];
  let taken: Server;
  let takenAddress: string;
  let webSockets: WsEndpoint;
  let endpoint: TcpEndpoint;

  before(async () => {
    taken = createServer((socket) => socket.destroy());
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    takenAddress = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    webSockets = await WsEndpoint.listen();
    endpoint = await TcpEndpoint.listen();
  });
  afterEach(() => {
    for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    for (const server of [taken, webSockets, endpoint]) server.close();
    rmSync(directory, { recursive: true });
  });

  function configOf(
    { web = LOCAL, tcp = LOCAL, admin = LOCAL }: Addresses,
    webSettings: object = {},
  ): object {
    return {
      workers: { l7: 2, l4: 2 },
      admin: { address: admin },
      shutdown: { grace: '0s' },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: web,
          routes: [{ match: { pathPrefix: '/' }, cluster: 'web-sockets' }],
          ...webSettings,
        },
        { name: 'tcp', mode: 'l4', address: tcp, cluster: 'tcp' },
      ],
      clusters: [
        { name: 'web-sockets', endpoints: [{ address: webSockets.address }] },
        { name: 'tcp', endpoints: [{ address: endpoint.address }] },
      ],
    };
  }

  async function start(options: SluiceOptions): Promise<SluiceProcess> {
    const sluice = await startSluice(options);
    started.push(sluice);
    return sluice;
  }

  /** Lets it start, which it must not; returns all that it wrote to stderr. */
  async function failsToStart(options: SluiceOptions): Promise<string> {
    const error = await start(options).then(
      () => assert.fail('it started'),
      (failure: unknown) => failure as Error,
    );
    assert.match(error.message, /^sluice ended \(status 1\) first/);
    return /\nstderr: ([\s\S]*)\nlast lines of stdout:/.exec(error.message)?.[1] ?? '';
  }

  async function check(file: string): Promise<Checked> {
    const main = resolve(import.meta.dirname, '../../../src/main.ts');
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')),
    );
    const options = { env, timeout: START_MS, killSignal: 'SIGKILL' } as const;
    return new Promise((settle) => {
      const child = execFile(
        process.execPath,
        [main, 'check', '--config', file],
        options,
        (_, stdout, stderr) => settle({ status: child.exitCode, stdout, stderr }),
      );
    });
  }

  function fileOf(name: string, text: string): string {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  }

  /** Starts one and asks it whether it is ready until it says so; until then it must say that it is not. */
  async function readySluice(): Promise<{
    readonly admin: string;
    readonly starting: Promise<SluiceProcess>;
  }> {
    for (let tries = 0; tries < 3; tries++) {
      // The address must be known before it is said, so that somebody else may take it meanwhile.
      const [port] = (await freePorts(1)) as [number];
      const admin = `127.0.0.1:${port}`;
      const starting = start({ config: configOf({ admin }) });
      const failures: string[] = [];
      starting.catch((error: unknown) => failures.push(messageOf(error)));
      while (failures.length === 0) {
        const status = await askAdmin(admin, '/readyz').then(
          (answer) => answer.status,
          () => null,
        );
        if (status === 200) return { admin, starting };
        assert.ok(status === 503 || status === null, `readyz answered ${status}`);
        await new Promise((settle) => setTimeout(settle, 10));
      }
      assert.match(failures[0]!, /the address is in use/);
    }
    assert.fail('no port stayed free for long enough');
  }

  it('names the listener, or admin, its setting and the remedy if an address is in use', async () => {
    const failures = await Promise.all(
      [{ web: takenAddress }, { tcp: takenAddress }, { admin: takenAddress }].map((addresses) =>
        failsToStart({ config: configOf(addresses) }),
      ),
    );
    const settings = ['listeners.0.address', 'listeners.1.address', 'admin.address'];
    for (const [index, setting] of settings.entries()) {
      const [line, holder, remedy] = failures[index]!.split('\n');
      const reason = 'the address is in use; stop the process that has it, or change';
      assert.ok(line!.endsWith(` cannot listen on ${takenAddress}: ${reason} ${setting}`), line);
      assert.match(holder!, new RegExp(`^Process ${process.pid} \\(.+\\) has the address\\.$`));
      assert.match(remedy!, new RegExp(`^Another address: sluice run .* --set ${setting}=127.0.0.1:\\d+$`));
    }
  });

  it('fails if another sluice has the addresses, and leaves that one alone', async () => {
    const first = await start({ config: configOf({}) });
    const [web, tcp, { admin }] = [first.address('web'), first.address('tcp'), first];
    const failures = await Promise.all(
      [{ web, tcp, admin }, { tcp }, { admin }].map((addresses) =>
        failsToStart({ config: configOf(addresses) }),
      ),
    );
    assert.match(
      failures[0]!,
      new RegExp(`^sluice: listener "web" cannot listen on ${web}: the address is in use`),
    );
    assert.match(
      failures[1]!,
      new RegExp(`^sluice: listener "tcp" cannot listen on ${tcp}: the address is in use`),
    );
    assert.match(
      failures[2]!,
      new RegExp(`^sluice: the admin server cannot listen on ${admin}: the address is in use`),
    );
    const client = await WsPeer.connect(`ws://${web}/`);
    await webSockets.sessions.next();
    client.socket.terminate();
    assert.equal((await askAdmin(admin, '/readyz')).status, 200);
  });

  it('fails with the place of the fault in a configuration, as check does', async () => {
    const cert = fileOf('cert.pem', GOOD_CERT);
    const key = fileOf('key.pem', GOOD_KEY);
    const otherKey = fileOf('other-key.pem', NAMED_KEY);
    const noCert = fileOf('no-cert.pem', 'no certificate\n');
    const withTls = (certificate: object): string =>
      JSON.stringify(configOf({}, { tls: { certificates: [certificate] } }), null, 2);
    const broken: readonly (readonly [name: string, text: string | null, message: RegExp])[] = [
      ['missing.yaml', null, /missing\.yaml: .*(no such file|not found|does not exist)/],
      ['syntax.yaml', 'listeners: [\n', /syntax\.yaml:\d+:\d+: /],
      ['unknown.yaml', `${JSON.stringify(configOf({}))}\nlisteneers: []\n`, /unknown\.yaml:\d+:\d+: /],
      ['no-cert.yaml', withTls({ cert: noCert, key }), /no-cert\.yaml:\d+:\d+: .*no certificate in PEM form/],
      [
        'other-key.yaml',
        withTls({ cert, key: otherKey }),
        /other-key\.yaml:\d+:\d+: .*not the key of the certificate/,
      ],
      [
        'no-key.yaml',
        withTls({ cert, key: join(directory, 'nothing.pem') }),
        /no-key\.yaml:\d+:\d+: .*nothing\.pem/,
      ],
    ];
    await Promise.all(
      broken.map(async ([name, text, message]) => {
        const file = text === null ? join(directory, name) : fileOf(name, text);
        const stderr = await failsToStart({ config: {}, args: ['--config', file] });
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n|internal error/, 'one line');
        const checked = await check(file);
        assert.equal(checked.status, 1);
        assert.equal(checked.stderr.trimEnd(), stderr);
        assert.equal(checked.stdout, '');
      }),
    );
    assert.match(
      await failsToStart({ config: {}, args: ['--config', directory] }),
      /^[^\n]*director[^\n]*$/i,
    );
    const good = await check(fileOf('good.yaml', withTls({ cert, key })));
    assert.deepEqual([good.status, good.stderr], [0, '']);
    assert.match(good.stdout, /valid, with 2 listeners and 2 clusters/);
  });

  it('is ready when every address listens, and not before', async () => {
    const { admin, starting } = await readySluice();
    const { body } = await askAdmin(admin, '/status');
    const { listeners, workers } = JSON.parse(body) as {
      readonly listeners: readonly { readonly name: string; readonly address: string }[];
      readonly workers: readonly { readonly name: string; readonly state: string }[];
    };
    assert.deepEqual(
      workers.map(({ name, state }) => `${name} ${state}`),
      ['l7-0 up', 'l7-1 up', 'l4-0 up', 'l4-1 up'],
    );
    assert.deepEqual(
      listeners.map(({ name }) => name),
      ['web', 'tcp'],
    );
    for (const { address } of listeners) (await TcpPeer.connect(address)).destroy();
    const sluice = await starting;
    assert.equal(sluice.admin, admin);
    for (const { name, address } of listeners) assert.equal(sluice.address(name), address);
    const line = sluice.logs.find(({ msg }) => msg === 'ready');
    assert.deepEqual(line?.workers, ['l7-0', 'l7-1', 'l4-0', 'l4-1']);
  });

  it('gives all workers of a kind the one port that it got for port 0', async () => {
    const sluice = await start({ config: configOf({}) });
    const ports = ['web', 'tcp'].map((listener) => Number(sluice.address(listener).split(':')[1]));
    assert.ok(ports.every((port) => port > 0) && ports[0] !== ports[1]);
    for (const [listener, opened, kind] of [
      ['web', 'session opened', 'l7'],
      ['tcp', 'tunnel opened', 'l4'],
    ] as const) {
      const workers = new Set<unknown>();
      // The kernel throws a coin for each connection.
      for (let count = 0; workers.size < 2 && count < 64; count++) {
        const from = sluice.logs.length;
        const address = sluice.address(listener);
        if (listener === 'web') {
          (await WsPeer.connect(`ws://${address}/`)).socket.close();
        } else {
          (await TcpPeer.connect(address)).end();
        }
        workers.add((await sluice.waitForLog(({ msg }) => msg === opened, DEADLINE_MS, from)).worker);
      }
      assert.deepEqual([...workers].sort(), [`${kind}-0`, `${kind}-1`]);
    }
  });

  it('answers curl at the admin address', async () => {
    const sluice = await start({ config: configOf({}) });
    const curl = async (path: string, ...options: readonly string[]): Promise<Answer> => {
      const args = ['--silent', '--include', '--max-time', '30', ...options, `http://${sluice.admin}${path}`];
      return readAnswer((await within(`curl ${path}`, promisify(execFile)('curl', args))).stdout);
    };

    assert.deepEqual(pick(await curl('/livez')), { status: 200, body: 'ok\n' });
    assert.deepEqual(pick(await curl('/readyz')), { status: 200, body: 'ok\n' });
    const status = await curl('/status');
    assert.equal(status.headers.get('content-type'), 'application/json');
    const { state, pid, generation } = JSON.parse(status.body) as Record<string, unknown>;
    assert.deepEqual({ state, pid, generation }, { state: 'ready', pid: sluice.pid, generation: 1 });

    const text = await curl('/metrics');
    assert.equal(text.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const families = parseExposition(text.body, 'text');
    const wanted = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const open = await curl('/metrics', '--header', `Accept: ${wanted}`);
    assert.equal(
      open.headers.get('content-type'),
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    const openFamilies = parseExposition(open.body, 'openmetrics');
    for (const [name, { type }] of families) {
      const openName = type === 'counter' ? name.replace(/_total$/, '') : name;
      assert.equal(openFamilies.get(openName)?.type, type, name);
    }
    for (const worker of ['l7-0', 'l7-1', 'l4-0', 'l4-1']) {
      const up = families.get('sluice_worker_up')?.samples.find(({ labels }) => labels.worker === worker);
      assert.equal(up?.value, 1, worker);
    }

    const nothing = await curl('/metricss');
    assert.equal(nothing.status, 404);
    const missing = JSON.parse(nothing.body) as { status: number; pages: string[] };
    const pages = ['/', '/metrics', '/livez', '/readyz', '/status', '/live'];
    assert.deepEqual([missing.status, missing.pages], [404, pages]);
    const refused = await curl('/metrics', '--request', 'POST', '--data', 'x');
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD']);
    // There is no fault hook where nobody asked for one.
    assert.equal((await curl('/debug/workers/l7-0/fault', '--request', 'POST')).status, 404);
    assert.equal((await curl('/readyz')).status, 200);
  });
});

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

function readAnswer(text: string): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((header): readonly [string, string] => {
    const colon = header.indexOf(':');
    return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
  });
  return { status: Number(line.split(' ')[1]), headers: new Map(headers), body: text.slice(end + 4) };
}

function pick({ status, body }: Answer): { readonly status: number; readonly body: string } {
  return { status, body };
}
