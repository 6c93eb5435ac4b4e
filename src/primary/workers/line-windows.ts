import type { Config } from '../../config/types/config.ts';
import { allocateLineWindow } from '../../telemetry/line-window.ts';

/**
 * Allocates the memory by which workers bound the lines that clients of a listener can provoke.
 *
 * @param known the windows in use: a listener that stays keeps its own
 */
export function lineWindowsOf(
  { listeners }: Config,
  known: ReadonlyMap<string, SharedArrayBuffer> = new Map(),
): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(listeners.map(({ name }) => [name, known.get(name) ?? allocateLineWindow()]));
}
