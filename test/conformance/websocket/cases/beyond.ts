/** Cases that the Autobahn testsuite lacks: lengths, masks, and compressed messages that are odd or wrong. */
import { constants, deflateRawSync } from 'node:zlib';
import { BINARY, TEXT, encodeFrame } from '../../../support/websocket/raw-frames.ts';
import {
  INVALID_DATA,
  NORMAL,
  PROTOCOL_ERROR,
  TOO_BIG,
  CONTINUATION,
  binaryMessage,
  close,
  echoes,
  script,
  frame,
  onClient,
  ping,
  refused,
  text,
  textMessage,
} from '../building.ts';
import type { Case, Chapter, Deviation, Ending, Step } from '../case.ts';
import { describeMessages, describePayloads } from '../outcome.ts';

const RSV1 = { reserved: 4 };
const MASK = Buffer.from([0x01, 0x02, 0x03, 0x04]);
const HELLO = textMessage('Hello');
/** "Hello" as section 7.2.3 of RFC 7692 has it. */
const DEFLATED_HELLO = Buffer.from('f248cdc9c90700', 'hex');

const fromHex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const deflated = (payload: Buffer): Buffer =>
  deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

function fromEndpoint(id: string, sends: string, bytes: Buffer): Case {
  return refused(id, sends, () => script([{ does: 'bytes', bytes }]), { only: 'endpoint' });
}

/** Ten bytes that are a whole masked frame to a reader that ignores the mask bit. */
const UNMASKED = Buffer.concat([encodeFrame(BINARY, MASK), encodeFrame(BINARY, 'xy')]);
const TAKEN_FOR_MASKED = binaryMessage(Buffer.from(UNMASKED.subarray(6).map((byte, at) => byte ^ MASK[at]!)));

const NOT_LOOKED_AT: Deviation = {
  instead: 'The frame is read as a masked one: the four bytes after its length are the mask.',
  why: 'uWebSockets.js ignores the mask bit (RFC 6455 section 5.1: MUST close).',
  outcome: {
    relayed: describeMessages([TAKEN_FOR_MASKED]),
    echoed: describeMessages([TAKEN_FOR_MASKED]),
    closeFrame: '1000',
    otherSide: '1000',
  },
};

const LAST_BLOCK: Deviation = {
  instead: 'The connection ends without a close frame, and the endpoint gets 1001.',
  why: 'uWebSockets.js cannot inflate a message with a final block, which RFC 7692 section 7.2.3.4 allows.',
  outcome: { relayed: '', echoed: '', closeFrame: 'none', otherSide: '1001' },
};

/** RFC 7692 section 6: an endpoint must fail the connection. */
const ANY_RSV1 = 'With compression, uWebSockets.js accepts RSV1 on every kind of frame.';
const PINGED = Buffer.from('ping');

const CONTROL_RSV1: Deviation = {
  instead: 'The ping is answered.',
  why: ANY_RSV1,
  outcome: { pongs: describePayloads([PINGED]), closeFrame: '1000', otherSide: '1000' },
};

const LATE_RSV1: Deviation = {
  instead: 'The message is inflated as if its first fragment had RSV1.',
  why: ANY_RSV1,
  outcome: {
    relayed: describeMessages([HELLO]),
    echoed: describeMessages([HELLO]),
    closeFrame: '1000',
    otherSide: '1000',
  },
};

/** RSV1 on the second fragment, and on the first too or not. */
function inTwo(both: boolean): Step[] {
  return [
    text(DEFLATED_HELLO.subarray(0, 3), { fin: false, ...(both && RSV1) }),
    frame(CONTINUATION, DEFLATED_HELLO.subarray(3), RSV1),
    echoes(1),
    close(1000),
  ];
}

function compressed(
  id: string,
  sends: string,
  steps: readonly Step[],
  end: Ending,
  more: Partial<Case> = {},
): Case {
  const messages = end === NORMAL ? [HELLO] : [];
  return refused(id, sends, () => script(steps, { messages }), {
    only: 'client',
    listeners: ['shared'],
    offer: 'permessage-deflate; client_max_window_bits',
    end,
    ...(end === NORMAL && { known: [] }),
    ...more,
  });
}

export const BEYOND: readonly Chapter[] = [
  {
    title: 'S1 Lengths and masks',
    cases: [
      fromEndpoint('S1.1', 'a frame of 1 byte with a length of 16 bits', fromHex('827e000178')),
      fromEndpoint('S1.2', 'a frame of 1 byte with a length of 64 bits', fromHex('827f000000000000000178')),
      fromEndpoint('S1.3', 'a frame whose length has its highest bit set', fromHex('827f800000000000000178')),
      fromEndpoint('S1.4', 'a masked frame from an endpoint', encodeFrame(TEXT, 'Hello', { mask: MASK })),
      refused(
        'S1.5',
        'two frames from a client that are not masked',
        () => script([{ does: 'bytes', bytes: UNMASKED }, echoes(1), close(1000)]),
        {
          only: 'client',
          known: [onClient(NOT_LOOKED_AT)],
        },
      ),
    ],
  },
  {
    title: 'S12 Compressed messages that are odd or wrong',
    cases: [
      compressed(
        'S12.1',
        'a text in two deflate blocks',
        [text(fromHex('f24805000000ffffcac9c90700'), RSV1)],
        NORMAL,
      ),
      compressed(
        'S12.2',
        'a text in a block that is stored',
        [text(fromHex('000500faff48656c6c6f00'), RSV1)],
        NORMAL,
      ),
      compressed(
        'S12.3',
        'a text in a block that says it is the last',
        [text(fromHex('f348cdc9c9070000'), RSV1)],
        NORMAL,
        {
          known: [onClient(LAST_BLOCK)],
        },
      ),
      compressed('S12.4', 'a text that is not compressed', [text('Hello')], NORMAL),
      compressed(
        'S12.5',
        'bytes that are no deflate stream',
        [text(fromHex('ffffffff'), RSV1)],
        INVALID_DATA,
      ),
      compressed(
        'S12.6',
        'a text that is no UTF-8 once inflated',
        [text(deflated(fromHex('eda080')), RSV1)],
        INVALID_DATA,
      ),
      compressed(
        'S12.7',
        '17 MiB of zeros in 17 KB',
        [frame(BINARY, deflated(Buffer.alloc(17 * 1024 * 1024)), RSV1)],
        TOO_BIG,
        // Our own engines bound the bytes on the wire.
        { uwsOnly: true },
      ),
      // A peer that is not failed continues, and closes.
      compressed('S12.8', 'a ping with RSV1', [ping(PINGED, RSV1), close(1000)], PROTOCOL_ERROR, {
        known: [onClient(CONTROL_RSV1)],
      }),
      compressed('S12.9', 'a text in two fragments, both with RSV1', inTwo(true), PROTOCOL_ERROR),
      compressed('S12.10', 'a text in two fragments, RSV1 on the second', inTwo(false), PROTOCOL_ERROR, {
        known: [onClient(LATE_RSV1)],
      }),
    ],
  },
];
