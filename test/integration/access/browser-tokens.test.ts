/** Scripts of browsers cannot set headers of upgrades: they send a token as a subprotocol, and want one of theirs back. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { SCALE_ENGINES } from '../../support/engines.ts';
import { HttpEndpoint } from '../../support/http/http-endpoint.ts';
import { TokenIssuer } from '../../support/http/token-issuer.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

describe('a token as a subprotocol, in a browser', { skip, timeout: 300_000 }, () => {
  let issuer: TokenIssuer;
  let endpoint: WsEndpoint;
  let site: HttpEndpoint;
  let rig: WebRig;
  let browser: Browser;

  before(async () => {
    issuer = await TokenIssuer.listen();
    endpoint = await WsEndpoint.listen();
    site = await HttpEndpoint.listen((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>a site</title>');
    });
    const jwt = {
      keys: issuer.keysUrl,
      issuer: 'https://id.example.com',
      audience: 'chat',
      from: [{ subprotocol: 'bearer' }],
    };
    rig = await WebRig.start({
      listeners: Object.fromEntries(SCALE_ENGINES.map((engine) => [engine, { engine, access: { jwt } }])),
      clusters: { echo: { endpoints: [endpoint.address] } },
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
  });
  after(async () => {
    await browser.close();
    endpoint.close();
    site.close();
    issuer.close();
    await rig.stop();
  });

  for (const engine of SCALE_ENGINES) {
    it(`opens the socket on ${engine}, alone and beside other subprotocols`, async () => {
      const page = await browser.newPage();
      await page.goto(`http://${site.address}/`);
      const open = (protocols: readonly string[]): Promise<string> =>
        page.evaluate(
          ([url, offered]) =>
            new Promise<string>((settle) => {
              const socket = new WebSocket(url, [...offered]);
              socket.onopen = () => settle(socket.protocol);
              socket.onerror = () => settle('refused');
            }),
          [`ws://${rig.address(engine)}/`, [...protocols]] as [string, string[]],
        );
      const token = await issuer.token('alice');
      assert.equal(await open(['bearer', token]), 'bearer');
      // The endpoint chooses the first that it is offered.
      assert.equal(await open(['chat', 'bearer', token]), 'chat');
      assert.equal(await open(['bearer', `${token.slice(0, -4)}AAAA`]), 'refused');
      assert.equal(await open(['chat']), 'refused');
      await page.close();
    });
  }
});
