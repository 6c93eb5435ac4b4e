/** Follows the frames of a running sluice across lost connections and restarts. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { EventStreamReader } from '../../core/event-stream.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { printableOnceParsed } from '../../telemetry/output/printable.ts';

/** Max characters of a frame. It has at most 5000 endpoints of a few hundred characters each. */
const MAX_FRAME_LENGTH = 16 * 1024 * 1024;
const RETRY_MS = 1000;

/** Opens the stream of frames. Rejects with a readable reason. */
export type OpenLive = (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

interface LiveOwner {
  readonly onFrame: (frame: LiveFrame) => void;
  /** Called when the stream fails to open or ends. It is opened again after a second. */
  readonly onLost: (reason: string) => void;
}

/**
 * Reads frames until the signal aborts. Never rejects.
 *
 * @param wait delay in milliseconds; may reject if the signal aborts
 */
export async function followLive(
  open: OpenLive,
  owner: LiveOwner,
  signal: AbortSignal,
  wait: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, of) =>
    delay(ms, undefined, { signal: of }),
): Promise<void> {
  while (!signal.aborted) {
    try {
      await readFrames(await open(signal), owner, signal);
      if (!isAborted(signal)) owner.onLost('the proxy closed the stream');
    } catch (error) {
      if (!isAborted(signal)) owner.onLost(messageOf(error));
    }
    await wait(RETRY_MS, signal).catch(() => undefined);
  }
}

async function readFrames(
  stream: AsyncIterable<Uint8Array>,
  { onFrame }: LiveOwner,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoder();
  const reader = new EventStreamReader(MAX_FRAME_LENGTH);
  for await (const chunk of stream) {
    for (const data of reader.read(decoder.decode(chunk, { stream: true }))) {
      if (signal.aborted) return;
      onFrame(parseFrame(data));
    }
  }
}

/**
 * Parses a frame. Its texts are escaped, because endpoints and clients choose some of them.
 *
 * @throws Error if the data is not a frame
 */
export function parseFrame(data: string): LiveFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(printableOnceParsed(data));
  } catch {
    throw new Error('the server there is not sluice');
  }
  if (!isFrame(frame)) throw new Error('the server there is not a sluice of this version');
  return frame;
}

/** Checks only the parts of the shape that differ between versions. */
function isFrame(value: unknown): value is LiveFrame {
  if (typeof value !== 'object' || value === null) return false;
  const frame = value as Partial<Record<keyof LiveFrame, unknown>>;
  const lists = ['errors', 'workers', 'listeners', 'drains', 'clusters', 'needsRestart'] as const;
  const objects = ['gauges', 'counters'] as const;
  return (
    typeof frame.at === 'number' &&
    typeof frame.uptimeSeconds === 'number' &&
    lists.every((name) => Array.isArray(frame[name])) &&
    objects.every((name) => typeof frame[name] === 'object' && frame[name] !== null)
  );
}

/**
 * Whether the signal is aborted. A function, because the compiler assumes that the property does not change.
 */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
