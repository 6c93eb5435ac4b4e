import type { AccessRequest } from '../contract/access-request.ts';
import type { LimitGuard, LimitHolds, LimitRefusal, LimitStage } from '../contract/limit-guard.ts';
import type { Principal } from '../contract/principal.ts';
import { ClientHolds } from './client-holds.ts';
import type { Entry, KeyedLimit } from './keyed-limit.ts';
import { addressKey, keyOf } from './limit-key.ts';

/** The limits of a route, including its listener's, or of a layer 4 listener. */
export class LimitSet implements LimitGuard {
  readonly #byAddress: readonly KeyedLimit[];
  readonly #others: readonly KeyedLimit[];

  constructor(limits: readonly KeyedLimit[]) {
    this.#byAddress = limits.filter(({ settings }) => settings.key.kind === 'address');
    this.#others = limits.filter(({ settings }) => settings.key.kind !== 'address');
  }

  open(): ClientHolds {
    return new ClientHolds();
  }

  enter(
    stage: LimitStage,
    request: AccessRequest,
    principal: Principal | null,
    holds: LimitHolds,
  ): LimitRefusal | null {
    const limits = stage === 'address' ? this.#byAddress : this.#others;
    const entry = request.wantsUpgrade ? 'handshake' : 'request';
    const keyFor = ({ settings }: KeyedLimit): string | null => keyOf(settings.key, request, principal);
    return take(limits, entry, keyFor, holds);
  }

  enterConnection(address: string, holds: LimitHolds): LimitRefusal | null {
    return take(this.#byAddress, 'tunnel', () => addressKey(address), holds);
  }
}

/** Takes what a client needs from all limits, or nothing. */
function take(
  limits: readonly KeyedLimit[],
  entry: Entry,
  keyFor: (limit: KeyedLimit) => string | null,
  holds: LimitHolds,
): LimitRefusal | null {
  if (!(holds instanceof ClientHolds)) throw new TypeError('the holds were opened by another guard');
  const { size } = holds;
  for (const limit of limits) {
    if (!limit.holdsFor(entry)) continue;
    const key = keyFor(limit);
    if (key === null) continue;
    const slot = limit.pin(key);
    const refusal = limit.take(slot, entry);
    if (refusal !== null) {
      limit.unpin(slot);
      holds.undo(size);
      return refusal;
    }
    holds.add(limit, slot, entry);
  }
  holds.settle(size);
  return null;
}
