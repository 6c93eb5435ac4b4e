import { KeyedLimit, type LimitCounts } from '../../../../src/access/limits/keyed-limit.ts';
import { LimitSet } from '../../../../src/access/limits/limit-set.ts';
import { ticksFor } from '../../../../src/access/limits/table/bucket.ts';
import { LimitTable } from '../../../../src/access/limits/table/limit-table.ts';
import { allocateTable, RATE_KINDS, SLOT } from '../../../../src/access/limits/table/table-layout.ts';
import type { AccessRequest } from '../../../../src/access/contract/access-request.ts';
import type { Principal } from '../../../../src/access/contract/principal.ts';
import type { LimitSettings } from '../../../../src/config/types/limits.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';

/** A limit without any number, by address. */
export const UNLIMITED: LimitSettings = {
  name: 'one',
  key: { kind: 'address' },
  connections: null,
  handshakes: null,
  requests: null,
  messages: null,
  bytes: null,
  over: 'close',
  isShared: false,
  maxKeys: 64,
};

/** Limits of one worker with separate tables and a clock that the test moves. */
export class LimitRig {
  readonly wheel = new TimerWheel(0);
  readonly refused: string[] = [];
  overflows = 0;
  now = 1000;
  readonly clock = (): number => this.now;

  /** Lets time go by, tick by tick. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.now += Math.min(left, 100);
      this.wheel.advance(this.now - 1000);
    }
  }

  memoryFor(settings: LimitSettings): SharedArrayBuffer {
    const ticks = RATE_KINDS.map((kind) => ticksFor(settings[kind]));
    return allocateTable(1, { maxKeys: settings.maxKeys, ticks, isShared: settings.isShared });
  }

  /** Makes a limit. @param memory of another worker's table; null for a new one */
  limit(changes: Partial<LimitSettings>, memory: SharedArrayBuffer | null = null): OpenLimit {
    const settings = { ...UNLIMITED, ...changes };
    const table = new LimitTable(memory ?? this.memoryFor(settings), this.clock);
    const counts: LimitCounts = {
      refused: (kind) => this.refused.push(`${settings.name} ${kind}`),
      overflowed: () => this.overflows++,
    };
    const { wheel, clock } = this;
    return { table, limit: new KeyedLimit(settings, { table: () => table, counts, wheel, clock }) };
  }

  set(...changes: readonly Partial<LimitSettings>[]): LimitSet {
    return this.setOf(...changes.map((change) => this.limit(change)));
  }

  setOf(...limits: readonly OpenLimit[]): LimitSet {
    return new LimitSet(limits.map(({ limit }) => limit));
  }

  /** Sums what is held in all slots of a limit's table. */
  heldBy({ table: { layout } }: OpenLimit): { pins: number; connections: number } {
    let [pins, connections] = [0, 0];
    for (let slot = 0; slot <= layout.slots; slot++) {
      pins += layout.words[layout.at(slot) + SLOT.pins]!;
      connections += layout.words[layout.at(slot) + SLOT.connections]!;
    }
    return { pins, connections };
  }
}

export interface OpenLimit {
  readonly table: LimitTable;
  readonly limit: KeyedLimit;
}

/** A request of a client. */
export function requestOf(address: string, changes: Partial<AccessRequest> = {}): AccessRequest {
  return {
    head: { method: 'GET', path: '/', query: '', headers: ['host', 'a.example'] },
    client: { address } as AccessRequest['client'],
    route: 'route-1',
    host: 'a.example',
    path: '/',
    wantsUpgrade: true,
    ...changes,
  };
}

/** A principal with claims. */
export function principalOf(name: string, claims: Principal['claims'] = null): Principal {
  return { kind: 'jwt', name, issuedAt: null, expiresAt: Infinity, claims };
}
