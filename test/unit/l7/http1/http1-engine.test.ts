import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RandomPool } from '../../../../src/core/random-pool.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { BufferBudget } from '../../../../src/l7/buffers/buffer-budget.ts';
import type { Exchange } from '../../../../src/l7/contract/exchange.ts';
import { Http1Engine } from '../../../../src/l7/http1/http1-engine.ts';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { ask, http1Rig, statuses } from './http1-rig.ts';

function engineOf(): Http1Engine {
  return new Http1Engine({
    kind: 'net',
    transport: { createAcceptor: () => assert.fail(), createTls: () => assert.fail() },
    ticketKeys: () => assert.fail(),
    wheel: new TimerWheel(0),
    budget: null as unknown as BufferBudget,
    random: new RandomPool(),
    defer: setImmediate,
    nextTurn: setImmediate,
  });
}

describe('the HTTP/1.x engine', () => {
  it('identifies the connections of requests, watched or not', () => {
    const { clients } = engineOf();
    const rig = http1Rig(() => undefined);
    const [first, second] = [rig.connect(), rig.connect()];
    first.say(ask('/1'));
    second.say(ask('/2'));
    const [own, other] = rig.exchanges as [Exchange, Exchange];
    assert.equal(clients.recognise(own), null);
    const found = clients.findNow(own)!;
    clients.find(own, (client) => assert.equal(client, found))();
    assert.equal(found.watch(), true);
    assert.equal(clients.recognise(own), found);
    assert.equal(clients.recognise(other), null);
    assert.deepEqual([found.peer, found.isOpen()], ['192.0.2.7', true]);
    first.break();
    assert.deepEqual([found.isOpen(), found.watch()], [false, false]);
  });

  it('keeps a listener with the same address and engine, and applies its new limits', () => {
    const { listener, connect } = http1Rig();
    assert.equal(listener.fits({ ...l7Listener, http: { ...l7Listener.http, maxHeaders: 1 } }), true);
    assert.equal(listener.fits({ ...l7Listener, address: { ...l7Listener.address, port: 1 } }), false);
    assert.equal(listener.fits({ ...l7Listener, engine: 'net' }), false);
    const client = connect();
    client.say(ask('/', 'A: b'));
    listener.prepare({ ...l7Listener, http: { ...l7Listener.http, maxHeaders: 1 } })();
    client.say(ask('/', 'A: b'));
    assert.match(client.text, /HTTP\/1\.1 200 [^]*HTTP\/1\.1 431 /);
  });

  it('applies the old limits to a started head, and the new ones to the next head', () => {
    const { listener, connect } = http1Rig();
    const [slow, next] = [connect(), connect()];
    slow.say('GET / HTTP/1.1\r\n');
    listener.prepare({ ...l7Listener, http: { ...l7Listener.http, maxHeaders: 1 } })();
    slow.say('Host: a\r\nA: b\r\n\r\n');
    next.say(ask('/', 'A: b'));
    assert.deepEqual([statuses(slow.text), statuses(next.text)], [[200], [431]]);
  });
});
