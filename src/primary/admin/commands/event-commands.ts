import { EVENT_NUMBER, PAGE_LIMIT } from '../../../protocol/admin/command-parameters.ts';
import type { EventStore } from '../events/event-store.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import { parameterOf, refuseUnknownParameters } from './parameters.ts';

/** Enough for all rows that are kept. */
const DEFAULT_LIMIT = 200;

/**
 * Returns the command that lists refusals and failures. It requires the token, because events identify
 * clients.
 */
export function eventCommands(events: Pick<EventStore, 'page'>): readonly AdminCommand[] {
  return [{ method: 'GET', path: '/events', run: (_args, query) => list(events, query) }];
}

function list(events: Pick<EventStore, 'page'>, query: URLSearchParams): CommandResult {
  refuseUnknownParameters(query, ['after', 'limit']);
  const limit = parameterOf(query, 'limit', PAGE_LIMIT) ?? DEFAULT_LIMIT;
  const page = events.page(parameterOf(query, 'after', EVENT_NUMBER), limit);
  const { length } = page.events;
  return { status: 200, message: `${length} ${length === 1 ? 'row' : 'rows'} of events`, fields: page };
}
