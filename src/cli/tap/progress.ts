/** Shows the counts on a terminal during a recording. */
import type { TapCounts } from './counts.ts';

const PERIOD_MS = 1000;
const CLEAR_LINE = '\r\u001b[K';

/** The parts of stderr that the counts need. */
interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows the counts in one line, updated each second and cleared at the end. Shows nothing without a terminal.
 *
 * @param every calls back in each period until the returned function is called
 * @returns a function that ends the display
 */
export function showProgress(
  counts: TapCounts,
  output: ProgressOutput,
  every: (ms: number, run: () => void) => () => void = everyPeriod,
): () => void {
  if (output.isTTY !== true) return () => undefined;
  const stop = every(PERIOD_MS, () => output.write(`${CLEAR_LINE}${counts.text()}`));
  return () => {
    stop();
    output.write(CLEAR_LINE);
  };
}

function everyPeriod(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
}
