/** Journals for tests. */
import { ACCESS, type Journal } from '../../src/telemetry/journal/journal.ts';

const ignore = (): void => undefined;

/** A journal without sinks. */
export const NO_JOURNAL: Journal = {
  needsReferer: false,
  sinksOf: () => 0,
  isOn: () => false,
  request: ignore,
  handshakeRefused: ignore,
  handshakesRefused: ignore,
  sessionOpened: ignore,
  sessionClosed: ignore,
  tunnelOpened: ignore,
  tunnelClosed: ignore,
  connectionRefused: ignore,
};

/** The fields of a journal entry in one mapping, with the words of its access line in `msg`. */
export interface JournalLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Makes a journal that wants everything, and keeps what it is told in a list. */
export function journalOf(lines: unknown[], sinks = ACCESS): Journal {
  const add = (msg: string, ...parts: readonly object[]): void => {
    const { requestFacts, ...fields } = Object.assign({}, ...parts) as Record<string, unknown>;
    const { isHttp10: _, ...who } = (requestFacts ?? {}) as Record<string, unknown>;
    lines.push({ ...fields, ...who, msg } satisfies JournalLine);
  };
  return {
    needsReferer: false,
    sinksOf: () => sinks,
    isOn: (sink) => (sinks & sink) !== 0,
    request: (_, end) => add('request', end),
    handshakeRefused: (_, refusal) => add('handshake refused', refusal),
    handshakesRefused: (listener, count) => add('handshakes refused', { listener, count }),
    sessionOpened: (_, session) => add('session opened', session),
    sessionClosed: (_, session, end) => add('session closed', session, end),
    tunnelOpened: (_, tunnel) => add('tunnel opened', tunnel),
    tunnelClosed: (_, tunnel, end) => add('tunnel closed', tunnel, end),
    connectionRefused: (refusal) => add('connection refused', refusal),
  };
}
