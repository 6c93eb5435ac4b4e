/** Reads a listener of either mode. */
import { isLoopbackHost, type TcpAddress } from '../../../core/address.ts';
import { MAX_DURATION_MS } from '../../../core/units/duration.ts';
import type { Steps } from '../../../core/timing/steps.ts';
import type { Context } from '../../syntax/context.ts';
import { below } from '../../syntax/hints/elsewhere.ts';
import { duration, integer, label, listenAddress, oneOf, toggle } from '../../syntax/formats.ts';
import type { Located } from '../../syntax/section.ts';
import { Section, isMapping } from '../../syntax/section.ts';
import type { L4Listener, L7Listener, Listener, UnderscoreHeaders } from '../../types/listener.ts';
import type { Route } from '../../types/route.ts';
import { ACCESS_KEYS, ADDRESS_KEYS, readAccess, readListenerAccess } from '../access/access.ts';
import { checkRemovedHeaders } from '../access/removed-headers.ts';
import { warnOfOpenOrigins } from '../access/warnings.ts';
import { LimitNames } from '../limits/limit-names.ts';
import { readLimits, type LimitTerms } from '../limits/limits.ts';
import { warnOfIdleLimits } from '../limits/warnings.ts';
import { readErrorPages } from '../route/error-pages.ts';
import { MATCH_KEYS } from '../route/route-match.ts';
import { ROUTE_KEYS, readRoutes } from '../route/route.ts';
import { placeOfListener } from '../target/place.ts';
import { BELOW_TO, hasTarget, readOnlyTarget } from '../target/target.ts';
import { HTTP_KEYS, readHttp } from './http.ts';
import { readL7Engine, refuseConnectionKeysOnUws } from './l7-engine.ts';
import { DEFAULT_TUNNEL_TIMEOUTS, readPassthrough, warnOfTunnelledCertificates } from './passthrough.ts';
import { L4_KEYS, L7_KEYS, LISTENER_KEYS, notesOn } from './listener-keys.ts';
import { readPaths } from './paths.ts';
import { hasEntries, readProxies, warnOfIgnoredProxies } from './proxies.ts';
import { TLS_KEYS, readTls } from './tls/tls.ts';
import { warnOfUncoveredHosts } from './tls/uncovered-hosts.ts';
import { WEBSOCKET_KEYS, readWebSocket } from './websocket.ts';

const L4 = {
  what: 'a listener of mode l4',
  keys: L4_KEYS,
  notes: notesOn('l7', 'l4'),
  elsewhere: [below('access', ADDRESS_KEYS), ...BELOW_TO],
};
const L7 = {
  what: 'a listener of mode l7',
  keys: L7_KEYS,
  notes: notesOn('l4', 'l7'),
  elsewhere: [
    below('access', ACCESS_KEYS),
    below('tls', TLS_KEYS),
    below('websocket', WEBSOCKET_KEYS),
    below('http', HTTP_KEYS),
    { keys: ROUTE_KEYS, write: 'routes: [{ KEY: ... }]' },
    { keys: MATCH_KEYS, write: 'routes: [{ match: { KEY: ... } }]' },
    ...BELOW_TO,
  ],
};
const EITHER = { what: 'a listener', keys: LISTENER_KEYS };
/** Replaces an invalid address in a configuration that is refused. */
const NO_ADDRESS: TcpAddress = { kind: 'tcp', host: '', port: 0 };
const CONNECTIONS = { min: 0, max: 100_000_000 };
const IDLE_MS = { min: 10, max: MAX_DURATION_MS, zero: 'never' };

