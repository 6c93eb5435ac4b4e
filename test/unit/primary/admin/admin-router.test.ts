/** The answer of each request, by its head. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdminRequest, Answer } from '../../../../src/primary/admin/admin-answer.ts';
import { AdminRefusals } from '../../../../src/primary/admin/admin-refusals.ts';
import { AdminRouter } from '../../../../src/primary/admin/admin-router.ts';
import { AdminStats } from '../../../../src/primary/admin/admin-stats.ts';
import type { AdminView } from '../../../../src/primary/admin/admin-view.ts';
import type { AdminCommand } from '../../../../src/primary/admin/commands/admin-command.ts';
import { LiveFeed } from '../../../../src/primary/admin/live/live-feed.ts';
import { ParameterError } from '../../../../src/primary/admin/commands/parameters.ts';
import type { CommandAnswer } from '../../../../src/protocol/admin/answers.ts';
import { capture, type LogLine } from '../fixtures/config.ts';
import { VIEW } from './admin-rig.ts';

const TOKEN = 'a-token-of-20-chars.';
const SHOWN = { authorization: `Bearer ${TOKEN}` };
const PATH = '/clusters/app/endpoints/unix:%2Frun%2Fapp/drain';

class Rig {
  readonly stats = new AdminStats();
  readonly lines: readonly LogLine[];
  /** The token of the configuration in use. */
  token: string | null;
  readonly #router: AdminRouter;

  constructor(changes: Partial<Omit<AdminView, 'token'>> = {}, token: string | null = null) {
    const { log, lines } = capture();
    this.lines = lines;
    this.token = token;
    const tokenInUse = (): string | null => this.token;
    const view: AdminView = {
      ...VIEW,
      ...changes,
      get token() {
        return tokenInUse();
      },
    };
    const live = new LiveFeed({
      write: view.live,
      maxReaders: 2,
      maxPerAddress: 2,
      onError: () => assert.fail(),
    });
    this.#router = new AdminRouter(view, new AdminRefusals(this.stats, log), live, log);
  }

  ask(method: string, url: string, headers: Record<string, string> = {}): Promise<Answer> {
    const all: Record<string, string> = { host: 'localhost', ...headers };
    const request: AdminRequest = {
      method,
      url,
      httpVersion: '1.1',
      headers: all,
      headersDistinct: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
      socket: { remoteAddress: '192.0.2.1' },
    };
    return this.#router.answer(request);
  }

  refused(): Record<string, number> {
    const family = this.stats.families.find(({ metric }) => metric.name.includes('refused'))!;
    const counted = [...family.read()].filter(({ value }) => value > 0);
    return Object.fromEntries(
      counted.map(({ labels, value }): [string, number] => [String(labels.reason), value]),
    );
  }
}

/** A command that records its calls. */
function recorded(changes: Partial<AdminCommand> = {}): { command: AdminCommand; ran: unknown[] } {
  const ran: unknown[] = [];
  const command: AdminCommand = {
    path: '/clusters/NAME/endpoints/ADDRESS/drain',
    run: (args, query) => {
      ran.push([args, query.toString()]);
      return { status: 202, message: 'draining 3 connections', fields: { total: 3 } };
    },
    ...changes,
  };
  return { command, ran };
}

function bodyOf({ type, body }: Answer): CommandAnswer {
  assert.equal(type, 'application/json');
  assert.ok(typeof body === 'string');
  return JSON.parse(body) as CommandAnswer;
}

describe('a health check', () => {
  it('is answered in plain text: ok, or 503 with the reason', async () => {
    const well = await new Rig().ask('GET', '/readyz');
    assert.deepEqual([well.status, well.type, well.body], [200, 'text/plain; charset=utf-8', 'ok\n']);
    const ill = new Rig({ notReady: () => 'draining', notLive: () => 'too many stuck threads' });
    const answers = [await ill.ask('GET', '/readyz'), await ill.ask('HEAD', '/livez')];
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      [
        [503, 'draining\n'],
        [503, 'too many stuck threads\n'],
      ],
    );
  });
});

