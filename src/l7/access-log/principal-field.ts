import { createHash } from 'node:crypto';
import { labelOf, type Principal } from '../../access/contract/principal.ts';
import type { LogSettings } from '../../config/types/config.ts';
import { copyOfText } from '../../core/copy.ts';

const MAX_NAME_CHARACTERS = 256;
/** Hex digits of a digest: the chance that two of a million names share one is 1 in 10 million. */
const DIGEST_DIGITS = 16;

/**
 * Returns the principal for access lines. Undefined if it is only an address, which the lines already have.
 */
export function principalField(principal: Principal, style: LogSettings['principal']): string | undefined {
  const { kind, name } = principal;
  if (style === 'off' || kind === 'address') return undefined;
  if (style === 'hashed') {
    return labelOf({ kind, name: createHash('sha256').update(name).digest('hex').slice(0, DIGEST_DIGITS) });
  }
  const isLong = name.length > MAX_NAME_CHARACTERS;
  return labelOf({ kind, name: isLong ? `${copyOfText(name.slice(0, MAX_NAME_CHARACTERS))}...` : name });
}
