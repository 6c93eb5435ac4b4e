/** Asks this machine which engines it can run. */
import { missingBinary } from '../../l7/uws/process-settings.ts';
import { opensslProblem } from '../../sys/openssl.ts';
import { unsupportedReason } from '../../sys/support.ts';
import type { MachineLimits } from './engine-choice.ts';

/** The limits of the machine, the Node and the packages that this process runs on. */
export const THIS_MACHINE: MachineLimits = {
  systemCalls: unsupportedReason,
  openssl: opensslProblem,
  // Not passed on by name: it has parameters for tests.
  uws: () => missingBinary(),
};
