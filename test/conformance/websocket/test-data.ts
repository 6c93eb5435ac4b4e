/** Content of several kinds for compression, made up from a seed: the same in every run. */

const LENGTH = 256 * 1024;

export interface TestData {
  readonly name: string;
  readonly binary: boolean;
  /** ASCII where it is text, so that it can be cut anywhere. */
  readonly content: Buffer;
}

/** Whole numbers below a bound, by a linear congruential generator. */
type Dice = (below: number) => number;

function dice(seed: number): Dice {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The high bits are the random ones.
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SYLLABLES =
  'da zu ver ge ant wort lich keit ein ste hen wer den nicht und der die das mit auf licht kraft'.split(' ');

function word(roll: Dice): string {
  return Array.from({ length: 1 + roll(3) }, () => SYLLABLES[roll(SYLLABLES.length)]).join('');
}

function words(roll: Dice, count: number): string {
  return Array.from({ length: count }, () => word(roll)).join(' ');
}

function record(roll: Dice): string {
  return `${JSON.stringify({ id: roll(1e9), name: word(roll), tags: words(roll, 3).split(' '), score: roll(1e6) / 1e3, isActive: roll(2) === 1 })},\n`;
}

function verse(roll: Dice): string {
  return `${words(roll, 3 + roll(4))},\n`;
}

function row(roll: Dice): string {
  return `<tr class="row-${roll(9)}"><td>${words(roll, 2)}</td><td align="right">${roll(1e4)}</td></tr>\n`;
}

function repeated(make: (roll: Dice) => string, seed: number): Buffer {
  const roll = dice(seed);
  const parts: string[] = [];
  for (let length = 0; length < LENGTH; length += parts.at(-1)!.length) parts.push(make(roll));
  return Buffer.from(parts.join(''), 'latin1').subarray(0, LENGTH);
}

/** Grey values that change little from point to point. */
function image(): Buffer {
  const roll = dice(2);
  let grey = 128;
  return Buffer.from(Uint8Array.from({ length: LENGTH }, () => (grey = (grey + roll(7) - 3) & 255)));
}

/** Data that is already compressed. */
function noise(): Buffer {
  const roll = dice(5);
  return Buffer.from(Uint8Array.from({ length: LENGTH }, () => roll(256)));
}

export const TEST_DATA: readonly TestData[] = [
  { name: 'JSON', binary: false, content: repeated(record, 1) },
  { name: 'a grey image', binary: true, content: image() },
  { name: 'prose', binary: true, content: repeated(verse, 3) },
  { name: 'HTML', binary: false, content: repeated(row, 4) },
  { name: 'incompressible data', binary: true, content: noise() },
];
