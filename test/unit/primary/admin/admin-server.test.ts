import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { StartError } from '../../../../src/core/errors.ts';
import { AdminServer } from '../../../../src/primary/admin/admin-server.ts';
import { AdminStats } from '../../../../src/primary/admin/admin-stats.ts';
import type { AdminView } from '../../../../src/primary/admin/admin-view.ts';
import type { AdminCommand } from '../../../../src/primary/admin/commands/admin-command.ts';
import type { CommandAnswer } from '../../../../src/protocol/admin/answers.ts';
import { capture } from '../fixtures/config.ts';
import type { LogLine } from '../fixtures/config.ts';
import { VIEW, textPage } from './admin-rig.ts';

const local = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;

async function withServer(
  changes: Partial<AdminView>,
  use: (url: string, lines: readonly LogLine[], port: number) => Promise<void>,
): Promise<void> {
  const { log, lines } = capture();
  const server = new AdminServer({ ...VIEW, ...changes }, new AdminStats(), log);
  const { port } = await server.listen(local);
  try {
    await use(`http://127.0.0.1:${port}`, lines, port);
  } finally {
    await server.close();
  }
}

/** Sends bytes and reads all that comes until the server hangs up. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  socket.on('error', () => undefined);
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

describe('the admin server', { timeout: 300_000 }, () => {
  it('serves metrics in the requested format', async () => {
    const metrics: AdminView['metrics'] = (format) =>
      Promise.resolve(textPage('a 1\n', `text/plain; format=${format}`));
    await withServer({ metrics }, async (url) => {
      const response = await fetch(`${url}/metrics?x=1`, {
        headers: { accept: 'application/openmetrics-text' },
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'text/plain; format=openMetrics');
      assert.equal(response.headers.get('vary'), 'Accept, Accept-Encoding');
      assert.equal(await response.text(), 'a 1\n');
    });
  });

  it('reports health and readiness, with a reason if it is not ready', async () => {
    let reason: string | null = 'starting';
    await withServer({ notReady: () => reason }, async (url) => {
      const unready = await fetch(`${url}/readyz`);
      assert.deepEqual([unready.status, await unready.text()], [503, 'starting\n']);
      assert.equal((await fetch(`${url}/livez`)).status, 200);
      reason = null;
      const ready = await fetch(`${url}/readyz`);
      assert.deepEqual([ready.status, await ready.text()], [200, 'ok\n']);
      assert.equal(ready.headers.get('cache-control'), 'no-store');
    });
  });

  it('serves its status as JSON', async () => {
    await withServer({}, async (url) => {
      const response = await fetch(`${url}/status`);
      assert.equal(response.headers.get('content-type'), 'application/json');
      assert.deepEqual(await response.json(), { version: '1.2.3' });
    });
  });

  it('answers HEAD without a body', async () => {
    await withServer({}, async (url) => {
      const response = await fetch(`${url}/livez`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-length'), '3');
      assert.equal(await response.text(), '');
    });
  });

  it('refuses other methods with a list of those it accepts, and reads the body', async () => {
    await withServer({}, async (url) => {
      const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) });
      assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
      assert.deepEqual(await post.json(), { status: 405, message: 'this path takes only GET, HEAD' });
    });
  });

  it('refuses an unsupported expectation, in JSON', async () => {
    await withServer({}, async (_url, _lines, port) => {
      const head = 'POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n';
      assert.match(
        await exchange(port, `${head}Expect: a-miracle\r\n\r\n`),
        /^HTTP\/1\.1 417 [^]*\r\n\r\n\{\n {2}"status": 417,\n {2}"message": "only the expectation 100-continue [^"]*"\n\}\n$/,
      );
      assert.match(
        await exchange(port, `${head}Expect: 100-continue\r\n\r\n`),
        /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 404 /,
      );
    });
  });

  it('runs a command for a client with the token, and answers in JSON', async () => {
    const token = 'a-token-of-20-chars.';
    const ran: [readonly string[], string][] = [];
    const command: AdminCommand = {
      path: '/clusters/NAME/endpoints/ADDRESS/drain',
      run: (args, query) => {
        ran.push([args, query.toString()]);
        return { status: 202, message: 'draining 7 connections', fields: { total: 7 } };
      },
    };
    await withServer({ commands: [command], token }, async (url, lines) => {
      const path = `${url}/clusters/app/endpoints/unix:%2Frun%2Fapp/drain?x=1`;
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(path, { method: 'POST', headers });
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [202, 'application/json']);
      assert.deepEqual(await answer.json(), { status: 202, message: 'draining 7 connections', total: 7 });
      assert.deepEqual(ran, [[['app', 'unix:/run/app'], 'x=1']]);
      assert.equal(lines[0]?.msg, 'admin command');
      const refused = await fetch(path, { method: 'POST' });
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="sluice"');
      assert.equal(((await refused.json()) as CommandAnswer).status, 401);
      assert.equal(ran.length, 1);
    });
  });

  it('is live unless only a new process can help', async () => {
    let reason: string | null = 'too many stuck threads';
    await withServer({ notLive: () => reason }, async (url) => {
      const dead = await fetch(`${url}/livez`);
      assert.deepEqual([dead.status, await dead.text()], [503, 'too many stuck threads\n']);
      reason = null;
      assert.equal((await fetch(`${url}/livez`)).status, 200);
    });
  });

  it('answers 500 and logs the error if a page fails', async () => {
    await withServer({ metrics: () => Promise.reject(new Error('broken')) }, async (url, lines) => {
      const failed = await fetch(`${url}/metrics`);
      assert.equal(failed.status, 500);
      assert.deepEqual(await failed.json(), { status: 500, message: 'internal error: see the log' });
      assert.equal(lines[0]?.err?.message, 'broken');
      assert.equal((await fetch(`${url}/livez`)).status, 200);
    });
  });

  it('refuses an oversized head or invalid HTTP, and closes the connection', async () => {
    await withServer({}, async (url, lines, port) => {
      assert.match(await exchange(port, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /);
      assert.match(
        await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
        /^HTTP\/1\.1 431 /,
      );
      assert.match(
        await exchange(port, '\u0000\u0001\u0002 nonsense\r\n\r\n'),
        /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\n\{\n {2}"status": 400,\n {2}"message": "the request is not valid HTTP"\n\}\n$/,
      );
      assert.match(
        await exchange(port, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
        /^HTTP\/1\.1 200 [^]*Connection: close[^]*ok\n$/,
      );
      assert.equal((await fetch(`${url}/livez`)).status, 200);
      assert.deepEqual(lines, []);
    });
  });

  it('survives clients that reset', async () => {
    await withServer({}, async (url, _lines, port) => {
      for (const request of ['', 'GET /metr', 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50)]) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(request);
        socket.resetAndDestroy();
        await once(socket, 'close');
      }
      assert.equal((await fetch(`${url}/livez`)).status, 200);
    });
  });

  it('closes open connections when it closes', async () => {
    const server = new AdminServer(VIEW, new AdminStats(), capture().log);
    const { port } = await server.listen(local);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await server.close();
    await closed;
  });

  describe('if its address is in use', () => {
    const other = createServer();
    before(() => once(other.listen(0, '127.0.0.1'), 'listening'));
    after(() => other.close());

    it('does not start, and gives the reason in one line', async () => {
      const { port } = other.address() as AddressInfo;
      const server = new AdminServer(VIEW, new AdminStats(), capture().log);
      await assert.rejects(server.listen({ ...local, port }), (error) => {
        assert.ok(error instanceof StartError);
        assert.match(
          error.message,
          /^the admin server cannot listen on 127\.0\.0\.1:\d+: the address is in use;/,
        );
        return true;
      });
      await server.close();
    });
  });
});
