import type { Config } from '../../config/types/config.ts';
import type { L4Listener, L7Listener, Listener } from '../../config/types/listener.ts';
import { StartError } from '../../core/errors.ts';
import { unsupportedReason } from '../../sys/support.ts';
import type { Logger } from '../../telemetry/logger.ts';

/**
 * Chooses the engine of each listener with `engine: auto`. If that is not the engine raw, a log line says why.
 *
 * @param reason returns why the engine raw cannot be used on this machine; null if it can
 * @throws StartError if a listener demands the engine raw and it cannot be used
 */
export function chooseEngines(
  { listeners, clusters }: Pick<Config, 'listeners' | 'clusters'>,
  log: Logger,
  reason: () => string | null = unsupportedReason,
): readonly Listener[] {
  const wanted = listeners.some((listener) => listener.mode === 'l4' && listener.engine !== 'net');
  const unsupported = wanted ? reason() : null;
  const withTls = new Set(clusters.filter(({ tls }) => tls !== null).map(({ name }) => name));
  if (unsupported !== null) {
    const demanding = listeners.find((listener) => listener.mode === 'l4' && listener.engine === 'raw');
    if (demanding !== undefined) {
      throw new StartError(
        `listener "${demanding.name}" demands the engine raw, which cannot be used: ${unsupported}; ` +
          'write engine: auto to fall back to net',
      );
    }
    log.warn({ reason: unsupported }, 'layer 4 uses the engine net, because raw cannot be used');
  }
  const choose = (listener: L4Listener): L4Listener => {
    if (listener.engine !== 'auto') return listener;
    if (unsupported !== null) return { ...listener, engine: 'net' };
    if (!withTls.has(listener.cluster)) return { ...listener, engine: 'raw' };
    const { name, cluster } = listener;
    log.info({ listener: name, cluster }, 'the listener uses the engine net, because its cluster has tls');
    return { ...listener, engine: 'net' };
  };
  // The engines raw and net carry no layer 7 yet.
  const chooseL7 = (listener: L7Listener): L7Listener => {
    if (listener.engine === 'uws') return listener;
    if (listener.engine === 'auto') return { ...listener, engine: 'uws' };
    throw new StartError(
      `listener "${listener.name}" demands the engine ${listener.engine}, which cannot be used`,
    );
  };
  return listeners.map((listener) => (listener.mode === 'l4' ? choose(listener) : chooseL7(listener)));
}

/** Names the engine of all tunnels in one word: `raw`, `net`, `mixed`, or `none` without layer 4 listeners. */
export function engineInUse(listeners: readonly Listener[]): string {
  const engines = new Set(listeners.flatMap((listener) => (listener.mode === 'l4' ? [listener.engine] : [])));
  const [engine = 'none'] = engines;
  return engines.size > 1 ? 'mixed' : engine;
}
