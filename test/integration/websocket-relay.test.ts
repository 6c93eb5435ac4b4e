import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { WebSocketServer, type WebSocket as LibraryWebSocket } from 'ws';
import { CertificateAuthority } from '../support/certificates.ts';
import { eventually, within } from '../support/deadline.ts';
import { MessageStream, type StreamMessage } from '../support/message-stream.ts';
import { scrape } from '../support/metrics.ts';
import { RawConnection, upgradeRequest } from '../support/raw-connection.ts';
import { RawEndpoint } from '../support/raw-endpoint.ts';
import { BINARY, PING, PONG, TEXT, encodeFrame } from '../support/raw-frames.ts';
import { startSluice, type SluiceProcess } from '../support/sluice-process.ts';
import { WsEndpoint, WsPeer, type ConnectOptions } from '../support/ws-peer.ts';

const MESSAGES = 10_000;
/** So much is on its way at most; it fits into the proxy's buffer for a slow endpoint. */
const WINDOW = 8 * 1024 * 1024;
/** Characters of one to four bytes. */
const UNICODE = Buffer.from('aß€👋'.repeat(5));
const MASK = Buffer.from([1, 2, 3, 4]);

describe('the relay of WebSocket messages', () => {
  const authority = new CertificateAuthority();
  let app: WsEndpoint;
  let raw: RawEndpoint;
  let sluice: SluiceProcess;

  before(async () => {
    app = await WsEndpoint.listen({ maxPayload: 64 * 1024 * 1024 });
    raw = await RawEndpoint.listen();
    const certificates = [authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1'])];
    const all = [{ match: { path: '/raw' }, cluster: 'raw' }, { match: {}, cluster: 'app' }];
    const random = [{ match: {}, cluster: 'random-masks' }];
    const web = { mode: 'l7', address: '127.0.0.1:0' };
    sluice = await startSluice({
      deadlineMs: 60_000,
      config: {
        workers: { l7: 3, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        listeners: [
          { ...web, name: 'plain', routes: all },
          { ...web, name: 'tls', tls: { certificates }, routes: random },
          { ...web, name: 'shared', websocket: { compression: 'shared' }, routes: all },
          { ...web, name: 'dedicated', websocket: { compression: 'dedicated' }, routes: all },
          { name: 'tcp', mode: 'l4', address: '127.0.0.1:0', cluster: 'app' },
        ],
        clusters: [
          { name: 'app', endpoints: [{ address: app.address }] },
          { name: 'random-masks', masking: 'random', endpoints: [{ address: app.address }] },
          { name: 'raw', endpoints: [{ address: raw.address }] },
        ],
      },
    });
  });
  after(async () => {
    app.close();
    raw.close();
    authority.remove();
    assert.deepEqual(await sluice.stop('SIGTERM', 30_000), { code: 0, signal: null });
    assert.deepEqual(
      sluice.logs.filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
  });

  /** A client and the session that the endpoint has of it. */
  async function pair(url: string, options: ConnectOptions = {}): Promise<{ client: WsPeer; endpoint: WsPeer }> {
    const client = await WsPeer.connect(url, options);
    return { client, endpoint: await app.sessions.next() };
  }

  async function rawPair(): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    const client = WsPeer.connect(`ws://${sluice.address('plain')}/raw`);
    const endpoint = await raw.session();
    return { client: await client, endpoint };
  }

  it('keeps content, kind and order of 10,000 messages both ways at layer 7', async () => {
    const { client, endpoint } = await pair(`ws://${sluice.address('plain')}/`);
    await exchange(client, endpoint, 1);
    client.socket.terminate();
  });

  it('keeps them through TLS that the client verifies, and with random masks upstream', async () => {
    const { port } = new URL(`wss://${sluice.address('tls')}`);
    const { client, endpoint } = await pair(`wss://localhost:${port}/`, { ca: readFileSync(authority.file) });
    await exchange(client, endpoint, 2);
    client.socket.terminate();
    await assert.rejects(WsPeer.connect(`wss://localhost:${port}/`), /self-signed|unable to/);
  });

  it('keeps them through a tunnel at layer 4', async () => {
    const { client, endpoint } = await pair(`ws://${sluice.address('tcp')}/`);
    await exchange(client, endpoint, 3);
    client.socket.terminate();
  });
});
