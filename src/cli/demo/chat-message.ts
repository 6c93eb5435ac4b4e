/** The JSON messages between the demo's chat room and its members. */

export type FromMember =
  { readonly type: 'hello'; readonly name: string } | { readonly type: 'say'; readonly text: string };

export type ToMember = Welcome | Said | Joined | Renamed | Left | Remark;

/** The first message to a new member: its number, and what carries its connection. */
interface Welcome {
  readonly type: 'welcome';
  /** The `by` of the member's own messages. */
  readonly by: number;
  readonly name: string;
  readonly endpoint: string;
  /** The engine of the proxy's listener, if the proxy names it. */
  readonly engine?: string;
  readonly present: number;
}

export interface Said {
  readonly type: 'said';
  /** Unique, also over restarts. */
  readonly id: string;
  readonly by: number;
  readonly from: string;
  /** The endpoint that the sender is connected to. */
  readonly endpoint: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Joined {
  readonly type: 'joined';
  readonly by: number;
  readonly name: string;
  readonly endpoint: string;
  readonly present: number;
}

interface Renamed {
  readonly type: 'renamed';
  readonly by: number;
  readonly from: string;
  readonly name: string;
  readonly present: number;
}

interface Left {
  readonly type: 'left';
  readonly by: number;
  readonly name: string;
  readonly present: number;
}

/** Tells one member that it sent a bad message (error), or too many (notice). */
interface Remark {
  readonly type: 'error' | 'notice';
  readonly text: string;
}

const MAX_NAME_CHARACTERS = 24;
/** Control, format and line-separating characters, unassigned and private ones, halves of pairs. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** A message keeps two of these: line breaks and the joiner of emoji. */
const INVISIBLE_IN_TEXT = /(?![\n\u200d])[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Reads a message of a member, and makes its name or text fit to be shown.
 *
 * @returns the message, or a sentence for the sender about what is wrong
 */
export function readMessage(json: string): FromMember | string {
  let message: unknown;
  try {
    message = JSON.parse(json);
  } catch {
    return 'This is not JSON.';
  }
  if (typeof message !== 'object' || message === null) return 'A message is a JSON object.';
  const { type, name, text } = message as Readonly<Record<string, unknown>>;
  if (type === 'hello') {
    if (typeof name !== 'string') return 'A hello has a name.';
    const clean = cleanName(name);
    return clean === '' ? 'The name is empty.' : { type, name: clean };
  }
  if (type === 'say') {
    if (typeof text !== 'string') return 'A say has a text.';
    const clean = cleanText(text);
    return clean === '' ? 'The text is empty.' : { type, text: clean };
  }
  return 'The type of a message is hello or say.';
}

function cleanName(name: string): string {
  const line = name.normalize('NFC').replace(/\s+/g, ' ').replace(INVISIBLE, '').trim();
  // By code point: a surrogate pair must not be cut in half.
  return Array.from(line).slice(0, MAX_NAME_CHARACTERS).join('').trim();
}

/** Keeps line breaks, with at most one empty line in a row. */
function cleanText(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(INVISIBLE_IN_TEXT, '');
  return lines.replace(/\n\s*\n/g, '\n\n').trim();
}
