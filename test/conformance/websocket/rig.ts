/** One real proxy for all cases, an endpoint behind it that echoes, and one that is a raw socket. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/metrics.ts';
import { RawEndpoint } from '../../support/raw-endpoint.ts';
import { startSluice, type SluiceProcess } from '../../support/sluice-process.ts';
import { WsEndpoint, type WsPeer } from '../../support/ws-peer.ts';
import type { ListenerName } from './case.ts';

export const ECHO_PATH = '/echo';
export const RAW_PATH = '/raw';

export class Rig {
  readonly raw: RawEndpoint;
  readonly #echo: WsEndpoint;
  readonly #sluice: SluiceProcess;

  private constructor(sluice: SluiceProcess, echo: WsEndpoint, raw: RawEndpoint) {
    this.#sluice = sluice;
    this.#echo = echo;
    this.raw = raw;
  }

  static async start(): Promise<Rig> {
    const echo = await WsEndpoint.listen();
    const raw = await RawEndpoint.listen();
    const routes = [
      { match: { path: ECHO_PATH }, cluster: 'echo' },
      { match: { path: RAW_PATH }, cluster: 'raw' },
    ];
    const sluice = await startSluice({
      deadlineMs: 60_000,
      config: {
        workers: { l7: 1, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        log: { access: false },
        listeners: (['off', 'shared', 'dedicated'] satisfies ListenerName[]).map((name) => ({
          name,
          mode: 'l7',
          address: '127.0.0.1:0',
          websocket: { compression: name },
          routes,
        })),
        clusters: [
          { name: 'echo', endpoints: [{ address: echo.address }] },
          { name: 'raw', masking: 'random', endpoints: [{ address: raw.address }] },
        ],
      },
    });
    return new Rig(sluice, echo, raw);
  }

  /** `host:port` */
  address(listener: ListenerName): string {
    return this.#sluice.address(listener);
  }

  /** The endpoint's end of the session that has just been opened; it echoes from now on. */
  async echoSession(): Promise<WsPeer> {
    const peer = await this.#echo.sessions.next();
    peer.socket.on('message', (data, isBinary) => peer.socket.send(data, { binary: isBinary }));
    return peer;
  }

  /** Forgets what a case has left behind that went wrong. */
  async clear(): Promise<void> {
    while (this.#echo.sessions.waiting > 0) (await this.#echo.sessions.next()).socket.terminate();
    while (this.raw.connections.waiting > 0) (await this.raw.connections.next()).destroy();
  }

  /** Ends the proxy; throws where a session is left in it or it has complained. */
  async stop(): Promise<void> {
    this.#echo.close();
    this.raw.close();
    await eventually(async () => {
      const metrics = await scrape(this.#sluice);
      for (const gauge of ['sluice_ws_sessions_active', 'sluice_connections_active']) {
        assert.equal(metrics.sum(gauge), 0, gauge);
      }
      assert.equal(metrics.sum('sluice_worker_restarts_total'), 0);
    });
    assert.deepEqual(await this.#sluice.stop('SIGTERM', 30_000), { code: 0, signal: null });
    const faults = this.#sluice.logs.filter(({ level }) => level === 'error' || level === 'fatal');
    assert.deepEqual(faults, []);
  }
}
