/** Warns of limits that the machine cannot satisfy. */
import { descriptorLimitFor, planDescriptors } from '../../core/descriptor-limit.ts';
import { formatRoundedByteSize } from '../../core/units/byte-size.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import type { Config } from '../types/config.ts';
import type { L7Listener, Listener } from '../types/listener.ts';
import { keyForUws } from './listener/l7-engine.ts';

/**
 * Warns if the listeners allow more connections than the limit of open descriptors supports. Only a warning,
 * because the proxy may run on another machine.
 *
 * @param limit max descriptors of a process; null for no limit
 */
export function warnOfDescriptors(
  config: Config,
  listeners: readonly Located<Listener>[],
  limit: number | null,
  problems: Problems,
): void {
  if (limit === null) return;
  const threads = workerThreads(config);
  const { clients } = planDescriptors(limit, threads);
  const limited = listeners.filter(({ value }) => value.maxConnections > 0);
  const sum = limited.reduce((total, { value }) => total + value.maxConnections, 0);
  const largest = limited.toSorted((a, b) => b.value.maxConnections - a.value.maxConnections)[0];
  if (largest === undefined || sum <= clients) return;
  const promised = limited.length === 1 ? `${sum} connections` : `${sum} connections over all listeners`;
  problems.warning(
    [...largest.path, 'maxConnections'],
    `${promised} cannot be reached: the limit of ${limit} open descriptors supports ${clients}, because each needs one ` +
      `more for its endpoint: raise it to ${descriptorLimitFor(sum, threads)} (ulimit -n, LimitNOFILE=), or lower maxConnections`,
  );
}

/**
 * Warns if the clients allowed by `uws` listeners can start larger messages than the buffer budget holds.
 * Only a warning: above the budget, the sessions with the largest unfinished messages are closed. The other
 * engines do not buffer messages.
 */
export function warnOfUnfinishedMessages(
  { workers: { bufferBudget } }: Config,
  listeners: readonly Located<Listener>[],
  problems: Problems,
): void {
  const limited = listeners
    .flatMap(({ path, value }) =>
      value.mode === 'l7' && keepsMessages(value) && value.maxConnections > 0
        ? [{ path, bytes: value.maxConnections * value.websocket.maxMessageSize }]
        : [],
    )
    .toSorted((a, b) => b.bytes - a.bytes);
  const [largest] = limited;
  const sum = limited.reduce((total, { bytes }) => total + bytes, 0);
  if (largest === undefined || sum <= bufferBudget) return;
  const where = limited.length === 1 ? '' : ' over all listeners';
  problems.warning(
    [...largest.path, 'maxConnections'],
    `clients may send ${formatRoundedByteSize(sum)} of unfinished messages${where} (maxConnections x websocket.maxMessageSize), and ` +
      `workers.bufferBudget is ${formatRoundedByteSize(bufferBudget)}: past it the largest sessions are closed with 1013. Lower ` +
      'maxMessageSize or maxConnections, or raise bufferBudget',
  );
}

function keepsMessages({ engine, websocket: { compression } }: L7Listener): boolean {
  return keyForUws({ engine, compression }) !== null;
}

/** Counts the worker threads. A mode without listeners has none. */
export function workerThreads({ workers, listeners }: Config): number {
  const modes = new Set(listeners.map(({ mode }) => mode));
  return Array.from(modes, (mode) => workers[mode]).reduce((sum, count) => sum + count, 0);
}
