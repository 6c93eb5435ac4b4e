import { setTimeout as delay } from 'node:timers/promises';
import type { ReloadablePeer } from '../reloadable/reloadable-peer.ts';
import type { Stage } from '../rig/stage.ts';
import type { Findings } from './report.ts';

/** A fault of a proxy or its surroundings, and the measurement of its effect on clients. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  run(stage: Stage, peer: ReloadablePeer): Promise<Findings>;
}

/** Polls every `stepMs` until the check succeeds. Returns false after `maxMs`. */
export async function waitUntil(
  yes: () => boolean | Promise<boolean>,
  maxMs: number,
  stepMs = 20,
): Promise<boolean> {
  const end = performance.now() + maxMs;
  while (!(await yes())) {
    if (performance.now() > end) return false;
    await delay(stepMs);
  }
  return true;
}
