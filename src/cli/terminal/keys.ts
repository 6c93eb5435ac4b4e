/** Parses keys from terminal input. */

/** A printable character, or a key name: `up`, `pagedown`, `ctrl-c`. */
export type Key = string;

/** Max characters of an escape sequence. Longer ones are dropped. */
const MAX_SEQUENCE = 16;

/** Endings of sequences after ESC [ or ESC O, as xterm, the Linux console, screen and tmux send them. */
const SEQUENCES: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
  M: 'enter',
  '1~': 'home',
  '7~': 'home',
  '4~': 'end',
  '8~': 'end',
  '5~': 'pageup',
  '6~': 'pagedown',
  '3~': 'delete',
};

const CONTROLS: Readonly<Record<string, Key>> = {
  '\t': 'tab',
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u000c': 'ctrl-l',
  '\u0015': 'ctrl-u',
  '\u001a': 'ctrl-z',
  // Emacs and less scroll with these.
  '\u0002': 'pageup',
  '\u0006': 'pagedown',
  '\u000e': 'down',
  '\u0010': 'up',
};

const ESC = '\u001b';
/** Introducer, parameters, intermediates and final character: ECMA-48, section 5.4. */
const SEQUENCE = /^\u001b(?:\[([0-?]*[ -/]*[@-~])|O([ -~]))/;
const BEGINNING = /^\u001b(?:\[[0-?]*[ -/]*|O)?$/;

/** Parses input that may split an escape sequence. An incomplete sequence waits for the rest. */
export class KeyReader {
  #pending = '';

  /**
   * Whether an incomplete sequence waits. A lone ESC is the key Esc if nothing follows soon: see {@link
   * flush}.
   */
  get waits(): boolean {
    return this.#pending !== '';
  }

  push(text: string): Key[] {
    const keys: Key[] = [];
    let rest = this.#pending + text;
    this.#pending = '';
    while (rest !== '') {
      if (!rest.startsWith(ESC)) {
        const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
        rest = rest.slice(character.length);
        const key = CONTROLS[character] ?? (isVisible(character) ? character : null);
        if (key !== null) keys.push(key);
        continue;
      }
      if (BEGINNING.test(rest)) {
        if (rest.length <= MAX_SEQUENCE) this.#pending = rest;
        break;
      }
      const match = SEQUENCE.exec(rest);
      if (match === null) {
        // Esc, directly followed by another key.
        keys.push('escape');
        rest = rest.slice(1);
        continue;
      }
      rest = rest.slice(match[0].length);
      const key = SEQUENCES[match[1] ?? match[2] ?? ''];
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** Ends the wait for the rest of a sequence. A lone ESC is then the key Esc. */
  flush(): Key[] {
    const alone = this.#pending === ESC;
    this.#pending = '';
    return alone ? ['escape'] : [];
  }
}

function isVisible(character: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character);
}
