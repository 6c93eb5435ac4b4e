/** How the server of a forward authentication is asked: over connections that are kept, and whatever it answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { AuthAnswer, AuthCall } from '../../../src/access/credentials/forward-auth/auth-transport.ts';
import { NodeAuthTransport } from '../../../src/access/credentials/forward-auth/node-auth-transport.ts';

const OK = 'HTTP/1.1 200 OK\r\nX-User: jos\xe9\r\nContent-Length: 2\r\n\r\nok';

/** The outcome of a question. */
interface Outcome {
  readonly call: AuthCall;
  /** Resolves with the answer, or the problem. */
  readonly result: Promise<AuthAnswer | string>;
  readonly closed: Promise<unknown>;
  readonly events: string[];
}

/** @param serve gets each question's head, and the number of its connection */
async function stage(t: TestContext, serve: (socket: Socket, head: string, connection: number) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const number = ++connections;
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      const head = text;
      text = '';
      serve(socket, head, number);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let turns = 0;
  const transport = new NodeAuthTransport(`http://127.0.0.1:${port}/check?a=b`, 2, () => {
    turns++;
  });
  const ask = (...headers: string[]): Outcome => {
    const [result, closed] = [Promise.withResolvers<AuthAnswer | string>(), Promise.withResolvers<null>()];
    const events: string[] = [];
    const call = transport.ask(headers, {
      answered: (answer) => {
        events.push('answered');
        result.resolve(answer);
      },
      failed: (problem) => {
        events.push('failed');
        result.resolve(problem);
      },
      closed: () => {
        events.push('closed');
        closed.resolve(null);
      },
    });
    events.push('asked');
    return { call, result: result.promise, closed: closed.promise, events };
  };
  return { ask, port, sockets, connections: () => connections, turns: () => turns };
}

async function answerOf({ result, closed, events }: Outcome): Promise<AuthAnswer> {
  const answer = await result;
  if (typeof answer === 'string') assert.fail(answer);
  await closed;
  assert.deepEqual(events, ['asked', 'answered', 'closed']);
  return answer;
}

async function problemOf({ result, closed, events }: Outcome): Promise<string> {
  const problem = await result;
  assert.ok(typeof problem === 'string');
  await closed;
  assert.deepEqual(events, ['asked', 'failed', 'closed']);
  return problem;
}

