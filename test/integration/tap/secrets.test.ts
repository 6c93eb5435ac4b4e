/** Secrets that a tap must never show: credentials of the handshake, and fields named by redaction rules. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHmac, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { ENGINES } from '../../support/engines.ts';
import { startSocketIo } from '../../support/recording/socket-io-application.ts';
import type { Application } from '../../support/recording/application.ts';
import { TapStream, type TapParameters } from '../../support/recording/tap-stream.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, type WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const KEY = randomBytes(32);

/** Makes a token for a user. */
function jwtOf(user: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ sub: user, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${text}.${createHmac('sha256', KEY).update(text).digest('base64url')}`;
}

describe('a tap of sessions with secrets', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
  const taps: TapStream[] = [];
  let endpoint: WsEndpoint;
  let socketIo: Application;
  let rig: WebRig;

  before(async () => {
    const keys = join(directory, 'jwks.json');
    writeFileSync(
      keys,
      JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: KEY.toString('base64url') }] }),
    );
    endpoint = await WsEndpoint.listen();
    socketIo = await startSocketIo();
    const jwt = {
      keys,
      algorithms: ['HS256'],
      from: [{ header: 'x-ticket' }, { cookie: 'room' }, { query: 'entry' }, { subprotocol: 'bearer' }],
    };
    rig = await WebRig.start({
      workers: { l7: 2 },
      admin: { token: TOKEN, tap: 'payload', tapRedact: ['$..password'] },
      listeners: Object.fromEntries(
        ENGINES.map((engine) => [
          engine,
          {
            engine,
            routes: [
              { name: 'io', match: { pathPrefix: '/socket.io/' }, cluster: 'io' },
              { name: 'let-in', match: { pathPrefix: '/let-in' }, cluster: 'app', access: { jwt } },
              { name: 'open', match: {}, cluster: 'app' },
            ],
          },
        ]),
      ),
      clusters: { app: { endpoints: [endpoint.address] }, io: { endpoints: [socketIo.address] } },
    });
  });
  afterEach(async () => {
    for (const tap of taps.splice(0)) await tap.close();
  });
  after(async () => {
    endpoint.close();
    await socketIo.close();
    rmSync(directory, { recursive: true });
    await rig.stop();
  });

  async function open(parameters: TapParameters): Promise<TapStream> {
    const tap = await TapStream.open(rig.sluice.admin, parameters, { token: TOKEN });
    taps.push(tap);
    return tap;
  }

  /** Sends texts from the client, and waits until the tap has shown the last. */
  async function say(client: WsPeer, tap: TapStream, messages: readonly (string | Buffer)[]): Promise<void> {
    const before = tap.of('frame').length;
    for (const message of messages) client.socket.send(message);
    let left = before + messages.length;
    await tap.next('frame', () => --left === 0);
  }

  for (const engine of ENGINES) {
    it(`shows no credential from a handshake on ${engine}`, async () => {
      const tap = await open({ listener: engine });
      const planted = (name: string): string => `planted-${name}-${randomBytes(4).toString('hex')}`;
      const jwt = jwtOf('eve');
      const secrets = {
        authorization: planted('authorization'),
        proxy: planted('proxy'),
        cookie: planted('cookie'),
        apiKey: planted('api-key'),
        session: planted('session'),
        query: planted('query'),
        code: planted('code'),
        user: planted('user'),
      };
      const { client } = await rig.join(endpoint, {
        listener: engine,
        path: `/open?access_token=${secrets.query}&code=${secrets.code}&room=7&proof=${jwt}`,
        subprotocols: ['chat', jwt],
        headers: {
          authorization: `Bearer ${secrets.authorization}`,
          'proxy-authorization': `Basic ${secrets.proxy}`,
          cookie: `a=1; id=${secrets.cookie}`,
          'x-api-key': secrets.apiKey,
          'x-session-id': secrets.session,
          referer: `http://name:${secrets.user}@app.example/page`,
          'x-kept': 'this is shown',
        },
      });
      const session = await tap.next('session');
      client.socket.terminate();
      await tap.next('end');
      for (const [name, secret] of Object.entries(secrets))
        assert.ok(!tap.raw.includes(secret), `${name} is in ${tap.raw}`);
      for (const part of jwt.split('.'))
        assert.ok(!tap.raw.includes(part), `a part of the JWT is in ${tap.raw}`);
      assert.match(session.request!.target, /^\/open\?.*room=7/);
      const headers = new Map(session.request!.headers.map(([name, value]) => [name.toLowerCase(), value]));
      assert.equal(headers.get('x-kept'), 'this is shown');
      assert.match(headers.get('sec-websocket-protocol') ?? '', /chat/);
      assert.ok(headers.has('sec-websocket-version'));
    });

    it(`shows no credential that a route takes under a custom name on ${engine}`, async () => {
      const tap = await open({ listener: engine, payload: 'true' });
      for (const [index, options] of [
        { path: '/let-in', headers: { 'x-ticket': jwtOf('by-header') } },
        { path: '/let-in', headers: { cookie: `room=${jwtOf('by-cookie')}` } },
        { path: `/let-in?entry=${jwtOf('by-query')}&x=1` },
        { path: '/let-in', subprotocols: ['chat', `bearer.${jwtOf('by-subprotocol')}`] },
      ].entries()) {
        const { client } = await rig.join(endpoint, { listener: engine, ...options });
        client.socket.terminate();
        let left = index + 1;
        await tap.next('end', () => --left === 0);
      }
      const principals = tap.of('session').map(({ principal }) => principal);
      assert.deepEqual(principals, ['jwt:by-header', 'jwt:by-cookie', 'jwt:by-query', 'jwt:by-subprotocol']);
      assert.doesNotMatch(tap.raw, /eyJ|\.[\w-]{43}/);
    });
  }

  it('redacts messages by the JSON paths and expressions of the request and of the configuration', async () => {
    const tap = await open({
      listener: 'raw',
      payload: 'true',
      redact: ['$.user.card', '$..tokens[*].value', '/\\b[0-9]{3}-[0-9]{2}-[0-9]{4}\\b/'],
    });
    const { client } = await rig.join(endpoint, { listener: 'raw' });
    await say(client, tap, [
      JSON.stringify({ user: { name: 'Ada', card: 'planted-card', password: 'planted-password' } }),
      JSON.stringify([{ deep: { tokens: [{ value: 'planted-1' }, { value: 'planted-2' }], kept: 1 } }]),
      'my number is 123-45-6789, and planted-not',
      Buffer.from([0xff, ...Buffer.from('123-45-6789'), 0xfe]),
      '{"broken": "json 123-45-6789"',
      '{"nothing":"to redact"}',
    ]);
    const shown = tap.of('frame').map(({ text, base64, redacted }) => ({
      text: text ?? Buffer.from(base64!, 'base64').toString('latin1'),
      redacted,
    }));
    assert.deepEqual(JSON.parse(shown[0]!.text), {
      user: { name: 'Ada', card: '[redacted]', password: '[redacted]' },
    });
    assert.deepEqual(JSON.parse(shown[1]!.text), [
      { deep: { tokens: [{ value: '[redacted]' }, { value: '[redacted]' }], kept: 1 } },
    ]);
    assert.equal(shown[2]!.text, 'my number is [redacted], and planted-not');
    assert.equal(shown[3]!.text, '\u00ff[redacted]\u00fe');
    assert.equal(shown[4]!.text, '{"broken": "json [redacted]"');
    assert.deepEqual(shown[5], { text: '{"nothing":"to redact"}', redacted: undefined });
    assert.deepEqual(
      shown.slice(0, 5).map(({ redacted }) => redacted),
      Array(5).fill(true),
    );
    assert.ok(!/planted-(?:card|password|[12])|6789/.test(tap.raw.replaceAll(/"redact":\[.*?\]/g, '')));
    client.socket.terminate();
  });

  it('withholds a message that is too long for the rules', async () => {
    const tap = await open({ listener: 'raw', payload: 'true' });
    const { client } = await rig.join(endpoint, { listener: 'raw' });
    const long = JSON.stringify({ filler: 'x'.repeat(100_000), password: 'planted-behind-the-limit' });
    const cut = JSON.stringify({ password: 'planted-within', filler: 'y'.repeat(20_000) });
    await say(client, tap, [long]);
    // The code of the rules is cold: the first message may use up the CPU time of several ticks.
    const again = setInterval(() => client.socket.send(cut), 200).unref();
    const shown = await tap.next('frame', ({ cut: isCut }) => isCut === true);
    clearInterval(again);
    const [withheld] = tap.of('frame');
    assert.deepEqual(
      [withheld!.withheld, withheld!.text, withheld!.length],
      ['too_long', undefined, long.length],
    );
    assert.match(shown.text!, /^\{"password":"\[redacted\]","filler":"y+$/);
    assert.ok(!tap.raw.includes('planted'));
    client.socket.terminate();
  });

  it('redacts Socket.IO events', async () => {
    const tap = await open({ listener: 'raw', route: 'io', payload: 'true', redact: ['$..token'] });
    await socketIo.converse(rig.address('raw'));
    await tap.next('end');
    const texts = tap.of('frame').map(({ text }) => text ?? '');
    assert.ok(
      texts.some((text) => text.startsWith('42["news",{') && text.includes('"token":"[redacted]"')),
      texts.join('\n'),
    );
    assert.ok(texts.some((text) => /^42\d+\["say","one"\]$/.test(text)));
    assert.ok(!tap.raw.includes('secret-of-socket-io'));
  });
});
