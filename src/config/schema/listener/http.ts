/** Reads the key `http` of an l7 listener. */
import { MAX_DURATION_MS } from '../../../core/units/duration.ts';
import { byteRate, byteSize, duration, integer } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { HttpSettings } from '../../types/listener.ts';
import { refuseUnsupportedKeys } from './l7-engine.ts';

/** Keys that the engine `uws` does not support: its own limits are fixed. */
const NON_UWS_KEYS = [
  'headerTimeout',
  'maxHeaderSize',
  'maxHeaders',
  'clientKeepAlive',
  'maxRequestsPerConnection',
  'bodyTimeout',
];
export const HTTP_KEYS = [
  ...['requestTimeout', 'idleTimeout', 'maxBodySize', 'minBodyRate', 'keepAlive'],
  ...NON_UWS_KEYS,
];
const HTTP = { what: '"http"', keys: HTTP_KEYS };
const KIB = 1024;
const GIB = 1024 ** 3;
const DEADLINE_MS = { min: 10, max: MAX_DURATION_MS };

/** Reads the optional key. @param uwsKey key that selects the engine `uws`; null for another engine */
export function readHttp(listener: Section, uwsKey: string | null): HttpSettings {
  const section = listener.settings('http', HTTP);
  refuseUnsupportedKeys(section, uwsKey, { own: NON_UWS_KEYS, uws: [] });
  return {
    requestTimeoutMs: section.optional('requestTimeout', duration(DEADLINE_MS), 60_000),
    idleTimeoutMs: section.optional(
      'idleTimeout',
      duration({ ...DEADLINE_MS, min: 1000, zero: 'never' }),
      120_000,
    ),
    maxBodySize: section.optional('maxBodySize', byteSize({ min: 0, max: 2 ** 50 }), 0),
    minBodyRate: section.optional('minBodyRate', byteRate({ min: 0, max: GIB }), 512),
    keepAliveMs: section.optional('keepAlive', duration({ min: 0, max: MAX_DURATION_MS }), 60_000),
    headerTimeoutMs: section.optional('headerTimeout', duration(DEADLINE_MS), 10_000),
    maxHeaderSize: section.optional('maxHeaderSize', byteSize({ min: KIB, max: 256 * KIB }), 32 * KIB),
    maxHeaders: section.optional('maxHeaders', integer({ min: 1, max: 10_000 }), 200),
    clientKeepAliveMs: section.optional(
      'clientKeepAlive',
      duration({ min: 0, max: MAX_DURATION_MS }),
      75_000,
    ),
    maxRequestsPerConnection: section.optional(
      'maxRequestsPerConnection',
      integer({ min: 0, max: 1_000_000_000 }),
      0,
    ),
    bodyTimeoutMs: section.optional('bodyTimeout', duration({ ...DEADLINE_MS, zero: 'no limit' }), 0),
  };
}
