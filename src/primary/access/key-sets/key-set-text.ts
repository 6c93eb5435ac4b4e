/**
 * Counts the keys of a JSON Web Key Set (RFC 7517 section 5).
 *
 * @throws Error with a short reason for the log if the text is not a key set, or has no keys. It must not
 * replace a good set.
 */
export function keysIn(text: string): number {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('not JSON');
  }
  const members: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null;
  if (!Array.isArray(members)) throw new Error('not a key set: "keys" is missing');
  const count = members.filter(isKey).length;
  if (count === 0) throw new Error('the key set has no keys');
  return count;
}

function isKey(member: unknown): boolean {
  return typeof member === 'object' && member !== null && 'kty' in member && typeof member.kty === 'string';
}
