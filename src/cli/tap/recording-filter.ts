/** Selects the sessions of a recording to show. */
import type { TapFilter } from '../../protocol/tap.ts';
import type { SessionRecord, TapRecord, TunnelRecord } from '../../wire/recording/records.ts';

/** Applies the filter of a tap to a recording. Passes everything without conditions. */
export class RecordingFilter {
  readonly #filter: TapFilter;
  readonly #isEmpty: boolean;
  /** Selected sessions and tunnels that have not ended. */
  readonly #shown = new Set<string>();

  constructor(filter: TapFilter) {
    this.#filter = filter;
    this.#isEmpty = Object.values(filter).every((wanted) => wanted === undefined);
  }

  /** Whether a record is shown. Must be called for each record, in order. */
  passes(record: TapRecord): boolean {
    if (this.#isEmpty) return true;
    switch (record.type) {
      case 'session':
      case 'tunnel':
        if (!this.#fits(record)) return false;
        this.#shown.add(record.session);
        return true;
      case 'frame':
      case 'bytes':
        return this.#shown.has(record.session);
      case 'end':
        return this.#shown.delete(record.session);
      case 'tap':
      case 'lost':
      case 'done':
        return true;
    }
  }

  #fits(record: SessionRecord | TunnelRecord): boolean {
    const { session, listener, route, cluster, endpoint, principal, client } = this.#filter;
    const isOf = record.type === 'session' ? record : null;
    return (
      (session === undefined || record.session === session) &&
      (listener === undefined || record.listener === listener) &&
      (route === undefined || isOf?.route === route) &&
      (cluster === undefined || record.cluster === cluster) &&
      (endpoint === undefined || record.endpoint === endpoint) &&
      (principal === undefined || (isOf !== null && isNamed(isOf.principal, principal))) &&
      (client === undefined || record.client === client)
    );
  }
}

/** Whether a principal has the wanted name. A name without a kind matches every kind. */
function isNamed(principal: string, wanted: string): boolean {
  return principal === wanted || principal.slice(principal.indexOf(':') + 1) === wanted;
}
