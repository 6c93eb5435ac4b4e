import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { RefusedHandshakes } from '../../../../src/l7/access-log/refused-handshakes.ts';
import { allocateLineWindow } from '../../../../src/telemetry/line-window.ts';
import type { Journal } from '../../../../src/telemetry/journal/journal.ts';
import { journalOf, NO_JOURNAL, type JournalLine } from '../../../support/journals.ts';

const CLIENT = {
  address: '192.0.2.1',
  requestId: 'id-1',
  certificate: null,
  vpcEndpointId: null,
  trace: null,
  proto: 'http',
} as const;

class World {
  readonly lines: JournalLine[] = [];
  readonly counted: string[] = [];
  readonly wheel = new TimerWheel(0);
  readonly #journal = journalOf(this.lines);
  #now = 0;

  readonly #window = allocateLineWindow();

  /** Those of one worker. */
  refusals(journal: Journal = this.#journal): RefusedHandshakes {
    const count = (reason: string): unknown => this.counted.push(reason);
    return new RefusedHandshakes(journal, this.wheel, 'web', this.#window, count, () => this.#now);
  }

  refuse(refusals: RefusedHandshakes, times: number, headers: readonly string[] = []): void {
    const head = {
      method: 'GET',
      path: '/chat',
      query: 'token=secret',
      headers: ['host', 'a.example', ...headers],
    };
    for (let time = 0; time < times; time++) {
      refusals.refused({
        head,
        client: CLIENT,
        route: 'none',
        status: 404,
        reason: 'no_route',
        cut: null,
        startedAt: 0,
      });
    }
  }

  pass(ms: number): void {
    for (const end = this.#now + ms; this.#now < end;) this.wheel.advance((this.#now += 100));
  }

  get single(): JournalLine[] {
    return this.lines.filter(({ msg }) => msg === 'handshake refused');
  }

  /** The counts of the lines that combine several refusals. */
  get counts(): unknown[] {
    return this.lines.filter(({ msg }) => msg === 'handshakes refused').map(({ count }) => count);
  }
}

describe('refused handshakes', () => {
  it('have a line with the client, the request and the answer', () => {
    const world = new World();
    world.refuse(world.refusals(), 1, ['origin', 'https://page.example', 'user-agent', 'ua/1']);
    const { seconds, ...line } = world.lines[0]!;
    assert.ok(typeof seconds === 'number' && seconds > 0);
    assert.deepEqual(JSON.parse(JSON.stringify(line)), {
      msg: 'handshake refused',
      listener: 'web',
      route: 'none',
      client: '192.0.2.1',
      requestId: 'id-1',
      host: 'a.example',
      path: '/chat',
      origin: 'https://page.example',
      userAgent: 'ua/1',
      status: 404,
      reason: 'no_route',
    });
  });

  it('have 100 lines per second, and one line that counts the rest', () => {
    const world = new World();
    const refusals = world.refusals();
    world.refuse(refusals, 250);
    assert.deepEqual([world.single.length, world.counts], [100, []]);
    world.pass(500);
    world.refuse(refusals, 50);
    world.pass(600);
    assert.deepEqual([world.single.length, world.counts], [100, [200]]);
    world.refuse(refusals, 1);
    assert.equal(world.single.length, 101);
    world.pass(5000);
    assert.deepEqual([world.single.length, world.counts], [101, [200]]);
    assert.equal(world.counted.length, 301);
  });

  it('share the lines of a second between workers, with one count of the rest', () => {
    const world = new World();
    const workers = [world.refusals(), world.refusals(), world.refusals()];
    for (let second = 0; second < 3; second++) {
      world.refuse(workers[0]!, 90);
      for (const worker of workers) world.refuse(worker, 20);
      world.pass(500);
      for (const worker of workers) world.refuse(worker, 10);
      world.pass(500);
    }
    assert.equal(world.single.length, 300);
    world.pass(2000);
    assert.deepEqual(world.counts, [80, 80, 80]);
  });

  it('have at most one count per second if several workers request it', () => {
    const world = new World();
    const workers = [world.refusals(), world.refusals()];
    world.refuse(workers[0]!, 150);
    world.pass(1000);
    assert.deepEqual(world.counts, [50]);
    world.refuse(workers[1]!, 130);
    workers[1]!.expire();
    assert.deepEqual(world.counts, [50]);
    world.pass(1000);
    assert.deepEqual(world.counts, [50, 30]);
  });

  it('are counted on demand before the end of the second, and only once', () => {
    const world = new World();
    const refusals = world.refusals();
    world.refuse(refusals, 103);
    refusals.flush();
    world.pass(2000);
    assert.deepEqual(world.counts, [3]);
  });

  it('are counted without an access log', () => {
    const world = new World();
    world.refuse(world.refusals(NO_JOURNAL), 200);
    world.pass(2000);
    assert.deepEqual([world.lines.length, world.counted.length], [0, 200]);
  });

  it('have short lines without tokens, whatever the client sends', () => {
    const world = new World();
    const token = 'eyJ'.padEnd(32, 'x');
    world.refuse(world.refusals(), 1, [
      ...['user-agent', 'u'.repeat(30_000), 'origin', 'o'.repeat(30_000)],
      ...['sec-websocket-protocol', `bearer, ${token}, chat`],
      ...['sec-websocket-protocol', 'p,'.repeat(10_000)],
    ]);
    const [line] = world.single;
    assert.equal(line!.userAgent, `${'u'.repeat(256)}...`);
    assert.match(String(line!.subprotocol), /^bearer, \.\.\., chat, p, p, /);
    assert.ok(JSON.stringify(line).length < 1200);
  });
});