describe('the server of a forward authentication', { timeout: 60_000 }, () => {
  it('receives a GET with the headers, and may answer byte by byte', async (t) => {
    let head = '';
    const { ask, port, turns } = await stage(t, (socket, text) => {
      head = text;
      socket.write(OK, 'latin1');
    });
    const { status, headers, body } = await answerOf(ask('cookie', 'a=\xe9', 'cookie', 'b', 'X-Any', ''));
    assert.equal(
      head,
      `GET /check?a=b HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\ncookie: a=\xe9\r\ncookie: b\r\nX-Any: \r\nConnection: keep-alive\r\n\r\n`,
    );
    assert.deepEqual(headers.slice(0, 2), ['X-User', 'jos\xe9']);
    assert.deepEqual([status, body.length, turns()], [200, 0, 1]);
  });

  it('gets later questions over the same connection', async (t) => {
    const { ask, connections } = await stage(t, (socket) => socket.write(OK));
    for (let index = 0; index < 20; index++) await answerOf(ask());
    assert.equal(connections(), 1);
  });

  it('is asked again if it closed the kept connection', async (t) => {
    const { ask, connections } = await stage(t, (socket, _, connection) => {
      if (connection === 2 || socket.bytesWritten === 0) socket.write(OK);
      else socket.resetAndDestroy();
    });
    await answerOf(ask());
    await answerOf(ask());
    assert.equal(connections(), 2);
  });

  it('is not asked again if it closes a new connection', async (t) => {
    const { ask, connections } = await stage(t, (socket) => socket.end());
    assert.equal(await problemOf(ask()), 'ECONNRESET');
    assert.equal(connections(), 1);
  });

  it('may send interim answers before the final one', async (t) => {
    const interim = 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    const { ask } = await stage(t, (socket) => socket.write(interim + OK));
    assert.equal((await answerOf(ask())).status, 200);
  });

  it('refuses with a body of up to 64 KiB, and the connection is kept', async (t) => {
    const body = 'x'.repeat(64 * 1024);
    const text = `HTTP/1.1 403 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const { ask, connections } = await stage(t, (socket) => socket.write(text));
    for (let index = 0; index < 2; index++) assert.equal((await answerOf(ask())).body.length, body.length);
    assert.equal(connections(), 1);
  });

  it('has a longer body cut and its connection closed, however long the body is', async (t) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    for (const status of ['200 OK', '403 No']) {
      const { ask, sockets } = await stage(t, (socket) => {
        const more = (): void => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', more);
        socket.write(`HTTP/1.1 ${status}\r\n\r\n`);
        more();
      });
      const outcome = ask();
      const { body } = await answerOf(outcome);
      assert.equal(body.length, status === '200 OK' ? 0 : 64 * 1024);
      const [socket] = sockets;
      if (socket?.destroyed === false) await new Promise((settle) => socket.once('close', settle));
    }
  });

  it('refuses even if the body of its refusal is incomplete', async (t) => {
    const { ask } = await stage(t, (socket) => {
      socket.write('HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nbeginning');
      socket.end();
    });
    const { status, body } = await answerOf(ask());
    assert.deepEqual([status, Buffer.from(body).toString()], [401, 'beginning']);
  });

  it('refuses after the timeout if the body of its refusal never ends', async (t) => {
    const { ask } = await stage(t, (socket) =>
      socket.write('HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nbeginning'),
    );
    const outcome = ask();
    // Asks for the head only: nothing reports its arrival.
    const timer = setInterval(() => outcome.call.expire(), 500);
    t.after(() => clearInterval(timer));
    assert.equal((await answerOf(outcome)).status, 401);
  });

  it('fails if it does not answer in time', async (t) => {
    const { ask } = await stage(t, () => undefined);
    const outcome = ask();
    outcome.call.expire();
    assert.equal(await problemOf(outcome), 'timeout');
  });

  const FAULTS: readonly (readonly [what: string, answer: string])[] = [
    ['anything other than HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a head of more than 16 KiB', `HTTP/1.1 200 OK\r\nX-User: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'],
    ['a bare line feed in a header', 'HTTP/1.1 200 OK\r\nX-User: a\nX-Admin: b\r\n\r\n'],
  ];
  for (const [what, answer] of FAULTS) {
    it(`fails if it answers ${what}`, async (t) => {
      const { ask } = await stage(t, (socket) => socket.end(answer));
      assert.notEqual(await problemOf(ask()), '');
    });
  }

  it('fails if nothing listens', async (t) => {
    const { ask, port } = await stage(t, () => undefined);
    const closed = new NodeAuthTransport(`http://127.0.0.2:${port}/`, 1, () => undefined);
    const failed = Promise.withResolvers<string>();
    closed.ask([], { answered: () => assert.fail(), failed: failed.resolve, closed: () => undefined });
    assert.equal(await failed.promise, 'ECONNREFUSED');
    const outcome = ask('bad\nname', 'x');
    assert.equal(await problemOf(outcome), 'ERR_INVALID_HTTP_TOKEN');
  });

  it('receives nothing more of a cancelled question, whatever its state', async (t) => {
    const { ask, sockets } = await stage(t, () => undefined);
    const outcome = ask();
    outcome.call.cancel();
    await outcome.closed;
    assert.deepEqual(outcome.events, ['asked', 'closed']);
    const second = ask();
    while (sockets.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    second.call.cancel();
    await second.closed;
    assert.deepEqual(second.events, ['asked', 'closed']);
  });
});
