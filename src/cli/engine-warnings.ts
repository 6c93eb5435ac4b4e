import { keyForUws } from '../config/schema/listener/l7-engine.ts';
import type { Config } from '../config/types/config.ts';
import type { Listener } from '../config/types/listener.ts';
import type { ConfigProblem } from '../core/errors.ts';
import type { MachineLimits } from '../primary/process/engine-choice.ts';

/**
 * Returns a warning for each listener that needs an engine that the machine cannot run. The configuration is
 * valid all the same: it may be meant for another machine. Loads the engines' requirements only if a listener
 * needs a certain engine.
 *
 * @param machine this machine if omitted
 */
export async function warnOfEngines(
  { listeners }: Config,
  machine?: MachineLimits,
): Promise<readonly ConfigProblem[]> {
  if (!listeners.some(needsCertainEngine)) return [];
  const { engineProblem } = await import('../primary/process/engine-choice.ts');
  const limits = machine ?? (await import('../primary/process/machine.ts')).THIS_MACHINE;
  const warnings: ConfigProblem[] = [];
  for (const [index, listener] of listeners.entries()) {
    const problem = engineProblem(listener, limits);
    if (problem !== null)
      warnings.push({ place: `listeners.${index}`, message: `on this machine, ${problem}` });
  }
  return warnings;
}

/** Reports whether a listener can run on one engine only. Every machine has `net`. */
function needsCertainEngine(listener: Listener): boolean {
  if (listener.engine === 'raw') return true;
  if (listener.mode !== 'l7') return false;
  return keyForUws({ engine: listener.engine, compression: listener.websocket.compression }) !== null;
}
