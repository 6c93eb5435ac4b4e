/** Where the lines of a tap are shown. */
import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import { printable } from '../../telemetry/output/printable.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import { symbolsOf } from '../terminal/line.ts';
import { textOf, type TapSink } from './tap-stream.ts';
import { RecordText, type TextStyle } from './record-text.ts';

/** Columns if the output is no terminal. */
const DEFAULT_COLUMNS = 120;

/** The standard output, as far as a tap needs it. */
type Output = Pick<WriteStream, 'write' | 'once' | 'off'> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

interface ConsoleSettings {
  /** Whether lines are written as they come. */
  readonly json: boolean;
  readonly hex: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the wait for a reader that does not read. */
  readonly signal: AbortSignal;
}

/** Writes lines to the standard output, as fast as its reader takes them. */
export class ConsoleSink implements TapSink {
  readonly #output: Output;
  readonly #settings: ConsoleSettings;
  readonly #text = new RecordText();

  constructor(output: Output, settings: ConsoleSettings) {
    this.#output = output;
    this.#settings = settings;
  }

  async write(lines: readonly RecordLine[]): Promise<void> {
    const text = this.#settings.json ? this.#json(lines) : this.#lines(lines);
    if (text === '' || this.#output.write(text)) return;
    await once(this.#output as NodeJS.EventEmitter & Output, 'drain', { signal: this.#settings.signal });
  }

  /** A terminal obeys some characters, and hides others: they are escaped there. */
  #json(lines: readonly RecordLine[]): string {
    const text = textOf(lines);
    return this.#output.isTTY === true ? printable(text) : text;
  }

  #lines(lines: readonly RecordLine[]): string {
    const style = this.#style();
    return lines.map(({ record }) => (record === null ? '' : this.#text.write(record, style))).join('');
  }

  /** The terminal may have got another size. */
  #style(): TextStyle {
    const { hex, env } = this.#settings;
    const isTerminal = this.#output.isTTY === true;
    return {
      width: isTerminal ? columnsOf(this.#output) : DEFAULT_COLUMNS,
      symbols: symbolsOf(env),
      colours: isTerminal && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
      hex,
    };
  }
}

/** A serial line has no size, which is 0 columns. */
function columnsOf({ columns = 0 }: Output): number {
  return columns > 0 ? columns : DEFAULT_COLUMNS;
}
