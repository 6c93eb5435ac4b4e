import { labelOf } from '../../access/contract/principal.ts';
import type { SessionTap, TappedHandshake } from '../../telemetry/tap/tap.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { RelaySession } from '../contract/relay.ts';
import type { UpgradeContext, UpgradeOrder } from './upgrade-order.ts';

/**
 * Returns the tap of a new session, or null.
 *
 * @param subprotocol value in the client's 101, empty for none
 */
export function tapOf(
  { taps, listener, route, cluster }: UpgradeContext,
  { number, extensions, endpoint, admission }: RelaySession,
  { head }: Pick<UpgradeOrder, 'head'>,
  subprotocol: string,
): SessionTap | null {
  return taps.watchSession({
    number,
    listener,
    route: route.name,
    cluster: cluster.name,
    endpoint: endpoint.label,
    principal: labelOf(admission.principal),
    client: admission.address,
    // The session itself keeps only whole seconds.
    openedAt: Date.now(),
    extensions,
    handshake: new LazyHandshake(head, subprotocol),
  });
}

/**
 * The handshake of a session, as taps see it. It reads the head lazily: a filter may reject every session.
 */
class LazyHandshake implements TappedHandshake {
  readonly subprotocol: string;
  readonly #head: RequestHead;

  constructor(head: RequestHead, subprotocol: string) {
    this.#head = head;
    this.subprotocol = subprotocol;
  }

  get target(): string {
    const { path, query, hasEmptyQuery } = this.#head;
    return query === '' && hasEmptyQuery !== true ? path : `${path}?${query}`;
  }

  get headers(): Iterable<readonly [name: string, value: string]> {
    return headersOf(this.#head);
  }
}

/** Lists the headers in order, with the client's spelling if the engine keeps it. */
function* headersOf({ headers, names }: RequestHead): Generator<readonly [name: string, value: string]> {
  for (let index = 0; index < headers.length; index += 2)
    yield [names?.[index >> 1] ?? headers[index]!, headers[index + 1]!];
}
