/** What the members of the demo's chat room and the room say to each other, in JSON. */

export type FromMember =
  { readonly type: 'hello'; readonly name: string } | { readonly type: 'say'; readonly text: string };

export type ToMember = Welcome | Said | Joined | Renamed | Left | Remark;

/** The first message: who the newcomer is, and through which endpoint. */
interface Welcome {
  readonly type: 'welcome';
  /** The newcomer's own `by`. */
  readonly by: number;
  readonly name: string;
  readonly endpoint: string;
  readonly present: number;
}

export interface Said {
  readonly type: 'said';
  /** Different for every message, over restarts too. */
  readonly id: string;
  readonly by: number;
  readonly from: string;
  /** The endpoint that its sender is connected to. */
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

/** To one member: that it sent something wrong (error), or too much (notice). */
interface Remark {
  readonly type: 'error' | 'notice';
  readonly text: string;
}

const MAX_NAME = 24;
/** Control, format and line-separating characters, unassigned and private ones, halves of pairs. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Of these a message keeps line breaks and the joiner of emoji. */
const INVISIBLE_IN_TEXT = /(?![\n\u200d])[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Reads a message of a member, its name or text made fit to be shown.
 *
 * @returns the message, or what is wrong with it as a sentence for its sender
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
  // By code point, so that no pair is cut in half.
  return Array.from(line).slice(0, MAX_NAME).join('').trim();
}

/** Keeps line breaks, but no more than one empty line at once. */
function cleanText(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(INVISIBLE_IN_TEXT, '');
  return lines.replace(/\n\s*\n/g, '\n\n').trim();
}
