/** Which listeners a case is run on. */
import { ENGINES, TLS_ENGINES, isOwnEngine, usesTls, type TlsEngine } from '../../support/engines.ts';
import type { Case, ListenerName, Side } from './case.ts';

/** Listeners of sluice's own engines, which give the same verdict, or of uWebSockets.js. */
export type ListenerGroup = 'own' | 'uws';

const OWN: readonly ListenerName[] = ENGINES.filter(isOwnEngine) as readonly ('raw' | 'net')[];
const UWS: readonly ListenerName[] = ENGINES.includes('uws') ? ['off', 'shared'] : [];

export const LISTENERS: readonly ListenerName[] = [...OWN, ...TLS_ENGINES, ...UWS];

export function isOwn(listener: ListenerName): boolean {
  return OWN.includes(listener) || isSecure(listener);
}

/**
 * Whether clients use TLS. These listeners have sluice's own engines and the same outcomes, so the report
 * leaves them out.
 */
export function isSecure(listener: ListenerName): listener is TlsEngine {
  return listener !== 'off' && listener !== 'shared' && usesTls(listener);
}

/** Returns the listeners of a group that a case makes sense on; none for a side that the case is not about. */
export function listenersOf(one: Case, side: Side, group: ListenerGroup): readonly ListenerName[] {
  if (one.only !== undefined && one.only !== side) return [];
  if (group === 'uws')
    return UWS.filter((listener) => (one.listeners ?? ['off']).includes(listener as 'off'));
  // Our own engines leave compression to the ends: the client's offer is answered by the endpoint.
  const isOfEnds = one.offer !== undefined && side === 'endpoint';
  return one.uwsOnly === true || isOfEnds ? [] : OWN;
}
