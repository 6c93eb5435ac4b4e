/** The sink that shows the lines of a tap. */
import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import { printable } from '../../telemetry/output/printable.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import { symbolsOf } from '../terminal/line.ts';
import { textOf, type TapSink } from './tap-stream.ts';
import { RecordText, type TextStyle } from './record-text.ts';

/** Columns if the output is not a terminal. */
const DEFAULT_COLUMNS = 120;

/** The parts of stdout that a tap needs. */
type Output = Pick<WriteStream, 'write' | 'once' | 'off'> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

interface ConsoleSettings {
  /** Whether lines are written unformatted, as JSON. */
  readonly json: boolean;
  readonly hex: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the wait for a stalled reader. */
  readonly signal: AbortSignal;
}

/** Writes lines to stdout, at the pace of its reader. */
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

  /** Escapes JSON for a terminal, which obeys some characters and hides others. */
  #json(lines: readonly RecordLine[]): string {
    const text = textOf(lines);
    return this.#output.isTTY === true ? printable(text) : text;
  }

  #lines(lines: readonly RecordLine[]): string {
    const style = this.#style();
    return lines.map(({ record }) => (record === null ? '' : this.#text.write(record, style))).join('');
  }

  /** Reads the size each time, because the terminal may be resized. */
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

/** Returns the width of a terminal. A serial line reports 0 columns, and gets the default. */
function columnsOf({ columns = 0 }: Output): number {
  return columns > 0 ? columns : DEFAULT_COLUMNS;
}
