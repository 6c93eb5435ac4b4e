import { BYTE_CLASSES, IS_TOKEN, IS_VALUE } from '../byte-classes.ts';

/**
 * The grammar of chunk extensions: `;name`, `;name=token` or `;name="text"`, one or more (RFC 9112 section
 * 7.1.1). White space may surround `;` and `=`.
 */

/** States. */
export const NAME_START = 0;
const NAME = 1;
const NAME_END = 2;
const VALUE_START = 3;
const VALUE = 4;
const QUOTED = 5;
const ESCAPED = 6;
const QUOTED_END = 7;
const VALUE_END = 8;
export const NO_EXTENSION = -1;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Reports whether the line may end in this state. */
export function mayEnd(state: number): boolean {
  return state === NAME || state === VALUE || state === QUOTED_END;
}

/**
 * Advances by one byte. The byte after the first `;` starts from {@link NAME_START}. Returns {@link
 * NO_EXTENSION} if it is invalid.
 */
export function nextState(state: number, byte: number): number {
  if (state === QUOTED || state === ESCAPED) return nextQuoted(state, byte);
  const isToken = (BYTE_CLASSES[byte]! & IS_TOKEN) !== 0;
  const isBlank = byte === SPACE || byte === TAB;
  switch (state) {
    case NAME_START:
      return isToken ? NAME : isBlank ? NAME_START : NO_EXTENSION;
    case VALUE_START:
      return isToken ? VALUE : byte === QUOTE ? QUOTED : isBlank ? VALUE_START : NO_EXTENSION;
    case NAME:
    case VALUE:
      if (isToken) return state;
      break;
  }
  if (byte === SEMICOLON) return NAME_START;
  const isName = state === NAME || state === NAME_END;
  if (byte === EQUALS && isName) return VALUE_START;
  return isBlank ? (isName ? NAME_END : VALUE_END) : NO_EXTENSION;
}

function nextQuoted(state: number, byte: number): number {
  if ((BYTE_CLASSES[byte]! & IS_VALUE) === 0) return NO_EXTENSION;
  if (state === ESCAPED) return QUOTED;
  return byte === QUOTE ? QUOTED_END : byte === BACKSLASH ? ESCAPED : QUOTED;
}
