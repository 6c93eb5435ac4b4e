/** The listeners of a live frame. */
import type { Config } from '../../../config/types/config.ts';
import type { LiveFrame } from '../../../protocol/admin/live.ts';
import { pageMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import type { LiveConfig } from '../../control/live-config.ts';
import type { Reloader } from '../../control/reloader.ts';
import type { CertificateExpiry } from '../../process/certificate-expiry.ts';
import type { Engines } from '../../process/engines.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import { listenerStatus } from '../pages/status.ts';

/** The parts of the primary that provide the listeners of a frame. */
export interface ListenerParts {
  readonly supervisor: Pick<Supervisor, 'config' | 'directory' | 'sums'>;
  readonly reloader: Pick<Reloader, 'current'>;
  readonly liveConfig: Pick<LiveConfig, 'certificates'>;
  readonly engines: Pick<Engines, 'choiceOf'>;
}

type LiveListener = LiveFrame['listeners'][number];
/** Facts about a listener that only a reload changes. */
type ListenerFacts = Omit<LiveListener, 'connections' | 'drained'>;

/**
 * Cached facts and their sources. A reload replaces the sources one by one, and a frame may be written in
 * between.
 */
interface HeldFacts {
  readonly config: Config;
  readonly asRead: Config;
  readonly certificates: readonly CertificateExpiry[];
  readonly facts: readonly ListenerFacts[];
}

/**
 * Reads the listeners of a frame. The choice of an engine checks all routes, so it runs once per
 * configuration.
 */
export class LiveListeners {
  readonly #parts: ListenerParts;
  #held: HeldFacts | null = null;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Returns all listeners. @param isDrained returns whether a listener is drained */
  read(isDrained: (name: string) => boolean): LiveListener[] {
    const { directory, sums } = this.#parts.supervisor;
    return this.#facts().map((facts) => {
      const slot = directory.find(pageMetrics.connectionsActive, { listener: facts.name });
      const connections = slot === undefined ? 0 : sums.at(slot);
      return { ...facts, connections, drained: isDrained(facts.name) };
    });
  }

  #facts(): readonly ListenerFacts[] {
    const { supervisor, reloader, liveConfig } = this.#parts;
    const { config } = supervisor;
    const { current: asRead } = reloader;
    const { certificates } = liveConfig;
    const held = this.#held;
    if (held?.config === config && held.asRead === asRead && held.certificates === certificates) {
      return held.facts;
    }
    const facts = config.listeners.map((listener): ListenerFacts => {
      const { name, mode, address, tls, engine, engineReason } = listenerStatus(listener, this.#parts);
      const own = certificates.filter((certificate) => certificate.listener === name);
      const ends = own.map(({ certificate, notAfter }) => ({
        name: certificate,
        notAfter: new Date(notAfter * 1000).toISOString(),
      }));
      return { name, mode, address, tls, engine, engineReason, certificates: ends };
    });
    this.#held = { config, asRead, certificates, facts };
    return facts;
  }
}
