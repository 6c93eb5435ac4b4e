import { isoTime } from '../../../core/timing/iso-time.ts';
import { formatDuration } from '../../../core/units/duration.ts';
import type { SessionFilter } from '../../../protocol/access.ts';
import {
  CLOSE_CODE,
  EXTEND_TIME,
  PAGE_LIMIT,
  REASON_REMEDY,
  SESSION_ID,
  isReason,
} from '../../../protocol/admin/command-parameters.ts';
import { normalizeIp } from '../../../wire/ip-address.ts';
import type { SessionService } from '../../access/sessions/session-service.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import { ParameterError, parameterOf, refuseUnknownParameters, textOf } from './parameters.ts';

type Sessions = Pick<SessionService, 'list' | 'close' | 'closeAll' | 'extend'>;

const DEFAULT_LIMIT = 100;
/** Policy violation (RFC 6455 section 7.4.1): clients do not reconnect at once. */
const DEFAULT_CODE = 1008;
const DEFAULT_REASON = 'closed by the operator';
const FILTERS = ['principal', 'client', 'listener', 'cluster', 'endpoint'] as const;

/** Returns the commands that list, close and extend sessions. */
export function sessionCommands(sessions: Sessions): readonly AdminCommand[] {
  return [
    { method: 'GET', path: '/sessions', run: (_args, query) => list(sessions, query) },
    { method: 'DELETE', path: '/sessions', run: (_args, query) => closeAll(sessions, query) },
    { method: 'DELETE', path: '/sessions/ID', run: ([id = ''], query) => close(sessions, id, query) },
    { path: '/sessions/ID/extend', run: ([id = ''], query) => extend(sessions, id, query) },
  ];
}

/** Keeps `incomplete` in the fields of a result only if workers did not answer. */
export function withIncomplete<T extends { readonly incomplete: readonly string[] }>(
  fields: T,
): Omit<T, 'incomplete'> {
  const { incomplete, ...others } = fields;
  return incomplete.length === 0 ? others : fields;
}

/** Names the workers that did not answer, for the end of a message. Empty if all answered. */
export function missingAnswers(incomplete: readonly string[]): string {
  return incomplete.length === 0 ? '' : `; no answer from ${incomplete.join(', ')}`;
}

/** Formats the number of closed sessions. */
export function closedText(closed: number): string {
  return `${closed} ${closed === 1 ? 'session' : 'sessions'} closed`;
}

async function list(sessions: Sessions, query: URLSearchParams): Promise<CommandResult> {
  refuseUnknownParameters(query, [...FILTERS, 'limit', 'after']);
  const limit = parameterOf(query, 'limit', PAGE_LIMIT) ?? DEFAULT_LIMIT;
  const isId = (text: string): string | null => (SESSION_ID.test(text) ? text : null);
  const after = textOf(query, 'after', isId, 'write "next" from the previous page') ?? null;
  const page = await sessions.list(filterOf(query), after, limit);
  const message = `${page.sessions.length} of ${page.total} sessions${missingAnswers(page.incomplete)}`;
  return { status: 200, message, fields: withIncomplete(page) };
}

async function closeAll(sessions: Sessions, query: URLSearchParams): Promise<CommandResult> {
  refuseUnknownParameters(query, [...FILTERS, 'code', 'reason']);
  const filter = filterOf(query);
  if (Object.keys(filter).length === 0) {
    throw new ParameterError(`write which sessions to close, by ${FILTERS.join(', ')}; POST /drain ends all`);
  }
  const { code, reason } = closeOf(query);
  const result = await sessions.closeAll(filter, code, reason);
  const { closed, incomplete } = result;
  return {
    status: 200,
    message: closedText(closed) + missingAnswers(incomplete),
    fields: withIncomplete(result),
    logged: { ...filter, closed },
  };
}

async function close(sessions: Sessions, id: string, query: URLSearchParams): Promise<CommandResult> {
  refuseUnknownParameters(query, ['code', 'reason']);
  const { code, reason } = closeOf(query);
  if (!SESSION_ID.test(id)) return unknown(id, []);
  const { closed, incomplete } = await sessions.close(id, code, reason);
  if (closed === 0) return unknown(id, incomplete);
  return { status: 200, message: `session ${id} closed`, fields: { closed } };
}

async function extend(sessions: Sessions, id: string, query: URLSearchParams): Promise<CommandResult> {
  refuseUnknownParameters(query, ['by']);
  const byMs = parameterOf(query, 'by', EXTEND_TIME);
  if (byMs === null) throw new ParameterError(`by: ${EXTEND_TIME.remedy}`);
  if (!SESSION_ID.test(id)) return unknown(id, []);
  const { found, at, incomplete } = await sessions.extend(id, byMs);
  if (!found) return unknown(id, incomplete);
  if (at === null) {
    return { status: 409, message: `session ${id} cannot be extended: its credential does not expire` };
  }
  const endsAt = isoTime(at);
  const message = `session ${id} extended by ${formatDuration(byMs)}: it ends at ${endsAt}`;
  return { status: 200, message, fields: { endsAt } };
}

function filterOf(query: URLSearchParams): SessionFilter {
  const some = (text: string): string | null => (text === '' ? null : text);
  const principal = textOf(query, 'principal', some, 'write a name, such as jwt:alice or alice');
  const client = textOf(query, 'client', normalizeIp, 'write an IP address');
  const listener = textOf(query, 'listener', some, 'write the name of a listener');
  const cluster = textOf(query, 'cluster', some, 'write the name of a cluster');
  const endpoint = textOf(query, 'endpoint', some, 'write an address of a cluster, such as 10.0.0.1:9000');
  return {
    ...(principal !== undefined && { principal }),
    ...(client !== undefined && { client }),
    ...(listener !== undefined && { listener }),
    ...(cluster !== undefined && { cluster }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

function closeOf(query: URLSearchParams): { readonly code: number; readonly reason: string } {
  const code = parameterOf(query, 'code', CLOSE_CODE) ?? DEFAULT_CODE;
  const short = (text: string): string | null => (isReason(text) ? text : null);
  return { code, reason: textOf(query, 'reason', short, REASON_REMEDY) ?? DEFAULT_REASON };
}

/** Answers that no session was found: 404, or 503 if workers that did not answer may have the session. */
function unknown(id: string, incomplete: readonly string[]): CommandResult {
  if (incomplete.length === 0)
    return { status: 404, message: `there is no session ${id}: it may have ended` };
  const message = `session ${id} not found${missingAnswers(incomplete)}: ask again`;
  return { status: 503, message, fields: { incomplete } };
}
