import type { Scenario } from '../scenario.ts';
import { certificateRenewal } from './certificate-renewal.ts';
import { drain } from './drain.ts';
import { endpointKilled } from './endpoint-killed.ts';
import { reconnectStorm } from './reconnect-storm.ts';
import { reload } from './reload.ts';
import { scaleUp } from './scale-up.ts';
import { slowReaders } from './slow-readers.ts';

/** All scenarios, in the order of the tables. */
export const SCENARIOS: readonly Scenario[] = [
  reload,
  certificateRenewal,
  endpointKilled,
  reconnectStorm,
  slowReaders,
  scaleUp,
  drain,
];
