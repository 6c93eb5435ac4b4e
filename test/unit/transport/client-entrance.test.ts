import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { ClientEntrance } from '../../../src/transport/client-entrance.ts';
import type { ClientOwner, ClientTls, Passthrough } from '../../../src/transport/client-transport.ts';
import type { EntryFacts, EntryRejection } from '../../../src/transport/entry.ts';

const PLAIN: EntryFacts = { peer: '192.0.2.1', address: '192.0.2.7', proxy: null, hello: null };
const HELLO: EntryFacts = { ...PLAIN, hello: { serverName: 'node.example.com', protocols: [] } };
const DENIED = '192.0.2.66';
const REFUSAL = { reason: 'access', detail: 'denied' } as const;
const HOLDS = { release: () => calls.push('released') };
const TLS: ClientTls = { close: () => undefined };

/** Calls of the owner and the transport, in order. */
let calls: string[];
let rejection: EntryRejection | null;

class Owner implements ClientOwner {
  readonly entry = {
    proxyProtocol: 'off',
    trusts: () => true,
    admit: null,
    readsHello: true,
    admitsPostgres: false,
    timeoutMs: 1000,
  } as const;
  tls: ClientTls | null = null;
  passthrough: Passthrough | null = null;

  clientArrived(): boolean {
    return true;
  }
  clientAccepted(): void {
    calls.push('accepted');
  }
  clientRejected(told: EntryRejection): void {
    rejection = told;
    calls.push('rejected');
  }
  clientTunnelled(): void {
    calls.push('tunnelled');
  }
  clientClosed(): void {
    calls.push('gone');
  }
  acceptFailed(): boolean {
    return true;
  }
  acceptFault(error: unknown): void {
    calls.push(String(error));
  }
}

class Entrance extends ClientEntrance<object> {
  protected override servePlain(): void {
    calls.push('plain');
  }
  protected override secure(): void {
    calls.push('handshake');
  }
  protected override refuseName(): void {
    calls.push('alert');
  }
  protected override close(): void {
    calls.push('close');
  }
}

describe('the entrance of clients', () => {
  let owner: Owner;
  let entrance: Entrance;

  beforeEach(() => {
    calls = [];
    rejection = null;
    owner = new Owner();
    entrance = new Entrance(owner, new TimerWheel(2500));
  });

  const enter = (facts: EntryFacts): readonly string[] => {
    entrance.entered({}, facts, 500);
    return calls;
  };
  const tunnelTo = (take: () => void): Passthrough => ({
    admit: (address) => (address === DENIED ? REFUSAL : HOLDS),
    find: (name) => (name === 'node.example.com' ? { take } : null),
  });

  it('serves a connection without TLS if the listener has none, beside tunnels too', () => {
    owner.passthrough = tunnelTo(() => undefined);
    assert.deepEqual(enter(PLAIN), ['plain']);
  });

  it('refuses a connection without TLS if the listener has TLS', () => {
    owner.tls = TLS;
    assert.deepEqual(enter(PLAIN), ['close', 'rejected', 'gone']);
    assert.deepEqual(rejection, {
      reason: 'hello_malformed',
      detail: 'the first bytes are not TLS',
      peer: '192.0.2.1',
      seconds: 2,
    });
  });

  it('starts a handshake for a name without a tunnel', () => {
    owner.tls = TLS;
    owner.passthrough = { admit: () => null, find: () => null };
    assert.deepEqual(enter(HELLO), ['handshake']);
  });

  it('prefers a tunnel to TLS', () => {
    owner.tls = TLS;
    owner.passthrough = tunnelTo(() => calls.push('taken'));
    assert.deepEqual(enter(HELLO), ['tunnelled', 'taken']);
  });

  it('closes the tunnel of a client that the address rules refuse', () => {
    owner.passthrough = tunnelTo(() => calls.push('taken'));
    assert.deepEqual(enter({ ...HELLO, address: DENIED }), ['close', 'rejected', 'gone']);
    assert.deepEqual(rejection, {
      ...REFUSAL,
      address: DENIED,
      peer: '192.0.2.1',
      seconds: 2,
    });
  });

  it('leaves names without a tunnel to the rules of requests', () => {
    owner.tls = TLS;
    owner.passthrough = { admit: () => REFUSAL, find: () => null };
    assert.deepEqual(enter(HELLO), ['handshake']);
  });

  it('lets a failed tunnel count itself', () => {
    owner.passthrough = tunnelTo(() => {
      throw new Error('a fault');
    });
    assert.deepEqual(enter(HELLO), ['tunnelled', 'close', 'released', 'Error: a fault']);
  });

  it('refuses an unknown name with an alert', () => {
    owner.passthrough = { admit: () => null, find: () => null };
    assert.deepEqual(enter(HELLO), ['alert', 'rejected', 'gone']);
    assert.equal(rejection?.reason, 'server_name');
    assert.equal(rejection.serverName, 'node.example.com');
  });

  it('counts a lost connection once, and reports its fault if any', () => {
    entrance.lost(null);
    entrance.lost(new Error('a fault'));
    assert.deepEqual(calls, ['gone', 'Error: a fault', 'gone']);
  });
});
