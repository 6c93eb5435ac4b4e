/** The line that describes a tap. */
import { formatByteSize } from '../../core/units/byte-size.ts';
import type { HeaderRecord } from '../../wire/recording/records.ts';

/** @param isLive false for a recording */
export function headingOf(header: HeaderRecord, isLive: boolean): string {
  const { filter, sample, payload, maxPayload, redact } = header;
  const conditions = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
  const parts = [
    conditions.length === 0 ? 'all sessions and tunnels' : `sessions of ${conditions.join(', ')}`,
    sample < 1 ? `${Number((sample * 100).toPrecision(6))}% of them` : null,
    payload ? `payload up to ${formatByteSize(maxPayload)}` : 'no payload',
    redact.length === 0 ? null : `${redact.length} rule${redact.length === 1 ? '' : 's'} of redaction`,
  ];
  const what = parts.filter((part) => part !== null).join(', ');
  return isLive ? `watching ${what}` : `recording of ${what}`;
}

/** Explains the arrows of narrow terminals. */
export const LEGEND = 'C client, E endpoint, P proxy, z compressed, + message continues';
