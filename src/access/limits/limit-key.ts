import { hash } from 'node:crypto';
import type { LimitKey } from '../../config/types/limits.ts';
import { cookieOf } from '../../wire/http/cookie.ts';
import { onlyHeaderOf } from '../../wire/http/request-head.ts';
import { networkOf } from '../../wire/ip-address.ts';
import type { AccessRequest } from '../contract/access-request.ts';
import { labelOf, type Principal } from '../contract/principal.ts';
import { KEY_WORDS } from './table/table-layout.ts';

/** Hex digits of a word. */
const DIGITS = 8;

/**
 * Returns the key that a limit uses to count a request. Null if the request has no key: the limit then does
 * not apply. A header that is repeated or empty is not a key.
 *
 * @param principal null before the client is identified
 */
export function keyOf(key: LimitKey, request: AccessRequest, principal: Principal | null): string | null {
  switch (key.kind) {
    case 'address':
      return addressKey(request.client.address);
    case 'principal':
      return principal === null ? null : principalKey(principal);
    case 'claim':
      return claimKey(principal?.claims?.[key.name]);
    case 'header':
      return onlyHeaderOf(request.head, key.name) || null;
    case 'cookie':
      return cookieOf(request.head, key.name) || null;
    case 'host':
      return request.host || null;
    case 'route':
      return request.route;
  }
}

/**
 * Returns the key of an address. For IPv6 it is the first 64 bits, because a client controls all addresses of
 * a /64.
 */
export function addressKey(address: string): string | null {
  return networkOf(address) || null;
}

function principalKey(principal: Principal): string {
  if (principal.kind !== 'address') return labelOf(principal);
  return labelOf({ kind: 'address', name: networkOf(principal.name) });
}

function claimKey(claim: unknown): string | null {
  if (typeof claim === 'string') return claim || null;
  return typeof claim === 'number' ? String(claim) : null;
}

/**
 * Returns the table key of a text: the first 128 bits of its SHA-256. It has no seed, because all machines
 * that share a limit must compute the same key.
 *
 * @returns the same object at each call
 */
export function digestOf(text: string): Int32Array {
  const hex = hash('sha256', text, 'hex');
  for (let word = 0; word < KEY_WORDS; word++) {
    digest[word] = Number.parseInt(hex.slice(word * DIGITS, (word + 1) * DIGITS), 16);
  }
  // 0 is the tag of free slots.
  if (digest[0] === 0) digest[0] = 1;
  return digest;
}

const digest = new Int32Array(KEY_WORDS);
