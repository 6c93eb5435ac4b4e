import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveSet } from '../../../../src/core/collections/live-set.ts';
import type { ExchangeEngine } from '../../../../src/l7/contract/exchange.ts';
import type { Relay, RelaySession, RelayTerms } from '../../../../src/l7/contract/relay.ts';
import { ContextRelays } from '../../../../src/l7/websocket/context-relays.ts';

const terms = {} as RelayTerms;

/** An engine that notes the relays that it makes. */
function fakeEngine(): ExchangeEngine & { readonly made: Relay[] } {
  const made: Relay[] = [];
  return {
    made,
    clients: null,
    passesExtensions: false,
    checksHeads: false,
    clientsTouched: () => undefined,
    createRelay: (given) => {
      assert.equal(given, terms);
      const relay = { sessions: new LiveSet() } as unknown as Relay;
      made.push(relay);
      return relay;
    },
  };
}

describe('the relays of a context', () => {
  it('are created once per engine', () => {
    const [first, second] = [fakeEngine(), fakeEngine()];
    const relays = new ContextRelays(terms);
    assert.equal(relays.of(first), relays.of(first));
    assert.notEqual(relays.of(second), relays.of(first));
    assert.deepEqual([first.made.length, second.made.length], [1, 1]);
  });

  it('list the sessions of all engines', () => {
    const [first, second] = [fakeEngine(), fakeEngine()];
    const relays = new ContextRelays(terms);
    assert.deepEqual([relays.size, [...relays]], [0, []]);
    const [a, b] = [{ liveIndex: -1 }, { liveIndex: -1 }] as unknown as RelaySession[];
    relays.of(first).sessions.add(a!);
    relays.of(second).sessions.add(b!);
    assert.equal(relays.size, 2);
    assert.deepEqual([...relays], [a, b]);
  });
});
