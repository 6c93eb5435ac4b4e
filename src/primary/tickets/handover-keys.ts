import { TICKET_KEY_BYTES } from '../../core/ticket-key-ring.ts';
import { MAX_ROTATED_KEYS, type RotatedKeys } from './listener-keys.ts';
import type { HandoverKeys } from './ticket-keys.ts';

/**
 * The keys of one listener. The two processes may have different versions: fields can be
 * added, but never change their meaning.
 */
interface Entry {
  readonly listener: string;
  readonly ageMs: number;
  /** Base64. */
  readonly keys: readonly string[];
}

/** Formats ticket keys for another process. The text is secret. */
export function formatTicketKeys(handover: HandoverKeys): string {
  const entries = Array.from(handover, ([listener, { keys, ageMs }]): Entry => {
    return { listener, ageMs, keys: keys.map((key) => key.toString('base64')) };
  });
  return JSON.stringify(entries);
}

/**
 * Parses the ticket keys of another process. Skips listeners with unusable keys.
 *
 * @throws Error if it is not a list
 */
export function parseTicketKeys(text: string): HandoverKeys {
  const entries = parse(text);
  if (!Array.isArray(entries)) throw new Error('the other process sent no list of keys');
  const inheritance = new Map<string, RotatedKeys>();
  for (const entry of entries as readonly (Partial<Entry> | null)[]) {
    const { listener, ageMs, keys } = entry ?? {};
    if (typeof listener !== 'string' || typeof ageMs !== 'number' || !(ageMs >= 0)) continue;
    if (!Array.isArray(keys)) continue;
    const decoded = keys.slice(0, MAX_ROTATED_KEYS).map((key) => Buffer.from(String(key), 'base64'));
    if (decoded.length === 0 || decoded.some(({ length }) => length !== TICKET_KEY_BYTES)) continue;
    inheritance.set(listener, { keys: decoded, ageMs });
  }
  return inheritance;
}

/** Parses JSON. The error of JSON.parse would quote the secret text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
