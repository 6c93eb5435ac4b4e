/** Finds the right place of a misplaced key. */

/** Keys of another section. */
export interface Elsewhere {
  readonly keys: readonly string[];
  /** How to write one of the keys in place of the wrong one. The word KEY stands for it. */
  readonly write: string;
}

/** Max places of one message. A key of more sections says nothing about the intended one. */
const MAX_PLACES = 3;

/** Returns the ways to write a key of other sections. Null if no section has it, or too many have. */
export function placesOfKey(key: string, sections: readonly Elsewhere[]): string | null {
  const places = sections.filter(({ keys }) => keys.includes(key));
  if (places.length === 0 || places.length > MAX_PLACES) return null;
  return places.map(({ write }) => write.replace('KEY', () => key)).join(', or ');
}

/** Describes the keys of a mapping that is the value of a key. */
export function below(name: string, keys: readonly string[]): Elsewhere {
  return { keys, write: `${name}: { KEY: ... }` };
}
