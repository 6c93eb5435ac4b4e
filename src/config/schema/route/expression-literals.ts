/** Finds the literal text in a regular expression of RE2 syntax. */

/** The literal parts of an expression. */
interface Literals {
  /** Texts that every match contains, unless they are optional or alternatives. */
  readonly runs: readonly string[];
  /** Whether a part of the expression ignores case. */
  readonly ignoresCase: boolean;
}

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
/**
 * One token: a quotation, a code, an escape, a class, the opening of a group, a repetition, or one character.
 */
const TOKEN =
  /\\Q(?<quoted>.*?)(?:\\E|$)|\\x(?:\{(?<long>[\dA-Fa-f]+)\}|(?<short>[\dA-Fa-f]{2}))|\\[pP](?:\{[^}]*\}|.)|\\(?<escaped>.)|\[(?<negated>\^?)(?<members>\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*)\]|\((?:\?(?<flags>P?<\w+>|[a-zA-Z-]*:?))?|\{\d+(?:,\d*)?\}\??|(?<plain>.)/gsu;
const REPEATED = /^(?:[*+?]|\{\d)/;

/** Lists the literal parts of a valid expression, and the class members outside of ASCII. */
export function literalRuns(source: string): Literals {
  const runs: string[] = [];
  let ignoresCase = false;
  let run = '';
  const end = (): void => {
    if (run !== '') runs.push(run);
    run = '';
  };
  for (const token of source.matchAll(TOKEN)) {
    const { negated, members, flags } = token.groups!;
    ignoresCase ||= flags !== undefined && !flags.includes('<') && flags.split('-')[0]!.includes('i');
    const literal = literalOf(token.groups!);
    if (literal === null) {
      end();
      if (negated === '' && members !== undefined) runs.push(...(members.match(/[^\0-\x7f]/gu) ?? []));
      continue;
    }
    // A repetition applies to one character only.
    if (REPEATED.test(source.slice(token.index + token[0].length))) {
      end();
      run = literal;
      end();
    } else run += literal;
  }
  end();
  return { runs, ignoresCase };
}

function literalOf(groups: Readonly<Record<string, string | undefined>>): string | null {
  const { quoted, long, short, escaped, plain } = groups;
  if (quoted !== undefined) return quoted;
  const code = long ?? short;
  if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
  if (escaped !== undefined) return CONTROLS[escaped] ?? (/\w/.test(escaped) ? null : escaped);
  if (plain === undefined || /[.^$|()*+?]/.test(plain)) return null;
  return plain;
}
