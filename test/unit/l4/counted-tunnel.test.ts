import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveSet } from '../../../src/core/collections/live-set.ts';
import { CountedTunnel } from '../../../src/l4/counted-tunnel.ts';
import type { Tunnel, TunnelContext } from '../../../src/l4/tunnel.ts';
import { ACCESS } from '../../../src/telemetry/journal/journal.ts';
import { entryFactsOf } from '../../../src/transport/entry.ts';
import type { Attempts } from '../../../src/upstream/attempts/attempts.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { journalOf } from '../../support/journals.ts';
import { NO_TAPS, NotingTaps, NotingTunnelTap } from '../../support/taps.ts';

class TestTunnel extends CountedTunnel {
  evict(): boolean {
    return false;
  }
  drain(): boolean {
    return false;
  }
  undrain(): void {
    // Nothing waits.
  }
  end(): void {
    this.countEnd(0, 0);
  }
  abort(): void {
    this.countEnd(0, 0);
  }
  override expire(): void {
    this.end();
  }
}

class Stage {
  readonly events: string[] = [];
  readonly lines: object[] = [];
  readonly values = new Float64Array(2);
  readonly context: TunnelContext;
  readonly tunnel: TestTunnel;

  constructor(taps = NO_TAPS) {
    const { events } = this;
    this.context = {
      config: { name: 'tcp' },
      cluster: { name: 'db', connectDuration: { observe: () => events.push('dialled') } },
      stats: {
        values: this.values,
        bytesUpstream: 0,
        bytesDownstream: 1,
        connections: { closed: () => events.push('connection closed') },
        opened: () => events.push('opened'),
        closed: (reason: string) => events.push(`closed: ${reason}`),
      },
      wheel: { disarm: () => undefined },
      journal: journalOf(this.lines, ACCESS),
      taps,
      tunnels: new LiveSet<Tunnel>(),
    } as unknown as TunnelContext;
    const holds = { release: () => events.push('holds released') };
    this.tunnel = new TestTunnel(this.context, { ...entryFactsOf('192.0.2.1'), holds });
    this.context.tunnels.add(this.tunnel);
  }

  join(): this {
    this.tunnel.endpoint = {
      cluster: 'db',
      label: '127.0.0.1:5432',
      countDial: () => undefined,
      release: () => this.events.push('endpoint released'),
    } as unknown as Endpoint;
    this.tunnel.countJoin({ succeed: () => this.events.push('succeeded') } as unknown as Attempts);
    return this;
  }
}

describe('a tunnel', () => {
  it('counts and logs its start and its end, once', () => {
    const { tunnel, events, lines, values } = new Stage().join();
    assert.ok(tunnel.isOf('db', '127.0.0.1:5432'));
    tunnel.countBytes(true, 5);
    tunnel.countBytes(false, 7);
    assert.deepEqual([...values], [5, 7]);
    assert.deepEqual(events.splice(0), ['dialled', 'succeeded', 'opened']);
    tunnel.reason = 'reset';
    tunnel.countEnd(5, 7);
    tunnel.countEnd(5, 7);
    const ends = ['endpoint released', 'connection closed', 'holds released', 'closed: reset'];
    assert.deepEqual(events, ends);
    assert.equal(lines.length, 2);
  });

  it('without an endpoint counts only its connection', () => {
    const { tunnel, events, lines } = new Stage();
    tunnel.countEnd(0, 0);
    assert.deepEqual([events, lines], [['connection closed', 'holds released'], []]);
  });

  it('describes itself from its join to its end', () => {
    const stage = new Stage();
    const { tunnel } = stage;
    assert.equal(tunnel.place, null);
    const before = Date.now();
    stage.join();
    const { openedAt, ...place } = tunnel.place!;
    assert.deepEqual(place, {
      listener: 'tcp',
      cluster: 'db',
      endpoint: '127.0.0.1:5432',
      client: '192.0.2.1',
      serverName: null,
    });
    assert.ok(Math.abs(openedAt - before) < 10_000);
    tunnel.end();
    assert.equal(tunnel.place, null);
  });

  it('reports its join, its reads and its end to its tap', () => {
    const taps = new NotingTaps();
    const { tunnel } = new Stage(taps).join();
    tunnel.countBytes(true, 5);
    tunnel.countBytes(false, 7);
    tunnel.reason = 'drained';
    tunnel.countEnd(5, 7);
    tunnel.countEnd(5, 7);
    assert.equal(tunnel.tap, null);
    assert.deepEqual(taps.tunnels[0]!.client, '192.0.2.1');
    assert.deepEqual(taps.tunnelTaps[0]!.calls, [
      'opened',
      '5 of client',
      '7 of endpoint',
      'ended: drained, 5 up, 7 down',
    ]);
  });

  it('reports later events to a tap added after the join', () => {
    const { tunnel } = new Stage().join();
    tunnel.countBytes(true, 5);
    const tap = new NotingTunnelTap();
    tunnel.tap = tap;
    tunnel.countBytes(true, 1);
    tunnel.countEnd(6, 0);
    assert.deepEqual(tap.calls, ['1 of client', 'ended: closed, 6 up, 0 down']);
  });
});