describe('a command', () => {
  it('gets its decoded arguments and query, and adds its fields to status and message', async () => {
    const { command, ran } = recorded();
    const rig = new Rig({ commands: [command] }, TOKEN);
    const answer = await rig.ask('POST', `${PATH}?x=1`, SHOWN);
    assert.equal(answer.status, 202);
    assert.deepEqual(bodyOf(answer), { status: 202, message: 'draining 3 connections', total: 3 });
    assert.deepEqual(ran, [[['app', 'unix:/run/app'], 'x=1']]);
    assert.equal(rig.lines[0]?.msg, 'admin command');
  });

  it('requires the token as a bearer', async () => {
    const { command, ran } = recorded();
    const rig = new Rig({ commands: [command] }, TOKEN);
    const shown = [`Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`, 'Bearer a-token', 'Bearer '];
    for (const headers of [{}, ...shown.map((authorization) => ({ authorization }))]) {
      const answer = await rig.ask('POST', PATH, headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.headers?.['WWW-Authenticate'], 'Bearer realm="sluice"');
      const { status, message } = bodyOf(answer);
      assert.equal(status, 401);
      assert.match(message, /Authorization: Bearer TOKEN/);
    }
    assert.deepEqual(ran, []);
    assert.deepEqual(rig.refused(), { bad_token: 6 });
  });

  it('is refused for everybody if no token is set', async () => {
    const { command, ran } = recorded();
    const rig = new Rig({ commands: [command] });
    for (const authorization of ['', 'Bearer null', `Bearer ${TOKEN}`]) {
      const answer = await rig.ask('POST', PATH, { authorization });
      assert.equal(answer.status, 403);
      assert.match(bodyOf(answer).message, /no admin\.token is set/);
    }
    assert.deepEqual([ran, rig.refused()], [[], { no_token: 3 }]);
  });

  it("checks the current configuration's token", async () => {
    const { command, ran } = recorded();
    const rig = new Rig({ commands: [command] }, 'the-token-of-before');
    assert.equal((await rig.ask('POST', PATH, SHOWN)).status, 401);
    rig.token = TOKEN;
    assert.equal((await rig.ask('POST', PATH, SHOWN)).status, 202);
    assert.equal(ran.length, 1);
  });

  it('that breaks a worker needs no token', async () => {
    const { command, ran } = recorded({ withoutToken: true });
    assert.equal((await new Rig({ commands: [command] }).ask('POST', PATH)).status, 202);
    assert.equal(ran.length, 1);
  });

  it('answers 400 with a remedy if a parameter is invalid', async () => {
    const { command } = recorded({
      run: () => {
        throw new ParameterError('rate: write a number and a unit');
      },
    });
    const answer = await new Rig({ commands: [command] }, TOKEN).ask('POST', PATH, SHOWN);
    assert.deepEqual(bodyOf(answer), { status: 400, message: 'rate: write a number and a unit' });
  });

  it('may answer with a stream, and write its own log lines', async () => {
    const body = { begin: () => undefined };
    const clients: string[] = [];
    const { command } = recorded({
      logsItself: true,
      run: (_args, _query, client) => {
        clients.push(client);
        return { status: 200, message: 'started', stream: { type: 'application/x-ndjson', body } };
      },
    });
    const rig = new Rig({ commands: [command] }, TOKEN);
    const answer = await rig.ask('POST', PATH, SHOWN);
    assert.deepEqual(
      [answer.status, answer.type, answer.headers],
      [200, 'application/x-ndjson', { 'X-Accel-Buffering': 'no' }],
    );
    assert.equal(answer.body, body);
    assert.deepEqual([clients, rig.lines], [['192.0.2.1'], []]);
  });

  it('may log a refusal for the token itself', async () => {
    const refused: string[][] = [];
    const { command } = recorded({ refused: (...facts) => refused.push(facts) });
    const [withToken, without] = [new Rig({ commands: [command] }, TOKEN), new Rig({ commands: [command] })];
    await withToken.ask('POST', PATH);
    await without.ask('POST', PATH, SHOWN);
    await withToken.ask('GET', PATH);
    assert.deepEqual([withToken.lines, without.lines], [[], []], 'one line a refusal is enough');
    assert.deepEqual([withToken.refused(), without.refused()], [{ bad_token: 1 }, { no_token: 1 }]);
    assert.deepEqual(
      refused.map(([client, message]) => [client, message?.split(':')[0]]),
      [
        ['192.0.2.1', 'commands need the token'],
        ['192.0.2.1', 'commands are refused'],
      ],
    );
  });

  it('rejects if it fails', async () => {
    const { command } = recorded({ run: () => Promise.reject(new Error('broken')) });
    await assert.rejects(new Rig({ commands: [command] }, TOKEN).ask('POST', PATH, SHOWN), /broken/);
  });

  it('is accepted by POST only', async () => {
    const { command, ran } = recorded();
    const answer = await new Rig({ commands: [command] }, TOKEN).ask('GET', PATH, SHOWN);
    assert.deepEqual([answer.status, answer.headers?.Allow], [405, 'POST']);
    assert.deepEqual(bodyOf(answer), { status: 405, message: 'this path takes only POST' });
    assert.deepEqual(ran, []);
  });
});

