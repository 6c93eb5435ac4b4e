/** Names for the inline types of a frame, and validation of frames from the network. */
import type { LiveFrame } from '../../protocol/admin/live.ts';

type LiveCluster = LiveFrame['clusters'][number];
export type LiveEndpoint = LiveCluster['endpoints'][number];
export type LiveListener = LiveFrame['listeners'][number];
export type LiveWorker = LiveFrame['workers'][number];

const NUMBERS = ['at', 'pid', 'uptimeSeconds', 'generation', 'clusterCount'] as const;
const LISTS = ['errors', 'workers', 'listeners', 'drains', 'clusters', 'needsRestart'] as const;
const OBJECTS = ['gauges', 'counters'] as const;

/**
 * Parses a frame. Another version of the proxy may send another shape. The page then says so instead of
 * showing wrong values.
 *
 * @returns null if the text is not a frame of this version
 */
export function parseFrame(text: string): LiveFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const frame = value as Record<string, unknown>;
  const isFrame =
    NUMBERS.every((key) => typeof frame[key] === 'number') &&
    LISTS.every((key) => Array.isArray(frame[key])) &&
    OBJECTS.every((key) => isNumbers(frame[key])) &&
    typeof frame.version === 'string' &&
    typeof frame.state === 'string';
  return isFrame ? (value as LiveFrame) : null;
}

function isNumbers(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((one) => typeof one === 'number')
  );
}
