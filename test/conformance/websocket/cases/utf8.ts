/** Chapter 6: UTF-8 in text messages. The sequences are those of Markus Kuhn's decoder stress test. */
import { INVALID_DATA, BARE_FIN, accepted, exchange, fragments, onClient, pieces, refused, text, textMessage } from '../building.ts';
import type { Case, Chapter, Deviation, Exchange, Step } from '../case.ts';

const GREEK = Buffer.from('κόσμε');
const GERMAN = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
const EDITED = Buffer.from('edited');
const SURROGATE = Buffer.from('eda080', 'hex');
/** 0x110000 in the scheme of UTF-8, past the last code point; wrong from its second byte on. */
const TOO_HIGH = Buffer.from('f4908080', 'hex');
const BROKEN = Buffer.concat([GREEK, SURROGATE, EDITED]);
const RISKY = Buffer.concat([GREEK, TOO_HIGH, EDITED]);
/** The first byte of {@link RISKY} that makes it wrong. */
const WRONG_AT = GREEK.length + 1;

const whole = (payload: Buffer) => (): Exchange =>
  exchange([text(payload)], { messages: [textMessage(payload)] });
const inPieces = (parts: readonly Buffer[]) => (): Exchange =>
  exchange(fragments(false, parts), { messages: [textMessage(Buffer.concat(parts))] });

const invalid = (id: string, sends: string, steps: readonly Step[], deviation: Deviation = BARE_FIN): Case =>
  refused(id, sends, () => exchange(steps), { end: INVALID_DATA, known: [onClient(deviation)] });

const LATE: Deviation = {
  instead: 'The connection ends without a close frame, and only when the message is whole.',
  why: 'uWebSockets.js looks at the UTF-8 of whole messages, and sends no close frame.',
  outcome: { closeFrame: 'none', failedAt: 'later' },
};

/** Looks after the first part, which is right, and after the second, which is not. */
const failFast = (first: Step, second: Step, third: Step): Step[] => [
  first,
  second,
  { does: 'look' },
  third,
];
const FRAMES = (cuts: readonly [number, number]): Step[] => {
  const [first, second, third] = fragments(false, [
    RISKY.subarray(0, cuts[0]),
    RISKY.subarray(cuts[0], cuts[1]),
    RISKY.subarray(cuts[1]),
  ]);
  return failFast(first!, second!, third!);
};
/** The same in one frame, which a step of its own writes in three. */
const CHOPS = (cuts: readonly [number, number]): Step[] => [
  { does: 'parts', step: text(RISKY), cuts, look: 1 },
];

const FAIL_FAST: Case[] = [
  invalid('6.4.1', 'a text in three fragments, wrong in the second', FRAMES([GREEK.length, GREEK.length + 4]), LATE),
  invalid('6.4.2', 'the same, the second being the byte that is wrong', FRAMES([WRONG_AT, WRONG_AT + 1]), LATE),
  invalid('6.4.3', 'a text in one frame and three writes, wrong in the second', CHOPS([GREEK.length, GREEK.length + 4]), LATE),
  invalid('6.4.4', 'the same, the second being the byte that is wrong', CHOPS([WRONG_AT, WRONG_AT + 1]), LATE),
];
void FAIL_FAST;
