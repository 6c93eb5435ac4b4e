/** The placeholder of secrets in printed configurations. */
import { FormatError } from '../formats.ts';

/**
 * Printed in place of a secret, because people share the output. Refused as input, so that it never becomes a secret.
 */
export const HIDDEN = '(hidden)';

/** Throws a FormatError if a secret is the placeholder. */
export function refuseHidden(secret: unknown): void {
  if (secret !== HIDDEN) return;
  throw new FormatError(
    `"${HIDDEN}" is the placeholder of print-config for a secret: write the secret, \${NAME} or { file: PATH }`,
  );
}
