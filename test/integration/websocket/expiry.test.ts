/** Sessions whose tokens expire, as peers made with `ws` see them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SignJWT } from 'jose';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, type WsPeer } from '../../support/websocket/ws-peer.ts';

const SECRET = randomBytes(32);
/** Time of a token that expires during a test. Tokens have whole seconds. */
const LIFE_S = 3;

/** They wait for time to pass, so they do it at once. */
describe('a session whose token expires', { concurrency: true }, () => {
  for (const engine of ENGINES) describe(`on ${engine}`, { concurrency: true }, () => expiryOn(engine));
});

function expiryOn(engine: EngineName): void {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-expiry-'));
  const endpoints = new Map<string, WsEndpoint>();
  let rig: WebRig;

  before(async () => {
    const keys = join(directory, 'jwks.json');
    writeFileSync(
      keys,
      JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: SECRET.toString('base64url') }] }),
    );
    for (const name of ['plain', 'talking', 'graceful', 'ignoring'])
      endpoints.set(name, await WsEndpoint.listen());
    const jwt = { keys, from: [{ header: 'authorization' }] };
    const route = (name: string, settings: object): object => ({
      match: { path: `/${name}` },
      cluster: name,
      access: { jwt: { ...jwt, ...settings } },
    });
    rig = await WebRig.start({
      listeners: {
        web: {
          engine,
          routes: [
            route('plain', {}),
            route('talking', {}),
            route('graceful', { grace: '3s' }),
            route('ignoring', { atExpiry: 'ignore' }),
          ],
        },
      },
      clusters: Object.fromEntries(
        Array.from(endpoints, ([name, { address }]) => [name, { endpoints: [address] }]),
      ),
    });
  });
  after(async () => {
    for (const endpoint of endpoints.values()) endpoint.close();
    await rig.stop();
    rmSync(directory, { recursive: true });
  });

  /** @returns also when the token expires, in milliseconds since 1970 */
  async function joinBriefly(name: string): Promise<{ client: WsPeer; endpoint: WsPeer; expires: number }> {
    const expires = Math.ceil(Date.now() / 1000) + LIFE_S;
    const token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(expires)
      .sign(SECRET);
    const headers = { authorization: `Bearer ${token}` };
    const joined = await rig.join(endpoints.get(name)!, { path: `/${name}`, headers });
    return { ...joined, expires: expires * 1000 };
  }

  it('ends with 1008 in the second after, and its endpoint gets 1001', async () => {
    const { client, endpoint, expires } = await joinBriefly('plain');
    assert.deepEqual(await client.closed(), { code: 1008, reason: 'token expired' });
    const late = Date.now() - expires;
    assert.ok(late >= 0 && late < 2000, `${late} ms late`);
    assert.equal((await endpoint.closed()).code, 1001);
    const line = await rig.sluice.waitForLog(({ msg, code }) => msg === 'session closed' && code === 1008);
    assert.deepEqual([line.side, line.reason], ['proxy', 'token expired']);
  });

  it('relays messages until then', async () => {
    const { client, endpoint, expires } = await joinBriefly('talking');
    let last = 0;
    while (client.socket.readyState === client.socket.OPEN) {
      client.socket.send('x');
      const next = endpoint.messages.next().then(
        () => (last = Date.now()),
        () => undefined,
      );
      await Promise.all([next, new Promise((settle) => setTimeout(settle, 50))]);
    }
    assert.equal((await client.closed()).code, 1008);
    assert.ok(expires - last < 1000, `${expires - last} ms before the end`);
  });

  it('ends after the grace, at most a tenth of it later', async () => {
    const { client, expires } = await joinBriefly('graceful');
    assert.deepEqual(await client.closed(), { code: 1008, reason: 'token expired' });
    const late = Date.now() - expires;
    assert.ok(late >= 3000 && late < 5500, `${late} ms late`);
  });

  it('lives on if the configuration says so', async () => {
    const { client, endpoint, expires } = await joinBriefly('ignoring');
    await new Promise((settle) => setTimeout(settle, expires - Date.now() + 1500));
    client.socket.send('still here');
    assert.equal((await endpoint.messages.next()).data.toString(), 'still here');
  });
}
