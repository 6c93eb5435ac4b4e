/** The counts of a tap that is recorded, on a terminal while it runs. */
import type { TapCounts } from './counts.ts';

const PERIOD_MS = 1000;
const CLEAR_LINE = '\r\u001b[K';

/** The standard error, as far as the counts need it. */
interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows the counts each second in one line, which clears itself in the end. Shows nothing without a terminal.
 *
 * @param every calls back in each period until the returned function is called
 * @returns what ends it
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
