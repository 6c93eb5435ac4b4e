import { readDescriptorLimit } from '../../core/descriptor-limit.ts';
import { LoopWheel, type LoopTimers } from '../../core/timing/loop-wheel.ts';
import { StartQueue } from '../../core/timing/start-queue.ts';
import { unsupportedReason } from '../../sys/support.ts';
import { connectProbing } from '../../upstream/probes/connect-probe.ts';
import { probe } from '../../upstream/probes/probe.ts';
import type { LookupTools } from './name-watch.ts';
import type { ProbeTools } from './prober.ts';

/** Max concurrent probes. Each holds a descriptor until its answer or timeout. */
const MAX_PROBES = 1024;
/** Max fraction of the descriptor limit for probes. */
const MAX_DESCRIPTOR_SHARE = 1 / 8;
/** Max concurrent lookups. Each may query several records. */
const MAX_LOOKUPS = 64;

/** Tools that all monitors share: limits hold for the whole process, and one timer serves all deadlines. */
export interface MonitorTools {
  readonly wheel: LoopWheel;
  readonly probing: ProbeTools;
  readonly lookingUp: LookupTools;
}

/** Creates the tools of the process. @param timers injected by tests */
export function createMonitorTools(timers?: LoopTimers): MonitorTools {
  const wheel = new LoopWheel(timers);
  const maxProbes = Math.floor((readDescriptorLimit() ?? Infinity) * MAX_DESCRIPTOR_SHARE);
  const run = unsupportedReason() === null ? connectProbing(wheel, probe) : probe;
  const random = Math.random;
  return {
    wheel,
    probing: { wheel, queue: new StartQueue(Math.min(MAX_PROBES, maxProbes)), probe: run, random },
    lookingUp: { wheel, queue: new StartQueue(MAX_LOOKUPS), random },
  };
}
