/** The admin address of a real process, under clients that mean no good. */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { sluiceCommand } from '../../support/processes/sluice-command.ts';
import { startSluice, type LogLine, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { parseExposition } from '../../unit/telemetry/exposition-parser.ts';

const TOKEN = 'a-token-of-20-chars.';

function configOf(admin: object): object {
  return {
    workers: { l7: 1, l4: 1 },
    admin: { address: '127.0.0.1:0', ...admin },
    listeners: [
      { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, respond: { status: 204 } }] },
    ],
  };
}

async function dialMany(admin: string, count: number, localAddress: string): Promise<Socket[]> {
  const { hostname: host, port } = new URL(`tcp://${admin}`);
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host, port: Number(port), localAddress });
      socket.on('error', () => undefined);
      await within('the connection', once(socket, 'connect'));
      return socket;
    }),
  );
}

/** Asks on a new connection; returns the status. */
function ask(admin: string, path: string, localAddress: string): Promise<number> {
  const { hostname: host, port } = new URL(`tcp://${admin}`);
  const answer = new Promise<number>((settle, fail) => {
    const asking = request({ host, port, path, agent: false, localAddress }, (response) => {
      response.resume();
      response.once('end', () => settle(response.statusCode ?? 0));
      response.once('error', fail);
    });
    asking.once('error', fail);
    asking.end();
  });
  return within(`the answer of ${path}`, answer);
}

describe('the admin address', { timeout: 300_000 }, () => {
  let sluice: SluiceProcess;
  before(async () => {
    sluice = await startSluice({ config: configOf({ hosts: ['sluice.internal'], token: TOKEN }) });
  });
  after(() => sluice.kill('SIGKILL'));

  const curl = async (...options: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await runCommand('curl', ['-s', '--max-time', '30', ...options]);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const statusOf = async (path: string, ...options: readonly string[]): Promise<number> =>
    Number(await curl('-o', '/dev/null', '-w', '%{http_code}', ...options, `http://${sluice.admin}${path}`));

  it('answers probes while 200 silent connections of one address, then of many addresses, are open', async () => {
    const flood = await dialMany(sluice.admin, 200, '127.0.0.1');
    try {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        assert.equal(await ask(sluice.admin, path, '127.0.0.2'), 200, path);
      }
      assert.equal(await ask(sluice.admin, '/livez', '127.0.0.1'), 200);
      for (let last = 3; last <= 7; last++) {
        flood.push(...(await dialMany(sluice.admin, 40, `127.0.0.${last}`)));
      }
      for (let probe = 0; probe < 20; probe++) {
        assert.equal(await ask(sluice.admin, '/livez', '127.0.0.2'), 200);
      }
      const metrics = await scrape(sluice);
      assert.ok(metrics.sum('sluice_admin_connections_active') <= 128);
      assert.ok(metrics.sum('sluice_admin_connections_closed_total', { reason: 'address' }) >= 168);
      const isClosing = ({ msg }: LogLine): boolean => msg === 'admin connection closed';
      await sluice.waitForLog(isClosing);
      const told = sluice.logs.filter(isClosing);
      assert.ok(told.length <= 4, `${told.length} lines`);
    } finally {
      for (const socket of flood) socket.destroy();
    }
  });

  it('keeps a connection for 5 s', async () => {
    assert.match(await curl('--include', `http://${sluice.admin}/livez`), /^Keep-Alive: timeout=5\r$/m);
  });

  it('refuses hosts that are not its own, and other origins', async () => {
    for (const [path, header, expected] of [
      ['/status', 'Host: localhost', 200],
      ['/status', 'Host: sluice.internal:9480', 200],
      ['/status', 'Host: attacker.example', 421],
      ['/metrics', 'Host: sluice-admin.monitoring.svc:9480', 200],
      ['/livez', 'Host: attacker.example', 200],
      ['/status', 'Origin: http://attacker.example', 403],
      ['/metrics', 'Origin: null', 403],
      ['/status', `Origin: http://${sluice.admin}`, 200],
      ['/status', 'Host;', 421],
      ['/status', 'Host:', 400],
    ] as const) {
      assert.equal(await statusOf(path, '-H', header), expected, `${path} with ${header}`);
    }
    const post = ['-X', 'POST', '-H', `Authorization: Bearer ${TOKEN}`] as const;
    assert.equal(await statusOf('/reload', ...post, '-H', 'Host: attacker.example'), 421);
    assert.equal(await statusOf('/reload', ...post, '-H', 'Origin: http://attacker.example'), 403);
    assert.equal(await statusOf('/reload', ...post), 200);
    const refused = (await scrape(sluice)).sum('sluice_admin_requests_refused_total', { reason: 'host' });
    assert.equal(refused, 3);
  });

  it('accepts other host names after a reload', async () => {
    sluice.writeConfig(configOf({ hosts: ['new.internal'], token: TOKEN }));
    assert.equal((await sluiceCommand(sluice, 'reload')).status, 0);
    assert.equal(await statusOf('/status', '-H', 'Host: new.internal'), 200);
    assert.equal(await statusOf('/status', '-H', 'Host: sluice.internal'), 421);
  });

  it('shares a rendering of the metrics for at least 100 ms among all scrapes', async () => {
    const begun = performance.now();
    const bodies = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const answers = Array.from({ length: 20 }, () => fetch(`http://${sluice.admin}/metrics`));
      for (const answer of await Promise.all(answers)) bodies.add(await answer.text());
    }
    // Each rendering has another time of the CPU in it.
    const most = 2 + Math.floor((performance.now() - begun) / 100);
    assert.ok(bodies.size <= most, `${bodies.size} renderings, and ${most} may be`);
  });

  it('gives curl compressed metrics that are the same', async () => {
    const url = `http://${sluice.admin}/metrics`;
    for (const accept of ['text/plain', 'application/openmetrics-text']) {
      const options = ['-H', `Accept: ${accept}`, '-H', 'Accept-Encoding: gzip', '-w', '%{size_download}'];
      const size = Number(await curl('-o', '/dev/null', ...options, url));
      const body = await curl('--compressed', '-H', `Accept: ${accept}`, url);
      const families = parseExposition(body, accept === 'text/plain' ? 'text' : 'openmetrics');
      assert.ok(families.has('sluice_admin_connections_active'));
      assert.ok(size < body.length / 3, `${size} of ${body.length} bytes`);
    }
  });
});

describe('the commands', { timeout: 300_000 }, () => {
  it('reach an admin address that is a name', async (context) => {
    const name = hostname();
    const found = await lookup(name).catch(() => null);
    if (found === null || name === 'localhost') {
      context.skip('the host name does not resolve');
      return;
    }
    const [port] = await freePorts(1);
    const sluice = await startSluice({ config: configOf({ address: `${name}:${port}`, token: TOKEN }) });
    try {
      for (const command of ['status', 'top', 'reload', 'drain']) {
        const { status, stderr } = await sluiceCommand(
          sluice,
          command,
          '--set',
          `admin.address=${name}:${port}`,
        );
        assert.equal(status, 0, `${command}: ${stderr}`);
      }
      await eventually(async () => assert.equal(await ask(sluice.admin, '/readyz', '127.0.0.1'), 503));
    } finally {
      sluice.kill('SIGKILL');
    }
  });
});
