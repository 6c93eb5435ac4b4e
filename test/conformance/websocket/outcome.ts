/** The outcome that a case should have, on each side. */
import { createHash } from 'node:crypto';
import type { Case, Script, ListenerName, Message, Known, Outcome, Side } from './case.ts';
import { isOwn } from './listeners.ts';

const NOTHING: Outcome = {
  relayed: '',
  echoed: '',
  pongs: '',
  closeFrame: '',
  otherSide: '',
  failedAt: '',
  negotiation: '',
};

/** Messages so that they can be compared and told apart at a glance. */
export function describeMessages(messages: readonly Message[]): string {
  return messages
    .map(({ binary, payload }) => `${binary ? 'binary' : 'text'} ${fingerprint(payload)}`)
    .join(', ');
}

export function describePayloads(payloads: readonly Buffer[]): string {
  return payloads.map(fingerprint).join(', ');
}

/** As a close event tells it. */
export function describeClose({ code, reason }: { readonly code: number; readonly reason: string }): string {
  return reason === '' ? String(code) : `${code} ${reason}`;
}

function fingerprint(payload: Buffer): string {
  return `${payload.length}:${createHash('sha1').update(payload).digest('hex').slice(0, 12)}`;
}

/** What RFC 6455 wants, and design for the other side where the RFC has no say. */
export function expectedOutcome({ end }: Case, script: Script, side: Side, listener: ListenerName): Outcome {
  const isClient = side === 'client';
  const relayed = describeMessages(script.messages);
  const outcome = {
    ...NOTHING,
    relayed,
    echoed: isClient && script.echoes !== 'any' ? describeMessages(script.echoes) : '',
    pongs: describePayloads(script.pongs),
    failedAt: isClient && looks(script) ? 'once' : '',
  };
  switch (end.kind) {
    case 'normal':
      return { ...outcome, closeFrame: '1000', otherSide: '1000' };
    case 'closed':
      return { ...outcome, closeFrame: String(end.code), otherSide: describeClose(end) };
    case 'failed':
      // Behind one of sluice's own engines the endpoint judges text and compression, and chooses when to
      // fail.
      if (end.code === 1007 && isClient && isOwn(listener))
        return { ...outcome, closeFrame: '1007', otherSide: 'invalid data', failedAt: '' };
      return { ...outcome, closeFrame: String(end.code), otherSide: failureBehind(end.code, side) };
  }
}

/** The failure that the other side gets after the hostile peer broke the protocol. */
function failureBehind(code: number, side: Side): string {
  if (side === 'client') return '1001';
  // The proxy does not read the text of messages: the client behind it does, and its verdict crosses the proxy.
  return code === 1007 ? 'invalid data' : '1011 endpoint protocol error';
}

function looks(script: Script): boolean {
  return script.steps.some(({ does }) => does === 'look' || does === 'cut');
}

/** The deviation that is known of a case here, if any. */
export function knownDeviation(one: Case, side: Side, listener: ListenerName): Known | null {
  if (isOwn(listener)) return null;
  const found = one.known?.find(
    (known) => known.side === side && (known.listener === undefined || known.listener === listener),
  );
  return found ?? null;
}