/** Reads one entry of the list of listeners. Returns null if it is not a mapping or its mode is invalid. */
export function* readListener(entry: Located<unknown>, context: Context): Steps<Located<Listener> | null> {
  const { problems } = context;
  const written = isMapping(entry.value) && entry.value.has('mode') ? entry.value.get('mode') : 'l7';
  const section = Section.of(
    entry.value,
    entry.path,
    problems,
    written === 'l4' ? L4 : written === 'l7' ? L7 : EITHER,
  );
  if (section === null) return null;
  const mode = readMode(section, written);
  const address = section.required('address', listenAddress, NO_ADDRESS);
  const common = {
    name: readName(section, mode, address),
    address,
    maxConnections: section.optional('maxConnections', integer(CONNECTIONS), 0),
    ...readProxies(section),
  };
  const { hasRedis } = context;
  const terms = { names: new LimitNames(section), hasRedis };
  const passthrough = readPassthrough(section, common.name, context);
  // An invalid mode has its own error, and its keys would cause more.
  if (mode !== written) return null;
  switch (mode) {
    case 'l4': {
      warnOfIgnoredProxies(section, common.proxyProtocol);
      const cluster = readTunnelCluster(section, common.name, context);
      const engine = section.optional('engine', oneOf('auto', 'raw', 'net'), 'auto');
      const idleTimeoutMs = section.optional(
        'idleTimeout',
        duration(IDLE_MS),
        DEFAULT_TUNNEL_TIMEOUTS.idleTimeoutMs,
      );
      const halfCloseTimeoutMs = section.optional(
        'halfCloseTimeout',
        duration(IDLE_MS),
        DEFAULT_TUNNEL_TIMEOUTS.halfCloseTimeoutMs,
      );
      const value: L4Listener = {
        ...common,
        access: readAccess({ section, mode: 'l4', inherited: null, isExposed: false }, context),
        limits: readLimits(section, { ...terms, mode: 'l4', uwsKey: null }),
        passthrough: passthrough.rules,
        mode: 'l4',
        cluster,
        engine,
        idleTimeoutMs,
        halfCloseTimeoutMs,
      };
      return { path: entry.path, value };
    }
    case 'l7': {
      const engine = readL7Engine(section);
      const handshakes = readHandshakeLimits(section);
      const forwarded = section.optional('forwarded', oneOf('x', 'rfc7239', 'both', 'off'), 'x');
      const via = section.optional('via', toggle, false);
      const underscoreHeaders = section.optional(
        'underscoreHeaders',
        oneOf('drop', 'pass', 'refuse'),
        'drop',
      );
      const paths = readPaths(section);
      const { websocket, uwsKey } = readWebSocket(section, engine);
      const errors = problems.errorCount;
      const tls = readTls(section, context, uwsKey);
      const hasValidTls = problems.errorCount === errors;
      warnOfTunnelledCertificates(passthrough, tls, problems);
      refuseConnectionKeysOnUws(section, uwsKey, { ...common, passthrough: passthrough.rules });
      const http = readHttp(section, uwsKey);
      const isExposed = isReadableByOthers(section, common);
      const access = readListenerAccess(section, common.name, { mode: 'l7', isExposed }, context);
      const limitTerms: LimitTerms = { ...terms, mode: 'l7', uwsKey };
      const limits = readLimits(section, limitTerms);
      const routes = yield* readRoutes(
        section,
        {
          listener: common.name,
          paths,
          asksForCertificates: asksForCertificates(section),
          access,
          isExposed,
          limits: limitTerms,
        },
        context,
      );
      warnOfRemovedHeaders(section, routes, underscoreHeaders);
      warnOfOpenOrigins(section, routes);
      // A TLS proxy in front may ignore names. Broken certificates have their own error.
      if (tls !== null && hasValidTls && common.trustedProxies.length === 0) {
        warnOfUncoveredHosts(section, tls.certificates, routes);
      }
      yield;
      warnOfIdleLimits(section, { access, limits, routes });
      yield;
      checkRemovedHeaders(section, { access, limits, routes });
      yield;
      const value: L7Listener = {
        ...common,
        passthrough: passthrough.rules,
        mode: 'l7',
        engine,
        tls,
        ...handshakes,
        access,
        limits,
        forwarded,
        via,
        underscoreHeaders,
        paths,
        websocket,
        http,
        errorPages: readErrorPages(section, context),
        routes,
      };
      return { path: entry.path, value };
    }
  }
}

/** Reads the optional key `mode`. A file cannot have it, because it decides which keys a listener has. */
function readMode(section: Section, written: unknown): Listener['mode'] {
  if (!isMapping(written)) return section.optional('mode', oneOf('l4', 'l7'), 'l7');
  section.problemAt('mode', 'a mapping is not one of l4, l7: write the word itself');
  return 'l7';
}

/** Reads the optional key `name`. The default is made of mode and port, because it becomes a metric label. */
function readName(listener: Section, mode: Listener['mode'], address: TcpAddress): string {
  const written = listener.raw('name');
  const derived = address === NO_ADDRESS ? '' : `${mode}-${address.port}`;
  return listener.optional('name', label, typeof written === 'string' ? written : derived);
}

/** Reads the cluster of a tunnel, which is required unless there is `passthrough`. */
function readTunnelCluster(listener: Section, name: string, context: Context): string | null {
  if (hasTarget(listener)) return readOnlyTarget(listener, placeOfListener(name), context);
  if (!hasEntries(listener, 'passthrough')) {
    listener.problem('a listener of mode l4 needs one of cluster, to, passthrough');
  }
  return null;
}

/** Whether the listener requests client certificates, even if their settings are invalid. */
function asksForCertificates(listener: Section): boolean {
  const tls = listener.raw('tls');
  return isMapping(tls) && tls.has('clientCertificates');
}

/** Whether client traffic crosses the network unencrypted: no TLS here, and no proxy in front. */
function isReadableByOthers(
  listener: Section,
  { address, trustedProxies }: Pick<Listener, 'address' | 'trustedProxies'>,
): boolean {
  return !listener.has('tls') && trustedProxies.length === 0 && !isLoopbackHost(address.host);
}

/** Warns of routes that match a header that is removed first. */
function warnOfRemovedHeaders(listener: Section, routes: readonly Route[], policy: UnderscoreHeaders): void {
  for (const [index, { match }] of routes.entries()) {
    for (const name of match.headers.keys()) {
      const cause = causeOfAbsence(name, policy);
      if (cause === null) continue;
      const path = [...listener.path, 'routes', index, 'match', 'headers'];
      listener.problems.warning(path, `no request has "${name}": ${cause}`);
    }
  }
}

/** Explains why no request has a header when routes are matched. Null if a request can have it. */
function causeOfAbsence(name: string, policy: UnderscoreHeaders): string | null {
  if (name.replaceAll('_', '-') === 'x-forwarded-client-cert') {
    return 'it is always removed first. Match clientCertificate instead';
  }
  if (policy === 'pass' || !name.includes('_')) return null;
  return `"underscoreHeaders: ${policy}" applies first. Write pass there, or another name here`;
}

function readHandshakeLimits(
  listener: Section,
): Pick<L7Listener, 'maxPendingHandshakes' | 'maxQueuedHandshakes'> {
  const maxPendingHandshakes = listener.optional('maxPendingHandshakes', integer(CONNECTIONS), 0);
  const maxQueuedHandshakes = listener.optional('maxQueuedHandshakes', integer(CONNECTIONS), 1000);
  if (maxPendingHandshakes === 0 && listener.has('maxQueuedHandshakes')) {
    listener.problemAt(
      'maxQueuedHandshakes',
      'without maxPendingHandshakes nothing waits: set that too, or leave maxQueuedHandshakes out',
    );
  }
  return { maxPendingHandshakes, maxQueuedHandshakes };
}
