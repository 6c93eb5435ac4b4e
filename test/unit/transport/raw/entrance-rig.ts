/** An entrance whose owner notes what it is told. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Certificate, ListenerTls } from '../../../../src/config/types/listener.ts';
import { TICKET_KEY_BYTES, TicketKeyRing } from '../../../../src/core/ticket-key-ring.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import type { Watched } from '../../../../src/loop/poller.ts';
import { ServerContext } from '../../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import type {
  ClientAcceptor,
  ClientChannel,
  ClientFacts,
  ClientOwner,
  ClientTls,
  Passthrough,
} from '../../../../src/transport/client-transport.ts';
import type { EntryFacts, EntryRejection, EntryTerms } from '../../../../src/transport/entry.ts';
import { RawClients } from '../../../../src/transport/raw/raw-clients.ts';
import { RawContext } from '../../../../src/transport/raw/raw-context.ts';
import { CertificateAuthority, type IssuedCertificate } from '../../../support/certificates.ts';
import { freePorts } from '../../../support/sockets/free-port.ts';
import { listenerTls } from '../../primary/fixtures/config.ts';

/** Certificates `first` for a.example, and `second` for *.b.example. `remove` deletes the files. */
export function issueCertificates(): {
  readonly authority: CertificateAuthority;
  readonly first: Certificate;
  readonly second: Certificate;
} {
  const authority = new CertificateAuthority();
  return {
    authority,
    first: certificateOf(authority.issue('first', ['DNS:a.example']), ['a.example']),
    second: certificateOf(authority.issue('second', ['DNS:*.b.example']), ['*.b.example']),
  };
}

function certificateOf({ cert, key }: IssuedCertificate, serverNames: readonly string[]): Certificate {
  const [certPem, keyPem] = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')];
  return { cert, key, certPem, keyPem, uri: null, serverNames };
}

const CIPHERS = 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';

export class EntranceRig implements ClientOwner {
  readonly #loop = new EventLoop(new TimerWheel(performance.now()));
  readonly #transport = new RawClients(new RawContext(this.#loop));
  readonly acceptor: ClientAcceptor;
  readonly address: string;
  entry: EntryTerms = {
    proxyProtocol: 'off',
    trusts: () => true,
    admit: null,
    readsHello: true,
    admitsPostgres: false,
    timeoutMs: 60_000,
  };
  tls: ClientTls | null = null;
  passthrough: Passthrough | null = null;
  readonly channels: ClientChannel[] = [];
  readonly facts: ClientFacts[] = [];
  readonly received: string[] = [];
  readonly rejections: EntryRejection[] = [];
  readonly tunnels: EntryFacts[] = [];
  readonly faults: unknown[] = [];
  arrived = 0;
  tunnelled = 0;
  closed = 0;
  onAccepted: ((channel: ClientChannel) => void) | null = null;

  private constructor(port: number) {
    this.address = `127.0.0.1:${port}`;
    this.acceptor = this.#transport.createAcceptor({ kind: 'tcp', host: '127.0.0.1', port }, this);
    void this.acceptor.listen();
  }

  static async open(): Promise<EntranceRig> {
    const [port = 0] = await freePorts(1);
    return new EntranceRig(port);
  }

  /** Ends TLS with certificates, and other settings. */
  secure(certificates: readonly Certificate[], changes: Partial<ListenerTls> = {}): void {
    const ring = new TicketKeyRing();
    ring.replace([Buffer.alloc(TICKET_KEY_BYTES, 1)]);
    this.tls = this.#transport.createTls(
      'listener',
      { ...listenerTls(certificates), ciphers: CIPHERS, ...changes },
      ring,
    );
  }

  /** Waits for the next turn of the loop. */
  turn(): Promise<void> {
    this.#loop.yieldToNode();
    return new Promise((settle) => setImmediate(settle));
  }

  /** Tunnels connections that ask for a name. */
  tunnel(name: string): void {
    const take = (connection: object, facts: EntryFacts): void => {
      this.tunnels.push(facts);
      if (name.startsWith('bad.')) throw new Error('a fault');
      this.#loop.poller.close(connection as Watched);
    };
    this.passthrough = { admit: () => null, find: (serverName) => (serverName === name ? { take } : null) };
  }

  clientArrived(): boolean {
    this.arrived++;
    return true;
  }

  clientAccepted(channel: ClientChannel, facts: ClientFacts): void {
    this.channels.push(channel);
    this.facts.push(facts);
    const index = this.received.push('') - 1;
    const add = (text: string): void => {
      this.received[index] = `${this.received[index] ?? ''}${text}`;
    };
    channel.owner = {
      channelData: (input, start, end) => add(input.toString('latin1', start, end)),
      channelEnded: () => add('|'),
      channelClosed: () => undefined,
    };
    this.onAccepted?.(channel);
    channel.resume();
  }

  clientRejected(rejection: EntryRejection): void {
    this.rejections.push(rejection);
  }

  clientTunnelled(): void {
    this.tunnelled++;
  }

  clientClosed(): void {
    this.closed++;
  }

  acceptFailed(): boolean {
    return true;
  }

  acceptFault(error: unknown): void {
    this.faults.push(error);
  }

  /** Closes everything, and asserts that every connection is counted once, and that nothing is left in OpenSSL. */
  close(): void {
    this.acceptor.stop();
    this.acceptor.closeArrivals();
    for (const channel of this.channels) channel.destroy();
    this.tls?.close();
    this.#loop.close();
    assert.equal(this.closed + this.tunnelled, this.arrived);
    assert.deepEqual([TlsStream.live, ServerContext.live], [0, 0]);
  }
}