describe('a path of several methods', () => {
  const called: string[] = [];
  const commandOf = (method?: 'GET' | 'DELETE'): AdminCommand => ({
    ...(method !== undefined && { method }),
    path: '/sessions',
    run: () => {
      called.push(method ?? 'POST');
      return { status: 200, message: 'done', logged: { closed: 2 } };
    },
  });

  it('runs the command of the request, and HEAD as GET', async () => {
    const rig = new Rig({ commands: [commandOf(), commandOf('DELETE'), commandOf('GET')] }, TOKEN);
    for (const method of ['GET', 'HEAD', 'DELETE', 'POST']) {
      assert.equal((await rig.ask(method, '/sessions', SHOWN)).status, 200);
    }
    assert.deepEqual(called, ['GET', 'GET', 'DELETE', 'POST']);
  });

  it('answers other methods with the methods that it accepts', async () => {
    const rig = new Rig({ commands: [commandOf('GET'), commandOf('DELETE')] }, TOKEN);
    const answer = await rig.ask('PUT', '/sessions', SHOWN);
    assert.deepEqual([answer.status, answer.headers?.Allow], [405, 'GET, HEAD, DELETE']);
  });

  it('requires the token for reads too', async () => {
    const rig = new Rig({ commands: [commandOf('GET')] }, TOKEN);
    assert.equal((await rig.ask('GET', '/sessions', {})).status, 401);
    assert.equal(
      (await new Rig({ commands: [commandOf('GET')] }).ask('GET', '/sessions', SHOWN)).status,
      403,
    );
  });

  it('logs the result of a command, with its method', async () => {
    const rig = new Rig({ commands: [commandOf('DELETE')] }, TOKEN);
    await rig.ask('DELETE', '/sessions', SHOWN);
    const [line] = rig.lines as unknown as Record<string, unknown>[];
    assert.deepEqual([line?.msg, line?.command, line?.closed], ['admin command', 'DELETE /sessions', 2]);
  });
});

describe('a path without a page or command', () => {
  it('answers 404 with all pages and commands', async () => {
    const rig = new Rig({ commands: [recorded().command] }, TOKEN);
    for (const path of [
      '/clusters//endpoints/a/drain',
      '/clusters/%zz/endpoints/a/drain',
      '/clusters/a',
      '/nothing',
    ]) {
      const answer = await rig.ask('POST', path, SHOWN);
      const { status, message, ...lists } = bodyOf(answer);
      assert.deepEqual([answer.status, status], [404, 404], path);
      assert.match(message, /^no page or command at this path/);
      assert.deepEqual(lists, {
        pages: ['/', '/metrics', '/livez', '/readyz', '/status', '/live'],
        commands: ['POST /clusters/NAME/endpoints/ADDRESS/drain'],
      });
    }
  });
});

describe('a request of a foreign page', () => {
  it('is refused in JSON, counted by reason, and logged in one line', async () => {
    const rig = new Rig();
    const host = await rig.ask('GET', '/status', { host: 'attacker.example' });
    assert.deepEqual([host.status, bodyOf(host).status], [421, 421]);
    for (let count = 0; count < 20; count++) {
      const origin = await rig.ask('GET', '/metrics', { origin: 'https://attacker.example' });
      assert.deepEqual([origin.status, bodyOf(origin).status], [403, 403]);
    }
    assert.deepEqual(rig.refused(), { host: 1, origin: 20 });
    assert.equal(rig.lines.length, 1);
  });
});
