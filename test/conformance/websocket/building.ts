/** Short words for writing cases down. */
import { CLOSE, PING, PONG, TEXT, BINARY, closeBody } from '../../support/websocket/raw-frames.ts';
import type { Case, Deviation, Ending, Script, Known, Message, Step } from './case.ts';

export const CONTINUATION = 0;

export const NORMAL: Ending = { kind: 'normal' };
export const PROTOCOL_ERROR: Ending = { kind: 'failed', code: 1002 };
export const INVALID_DATA: Ending = { kind: 'failed', code: 1007 };
export const TOO_BIG: Ending = { kind: 'failed', code: 1009 };

interface FrameMore {
  readonly fin?: boolean;
  /** The three reserved bits as a number: 4 is RSV1. */
  readonly reserved?: number;
}

export function frame(opcode: number, payload: string | Buffer = '', more: FrameMore = {}): Step {
  const { fin = true, reserved = 0 } = more;
  return { does: 'frame', opcode, payload: Buffer.from(payload), fin, reserved };
}

export const text = (payload: string | Buffer, more?: FrameMore): Step => frame(TEXT, payload, more);
export const ping = (payload: string | Buffer = '', more?: FrameMore): Step => frame(PING, payload, more);
export const pong = (payload: string | Buffer = '', more?: FrameMore): Step => frame(PONG, payload, more);
export const more = (payload: string | Buffer = ''): Step => frame(CONTINUATION, payload, { fin: false });
export const last = (payload: string | Buffer = ''): Step => frame(CONTINUATION, payload);
export const close = (code: number, reason: string | Buffer = ''): Step =>
  frame(CLOSE, closeBody(code, reason));

export const echoes = (count: number): Step => ({ does: 'await', echoes: count, pongs: 0 });
export const pongs = (count: number): Step => ({ does: 'await', echoes: 0, pongs: count });

export const textMessage = (payload: string | Buffer): Message => ({
  binary: false,
  payload: Buffer.from(payload),
});
export const binaryMessage = (payload: string | Buffer): Message => ({
  binary: true,
  payload: Buffer.from(payload),
});

/** A message in one frame. */
export function whole({ binary, payload }: Message): Step {
  return { does: 'frame', opcode: binary ? BINARY : TEXT, payload, fin: true, reserved: 0 };
}

/** A message in frames of these payloads. */
export function fragments(binary: boolean, payloads: readonly (string | Buffer)[]): Step[] {
  return payloads.map((payload, index) =>
    frame(index > 0 ? CONTINUATION : binary ? BINARY : TEXT, payload, { fin: index === payloads.length - 1 }),
  );
}

/** Cut into pieces of a size; an empty one is one piece. */
export function pieces(payload: Buffer, size: number): Buffer[] {
  const count = Math.max(1, Math.ceil(payload.length / size));
  return Array.from({ length: count }, (_, index) => payload.subarray(index * size, (index + 1) * size));
}

/** A script in which every message is echoed, where nothing else is said. */
export function script(steps: readonly Step[], results: Partial<Script> = {}): Script {
  const { messages = [], pongs: answers = [] } = results;
  return { steps, messages, pongs: answers, echoes: results.echoes ?? messages };
}

/** The case that everything which the frames say is relayed and answered, and the peer then closes with 1000. */
export function accepted(id: string, sends: string, make: () => Script, rest: Partial<Case> = {}): Case {
  return { id, sends, script: make, end: NORMAL, ...rest };
}

/** The case that the peer's frames hold a breach. */
export function refused(id: string, sends: string, make: () => Script, rest: Partial<Case> = {}): Case {
  return { id, sends, script: make, end: PROTOCOL_ERROR, known: [onClient(BARE_FIN)], ...rest };
}

export function onClient(deviation: Deviation): Known {
  return { side: 'client', ...deviation };
}

/** uWebSockets.js fails a client's connection this way, whatever the breach. */
export const BARE_FIN: Deviation = {
  instead: 'The connection ends without a close frame, and the endpoint gets 1001.',
  why: 'uWebSockets.js sends no close frame after a violation (RFC 6455 section 7.1.7: SHOULD).',
  outcome: { closeFrame: 'none' },
};
