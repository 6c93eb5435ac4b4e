/** Lines that the primary adds to the lines of the workers. */
import { version } from '../../core/version.ts';
import type { TapOrder } from '../../protocol/tap.ts';
import {
  RECORDING_VERSION,
  type DoneRecord,
  type HeaderRecord,
  type LostRecord,
} from '../../wire/recording/records.ts';

/** Formats the first line of a tap. */
export function headerLine({ filter, sample, payload, maxPayloadBytes, redact }: TapOrder): string {
  const record: HeaderRecord = {
    type: 'tap',
    version: RECORDING_VERSION,
    at: now(),
    sluice: version(),
    filter: { ...filter },
    sample,
    payload,
    maxPayload: maxPayloadBytes,
    redact,
  };
  return lineOf(record);
}

/**
 * Formats a line about losses.
 *
 * @param worker the worker that dropped them; null if the reader was too slow
 */
export function lostLine(
  worker: string | null,
  lost: { readonly frames: number; readonly sessions: number; readonly lines: number },
): string {
  const { frames, sessions, lines } = lost;
  const record: LostRecord = {
    type: 'lost',
    at: now(),
    ...(worker !== null && { worker }),
    frames,
    sessions,
    lines,
  };
  return lineOf(record);
}

/** Formats the last line of a tap that the proxy ends. */
export function doneLine(reason: string): string {
  const record: DoneRecord = { type: 'done', at: now(), reason };
  return lineOf(record);
}

function lineOf(record: object): string {
  return `${JSON.stringify(record)}\n`;
}

/** Returns milliseconds since 1970, with microsecond resolution. */
function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
}
