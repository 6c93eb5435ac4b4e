/** Reads the keys for trusted proxies in front of a listener. */
import { addressBlock } from '../../syntax/address-block.ts';
import { oneOf } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';
import type { Listener } from '../../types/listener.ts';

export const PROXY_KEYS = ['trustedProxies', 'proxyProtocol'];

/** Reads the optional keys. Adds an error for `proxyProtocol` without trusted senders. */
export function readProxies(listener: Section): Pick<Listener, 'trustedProxies' | 'proxyProtocol'> {
  const trustedProxies: string[] = [];
  for (const { value, path } of listener.anyNumber('trustedProxies', 'IP addresses and CIDR blocks')) {
    const proxy = readValue(value, path, listener.problems, addressBlock, null);
    if (proxy !== null) trustedProxies.push(proxy);
  }
  const proxyProtocol = listener.optional('proxyProtocol', oneOf('off', 'required', 'optional'), 'off');
  if (proxyProtocol !== 'off' && !hasEntries(listener, 'trustedProxies')) {
    const effect =
      proxyProtocol === 'required' ? 'every connection would be closed' : 'no header would be read';
    listener.problemAt(
      'proxyProtocol',
      `a PROXY header is accepted only from trustedProxies, which is empty, so ${effect}: list the proxies in front there`,
    );
  }
  return { trustedProxies, proxyProtocol };
}

/**
 * Warns of `trustedProxies` at layer 4 without `proxyProtocol`: only a PROXY header describes the client
 * there.
 */
export function warnOfIgnoredProxies(listener: Section, proxyProtocol: Listener['proxyProtocol']): void {
  if (proxyProtocol !== 'off' || !hasEntries(listener, 'trustedProxies')) return;
  listener.problems.warning(
    [...listener.path, 'trustedProxies'],
    'trustedProxies has no effect at layer 4 without proxyProtocol: write proxyProtocol: required or optional',
  );
}

/** Whether a list has entries, valid or not. Invalid entries have their own errors. */
export function hasEntries(section: Section, key: string): boolean {
  const value = section.raw(key);
  return section.has(key) && !(Array.isArray(value) && value.length === 0);
}
