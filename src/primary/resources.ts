import { workerThreads } from '../config/schema/capacity.ts';
import type { Config } from '../config/types/config.ts';
import {
  descriptorLimitFor,
  planDescriptors,
  readDescriptorLimit,
  type DescriptorPlan,
} from '../core/descriptor-limit.ts';
import { StartError } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { claimAddresses, type AddressClaim } from './process/address-claim.ts';
import type { Engines } from './process/engines.ts';
import { findPredecessor, type Predecessor } from './process/takeover.ts';

/** Resources of the machine that the process needs before its parts are built. */
export interface Resources {
  /** How the process divides its descriptors; null for no limit. */
  readonly descriptorPlan: DescriptorPlan | null;
  /** The process that hands over to this one, or null. */
  readonly predecessor: Predecessor | null;
  readonly claim: AddressClaim;
  /** Chooses the engines of listeners. */
  readonly engines: Engines;
}

/**
 * Acquires the resources of the process, the addresses last.
 *
 * @param takeOver whether to look for a process that serves the same admin address
 * @throws StartError if a resource is missing. No resource is held then
 */
export async function acquireResources(
  config: Config,
  engines: Engines,
  takeOver: boolean,
  log: Logger,
): Promise<Resources> {
  const descriptorPlan = planOf(config, log);
  const predecessor = takeOver ? await findPredecessor(config, log) : null;
  const claim = await claimAddresses(engines.choose(config), { shared: predecessor !== null });
  return { descriptorPlan, predecessor, claim, engines };
}

/** Divides the process's descriptors. Returns null for no limit. */
function planOf(config: Config, log: Logger): DescriptorPlan | null {
  const limit = readDescriptorLimit();
  if (limit === null) return null;
  const threads = workerThreads(config);
  const plan = planDescriptors(limit, threads);
  if (plan.clients === 0) {
    throw new StartError(
      `the limit of ${limit} open descriptors leaves none for clients: raise it to ${descriptorLimitFor(100, threads)} or more ` +
        '(ulimit -n, LimitNOFILE=)',
    );
  }
  log.info({ limit, maxClients: plan.clients }, 'descriptor limit');
  return plan;
}
