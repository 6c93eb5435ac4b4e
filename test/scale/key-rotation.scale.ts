import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { ENGINES } from '../support/engines.ts';
import { within } from '../support/deadline.ts';
import { TokenIssuer } from '../support/http/token-issuer.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { upgradeRequest, RawConnection, type RawHead } from '../support/sockets/raw-connection.ts';
import { WsEndpoint } from '../support/websocket/ws-peer.ts';

const PER_SECOND = 500;
const SECONDS = 6;
/** Batches a second. */
const BEATS = 20;
/** Fewer handshakes a second are begun while a busy machine answers them late: the endpoint would refuse them. */
const MAX_UNANSWERED = 100;

/** Reads the body of a refusal, which has a length. */
async function bodyOf(client: RawConnection, headers: RawHead['headers']): Promise<string> {
  const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return (await client.bytes(Number(length))).toString();
}

describe('keys that rotate under up to 500 handshakes a second', { timeout: 180_000 }, () => {
  it('lose no handshake, with the URL down in between', async (t) => {
    const issuer = await TokenIssuer.listen();
    const endpoint = await WsEndpoint.listen();
    const jwt = { keys: issuer.keysUrl, algorithms: ['ES256'], from: [{ header: 'authorization' }] };
    const rig = await WebRig.start({
      workers: { l7: 2 },
      listeners: { web: { engine: ENGINES[0], access: { jwt } } },
      clusters: { echo: { endpoints: [endpoint.address] } },
      log: { access: false },
    });
    const answers = new Map<string, number>();
    const refusals: string[] = [];
    let unanswered = 0;
    const attempt = async (token: string): Promise<void> => {
      const client = await RawConnection.connect(rig.address('web'));
      client.write(upgradeRequest('app.example', [`Authorization: Bearer ${token}`]));
      const { startLine, headers } = await client.head();
      answers.set(startLine, (answers.get(startLine) ?? 0) + 1);
      if (!startLine.includes(' 101 ')) {
        const at = Math.round(performance.now() - first);
        refusals.push(`after ${at} ms: ${startLine}: ${await bodyOf(client, headers)}`);
      }
      client.destroy();
    };
    const handshakes: Promise<void>[] = [];
    const first = performance.now();
    let number = 0;
    let fetched = Infinity;
    try {
      for (let beat = 0; beat < BEATS * SECONDS; beat++) {
        // The URL is down between the fetch of a new key and the next key: nobody could know a key from a URL that is down.
        if (beat % BEATS === BEATS / 2) {
          issuer.isDown = false;
          await issuer.rotate();
          fetched = issuer.fetches;
        } else if (issuer.fetches > fetched) issuer.isDown = true;
        for (let index = 0; index < PER_SECOND / BEATS; index++) {
          unanswered++;
          handshakes.push(
            issuer
              .token(`user ${number++ % 200}`)
              .then(attempt)
              .finally(() => unanswered--),
          );
        }
        const late = performance.now() - first - ((beat + 1) * 1000) / BEATS;
        if (late < 0) await delay(-late);
        while (unanswered > MAX_UNANSWERED) await delay(5);
      }
      await within('all answers', Promise.all(handshakes));
      const seconds = (performance.now() - first) / 1000;
      t.diagnostic(`${handshakes.length} handshakes in ${seconds.toFixed(1)} s, ${issuer.fetches} fetches`);
      assert.deepEqual(refusals, []);
      assert.deepEqual(answers, new Map([['HTTP/1.1 101 Switching Protocols', handshakes.length]]));
    } finally {
      endpoint.close();
      issuer.close();
      await rig.stop();
    }
  });
});
