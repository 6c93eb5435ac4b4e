/** Sessions that operators list, close, extend and revoke, over two workers and all engines. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { SessionsAnswer } from '../../../src/protocol/admin/answers.ts';
import { eventually } from '../../support/deadline.ts';
import { SCALE_ENGINES } from '../../support/engines.ts';
import { sluiceCommand } from '../../support/processes/sluice-command.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';
const KEY = randomBytes(32);
const HOUR_S = 3600;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Makes a token of a user. @param lifeS seconds until it expires */
function tokenOf(user: string, lifeS = HOUR_S, issuedAgoS = 0): string {
  const now = Math.floor(Date.now() / 1000) - issuedAgoS;
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ sub: user, iat: now, exp: now + issuedAgoS + lifeS })}`;
  return `${text}.${createHmac('sha256', KEY).update(text).digest('base64url')}`;
}

describe('sessions, for operators', { timeout: 300_000 }, () => {
  let endpoint: WsEndpoint;
  let directory: string;
  const started: SluiceProcess[] = [];
  const clients: WsPeer[] = [];

  before(async () => {
    endpoint = await WsEndpoint.listen();
    directory = mkdtempSync(join(tmpdir(), 'sluice-sessions-'));
    const jwk = { kty: 'oct', alg: 'HS256', k: KEY.toString('base64url') };
    writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  });
  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    endpoint.close();
    rmSync(directory, { recursive: true });
  });

  function config(changes: object = {}, addresses: (name: string) => string = () => '127.0.0.1:0'): object {
    const access = {
      jwt: {
        keys: join(directory, 'jwks.json'),
        algorithms: ['HS256'],
        from: [{ header: 'authorization' }],
        leeway: '0s',
      },
    };
    return {
      workers: { l7: 2, l4: 1, warmUp: 0 },
      drain: { rate: '1000/s', deadline: '30s' },
      admin: { address: addresses('admin'), token: TOKEN },
      listeners: SCALE_ENGINES.map((engine) => ({
        name: engine,
        mode: 'l7',
        engine,
        address: addresses(engine),
        access,
        routes: [{ match: {}, cluster: 'app' }],
      })),
      clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
      ...changes,
    };
  }

  async function start(changes: object = {}): Promise<SluiceProcess> {
    const sluice = await startSluice({ config: config(changes), env: { SLUICE_FAULT_HOOKS: '1' } });
    started.push(sluice);
    return sluice;
  }

  /** Starts a process in the place of another, with its addresses. */
  async function succeed(old: SluiceProcess, changes: object = {}): Promise<SluiceProcess> {
    const same = config(changes, (name) => (name === 'admin' ? old.admin : old.address(name)));
    const sluice = await startSluice({ config: same, args: ['--takeover'] });
    started.push(sluice);
    return sluice;
  }

  async function open(sluice: SluiceProcess, engine: string, token: string): Promise<WsPeer> {
    const headers = { authorization: `Bearer ${token}` };
    const client = await WsPeer.connect(`ws://${sluice.address(engine)}/`, { headers });
    clients.push(client);
    return client;
  }

  async function ask(sluice: SluiceProcess, method: string, path: string): Promise<Answer> {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`http://${sluice.admin}${path}`, { method, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async function list(sluice: SluiceProcess, query = ''): Promise<SessionsAnswer> {
    const { status, body } = await ask(sluice, 'GET', `/sessions?${query}`);
    assert.equal(status, 200);
    return body as unknown as SessionsAnswer;
  }

  async function isRefused(sluice: SluiceProcess, token: string): Promise<void> {
    for (const engine of SCALE_ENGINES) {
      await assert.rejects(open(sluice, engine, token), /Unexpected server response: 401/, engine);
    }
  }

  it('are listed in pages, over workers and engines, and need the token', async () => {
    const sluice = await start();
    for (let index = 0; index < 12; index++) {
      await open(
        sluice,
        SCALE_ENGINES[index % SCALE_ENGINES.length]!,
        tokenOf(index % 2 === 0 ? 'alice' : 'bob'),
      );
    }
    const ids: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: SessionsAnswer = await list(sluice, `limit=5${next === '' ? '' : `&after=${next}`}`);
      assert.equal(page.total, 12);
      ids.push(...page.sessions.map(({ id }) => id));
      ({ next } = page);
    }
    assert.equal(new Set(ids).size, 12);
    const { sessions, total } = await list(sluice, 'principal=jwt:alice&cluster=app&client=127.0.0.1');
    assert.deepEqual(
      [total, new Set(sessions.map(({ principal }) => principal))],
      [6, new Set(['jwt:alice'])],
    );
    assert.ok(sessions.every(({ endsAt }) => Date.parse(endsAt ?? '') > Date.now() + 3_000_000));
    const [engine = ''] = SCALE_ENGINES;
    const narrow = await list(sluice, `listener=${engine}&endpoint=${endpoint.address}`);
    assert.equal(narrow.total, 12 / SCALE_ENGINES.length);
    assert.ok(narrow.sessions.every(({ listener }) => listener === engine));
    assert.equal((await list(sluice, 'endpoint=127.0.0.1:1')).total, 0);
    for (const path of ['/sessions', '/principals']) {
      assert.equal((await fetch(`http://${sluice.admin}${path}`)).status, 401);
    }
  });

  it('are closed with code and reason, and their clients may reconnect', async () => {
    const sluice = await start();
    for (const engine of SCALE_ENGINES) {
      const [one, other] = [
        await open(sluice, engine, tokenOf('alice')),
        await open(sluice, engine, tokenOf('bob')),
      ];
      const { sessions } = await list(sluice, 'principal=alice');
      const path = `/sessions/${sessions[0]!.id}`;
      assert.equal((await ask(sluice, 'DELETE', `${path}?code=4001&reason=see+you`)).status, 200);
      assert.deepEqual(await one.closed(), { code: 4001, reason: 'see you' });
      await eventually(async () => assert.equal((await ask(sluice, 'DELETE', path)).status, 404));
      const again = await open(sluice, engine, tokenOf('alice'));
      assert.equal((await ask(sluice, 'DELETE', '/sessions?principal=jwt:alice')).body.closed, 1);
      assert.deepEqual(await again.closed(), { code: 1008, reason: 'closed by the operator' });
      other.socket.terminate();
      await eventually(async () => assert.equal((await list(sluice)).total, 0));
    }
  });

  it('are extended beyond the expiry of their tokens', async () => {
    const sluice = await start();
    for (const engine of SCALE_ENGINES) {
      const [kept, lost] = [
        await open(sluice, engine, tokenOf('kept', 4)),
        await open(sluice, engine, tokenOf('lost', 4)),
      ];
      const { sessions } = await list(sluice, 'principal=kept');
      const { status, body } = await ask(sluice, 'POST', `/sessions/${sessions[0]!.id}/extend?by=10m`);
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(await lost.closed(), { code: 1008, reason: 'token expired' });
      kept.socket.send('still here');
      assert.equal((await list(sluice, 'principal=kept')).total, 1);
      kept.socket.terminate();
    }
  });

  it('end when their principal is revoked, and a newer token admits the principal again', async () => {
    const sluice = await start();
    const old = tokenOf('alice', HOUR_S, 5);
    const joined = await Promise.all(SCALE_ENGINES.map((engine) => open(sluice, engine, old)));
    const other = await open(sluice, SCALE_ENGINES[0]!, tokenOf('bob'));
    const { body } = await ask(sluice, 'POST', '/principals/alice/revoke');
    assert.equal(body.closed, SCALE_ENGINES.length);
    for (const client of joined)
      assert.deepEqual(await client.closed(), { code: 1008, reason: 'access revoked' });
    await isRefused(sluice, old);
    // The time of a token has whole seconds.
    await eventually(() => open(sluice, SCALE_ENGINES[0]!, tokenOf('alice')));
    assert.equal(other.socket.readyState, other.socket.OPEN);
    assert.equal((await ask(sluice, 'DELETE', '/principals/alice/revoke')).status, 200);
    await open(sluice, SCALE_ENGINES[0]!, old);
  });

  it('stay revoked through a restart of workers, a fault, a reload and a takeover without a file', async () => {
    const sluice = await start();
    const old = tokenOf('alice', HOUR_S, 5);
    await ask(sluice, 'POST', '/principals/jwt%3Aalice/revoke');
    assert.equal((await ask(sluice, 'POST', '/workers/l7-0/restart')).status, 202);
    await sluice.waitForLog(({ msg }) => msg === 'worker restarted');
    await isRefused(sluice, old);
    const from = sluice.logs.length;
    assert.equal((await ask(sluice, 'POST', '/debug/workers/l7-1/fault')).status, 202);
    await sluice.waitForLog(({ msg }) => msg === 'worker is up again', 60_000, from);
    await isRefused(sluice, old);
    assert.equal((await ask(sluice, 'POST', '/reload')).status, 200);
    await isRefused(sluice, old);
    const successor = await succeed(sluice);
    await isRefused(successor, old);
    assert.equal((await ask(successor, 'GET', '/principals')).body.total, 1);
  });

  it('stay revoked by the file through a start and a takeover, and a broken file ends the start', async () => {
    const file = join(directory, 'revocations.json');
    const changes = { revocations: { file } };
    const first = await start(changes);
    const old = tokenOf('alice', HOUR_S, 5);
    await ask(first, 'POST', '/principals/alice/revoke');
    first.kill('SIGKILL');
    await first.waitForExit();
    const second = await start(changes);
    await isRefused(second, old);
    const third = await succeed(second, changes);
    await isRefused(third, old);
    await ask(third, 'POST', '/principals/bob/revoke');
    assert.match(readFileSync(file, 'utf8'), /"bob"/);
    third.kill('SIGKILL');
    writeFileSync(file, '{');
    await assert.rejects(
      start(changes),
      /revocations\.file .*revocations\.json cannot be read: .*: repair the file/,
    );
  });

  it('are listed and closed in an older generation and in a draining worker', async () => {
    const sluice = await start({ drain: { rate: '1/s', deadline: '5m' } });
    const joined = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        open(sluice, SCALE_ENGINES[index % SCALE_ENGINES.length]!, tokenOf('alice')),
      ),
    );
    assert.equal((await ask(sluice, 'POST', '/workers/restart')).status, 202);
    await sluice.waitForLog(({ msg }) => msg === 'restarting worker');
    const { body } = await ask(sluice, 'DELETE', '/sessions?principal=alice&code=4002');
    assert.ok(Number(body.closed) > 0, JSON.stringify(body));
    const codes = await Promise.all(joined.map(async (client) => (await client.closed()).code));
    assert.ok(
      codes.every((code) => code === 4002 || code === 1012),
      codes.join(' '),
    );
    assert.equal(codes.filter((code) => code === 4002).length, body.closed);
  });

  it('are missed if their worker is frozen, which the answer says', async () => {
    const sluice = await start();
    await open(sluice, SCALE_ENGINES[0]!, tokenOf('alice'));
    assert.equal((await ask(sluice, 'POST', '/debug/workers/l7-0/freeze?for=6s')).status, 202);
    const { incomplete } = await list(sluice);
    assert.deepEqual(incomplete, ['l7-0']);
    await eventually(async () => assert.equal((await list(sluice)).incomplete, undefined));
  });

  it('are closed by a name as it was shown', async () => {
    const sluice = await start();
    const client = await open(sluice, SCALE_ENGINES[0]!, tokenOf('rené'));
    const shown = await sluiceCommand(sluice, 'sessions');
    const [, name = ''] = / (jwt:\S+) /.exec(shown.stdout) ?? [];
    assert.equal(name, 'jwt:ren\\u00e9', shown.stdout);
    const revoked = await sluiceCommand(sluice, 'revoke', name);
    assert.match(revoked.stdout, /, 1 session closed$/m);
    assert.equal((await client.closed()).reason, 'access revoked');
    for (const command of ['revoke', 'kick']) {
      const { status, stderr } = await sluiceCommand(sluice, command, '');
      assert.match(`${status} ${stderr}`, /^[1-9]\d* sluice: \w+ (?:needs the name|one of the two)/);
    }
  });

  it('are shown and closed by commands at a shell', async () => {
    const sluice = await start();
    const [alice, bob] = [
      await open(sluice, SCALE_ENGINES[0]!, tokenOf('alice')),
      await open(sluice, SCALE_ENGINES[0]!, tokenOf('bob')),
    ];
    const shown = await sluiceCommand(sluice, 'sessions', '--principal', 'jwt:alice');
    assert.equal(shown.status, 0, shown.stderr);
    const [, id = ''] = /^(\S+) +jwt:alice +127\.0\.0\.1 +app +\d+s +(?:59m|1h)$/m.exec(shown.stdout) ?? [];
    const kicked = await sluiceCommand(sluice, 'kick', id, '--code', '4000', '--reason', 'bye');
    assert.deepEqual([kicked.status, kicked.stdout], [0, `session ${id} closed\n`], shown.stdout);
    assert.deepEqual(await alice.closed(), { code: 4000, reason: 'bye' });
    const revoked = await sluiceCommand(sluice, 'revoke', 'bob');
    assert.match(revoked.stdout, /^bob revoked until \S+, 1 session closed$/m);
    assert.equal((await bob.closed()).reason, 'access revoked');
    assert.equal((await sluiceCommand(sluice, 'revoke', 'bob', '--undo')).status, 0);
    const again = await sluiceCommand(sluice, 'revoke', 'bob', '--undo');
    assert.deepEqual(
      [again.status, again.stderr],
      [1, 'sluice: bob is not revoked: GET /principals lists the revocations\n'],
    );
  });
});
