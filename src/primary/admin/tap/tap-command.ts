import type { Config } from '../../../config/types/config.ts';
import { MAX_RULES, RuleError, parseRedactionRule } from '../../../core/redaction/redaction-rule.ts';
import {
  DEFAULT_TAP_PAYLOAD_BYTES,
  SESSION_ID,
  TAP_FILTERS,
  TAP_PAYLOAD,
  TAP_SAMPLE,
} from '../../../protocol/admin/command-parameters.ts';
import type { TapFilter } from '../../../protocol/tap.ts';
import { normalizeIp } from '../../../wire/ip-address.ts';
import type { TapService, TapRefusal, TapRequest } from '../../tap/tap-service.ts';
import type { AdminCommand, CommandResult } from '../commands/admin-command.ts';
import { ParameterError, parameterOf, refuseUnknownParameters, textOf } from '../commands/parameters.ts';
import { NDJSON_TYPE, tapStream } from './tap-stream.ts';

type FilterName = (typeof TAP_FILTERS)[number];
/** Parts of the configuration with names that a tap can filter by. */
type KnownNames = Pick<Config, 'listeners' | 'clusters'>;

const SINGLE = [...TAP_FILTERS, 'sample', 'payload', 'maxPayload'];
const STATUS = { off: 403, payload: 403, full: 429, parameters: 400, token: 401 } as const satisfies Record<
  TapRefusal['result'],
  number
>;
const REMEDIES = {
  session: 'write the id of a session from GET /sessions',
  listener: 'write the name of a listener',
  route: 'write the name of a route',
  cluster: 'write the name of a cluster',
  endpoint: 'write the address of an endpoint from GET /status',
  principal: 'write a name, such as jwt:alice or alice',
  client: 'write an IP address',
} as const satisfies Record<FilterName, string>;

/**
 * Returns the command that starts a tap and streams its lines.
 *
 * @param known returns the current configuration
 */
export function tapCommand(taps: Pick<TapService, 'open' | 'refuse'>, known: () => KnownNames): AdminCommand {
  return {
    path: '/tap',
    logsItself: true,
    run: (_args, query, client) => start(taps, client, () => parseRequest(query, known())),
    refused: (client, message) => taps.refuse({ result: 'token', message }, client),
  };
}

function start(
  taps: Pick<TapService, 'open' | 'refuse'>,
  client: string,
  read: () => TapRequest,
): CommandResult {
  let wish: TapRequest;
  try {
    wish = read();
  } catch (error) {
    if (error instanceof ParameterError)
      taps.refuse({ result: 'parameters', message: error.message }, client);
    throw error;
  }
  const opened = taps.open(wish, client);
  if ('result' in opened) return { status: STATUS[opened.result], message: opened.message };
  return { status: 200, message: 'tap started', stream: { type: NDJSON_TYPE, body: tapStream(opened) } };
}

/** Parses the parameters of a tap. @throws ParameterError */
function parseRequest(query: URLSearchParams, known: KnownNames): TapRequest {
  const redact = query.getAll('redact');
  query.delete('redact');
  refuseUnknownParameters(query, SINGLE, [...SINGLE, 'redact']);
  const filter = filterOf(query);
  refuseUnknown(filter, known);
  const payload = textOf(
    query,
    'payload',
    (text) => (/^(?:true|false)$/.test(text) ? text : null),
    'write true or false',
  );
  checkRules(redact);
  return {
    filter,
    sample: parameterOf(query, 'sample', TAP_SAMPLE) ?? 1,
    payload: payload === 'true',
    maxPayloadBytes: parameterOf(query, 'maxPayload', TAP_PAYLOAD) ?? DEFAULT_TAP_PAYLOAD_BYTES,
    redact,
  };
}

function checkRules(rules: readonly string[]): void {
  if (rules.length > MAX_RULES) {
    throw new ParameterError(`redact: write at most ${MAX_RULES} rules: join expressions by "|"`);
  }
  for (const [index, rule] of rules.entries()) {
    try {
      parseRedactionRule(rule);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const which = rules.length === 1 ? '' : `rule ${index + 1}: `;
      throw new ParameterError(`redact: ${which}${error.message}`);
    }
  }
}

function filterOf(query: URLSearchParams): TapFilter {
  const entries = TAP_FILTERS.flatMap((name) => {
    const value = textOf(query, name, (text) => readFilter(name, text), REMEDIES[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

function readFilter(name: FilterName, text: string): string | null {
  if (name === 'client') return normalizeIp(text);
  if (name === 'session') return SESSION_ID.test(text) ? text : null;
  return text === '' ? null : text;
}

/** Rejects a name that the configuration does not have: the tap would never show anything. */
function refuseUnknown({ listener, route, cluster }: TapFilter, { listeners, clusters }: KnownNames): void {
  if (listener !== undefined && !listeners.some(({ name }) => name === listener)) {
    throw new ParameterError(`listener: there is no listener ${listener}`);
  }
  if (cluster !== undefined && !clusters.some(({ name }) => name === cluster)) {
    throw new ParameterError(`cluster: there is no cluster ${cluster}`);
  }
  const hasRoute = listeners.some(
    (one) => one.mode === 'l7' && one.routes.some(({ name }) => name === route),
  );
  if (route !== undefined && !hasRoute) throw new ParameterError(`route: there is no route ${route}`);
}
