/** Reads the key `require` of JWT: required values of claims. */
import type { FormatDescription } from '../../../syntax/format-description.ts';
import type { Format } from '../../../syntax/formats.ts';
import { FormatError, describe, line } from '../../../syntax/formats.ts';
import type { Section } from '../../../syntax/section.ts';
import { isMapping, notMapping, readValue } from '../../../syntax/section.ts';

const name = line("a claim's name");

const CLAIM: FormatDescription = {
  type: 'either',
  of: [
    { type: 'text', what: "a claim's value" },
    { type: 'number', min: -Infinity, max: Infinity },
    { type: 'boolean' },
  ],
};
/** A text, number or boolean: claims are compared as text. */
const claimValue: Format<string> = (value) => {
  if (typeof value === 'string') return line("a claim's value")(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new FormatError(`${describe(value)} is not a claim's value: write a text, a number, true or false`);
};

/** Reads the optional mapping of claims to accepted values. */
export function readRequiredClaims(jwt: Section): ReadonlyMap<string, readonly string[]> {
  const claims = new Map<string, readonly string[]>();
  if (!jwt.has('require')) return claims;
  const path = [...jwt.path, 'require'];
  jwt.problems.observer?.form?.(path, { type: 'pairs', values: CLAIM, lists: true, files: true });
  const mapping = jwt.raw('require');
  if (!isMapping(mapping)) {
    jwt.problems.valueError(
      path,
      notMapping(mapping, { what: '"require"', keys: ['claims and their values'] }),
    );
    return claims;
  }
  for (const [raw, value] of mapping) {
    const claim = readValue(raw, [...path, raw], jwt.problems, name, null);
    if (claim === null) continue;
    const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    if (values.length === 0) {
      jwt.problems.valueError(
        [...path, raw],
        'the list is empty, so no token would pass: write the accepted values',
      );
    }
    const accepted = values.map((each, index) =>
      readValue(
        each,
        Array.isArray(value) ? [...path, raw, index] : [...path, raw],
        jwt.problems,
        claimValue,
        '',
      ),
    );
    claims.set(claim, accepted);
  }
  return claims;
}
