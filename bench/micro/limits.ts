import { KeyedLimit, type LimitCounts } from '../../src/access/limits/keyed-limit.ts';
import { LimitSet } from '../../src/access/limits/limit-set.ts';
import { ticksFor } from '../../src/access/limits/table/bucket.ts';
import { LimitTable } from '../../src/access/limits/table/limit-table.ts';
import { allocateTable, RATE_KINDS } from '../../src/access/limits/table/table-layout.ts';
import type { LimitSettings } from '../../src/config/types/limits.ts';
import { processClock } from '../../src/core/timing/process-clock.ts';
import { TimerWheel } from '../../src/core/timing/timer-wheel.ts';
import type { MicroCase } from './micro-case.ts';

const SETTINGS: LimitSettings = {
  name: 'limit',
  key: { kind: 'address' },
  connections: null,
  handshakes: null,
  requests: null,
  messages: null,
  bytes: null,
  over: 'close',
  isShared: false,
  maxKeys: 65_536,
};
const WIDE = { perSecond: 2 ** 30, burst: 2 ** 30 };
const CLIENTS = 20_000;

/** Enters and leaves limits, and counts a session's reads. */
export default function cases(): MicroCase[] {
  const set = setOf({ connections: 100, handshakes: WIDE });
  const messages = meterOf({ messages: WIDE });
  const both = meterOf({ messages: WIDE, bytes: WIDE });
  let client = 0;
  return [
    { name: 'enter a limit and leave it, one client', run: () => visit(set, '10.0.0.1') },
    {
      name: `enter a limit and leave it, ${CLIENTS} clients`,
      run: () => {
        client = (client + 1) % CLIENTS;
        visit(set, `10.1.${client >> 8}.${client & 255}`);
      },
    },
    { name: 'count a read against a message limit', run: () => messages.count(1, 32) },
    { name: 'count a read against a message and a byte limit', run: () => both.count(1, 32) },
  ];
}

function setOf(changes: Partial<LimitSettings>): LimitSet {
  const settings = { ...SETTINGS, ...changes };
  const ticks = RATE_KINDS.map((kind) => ticksFor(settings[kind]));
  const clock = processClock();
  const table = new LimitTable(allocateTable(1, { ...settings, ticks }), clock);
  const counts: LimitCounts = { refused: () => undefined, overflowed: () => undefined };
  return new LimitSet([
    new KeyedLimit(settings, { table: () => table, counts, wheel: new TimerWheel(0), clock }),
  ]);
}

function visit(set: LimitSet, address: string): void {
  const holds = set.open();
  if (set.enterConnection(address, holds) !== null) throw new Error('the limit was reached');
  holds.release();
}

function meterOf(changes: Partial<LimitSettings>): NonNullable<ReturnType<LimitSet['open']>['meter']> {
  const set = setOf(changes);
  const holds = set.open();
  set.enter('address', REQUEST, null, holds);
  if (holds.meter === null) throw new Error('no limit on what clients send');
  return holds.meter;
}

const REQUEST = {
  head: { method: 'GET', path: '/', query: '', headers: [] },
  client: {
    address: '10.0.0.1',
  },
  route: 'route',
  host: 'a.example',
  wantsUpgrade: true,
} as unknown as Parameters<LimitSet['enter']>[1];
