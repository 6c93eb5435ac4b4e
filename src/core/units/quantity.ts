/** A number and its unit: `1.5MiB` is 1.5 and `MiB`. */
interface Quantity {
  readonly amount: number;
  /** Empty if the text is only a number. */
  readonly unit: string;
}

const PATTERN = /^(\d+(?:\.\d+)?)(\D*)$/;

/**
 * Splits a text into a number and its unit. The number has decimal digits and an optional fraction, without
 * sign, exponent or spaces.
 *
 * @returns undefined if the text does not start with a number, or has digits after the unit
 */
export function parseQuantity(text: string): Quantity | undefined {
  const match = PATTERN.exec(text);
  return match === null ? undefined : { amount: Number(match[1]), unit: match[2]! };
}

/** Rounds a positive amount, to at least 1. In settings, 0 can mean "no limit", so 0.1 must not become 0. */
export function roundUpFromZero(amount: number): number {
  return amount > 0 ? Math.max(1, Math.round(amount)) : 0;
}
