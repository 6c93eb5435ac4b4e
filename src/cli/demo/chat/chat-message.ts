/** The JSON messages between the demo's chat room and its members. */
import { cleanName, readObject } from '../json-object.ts';

export type FromMember =
  { readonly type: 'hello'; readonly name: string } | { readonly type: 'say'; readonly text: string };

export type ToMember = Welcome | Said | Joined | Renamed | Left | Remark;

/** The first message to a new member: its number and its endpoint. */
interface Welcome {
  readonly type: 'welcome';
  /** The `by` value of the member's own messages. */
  readonly by: number;
  readonly name: string;
  readonly endpoint: string;
  readonly present: number;
}

export interface Said {
  readonly type: 'said';
  /** Unique, even across restarts. */
  readonly id: string;
  readonly by: number;
  readonly from: string;
  /** The endpoint of the sender's connection. */
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

/** Warns one member: it sent a bad message (error) or too many messages (notice). */
interface Remark {
  readonly type: 'error' | 'notice';
  readonly text: string;
}

/** Invisible characters, except line breaks and the zero-width joiner of emoji, which a message may contain. */
const INVISIBLE_IN_TEXT = /(?![\n\u200d])[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Parses a message of a member, and cleans its name or text for display.
 *
 * @returns the message, or a sentence that tells the sender what is wrong
 */
export function readMessage(json: string): FromMember | string {
  const message = readObject(json);
  if (typeof message === 'string') return message;
  const { type, name, text } = message;
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

/** Keeps line breaks, with at most one empty line in a row. */
function cleanText(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(INVISIBLE_IN_TEXT, '');
  return lines.replace(/\n\s*\n/g, '\n\n').trim();
}
