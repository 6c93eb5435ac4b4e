/**
 * Reads the key `passthrough` of a listener: server names whose TLS connections are tunnelled without
 * decryption.
 */
import { isIP } from 'node:net';
import type { Context } from '../../syntax/context.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe } from '../../syntax/formats.ts';
import { hostPattern } from '../../syntax/host.ts';
import type { Problems } from '../../syntax/problems.ts';
import type { Located } from '../../syntax/section.ts';
import { Section, readValue } from '../../syntax/section.ts';
import type { ListenerTls, PassthroughRule } from '../../types/listener.ts';
import { placeOfRule } from '../target/place.ts';
import { TARGET_KEYS, readOnlyTarget } from '../target/target.ts';

/** Default timeouts of tunnels. Layer 7 cannot change them. */
export const DEFAULT_TUNNEL_TIMEOUTS = { idleTimeoutMs: 600_000, halfCloseTimeoutMs: 60_000 };
const RULE = { what: 'a rule of passthrough', keys: ['serverName', ...TARGET_KEYS] };

/** The rules, and the path of each server name. */
interface ReadPassthrough {
  readonly rules: readonly PassthroughRule[];
  readonly places: ReadonlyMap<string, Located<string>['path']>;
}

/**
 * Reads the optional key. Adds an error if two rules have the same server name.
 *
 * @param listenerName the listener's name; empty if it is invalid
 */
export function readPassthrough(listener: Section, listenerName: string, context: Context): ReadPassthrough {
  const { problems } = context;
  const rules: PassthroughRule[] = [];
  const places = new Map<string, Located<string>['path']>();
  for (const { value, path } of listener.anyNumber('passthrough', 'rules { serverName, cluster }')) {
    const section = Section.of(value, path, problems, RULE);
    if (section === null) continue;
    const serverNames: string[] = [];
    for (const { value: name, path } of readServerNames(section)) {
      if (places.has(name)) {
        problems.valueError(
          path,
          `${describe(name)} already has a rule: keep one of them, because a server name leads to one cluster`,
        );
        continue;
      }
      places.set(name, path);
      serverNames.push(name);
    }
    const isValid = listenerName !== '' && serverNames.length > 0;
    const place = isValid ? placeOfRule(listenerName, serverNames) : null;
    rules.push({ serverNames, cluster: readOnlyTarget(section, place, context) });
  }
  return { rules, places };
}

/** Warns of each certificate whose server name is tunnelled, so that this listener never uses it. */
export function warnOfTunnelledCertificates(
  { places }: ReadPassthrough,
  tls: ListenerTls | null,
  problems: Problems,
): void {
  const names = new Set(tls?.certificates.flatMap(({ serverNames }) => serverNames) ?? []);
  for (const name of names) {
    const rule = ruleOver(name, places);
    if (rule === null) continue;
    problems.warning(
      rule.path,
      `a certificate of this listener is for ${describe(name)}, and TLS for that name never ends here: it is tunnelled. ` +
        'Leave the certificate or the server name out',
    );
  }
}

/** Finds the rule that matches all server names of a certificate's name. */
function ruleOver(name: string, places: ReadPassthrough['places']): Located<string> | null {
  const exact = places.get(name);
  if (exact !== undefined) return { value: name, path: exact };
  for (
    let dot = name.indexOf('.', name.startsWith('*.') ? 2 : 0);
    dot >= 0;
    dot = name.indexOf('.', dot + 1)
  ) {
    const wildcard = `*${name.slice(dot)}`;
    const path = places.get(wildcard);
    if (path !== undefined) return { value: wildcard, path };
  }
  return null;
}

/** Reads the required key `serverName`: one name, or a list of names. */
function readServerNames(rule: Section): Located<string>[] {
  return rule.oneOrMore('serverName', 'server names').flatMap((entry) => {
    const name = readValue(entry.value, entry.path, rule.problems, serverName, null);
    return name === null ? [] : [{ value: name, path: entry.path }];
  });
}

/** A host name, or `*.` and a host name. Returned in lower case. */
const serverName: Format<string> = (value) => {
  if (typeof value === 'string' && isIP(value.replace(/^\[(.*)\]$/, '$1')) !== 0) {
    throw new FormatError(
      `${describe(value)} is an address, and clients send no server name for it: write a name`,
    );
  }
  if (value === '*') {
    throw new FormatError('"*" would take every name: write names, and at layer 4 the cluster for the rest');
  }
  return hostPattern(value);
};
