/** The keys of a listener. */
import { TARGET_KEYS } from '../target/target.ts';
import { PROXY_KEYS } from './proxies.ts';

/** Keys of both modes. */
const COMMON = [
  'name',
  'mode',
  'address',
  'maxConnections',
  ...PROXY_KEYS,
  'access',
  'limits',
  'passthrough',
  ...TARGET_KEYS,
];
const MODES = {
  l4: ['engine', 'idleTimeout', 'halfCloseTimeout'],
  l7: [
    'engine',
    'tls',
    'maxPendingHandshakes',
    'maxQueuedHandshakes',
    'forwarded',
    'via',
    'underscoreHeaders',
    'paths',
    'websocket',
    'http',
    'errorPages',
    'routes',
    'redirectToHttps',
  ],
} as const;

export const L4_KEYS: readonly string[] = [...COMMON, ...MODES.l4];
export const L7_KEYS: readonly string[] = [...COMMON, ...MODES.l7];
/** Keys of either mode. */
export const LISTENER_KEYS: readonly string[] = [...new Set([...L4_KEYS, ...L7_KEYS])];

/** Explains keys that only listeners of the other mode have. */
export function notesOn(other: keyof typeof MODES, mode: keyof typeof MODES): Record<string, string> {
  return Object.fromEntries(
    MODES[other].map((key) => [
      key,
      `"${key}" is for listeners of mode ${other}, and this one has mode ${mode}`,
    ]),
  );
}
