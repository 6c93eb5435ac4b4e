import type { Config } from '../../config/types/config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { LogOutputs, OutputsChange } from '../../telemetry/output/log-outputs.ts';
import type { KeySets } from '../access/key-sets/key-sets.ts';
import type { RevocationService } from '../access/revocations/revocation-service.ts';
import type { ClusterMonitors } from '../clusters/cluster-monitors.ts';
import type { AddressClaim, HeldAddress } from '../process/address-claim.ts';
import { readExpiries, type CertificateExpiry } from '../process/certificate-expiry.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { TapService } from '../tap/tap-service.ts';
import type { SpanService } from '../tracing/span-service.ts';
import type { Drains } from './drains.ts';

interface LiveConfigParts {
  readonly supervisor: Pick<Supervisor, 'generation' | 'reload'>;
  readonly clusters: Pick<ClusterMonitors, 'prepare'>;
  readonly drains: Pick<Drains, 'endUnknown'>;
  readonly keySets: Pick<KeySets, 'prepare'>;
  readonly revocations: Pick<RevocationService, 'prepare'>;
  readonly spans: Pick<SpanService, 'apply'>;
  readonly taps: Pick<TapService, 'apply'>;
  readonly output: Pick<LogOutputs, 'prepare'>;
  /** Claims the addresses of a configuration's listeners, except those that the process already holds. */
  readonly claim: (config: Config, held: readonly HeldAddress[]) => Promise<AddressClaim>;
  readonly log: Logger;
}

/** Applies configurations to the whole process: addresses, clusters, workers, drains, logs. */
export class LiveConfig {
  readonly #parts: LiveConfigParts;
  #held: readonly HeldAddress[];
  #certificates: readonly CertificateExpiry[];

  /** @param first claim of the first configuration */
  constructor(parts: LiveConfigParts, first: Pick<AddressClaim, 'held' | 'listeners'>) {
    this.#parts = parts;
    this.#held = first.held;
    this.#certificates = readExpiries(first.listeners);
  }

  get certificates(): readonly CertificateExpiry[] {
    return this.#certificates;
  }

  /**
   * Applies another configuration.
   *
   * @returns its generation
   * @throws StartError if a part refuses it. The old configuration stays in force
   */
  async apply(next: Config): Promise<number> {
    const { supervisor, clusters, drains, keySets, revocations, output, spans, taps, log } = this.#parts;
    const changeRevocations = revocations.prepare(next.revocations);
    const claim = await this.#parts.claim(next, this.#held);
    const config = { ...next, listeners: claim.listeners };
    const change = clusters.prepare(config.clusters);
    const changedKeys = keySets.prepare(config);
    let outputs: OutputsChange | null = null;
    try {
      const changedOutputs = output.prepare(config.log);
      outputs = changedOutputs;
      const [states] = await Promise.all([change.ready(), changedKeys.ready()]);
      claim.release();
      await supervisor.reload(config, states, () => {
        change.commit();
        changedKeys.commit();
        drains.endUnknown();
        changeRevocations();
        spans.apply(config.tracing);
        taps.apply(config.admin);
        changedOutputs.commit();
      });
    } catch (error) {
      change.abort();
      changedKeys.abort();
      outputs?.abort();
      throw error;
    } finally {
      claim.free();
    }
    this.#held = claim.held;
    this.#certificates = readExpiries(config.listeners);
    log.level = config.log.level;
    return supervisor.generation;
  }
}
