/** Chapter 7: close frames. */
import { CLOSE } from '../../../support/websocket/raw-frames.ts';
import {
  accepted,
  close,
  script,
  frame,
  last,
  onClient,
  ping,
  refused,
  text,
  textMessage,
} from '../building.ts';
import type { Case, Chapter, Deviation, Script, Step } from '../case.ts';

const HELLO = 'Hello World!';
/** 256 KiB. */
const LARGE = 'BAsd7&jh23'.repeat(26_215).slice(0, 256 * 1024);
const NOT_UTF8 = Buffer.concat([Buffer.from('edited '), Buffer.from('eda080', 'hex'), Buffer.from('text')]);

const AT_ONCE: Deviation = {
  instead:
    'The message reaches the endpoint, but its echo cannot reach the client: the close frame was answered first.',
  why: 'uWebSockets.js answers a close frame in the call that reads it.',
  outcome: { echoed: '' },
};
const EMPTY_ANSWER: Deviation = {
  instead: 'The client and the endpoint get an empty close frame.',
  why: 'uWebSockets.js treats a malformed close frame like one without a code.',
  outcome: { closeFrame: '1005', otherSide: '1005' },
};
const UNKNOWN_CODE: Deviation = {
  ...EMPTY_ANSWER,
  why: 'uWebSockets.js treats every code from 1012 to 3999 as invalid, and answers with an empty close frame.',
};

function closing(
  id: string,
  sends: string,
  steps: readonly Step[],
  code: number,
  rest: Partial<Case> & { readonly reason?: string; readonly results?: Partial<Script> } = {},
): Case {
  const { reason = '', results, ...more } = rest;
  return accepted(id, sends, () => script(steps, results), {
    end: { kind: 'closed', code, reason },
    ...more,
  });
}

const broken = (id: string, sends: string, step: Step): Case =>
  refused(id, sends, () => script([step]), { known: [onClient(EMPTY_ANSWER)] });

const VALID_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const INVALID_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
/** Registered since the suite was written. */
const NEW_CODES = [1012, 1013, 1014];

const withCode = (id: string, code: number): Case =>
  closing(id, `a close frame with ${code}`, [close(code)], code, {
    known: code > 1011 && code < 4000 ? [onClient(UNKNOWN_CODE)] : [],
  });

export const CLOSING: readonly Chapter[] = [
  {
    title: '7.1 Frames around a close frame',
    cases: [
      closing('7.1.1', 'a text, then a close frame', [text(HELLO), close(1000)], 1000, {
        results: { messages: [textMessage(HELLO)] },
        known: [onClient(AT_ONCE)],
      }),
      closing('7.1.2', 'two close frames', [close(1000), close(1000)], 1000),
      closing('7.1.3', 'a close frame, then a ping', [close(1000), ping()], 1000),
      closing('7.1.4', 'a close frame, then a text', [close(1000), text(HELLO)], 1000),
      closing(
        '7.1.5',
        'a fragment of a text, then a close frame, then the other fragment',
        [text('fragment1', { fin: false }), close(1000), last('fragment2')],
        1000,
      ),
      closing(
        '7.1.6',
        'a text of 256 KiB, a short one, a close frame, then a ping',
        [text(LARGE), text(HELLO), close(1000), ping()],
        1000,
        { results: { messages: [textMessage(LARGE), textMessage(HELLO)], echoes: 'any' } },
      ),
    ],
  },
  {
    title: '7.3 Length of a close frame',
    cases: [
      closing('7.3.1', 'a close frame without payload', [frame(CLOSE)], 1005),
      broken('7.3.2', 'a close frame of 1 byte', frame(CLOSE, 'a')),
      closing('7.3.3', 'a close frame with a code', [close(1000)], 1000),
      closing('7.3.4', 'a close frame with a code and a reason', [close(1000, HELLO)], 1000, {
        reason: HELLO,
      }),
      closing('7.3.5', 'a close frame with a reason of 123 bytes', [close(1000, '*'.repeat(123))], 1000, {
        reason: '*'.repeat(123),
      }),
      refused('7.3.6', 'a close frame with a reason of 124 bytes', () =>
        script([close(1000, '*'.repeat(124))]),
      ),
    ],
  },
  {
    title: '7.5 Reason of a close frame',
    cases: [broken('7.5.1', 'a close frame with a reason that is no UTF-8', close(1000, NOT_UTF8))],
  },
  {
    title: '7.7 Valid close codes',
    cases: VALID_CODES.map((code, index) => withCode(`7.7.${index + 1}`, code)),
  },
  {
    title: '7.9 Invalid close codes',
    cases: INVALID_CODES.map((code, index) =>
      broken(`7.9.${index + 1}`, `a close frame with ${code}`, close(code)),
    ),
  },
  {
    title: '7.13 Close codes past all ranges',
    cases: [5000, 65_535].map((code, index) =>
      broken(`7.13.${index + 1}`, `a close frame with ${code}`, close(code)),
    ),
  },
  {
    title: 'S7 Close codes registered since',
    cases: NEW_CODES.map((code, index) => withCode(`S7.${index + 1}`, code)),
  },
];
