/** Loads the code of taps before the first one starts: loading would block the thread while sessions wait. */
import type { Config } from '../../config/types/config.ts';
import { MessageInflater } from '../../wire/deflate/message-inflater.ts';
import { HandshakeSecrets } from '../../wire/redaction/handshake-secrets.ts';
import { loadRedaction } from '../../wire/redaction/redaction.ts';
import { SecretNames } from '../../wire/redaction/secret-names.ts';

/** V8 compiles a regular expression at its first and second use. */
const ROUNDS = 3;
const HANDSHAKE = {
  target: '/a?b=c&token=d',
  headers: [
    ['Origin', 'https://a.example'],
    ['Cookie', 'a=b'],
    ['Sec-WebSocket-Protocol', 'a, b'],
  ],
  subprotocol: 'a',
} as const;
/** A message of RFC 7692 section 7.2.3.1. */
const HELLO = Buffer.from('f248cdc9c90700', 'hex');

/**
 * Loads the code that a configuration's taps may need, in pieces.
 *
 * @param nextTurn resolves after others had their turn
 */
export async function loadTaps(
  { tap, tapRedact }: Pick<Config['admin'], 'tap' | 'tapRedact'>,
  nextTurn: () => Promise<void>,
): Promise<void> {
  if (tap === 'off') return;
  for (let round = 0; round < ROUNDS; round++) new HandshakeSecrets(null, new SecretNames([])).cut(HANDSHAKE);
  await nextTurn();
  // Without payloads, only the configuration's own rules matter: they apply to handshakes.
  if (tap === 'payload' || tapRedact.length > 0) await loadRedaction(nextTurn);
  if (tap === 'payload') new MessageInflater({ hasContext: false, windowBytes: 32_768 }).inflate(HELLO);
}
