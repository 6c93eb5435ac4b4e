/** A proxy between a fast and a slow peer, and messages that are too large for the buffers on the path. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CertificateAuthority } from '../certificates.ts';
import { eventually } from '../deadline.ts';
import type { Metrics } from '../http/metrics.ts';
import { residentBytes } from '../processes/process-facts.ts';
import type { RawConnection } from '../sockets/raw-connection.ts';
import { RawEndpoint } from '../sockets/raw-endpoint.ts';
import { BINARY, CLOSE, closeBody, encodeFrame } from '../websocket/raw-frames.ts';
import type { WsPeer } from '../websocket/ws-peer.ts';
import { WebRig } from './web-rig.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** More than all the kernel's buffers on the way take together. */
export const LARGE = 40 * MIB;
/** Max growth of the process for reasons other than a buffer. */
export const NOISE = 32 * MIB;

/** Bytes that do not repeat. */
export const large = Buffer.alloc(LARGE);
for (let at = 0; at < LARGE; at += 4) large.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);

/** How an endpoint ends behind its last message, by close frame or without, and what its client hears. */
export const ENDS = [
  ['closes', encodeFrame(CLOSE, closeBody(4000, 'done')), { code: 4000, reason: 'done' }],
  ['is lost', Buffer.alloc(0), { code: 1011, reason: 'endpoint lost' }],
] as const;

/** The side that speaks TLS with the proxy, if any. */
export type Legs = 'plain' | 'TLS to the client' | 'TLS to the endpoint';
type Direction = 'upstream' | 'downstream';

export class SlowSideRig {
  readonly #authority: CertificateAuthority;
  readonly #plain: RawEndpoint;
  readonly #secure: RawEndpoint;
  readonly #web: WebRig;

  private constructor(authority: CertificateAuthority, plain: RawEndpoint, secure: RawEndpoint, web: WebRig) {
    this.#authority = authority;
    this.#plain = plain;
    this.#secure = secure;
    this.#web = web;
  }

  /**
   * @param listener settings of the listeners
   * @param legs the kinds of pairs that the test needs
   */
  static async start(listener: object, legs: readonly Legs[]): Promise<SlowSideRig> {
    const authority = new CertificateAuthority();
    const certificate = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    const plain = await RawEndpoint.listen();
    const secure = await RawEndpoint.listen(null, {
      cert: readFileSync(certificate.cert),
      key: readFileSync(certificate.key),
    });
    const routes = [
      { match: { path: '/secure' }, cluster: 'secure' },
      { match: {}, cluster: 'plain' },
    ];
    const settings = { ...listener, routes };
    const tls = { certificates: [certificate] };
    const web = await WebRig.start({
      listeners: {
        plain: settings,
        ...(legs.includes('TLS to the client') && { secure: { ...settings, tls } }),
      },
      clusters: {
        plain: { endpoints: [plain.address] },
        secure: { endpoints: [secure.address], tls: { ca: authority.file } },
      },
    });
    const rig = new SlowSideRig(authority, plain, secure, web);
    for (const each of legs) await rig.#warmUp(each);
    return rig;
  }

  /** The process grows into its working size. */
  async #warmUp(legs: Legs): Promise<void> {
    const { client, endpoint } = await this.pair(legs);
    endpoint.write(encodeFrame(BINARY, Buffer.alloc(16 * MIB)));
    assert.equal((await client.messages.next()).data.length, 16 * MIB);
    client.socket.terminate();
  }

  pair(legs: Legs): Promise<{ client: WsPeer; endpoint: RawConnection }> {
    const secureClient = legs === 'TLS to the client';
    const secureEndpoint = legs === 'TLS to the endpoint';
    return this.#web.join(secureEndpoint ? this.#secure : this.#plain, {
      listener: secureClient ? 'secure' : 'plain',
      scheme: secureClient ? 'wss' : 'ws',
      path: secureEndpoint ? '/secure' : '/',
      maxPayload: 2 * LARGE,
      ca: this.#authority.pem,
    });
  }

  /** Asserts that another session of the same worker notices nothing. */
  async otherGoesOn(legs: Legs): Promise<void> {
    const { client, endpoint } = await this.pair(legs);
    endpoint.write(encodeFrame(BINARY, 'still here'));
    assert.equal((await client.messages.next()).data.toString(), 'still here');
    client.socket.send('here too');
    assert.equal((await endpoint.frame()).payload.toString(), 'here too');
    client.socket.terminate();
  }

  scrape(): Promise<Metrics> {
    return this.#web.scrape();
  }

  /** Bytes that wait in the proxy. */
  async held(direction: Direction): Promise<number> {
    return (await this.scrape()).sum('sluice_ws_buffered_bytes', { direction });
  }

  /** Waits until nothing waits in the proxy, for nobody. */
  async empty(): Promise<void> {
    await eventually(async () => {
      const metrics = await this.scrape();
      for (const direction of ['upstream', 'downstream']) {
        assert.equal(metrics.sum('sluice_ws_buffered_bytes', { direction }), 0);
      }
    });
  }

  /** Resident memory of the proxy in bytes. */
  memory(): number {
    return residentBytes(this.#web.sluice.pid);
  }

  async stop(): Promise<void> {
    this.#plain.close();
    this.#secure.close();
    this.#authority.remove();
    await this.#web.stop();
  }
}
